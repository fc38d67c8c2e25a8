"""Accuracy on films, and on reviews of products and services that nothing was trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from components.tasks.text_classification import TASK
from components.training import text
from components.training.data import Labelled
from components.training.evaluation import classification
from components.training.evaluation.measure import Evaluation, each, mean

if TYPE_CHECKING:
    from components.training.evaluation.asking import App
    from components.training.recipe import Recipe

_REVIEWS = Path(__file__).with_name("reviews.tsv")


def evaluate(recipe: Recipe, data: Path, app: App, limit: int | None) -> Evaluation:
    films = classification.evaluate(replace(recipe, data=("sst2",)), data, app, limit)
    asked = each(reviews()[:limit], "reviews")
    right = [
        float(app.call(TASK, {"text": one.text, "model": recipe.name}).result.labels[0].label in one.labels)
        for one in asked
    ]
    return replace(films, measures=(*films.measures, mean(f"accuracy on {len(right)} reviews", right)))


def reviews() -> list[Labelled]:
    """Reviews of products and services, written for this: of each two, one is praise and one blame."""
    return [Labelled(review, (label,)) for label, review in text.rows(_REVIEWS)]
