"""The similarity of two texts, as something to explain. Imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.tasks import embeddings
from components.tasks.attribution_input import Term
from components.tasks.explained import PAIR, TEXT, Asked, Choice
from components.tasks.explanation import (
    Predicting,
    Prediction,
    Units,
    cosine_score,
    cut_to_fit,
    embedding_input,
    special_tokens,
)

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel


def explain(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    """The cosine of two texts, each explained with the other as it is: half of the score belongs to each."""
    room = special_tokens(model)
    text, notes = cut_to_fit(model, asked.text, room)
    other, more = cut_to_fit(model, asked.text_pair, room, "second text")
    third, cut = cut_to_fit(model, asked.against, room, "text to compare with")
    found = yield from embeddings.embed(model, [text, other, *([third] if third else [])])
    vectors = found.vectors
    one = embedding_input(model, text, TEXT, units)
    two = embedding_input(model, other, PAIR, units)
    terms = [
        Term(input=one, score=cosine_score(one, vectors[1])),
        Term(input=two, score=cosine_score(two, vectors[0])),
    ]
    cosines = (vectors[1:] @ vectors[0]).tolist()
    if third:
        terms.append(Term(input=one, score=cosine_score(one, vectors[2]), weight=-1.0))
    return Prediction(
        target=asked.text_pair,
        against=asked.against,
        terms=terms,
        offset=-cosines[0],  # which both of the first terms have
        units=units.found,
        choices=[
            Choice(text=name, score=score)
            for name, score in zip([asked.text_pair, *([third] if third else [])], cosines, strict=True)
        ],
        means="the cosine of the two texts",
        tokens=max(found.tokens),
        notes=(*notes, *more, *cut, "Each text is explained with the other one as it is."),
    )
