"""Accuracy where one label fits, macro-averaged F1 where several may."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from components.tasks.text_classification import TASK
from components.training.data import Labelled, load
from components.training.evaluation.measure import (
    Evaluation,
    Failure,
    bootstrap,
    calibration_error,
    each,
    f1,
    mean,
    reliability,
    some,
    worst,
)

if TYPE_CHECKING:
    from components.training.evaluation.asking import App
    from components.training.recipe import Recipe


def evaluate(recipe: Recipe, data: Path, app: App, limit: int | None) -> Evaluation:
    several = bool(recipe.extra.get("several"))
    labels = recipe.extra["labels"]
    (name,), split = recipe.data, recipe.extra["split"]
    examples = some(cast(list[Labelled], load(name, data, split)), limit)
    right: list[float] = []
    counts: list[list[float]] = []
    failures = []
    scores: list[float] = []
    hits: list[float] = []
    for one in each(examples, recipe.name):
        answer = app.call(TASK, {"text": one.text, "model": recipe.name}).result
        wanted, chosen = set(one.labels), set(answer.chosen)
        right.append(float(wanted == chosen))
        # Of one label the score of the answer given; where several may fit, that of every label.
        for row in answer.labels if several else answer.labels[:1]:
            scores.append(row.score)
            hits.append(float(row.label in wanted))
        counts.append(
            [
                float(hit)
                for label in labels
                for hit in (
                    label in wanted & chosen,
                    label in chosen - wanted,
                    label in wanted - chosen,
                )
            ]
        )
        if not wanted & chosen:
            failures.append(
                Failure(
                    given=one.text,
                    expected=", ".join(one.labels),
                    answered=", ".join(answer.chosen) or "none",
                    weight=answer.labels[0].score,
                )
            )
    macro = bootstrap(
        "macro-F1",
        counts,
        lambda sums: sum(f1(*sums[i : i + 3]) for i in range(0, len(sums), 3)) / len(labels),
    )
    bins = reliability(scores, hits)
    accuracy = mean("exact match" if several else "accuracy", right)
    return Evaluation(
        split=f"{name} {split}",
        examples=len(examples),
        measures=(macro, accuracy) if several else (accuracy, macro),
        others={"its own scores": {"expected calibration error": calibration_error(bins)}},
        failures=worst(failures),
        reliability=bins,
    )
