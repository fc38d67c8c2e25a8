"""Which label a classifier chose, as something to explain. Imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.tasks.attribution_input import AttributionInput, Score
from components.tasks.explained import TEXT, Asked, Choice
from components.tasks.explanation import (
    Predicting,
    Prediction,
    Units,
    attribution_input,
    cut_to_fit,
    output_now,
    refuse_the_same,
    special_tokens,
    terms_of,
    the_named,
)
from components.tasks.task import Progress
from components.tasks.text_classification import SEVERAL, Inputs, Options
from components.tasks.text_classification.model import labels, preprocess

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel


def explain(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    text, notes = cut_to_fit(model, asked.text, special_tokens(model))
    (row, *_) = preprocess(model, Inputs(text=text), Options()).rows
    probe = attribution_input(model, row.row, units.owners(text, TEXT, row.offsets), None)
    names = labels(model)
    yield Progress("Classifying", 0.5)
    logits = output_now(probe).logits[0].float().cpu()
    several = model.network.config.problem_type == SEVERAL or len(names) == 1
    scores: list[float] = (logits.sigmoid() if several else logits.softmax(dim=0)).tolist()
    ranked = sorted(range(len(names)), key=lambda index: -scores[index])
    target = the_named(asked.target, names, "target", model) if asked.target else names[ranked[0]]
    against = the_named(asked.against, names, "against", model) if asked.against else ""
    refuse_the_same(target, against)

    def score(name: str) -> tuple[AttributionInput, Score]:
        index = names.index(name)
        return probe, lambda output: output.logits[:, index].float()

    return Prediction(
        target=target,
        against=against,
        terms=terms_of(score, target, against),
        units=units.found,
        choices=[Choice(text=names[index], score=scores[index]) for index in ranked],
        means=f"the raw score (logit) of “{target}”",
        tokens=len(probe.ids),
        notes=notes,
    )
