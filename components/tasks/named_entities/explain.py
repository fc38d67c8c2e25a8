"""What a name is labelled, as something to explain. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from components.models.errors import Code, TourError
from components.tasks import token_labels, windows
from components.tasks.attribution_input import AttributionInput, Score
from components.tasks.explained import TEXT, Asked, Choice
from components.tasks.explanation import (
    Predicting,
    Prediction,
    Units,
    attribution_input,
    cut_to_fit,
    found_in,
    output_now,
    refuse_the_same,
    special_tokens,
    terms_of,
    the_named,
)
from components.tasks.task import Progress
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)


def explain(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    names = [name for _, name in sorted((model.network.config.id2label or {}).items())]
    text, notes = cut_to_fit(model, asked.text, special_tokens(model))
    window = windows.split(model, text)[0]
    places = [place for place in window.positions if window.offsets[place] is not None]
    tokens = [
        token_labels.Token(*offset, window.words[place])
        for place in places
        if (offset := window.offsets[place]) is not None
    ]
    owners = units.owners(text, TEXT, window.offsets)
    network_input = attribution_input(model, window.row, owners, None)
    yield Progress("Labelling tokens", 0.5)
    probabilities = output_now(network_input).logits[0].float().cpu()[places].softmax(dim=1)
    words = token_labels.words(text, tokens)
    spans = token_labels.spans(text, tokens, probabilities, names, "first")
    span = _place(text, asked.target, spans, model)
    # A word is labelled by its first token, as on the page.
    firsts = [word[0] for word in words if span.start <= tokens[word[0]].start < span.end]
    if not firsts:  # inside a word
        firsts = [word[0] for word in words if tokens[word[0]].start < span.end][-1:]
    chosen = [names[int(probabilities[first].argmax())] for first in firsts]
    kinds = {name: token_labels.entity_type(name, names)[1] for name in names}
    own = span.label or kinds[chosen[0]]

    def labels(wanted: str) -> list[int]:
        """What each word would be labelled, were it all of a kind: those it has, else as in B-PER, I-PER."""
        found = []
        for place, label in enumerate(chosen):
            same = [name for name in names if kinds[name] == wanted]
            begins = [name for name in same if token_labels.entity_type(name, names)[0] in "BSU"]
            inside = [name for name in same if name not in begins]
            fitting = (begins or inside) if place == 0 else (inside or begins)
            found.append(names.index(label if label in same else fitting[0]))
        return found

    against = the_named(asked.against, kinds.values(), "against", model) if asked.against else ""
    refuse_the_same(own, against)
    reads = [places[first] for first in firsts]

    def score(wanted: str) -> tuple[AttributionInput, Score]:
        at = torch.tensor(reads, device=model.device)
        which = torch.tensor(labels(wanted), device=model.device)
        return marked, lambda output: output.logits[:, at, which].float().mean(dim=1)

    marked = attribution_input(model, window.row, owners, reads)
    means = {
        kind: float(probabilities[firsts, labels(kind)].mean()) for kind in dict.fromkeys(kinds.values())
    }
    return Prediction(
        target=text[span.start : span.end],
        against=against,
        terms=terms_of(score, own, against),
        units=units.found,
        choices=[Choice(text=kind, score=means[kind]) for kind in sorted(means, key=lambda one: -means[one])],
        means=f"the raw score (logit) of {own} at “{text[span.start : span.end]}”",
        tokens=len(network_input.ids),
        notes=notes,
    )


def _place(
    text: str, wanted: str, spans: Sequence[token_labels.Span], model: LoadedModel
) -> token_labels.Span:
    """The name that is meant, or the word: one without a label of its own has an empty one."""
    if not wanted.strip():
        if not spans:
            raise TourError(
                Code.INVALID_INPUT,
                TEXTS["no_name"].format(model=model.checkpoint.id),
                "target",
            )
        return max(spans, key=lambda one: one.score)
    for span in spans:
        if text[span.start : span.end].casefold() == wanted.strip().casefold():
            return span
    start = found_in(text, wanted)
    return token_labels.Span(start, start + len(wanted.strip()), "", 0.0)
