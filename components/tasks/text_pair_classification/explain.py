"""How two texts relate, as something to explain. Imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.tasks.explained import Asked
from components.tasks.explanation import Predicting, Units, explain_label, pair_input

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel


def explain(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    network_input, notes = pair_input(model, asked, units)
    return (yield from explain_label(model, asked, units, network_input, notes))
