"""The drawer's code for an adapter, run unchanged in a process of its own, against the runner's answer."""

from __future__ import annotations

from pathlib import Path

from components.models.checkpoint import Head
from components.tasks.zero_shot_classification import TASK
from tests.fakes.adapters import adapter_runner, tiny_adapter
from tests.fakes.checkpoints import tiny_encoder
from tests.tasks.suite import example
from tests.tasks.test_snippets import check, run, snippet


def test_an_adapters_code_gives_the_runners_answer(tmp_path: Path) -> None:
    labels = {0: "contradiction", 1: "neutral", 2: "entailment"}
    head = Head.SEQUENCE_CLASSIFICATION
    body = tiny_encoder(tmp_path / "body")
    folder = tiny_adapter(tmp_path / "adapter", body, head, saved=["pooler"], id2label=labels)
    runner = adapter_runner(folder, body, head, TASK.name, tmp_path)
    payload = example(TASK, "adapter")
    check(TASK, runner, payload, run(snippet(TASK, runner, payload), tmp_path))
