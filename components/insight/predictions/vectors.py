"""How close two texts are. Imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from components.insight.attributing import Probe, Score, Term
from components.insight.attribution import PAIR, TEXT, Choice
from components.insight.predictions.parts import (
    Asked,
    Predicting,
    Prediction,
    Units,
    cut_to_fit,
    probe_of,
    special_tokens,
)
from components.tasks import encoders

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel


def encoded_probe(model: LoadedModel, text: str, source: str, units: Units) -> Probe:
    encoded = model.tokenizer(text, return_special_tokens_mask=True, return_offsets_mapping=True)
    offsets = [
        None if special else tuple(pair)
        for pair, special in zip(encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True)
    ]
    row = {"input_ids": encoded["input_ids"]}
    return probe_of(model, row, units.owners(text, source, offsets), range(len(offsets)))


def cosine_score(probe: Probe, other: torch.Tensor) -> Score:
    """The cosine between the mean of the last states and a vector of length 1, as `encoders.embed` has it."""
    fixed = other.clone().to(probe.ids.device)  # a plain tensor, whatever mode it was made in

    def score(output: Any) -> torch.Tensor:
        mean = output.last_hidden_state.float().mean(dim=1)
        cosines: torch.Tensor = torch.nn.functional.normalize(mean, dim=1) @ fixed
        return cosines

    return score


def explain_similarity(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    """The cosine of two texts, each explained with the other as it is: half of the score belongs to each."""
    room = special_tokens(model)
    text, notes = cut_to_fit(model, asked.text, room)
    other, more = cut_to_fit(model, asked.text_pair, room, "second text")
    third, cut = cut_to_fit(model, asked.against, room, "text to compare with")
    found = yield from encoders.embed(model, [text, other, *([third] if third else [])])
    vectors = found.vectors
    one = encoded_probe(model, text, TEXT, units)
    two = encoded_probe(model, other, PAIR, units)
    terms = [
        Term(probe=one, score=cosine_score(one, vectors[1])),
        Term(probe=two, score=cosine_score(two, vectors[0])),
    ]
    cosines = (vectors[1:] @ vectors[0]).tolist()
    if third:
        terms.append(Term(probe=one, score=cosine_score(one, vectors[2]), weight=-1.0))
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
