"""The drawer's code, run unchanged, against the runner's answer."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest

from components.models.checkpoint import INSPECTIONS
from components.models.sources.snippet import loading_lines
from components.tasks.runner import Runner
from tests.tasks.suite import EMBEDDED, TINY, AnyTask, assert_alike, example, name

ROOT = Path(__file__).parents[2]

# What looks inside prints what it saw, in its own way: tests/insight has it.
ANSWERING = [pair for pair in EMBEDDED if pair[0].name not in INSPECTIONS]
TINY_ANSWERING = [pair for pair in TINY if pair[0].name not in INSPECTIONS]

VARIANTS: dict[str, list[dict[str, Any]]] = {
    "question_answering": [
        {"context": "She put the bread in the oven. The fox\njumps 'over' it! " * 30, "stride": 9},
        {"max_answer_length": 2, "allow_no_answer": False, "question": ' "Who"\nis it? '},
    ],
    "summarization": [{"text": "It was late.\n\nThe fox jumps! " * 20 + 'A "quoted" fox'}],
    "translation": [
        {"text": 'She said: "It was late."\n\n- The fox jumps! 12.\nThe dog.', "num_beams": 2},
        {"alternatives": 3, "num_beams": 2, "length_penalty": 0.5},
    ],
    "sentence_similarity": [
        {"sentences": ["\"quoted\" 'text' \\n", "long " * 200]},
        {"measure": "dot", "matrix": True},
    ],
    "text_generation": [
        {"mode": "plain", "temperature": 0.0, "prompt": "Line one\n\"quoted\" 'text' \\ <script>"},
        {"system": "Be brief.", "temperature": 1.5, "top_k": 0, "seed": 5, "min_p": 0.1, "typical_p": 0.9},
        {"begin": 'Well, the\n"fox"', "num_beams": 2, "alternatives": 3},
    ],
    "fill_mask": [
        {"text": "[MASK] looked at the [MASK] and saw that it was late.", "top_k": 3},
        {"text": "In the [MASK] of it all, in every one of the rooms.", "top_k": 20},
        {"text": "The [MASK] fox.", "targets": "quick, brown, lazy"},
    ],
    "zero_shot_classification": [
        {"multi_label": True, "labels": ["music", "travel", "music "]},
        {"hypothesis_template": "{} is the topic.", "text": 'A "quoted"\nfox.'},
    ],
    "text_classification": [
        {"text": "fox " * 300, "multi_label": "one", "top_k": 2},
        {"threshold": 0.4, "text": 'A "quoted"\nfox.'},
    ],
    "table_question_answering": [
        {"question": "How many cities are in France?", "top_k": 3},
        {"table": {"columns": ["", "a\nb"], "rows": [['"x"', "1"], ["", "'"], ["é, [SEP]", "2"]]}},
    ],
    "named_entities": [
        {
            "text": "Zoe\u0301 O'Neill (Paris)\nand 👩‍🚀 东京. " * 30,
            "aggregation_strategy": strategy,
            "stride": 9,
        }
        for strategy in ("simple", "first", "average", "max")
    ]
    + [{"text": "The fox", "aggregation_strategy": "none", "labels": "i-per, loc", "minimum_score": 0.2}],
}


def snippet(task: AnyTask, runner: Runner, payload: dict[str, Any]) -> str:
    request = runner.parse(task, payload)
    return task.snippet(request.checkpoint, request.inputs, request.options)


def check(task: AnyTask, runner: Runner, payload: dict[str, Any], printed: str) -> None:
    """Text is the same; scores are, to three places, those of the same labels, words, names or sentences. A
    program may as well print the result as JSON."""
    result = runner.call(task, payload).result
    if printed.startswith("{"):
        assert_alike(json.loads(printed), asdict(result))
        return
    if hasattr(result, "matrix") and result.matrix:
        written, size = printed.splitlines(), len(result.matrix)
        printed, rows = "\n".join(written[:-size]), written[-size:]
        for row, expected_row in zip(rows, result.matrix, strict=True):
            assert [float(value) for value in row.split()] == pytest.approx(expected_row, abs=1e-3)
    if hasattr(result, "chosen"):
        printed, _, last = printed.rstrip("\n").rpartition("\n")
        assert last == "Fits: " + (", ".join(result.chosen) or "none")
    if hasattr(result, "summary"):
        assert printed == result.summary + "\n"
        return
    if hasattr(result, "translation"):
        listed = "".join(f"  {one.translation}\n" for one in result.alternatives)
        assert printed == f"{result.translation}\n{listed}"
        return
    if hasattr(result, "no_answer"):
        expected = [(repr(one.text), one.score) for one in result.answers]
        expected.append(("(no answer)", result.no_answer))
    elif hasattr(result, "text"):
        assert printed == result.text + "\n"
        return
    elif hasattr(result, "scores"):
        expected = list(zip(payload["sentences"], result.scores, strict=True))
    elif hasattr(result, "entities"):
        expected = [
            (f"{one.label}  {one.start}-{one.end}  {one.text!r}", one.score) for one in result.entities
        ]
    elif hasattr(result, "answer"):
        expected = [(f"{row.answer}  ({row.explanation})", row.score) for row in result.candidates]
    else:
        rows = getattr(result, fields(result)[0].name)
        expected = [(getattr(row, fields(row)[0].name), row.score) for row in rows]
    lines = [line.split("  ", 1) for line in printed.splitlines()]
    assert [float(score) for score, _ in lines] == pytest.approx([score for _, score in expected], abs=1e-3)
    assert sorted(text for _, text in lines) == sorted(text for text, _ in expected)


def run(code: str, folder: Path) -> str:
    """What a program prints that is started in `folder`. It has no names but those that it imports."""
    printed = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed):
        exec(compile(code, "snippet", "exec"), {"__name__": "__main__"})  # noqa: S102 - the code under test
    return printed.getvalue()


@pytest.fixture(scope="module")
def fetched(reader: Path, runner: Runner) -> Callable[[str], None]:
    """Fetches a checkpoint's weights as a snippet does, which says what it downloads; each once."""

    @functools.cache
    def fetch(model: str) -> None:
        run("\n".join(loading_lines(runner.registry.catalog[model])), reader)

    return fetch


@pytest.mark.parametrize(("task", "model"), ANSWERING, ids=name)
def test_runs_unchanged(
    task: AnyTask, model: str, runner: Runner, reader: Path, fetched: Callable[[str], None]
) -> None:
    payload = example(task, model)
    fetched(model)
    check(task, runner, payload, run(snippet(task, runner, payload), reader))


def test_runs_in_a_process_of_its_own(runner: Runner, reader: Path) -> None:
    """That nothing which the others do in this process makes them work."""
    task, model = ANSWERING[-1]
    payload = example(task, model)
    (reader / "snippet.py").write_text(snippet(task, runner, payload), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "snippet.py"],
        cwd=reader,
        env={**os.environ, "PYTHONPATH": str(ROOT)},  # one of them builds on this repository
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    check(task, runner, payload, done.stdout)


@pytest.mark.parametrize(("task", "model"), TINY_ANSWERING, ids=name)
def test_every_body_gives_the_runners_answer(task: AnyTask, model: str, runner: Runner, reader: Path) -> None:
    for changes in [{}, *VARIANTS.get(task.name, [])]:
        payload = example(task, model, **changes)
        check(task, runner, payload, run(snippet(task, runner, payload), reader))


@pytest.mark.parametrize(("task", "model"), [*EMBEDDED, *TINY], ids=name)
def test_is_short_enough_to_read(task: AnyTask, model: str, runner: Runner) -> None:
    lines = snippet(task, runner, example(task, model)).splitlines()
    assert len(lines) <= 120
    assert max(map(len, lines)) <= 120
