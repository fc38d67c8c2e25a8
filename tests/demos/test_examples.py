"""The answers stored with the examples are what the embedded checkpoints really answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from components.insight import stored
from components.serving.attention import RECORD
from components.tasks import sentence_similarity
from components.tasks.runner import Runner
from components.ui.page import Example, TaskPage
from demos import PAGES, attention, examples
from tests.tasks.suite import assert_alike

CASES = [
    pytest.param(page, entry, id=f"{page.slug}: {entry.label}")
    for page in PAGES
    if isinstance(page, TaskPage)
    for entry in examples.load(page.task)
]


@pytest.mark.parametrize(("page", "entry"), CASES)
def test_stored_answer_is_what_the_model_answers(page: TaskPage, entry: Example, runner: Runner) -> None:
    fresh = runner.call(page.task, {**entry.payload, "model": entry.answer["model"]}).as_json()
    assert_alike({**fresh, "seconds": entry.answer["seconds"]}, dict(entry.answer))


def test_a_new_task_gets_its_first_example_written(runner: Runner, tmp_path: Path) -> None:
    task = replace(sentence_similarity.TASK, stored=tmp_path / "examples.json")
    with pytest.raises(FileNotFoundError, match="--examples all"):
        examples.load(task)
    examples.write([task], runner)
    [example] = examples.load(task)
    assert example.payload == task.example
    assert example.answer["scores"]


def test_the_stored_look_is_what_the_model_reads(runner: Runner) -> None:
    payload, answer = stored.load(stored.OPENING)
    assert payload == attention.OPENING
    fresh = runner.call(RECORD, payload).result.stacks[0]
    kept = answer.result.stacks[0]
    assert kept.rows == fresh.rows
    assert abs(kept.weights.astype(int) - fresh.weights.astype(int)).max() < 65535 * 0.01
