"""The drawer's code for an adapter, run as it stands in a process of its own, against the runner's answer."""

from __future__ import annotations

from pathlib import Path

from components.models.catalog import Catalog
from components.models.checkpoint import Head
from components.models.registry import Registry
from components.models.settings import Settings
from components.tasks.runner import Runner
from components.tasks.zero_shot_classification import TASK
from tests.fakes.adapters import adapter_entry, tiny_adapter
from tests.fakes.checkpoints import local_entry, tiny_encoder
from tests.tasks.suite import example
from tests.tasks.test_snippets import check, run, snippet


def test_an_adapters_code_gives_the_runners_answer(tmp_path: Path) -> None:
    labels = {0: "contradiction", 1: "neutral", 2: "entailment"}
    head = Head.SEQUENCE_CLASSIFICATION
    body = local_entry("body", Head.ENCODER, tiny_encoder(tmp_path / "body"))
    folder = tiny_adapter(tmp_path / "adapter", tmp_path / "body", head, saved=["pooler"], id2label=labels)
    adapter = adapter_entry("adapter", head, folder, body, (TASK.name,))
    runner = Runner(
        Registry(Catalog([body, adapter]), Settings(cache_dir=tmp_path, device="cpu")), "embedded"
    )
    payload = example(TASK, "adapter")
    check(TASK, runner, payload, run(snippet(TASK, runner, payload), tmp_path))
