"""Text classification against the library's own pipeline, and against plain forward passes of windows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from components.models.checkpoint import Head, LoadedModel
from components.models.errors import Code, TourError
from components.models.loading import load
from components.tasks.runner import Runner
from components.tasks.task import Answer
from components.tasks.text_classification import TASK, Inputs, Options
from tests.fakes.checkpoints import local_entry, tiny_classifier

Lease = Callable[[str], LoadedModel]
TINY = "tiny-classifier"
TEXT = "She put the bread in the oven; it was late."


def with_config(folder: Path, **changes: Any) -> LoadedModel:
    """The tiny classifier under another configuration."""
    tiny_classifier(folder)
    config = {**json.loads((folder / "config.json").read_text()), **changes}
    (folder / "config.json").write_text(json.dumps({k: v for k, v in config.items() if v is not None}))
    checkpoint = local_entry("other", Head.SEQUENCE_CLASSIFICATION, folder)
    return load(checkpoint, folder, torch.device("cpu"), torch.float32)


def answer(model: LoadedModel, text: str = TEXT, **options: Any) -> Any:
    *_, last = TASK.run(model, Inputs(text=text), Options(**options))
    return last


def library(model: LoadedModel, text: str = TEXT, **more: Any) -> dict[str, float]:
    build: Any = transformers.pipeline  # typed for file names alone
    pipeline = build("text-classification", model=model.network, tokenizer=model.tokenizer)
    return {row["label"]: row["score"] for row in pipeline(text, top_k=None, **more)}


@pytest.mark.parametrize(
    ("problem", "multi_label", "function"),
    [
        ("multi_label_classification", "auto", "sigmoid"),
        ("multi_label_classification", "one", "softmax"),
        ("single_label_classification", "auto", "softmax"),
        (None, "auto", "softmax"),
        (None, "several", "sigmoid"),
    ],
)
def test_scores_are_the_librarys(
    problem: str | None, multi_label: str, function: str, tmp_path: Path
) -> None:
    model = with_config(tmp_path, problem_type=problem)
    output = answer(model, multi_label=multi_label)
    expected = library(model, function_to_apply=function)
    if multi_label == "auto":
        assert library(model) == expected
    assert {one.label: one.score for one in output.result.labels} == pytest.approx(expected, abs=1e-5)
    scores = [one.score for one in output.result.labels]
    assert scores == sorted(scores, reverse=True)
    assert len(output.notes) == (multi_label != "auto")


def test_a_single_label_has_a_score_of_its_own(tmp_path: Path, lease: Lease) -> None:
    config = transformers.BertConfig.from_pretrained(lease(TINY).checkpoint.source.folder)  # type: ignore[union-attr]
    config.id2label, config.label2id, config.problem_type, config.thresholds = (
        {0: "spam"},
        {"spam": 0},
        None,
        None,
    )
    torch.manual_seed(0)
    network = transformers.BertForSequenceClassification(config).eval()
    loaded = lease(TINY)
    model = LoadedModel(**{**vars(loaded), "network": network})
    for setting in ("auto", "one", "several"):
        (one,) = answer(model, multi_label=setting).result.labels
        assert one.score == pytest.approx(library(model)["spam"], abs=1e-5)


def test_what_fits(lease: Lease) -> None:
    model = lease(TINY)
    thresholds = dict(
        zip(["anger", "joy", "sadness", "surprise"], model.network.config.thresholds, strict=True)
    )
    labels = answer(model).result.labels
    chosen = answer(model).result.chosen
    assert 0 < len(chosen) < 4
    assert chosen == [one.label for one in labels if one.score >= thresholds[one.label]]
    cut = (labels[1].score + labels[2].score) / 2
    assert answer(model, threshold=cut).result.chosen == [one.label for one in labels[:2]]
    assert answer(model, threshold=1.0).result.chosen == []
    assert answer(model, multi_label="one").result.chosen == [labels[0].label]
    assert answer(model, multi_label="one", threshold=0.9).result.chosen == []
    assert answer(model, top_k=2).result.labels == labels[:2]
    assert answer(model, top_k=2).result.chosen == chosen


def test_a_long_text_is_the_mean_over_the_tokens_of_its_windows(lease: Lease) -> None:
    model = lease(TINY)
    text = "bread oven late fox " * 100
    ids = model.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    first, last = model.tokenizer.cls_token_id, model.tokenizer.sep_token_id
    total = torch.zeros(4)
    for start in range(0, len(ids), 126):
        row = ids[start : start + 126]
        with torch.inference_mode():
            total += model.network(torch.tensor([[first, *row, last]])).logits[0] * len(row) / len(ids)
    names = ["anger", "joy", "sadness", "surprise"]
    expected = {names[index]: float(score) for index, score in enumerate(total.sigmoid())}
    output = answer(model, text)
    assert {one.label: one.score for one in output.result.labels} == pytest.approx(expected, abs=1e-5)
    assert "windows" in output.notes[0]
    assert output.tokens_used == len(ids) + 2


def test_a_model_that_gives_a_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TourError) as caught:
        answer(with_config(tmp_path, problem_type="regression"))
    assert (caught.value.code, caught.value.field) == (Code.UNSUITABLE_MODEL, "model")


def test_a_hundred_thousand_characters(runner: Runner) -> None:
    *progress, last = runner.stream(TASK, {"text": "It was late. " * 8000, "model": TINY})
    assert len(progress) > 20
    assert isinstance(last, Answer)
    assert len(last.notes) == 1
