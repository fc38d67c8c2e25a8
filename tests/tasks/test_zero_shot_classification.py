from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from components.models.catalog import Catalog
from components.models.checkpoint import Head, LoadedModel
from components.models.errors import Code, TourError
from components.models.registry import Registry
from components.models.settings import Settings
from components.tasks.runner import Runner
from components.tasks.zero_shot_classification import TASK
from components.tasks.zero_shot_classification.likelihood import NEUTRAL
from tests.fakes.checkpoints import local_entry, tiny_nli

Lease = Callable[[str], LoadedModel]
SMOL, MINILM = "SmolLM2-135M-Instruct", "all-MiniLM-L6-v2"
TINY = ["tiny-encoder", "tiny-causal-lm", "tiny-sequence-classification"]

TOPICS = ["politics", "sports", "technology", "cooking", "travel"]
SAMPLE = [
    ("The new phone has a faster chip and a better camera.", TOPICS, "technology"),
    ("Parliament voted on the new tax bill yesterday.", TOPICS, "politics"),
    ("The striker scored twice in the second half.", TOPICS, "sports"),
    ("Simmer the onions until golden, then add the tomatoes.", TOPICS, "cooking"),
    ("Our flight to Lisbon was delayed, but the hotel was lovely.", TOPICS, "travel"),
    ("This movie was a complete waste of time.", ["positive", "negative"], "negative"),
    ("I loved every minute of the concert.", ["positive", "negative"], "positive"),
]


def classify(runner: Runner, text: str, labels: list[str], model: str, **options: object) -> dict[str, float]:
    answer = runner.call(TASK, {"text": text, "labels": labels, "model": model, **options})
    scores = [one.score for one in answer.result.labels]
    assert scores == sorted(scores, reverse=True)
    return {one.label: one.score for one in answer.result.labels}


@pytest.mark.parametrize("model", [SMOL, MINILM])
@pytest.mark.parametrize(("text", "labels", "expected"), SAMPLE)
def test_a_small_sample(text: str, labels: list[str], expected: str, model: str, runner: Runner) -> None:
    scores = classify(runner, text, labels, model)
    assert next(iter(scores)) == expected
    assert sum(scores.values()) == pytest.approx(1)


@pytest.mark.parametrize("model", [SMOL, MINILM])
def test_several_labels_may_fit_or_none(model: str, runner: Runner) -> None:
    text = "The minister watched the football final in the stadium."
    scores = classify(runner, text, ["sports", "politics", "cooking"], model, multi_label=True)
    assert scores["sports"] > 0.5 > scores["cooking"]
    assert scores["politics"] > scores["cooking"]
    assert sum(scores.values()) != pytest.approx(1, abs=1e-3)


def test_where_several_may_fit_a_label_must_do_better_than_with_a_text_about_nothing(runner: Runner) -> None:
    labels = ["phone", "urgent", "tablet", "cooking", "not urgent"]
    text = "I have a problem with my iPhone that needs to be resolved as soon as possible!"
    scores = classify(runner, text, labels, SMOL, multi_label=True)
    assert scores["phone"] > 0.7 > scores["tablet"] > scores["cooking"]
    assert scores["urgent"] > scores["not urgent"]
    for score in classify(runner, NEUTRAL.strip(), labels, SMOL, multi_label=True).values():
        assert score < 0.5


@pytest.mark.parametrize("model", [MINILM, *TINY])
def test_a_labels_own_score_does_not_depend_on_the_others(model: str, runner: Runner) -> None:
    text = "The quick brown fox."
    few = classify(runner, text, ["music", "travel"], model, multi_label=True)
    more = classify(
        runner, text, ["science and sports", "travel", "music", "cooking"], model, multi_label=True
    )
    for label, score in few.items():
        assert more[label] == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize("model", TINY)
def test_repeated_labels_count_once_and_that_is_said(model: str, runner: Runner) -> None:
    answer = runner.call(TASK, {"text": "A fox.", "labels": ["a", "b ", "b", " a"], "model": model})
    assert {one.label for one in answer.result.labels} == {"a", "b"}
    assert answer.notes == ("Left out: 2 repeated labels.",)


def test_entailment_against_plain_forward_passes(runner: Runner, lease: Lease) -> None:
    model = lease("tiny-sequence-classification")
    text, labels, template = "She put the bread in the oven.", ["cooking", "music"], "It is about {}!"
    logits = []
    for label in labels:
        pair = model.tokenizer(text, template.replace("{}", label), return_tensors="pt")
        with torch.inference_mode():
            logits.append(model.network(**pair).logits[0])
    table = torch.stack(logits)  # contradiction, neutral, entailment
    together = classify(runner, text, labels, model.checkpoint.id, hypothesis_template=template)
    each = classify(runner, text, labels, model.checkpoint.id, hypothesis_template=template, multi_label=True)
    assert [together[label] for label in labels] == pytest.approx(table[:, 2].softmax(0).tolist(), abs=1e-5)
    expected = table[:, [0, 2]].softmax(1)[:, 1].tolist()
    assert [each[label] for label in labels] == pytest.approx(expected, abs=1e-5)


def test_a_classifier_of_something_else_is_refused(tmp_path: Path) -> None:
    folder = tiny_nli(tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {"0": "sad", "1": "glad", "2": "mad"}
    config["label2id"] = {"sad": 0, "glad": 1, "mad": 2}
    (folder / "config.json").write_text(json.dumps(config))
    checkpoint = local_entry("moods", Head.SEQUENCE_CLASSIFICATION, folder)
    registry = Registry(Catalog([checkpoint]), Settings(cache_dir=tmp_path / "cache", device="cpu"))
    with pytest.raises(TourError, match="its classes are sad, glad, mad") as caught:
        Runner(registry, "embedded").call(TASK, TASK.example)
    assert caught.value.code is Code.UNSUITABLE_MODEL
    registry.close()


@pytest.mark.parametrize("model", [MINILM, *TINY])
def test_a_long_text_is_read_in_windows_and_that_is_said(model: str, runner: Runner) -> None:
    answer = runner.call(
        TASK, {"text": "The fox jumps. " * 300, "labels": ["sports", "music"], "model": model}
    )
    assert len(answer.notes) == 1
    assert "windows" in answer.notes[0]


@pytest.mark.parametrize("model", TINY[1:])
def test_a_label_that_leaves_no_room_is_refused(model: str, runner: Runner) -> None:
    payload = {"text": "A fox.", "labels": ["a", "🙂" * 100], "model": model}
    if model == "tiny-sequence-classification":  # to it an emoji is one unknown word
        payload["labels"] = ["a", "? " * 50]
        payload["hypothesis_template"] = "{}" + " ?" * 90
    with pytest.raises(TourError) as caught:
        runner.call(TASK, payload)
    assert caught.value.code is Code.TOO_LONG


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        (
            {"hypothesis_template": "No place."},
            "hypothesis_template",
            "Hypothesis template must contain {} once, where the label goes.",
        ),
        (
            {"hypothesis_template": "{} and {}."},
            "hypothesis_template",
            "Hypothesis template must contain {} once, where the label goes.",
        ),
    ],
)
def test_rules(changes: dict[str, object], field: str, message: str, runner: Runner) -> None:
    with pytest.raises(TourError) as caught:
        runner.parse(TASK, {**TASK.example, **changes})
    assert (caught.value.message, caught.value.field) == (message, field)
    assert caught.value.code is Code.INVALID_INPUT


@pytest.mark.parametrize("labels", ["cooking, sports", "cooking\nsports", " cooking ,sports,"])
def test_labels_in_one_text(runner: Runner, labels: str) -> None:
    payload = {"text": "The bread is in the oven.", "model": "tiny-causal-lm"}
    listed = runner.call(TASK, {**payload, "labels": ["cooking", "sports"]}).result
    assert runner.call(TASK, {**payload, "labels": labels}).result == listed


@pytest.mark.parametrize("labels", [["cooking"], "cooking", ["cooking", " cooking "]])
@pytest.mark.parametrize("model", ["tiny-causal-lm", "tiny-encoder"])
def test_a_label_alone_has_a_score_of_its_own(runner: Runner, labels: Any, model: str) -> None:
    payload = {"text": "The bread is in the oven.", "model": model}
    answer = runner.call(TASK, {**payload, "labels": labels})
    (one,) = answer.result.labels
    apart = runner.call(TASK, {**payload, "labels": ["cooking", "sports"], "multi_label": True}).result
    assert one.score == pytest.approx(
        next(two.score for two in apart.labels if two.label == "cooking"), abs=1e-4
    )
    assert any("only one label" in note for note in answer.notes)


@pytest.mark.parametrize(
    "pair", [["good", "go\u200bod"], ["caf\u00e9", "cafe\u0301"], ["a b", "a\u00a0b"], ["a", "a\ufe0f"]]
)
def test_labels_that_look_the_same_are_told(runner: Runner, pair: list[str]) -> None:
    answer = runner.call(TASK, {"text": "Bread.", "labels": [*pair, "other"], "model": "tiny-causal-lm"})
    assert any("look the same" in note for note in answer.notes)


def test_a_label_that_nobody_sees_is_told(runner: Runner) -> None:
    answer = runner.call(TASK, {"text": "Bread.", "labels": ["\u200b", "other"], "model": "tiny-causal-lm"})
    assert any("only invisible characters" in note for note in answer.notes)
