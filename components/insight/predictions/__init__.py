"""Each task's own prediction as something to explain. Imports torch: import this inside `run`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from components.insight.predictions.gaps import explain_filling
from components.insight.predictions.labels import explain_label, explain_zero_shot
from components.insight.predictions.parts import Asked, Predicting, Units
from components.insight.predictions.places import explain_answer, explain_entity
from components.insight.predictions.rewriting import explain_translation
from components.insight.predictions.vectors import explain_similarity
from components.insight.predictions.writing import explain_next_token, explain_summary
from components.models.errors import Code, TourError

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel


def predict(model: LoadedModel, asked: Asked) -> Predicting:
    """The prediction that is asked for; raises `TourError` where there is none."""
    prediction = yield from _PREDICTORS[asked.task](model, asked, Units(asked.by_words))
    if not prediction.units:
        raise TourError(Code.INVALID_INPUT, "There is no word in the text to explain anything by.", "text")
    return prediction


_PREDICTORS: Mapping[str, Callable[[LoadedModel, Asked, Units], Predicting]] = {
    "text_classification": explain_label,
    "named_entities": explain_entity,
    "question_answering": explain_answer,
    "summarization": explain_summary,
    "translation": explain_translation,
    "text_generation": explain_next_token,
    "fill_mask": explain_filling,
    "zero_shot_classification": explain_zero_shot,
    "sentence_similarity": explain_similarity,
}
