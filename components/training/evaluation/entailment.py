"""Accuracy of three-way inference, and of the zero-shot labels that it is there for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch

from components.models.catalog import load_catalog
from components.tasks.runner import Runner
from components.tasks.zero_shot_classification import TASK
from components.training.data import Labelled, load
from components.training.evaluation.measure import Evaluation, Failure, Measure, each, mean, some, worst

if TYPE_CHECKING:
    from components.training.evaluation.asking import App
    from components.training.recipe import Recipe

BATCH = 32


def evaluate(recipe: Recipe, data: Path, app: App, limit: int | None) -> Evaluation:
    pairs = some(cast(list[Labelled], load("snli", data, "test")), limit)
    measures: list[Measure] = []
    failures: list[Failure] = []
    if isinstance(app, Runner):  # no interface tells of neutral, so over HTTP only the labels are measured
        accuracy, failures = _inference(recipe, pairs, app)
        measures.append(accuracy)
    others: dict[str, dict[str, float]] = {}
    for where in recipe.extra["zero_shot"]:
        name = f"zero-shot accuracy on {where['title']}"
        mine, rest = _zero_shot(recipe, where, data, app, limit)
        measures.append(Measure(name=name, value=mine.value, low=mine.low, high=mine.high))
        for other, value in rest.items():
            others.setdefault(other, {})[name] = value
    return Evaluation(
        split="SNLI test",
        examples=len(pairs),
        measures=tuple(measures),
        others=others,
        failures=worst(failures),
    )


def _inference(recipe: Recipe, pairs: Sequence[Labelled], runner: Runner) -> tuple[Measure, list[Failure]]:
    """Entailment, contradiction or neither."""
    right, failures = [], []
    with runner.registry.lease(recipe.name) as model, torch.inference_mode():
        names = cast(dict[int, str], model.network.config.id2label)
        for start in each(range(0, len(pairs), BATCH), recipe.name):
            batch = pairs[start : start + BATCH]
            encoded = model.tokenizer(
                [one.text for one in batch], [one.pair for one in batch], padding=True, return_tensors="pt"
            ).to(model.device)
            chances = model.network(**encoded).logits.float().softmax(1).cpu()
            for one, row in zip(batch, chances, strict=True):
                answered = names[int(row.argmax())]
                right.append(float(answered in one.labels))
                if not right[-1]:
                    given = f"{one.text} ⊢ {one.pair}"
                    failures.append(
                        Failure(
                            given=given,
                            expected=one.labels[0],
                            answered=answered,
                            weight=float(row.max()),
                        )
                    )
    return mean("accuracy", right), failures


def _zero_shot(
    recipe: Recipe, where: dict[str, str], data: Path, app: App, limit: int | None
) -> tuple[Measure, dict[str, float]]:
    """Accuracy on a labelled set, ours and that of the other embedded models that sort texts."""
    words: dict[str, str] = where["labels"]  # type: ignore[assignment]
    examples = [
        one
        for one in cast(list[Labelled], load(where["data"], data, where["split"]))
        if len(one.labels) == 1 and one.labels[0] in words
    ]
    examples = examples[:: max(1, len(examples) // int(where["examples"]))]
    scores: dict[str, Measure] = {}
    models = [one.id for one in load_catalog().for_task(TASK.name) if one.embedded]
    for model in models if isinstance(app, Runner) else [recipe.name]:
        right = []
        for one in each(some(examples, limit), f"{where['title']}, {model}"):
            payload = {
                "text": one.text,
                "labels": list(words.values()),
                "hypothesis_template": where["template"],
                "model": model,
            }
            best = app.call(TASK, payload).result.labels[0].label
            right.append(float(best == words[one.labels[0]]))
        scores[model] = mean("accuracy", right)
    mine = scores.pop(recipe.name)
    return mine, {name: measure.value for name, measure in scores.items()}
