"""Question answering from data to the page's own code, on a handful of examples."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from components.models.checkpoint import Head
from components.tasks.question_answering import TASK
from components.training import adapter, answers
from components.training.recipe import recipes
from components.training.run import train
from tests.fakes.adapters import adapter_runner
from tests.fakes.checkpoints import tiny_encoder

THINGS = ("bread", "watch", "fox", "dog", "oven", "hour", "capital", "example")


def test_learns_to_find_what_was_asked_for_and_is_calibrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = tiny_encoder(tmp_path / "body")
    monkeypatch.setattr(adapter, "body_folder", lambda: body)
    paragraphs = []
    pairs = [(thing, other) for thing in THINGS for other in THINGS if thing != other]
    for index, (thing, other) in enumerate(pairs):
        context = f"In the {other} {index} was {thing}."
        answer = {"text": thing, "answer_start": context.rindex(thing)}
        paragraphs.append({"context": context, "qas": [{"question": "What was?", "answers": [answer]}]})
    folder = tmp_path / "data/squad"
    folder.mkdir(parents=True)
    (folder / "few.json").write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    extra = {"near_misses": 0.05, "renamed": 0.1, "tuned_on": 40, "shares": {"squad/few.json": 6}}
    recipe = replace(
        recipes()["answers"], epochs=1, batch=16, learning_rate=1e-2, rank=4, dropout=0.0, extra=extra
    )
    job = answers.prepare(recipe, tmp_path / "data")
    train(recipe, job, tmp_path / "run")
    job.export(tmp_path / "adapter")
    config = json.loads((tmp_path / "adapter/config.json").read_text())
    assert 0.5 <= config["answer_temperature"] <= 3
    assert -10 <= config["no_answer_bias"] <= 10

    runner = adapter_runner(tmp_path / "adapter", body, Head.QUESTION_ANSWERING, TASK.name, tmp_path)
    asked = {"question": "What was?", "context": "In the oven 7 was bread.", "model": "adapter"}
    found = runner.call(TASK, {**asked, "allow_no_answer": False}).result.answers
    assert found[0].text == "bread"
