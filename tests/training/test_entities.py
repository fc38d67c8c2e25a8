"""Names told from words by their capitals alone, on a body that reads lower case."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from components.models.checkpoint import Head
from components.tasks.named_entities import TASK
from components.training import adapter, entities
from components.training.recipe import recipes
from components.training.run import train
from tests.fakes.adapters import adapter_runner
from tests.fakes.checkpoints import tiny_encoder
from tests.tasks.test_snippets import check, run, snippet

NAMES = ("fox", "bread", "oven", "hour", "watch", "dog")


def test_capitals_reach_a_body_that_reads_lower_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trained, exported, loaded as the app does it; the drawer's code gives the same answer."""
    body = tiny_encoder(tmp_path / "body")
    monkeypatch.setattr(adapter, "body_folder", lambda: body)
    folder = tmp_path / "data/ner_uner_ewt"
    folder.mkdir(parents=True)
    sentences = [
        f"the\tO\n{name.title() if capital else name}\t{'B-ORG' if capital else 'O'}\nis\tO\nlate\tO\n"
        for name in NAMES
        for capital in (False, True)
    ]
    (folder / "bio_train.txt").write_text("\n".join(sentences * 8))
    known = recipes()["entities"]
    recipe = replace(
        known, data=("ner_uner_ewt",), epochs=8, batch=12, rank=4, learning_rate=1e-2, dropout=0.0
    )
    job = entities.prepare(recipe, tmp_path / "data")
    train(recipe, job, tmp_path / "run")
    job.export(tmp_path / "adapter")

    runner = adapter_runner(tmp_path / "adapter", body, Head.TOKEN_CLASSIFICATION, TASK.name, tmp_path)
    payload = {"text": "the fox is late\nthe Fox is late\nthe Dog is late", "model": "adapter"}
    found = runner.call(TASK, payload).result.entities
    assert [(each.text, each.label, each.start) for each in found] == [("Fox", "ORG", 20), ("Dog", "ORG", 36)]
    check(TASK, runner, payload, run(snippet(TASK, runner, payload), tmp_path))
