"""Which label a classifier chose, as something to explain. Imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.tasks.explained import TEXT, Asked
from components.tasks.explanation import (
    Predicting,
    Units,
    attribution_input,
    cut_to_fit,
    explain_label,
    special_tokens,
)
from components.tasks.text_classification import Inputs, Options
from components.tasks.text_classification.model import preprocess

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel


def explain(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    text, notes = cut_to_fit(model, asked.text, special_tokens(model))
    (row, *_) = preprocess(model, Inputs(text=text), Options()).rows
    network_input = attribution_input(model, row.row, units.owners(text, TEXT, row.offsets), None)
    return (yield from explain_label(model, asked, units, network_input, notes))
