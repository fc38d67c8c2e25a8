"""Which label fits, as something to explain. Imports torch."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from components.models.checkpoint import Head
from components.models.errors import Code, TourError
from components.tasks import causal, embeddings, windows
from components.tasks.attribution_input import AttributionInput, Score
from components.tasks.explained import TEXT, Asked, Choice
from components.tasks.explanation import (
    Offsets,
    Predicting,
    Prediction,
    Units,
    attribution_input,
    cosine_score,
    cut_to_fit,
    embedding_input,
    ids_of,
    offsets_of,
    refuse_the_same,
    special_tokens,
    terms_of,
    the_named,
)
from components.tasks.stages import whole_answer
from components.tasks.task import Progress
from components.tasks.written import (
    written_score,
)
from components.tasks.zero_shot_classification import Inputs, Options, cosine, entailment, likelihood
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)


def explain(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    labels = list(dict.fromkeys(filter(None, map(str.strip, asked.text_pair.split(",")))))
    if len(labels) < 2:
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["one_label"],
            "text_pair",
        )
    inputs, options = Inputs(text=asked.text, labels=labels), Options()
    template = options.hypothesis_template
    by = {
        Head.CAUSAL_LM: (likelihood, _likelihood),
        Head.ENCODER: (cosine, _closeness),
        Head.SEQUENCE_CLASSIFICATION: (entailment, _entailment),
    }[model.checkpoint.head]
    stages, score_by = by
    longest = max(len(ids_of(model, template.replace("{}", label))) for label in labels)
    text, notes = cut_to_fit(model, asked.text, longest + 4 + special_tokens(model, pair=True))
    output = yield from whole_answer(stages, model, replace(inputs, text=text), options)
    ranked = output.result.labels
    target = the_named(asked.target, labels, "target", model) if asked.target else ranked[0].label
    against = the_named(asked.against, labels, "against", model) if asked.against else ""
    refuse_the_same(target, against)
    wanted = [target, against] if against else [target]
    scores, offsets, means = yield from score_by(model, text, wanted, template, units)
    return Prediction(
        target=target,
        against=against,
        terms=terms_of(lambda name: scores[wanted.index(name)], target, against),
        offset=offsets[0] - (offsets[1] if against else 0.0),
        units=units.found,
        choices=[Choice(text=one.label, score=one.score) for one in ranked],
        means=f"{means} “{target}”",
        tokens=output.tokens_used,
        notes=notes,
    )


Scored = Generator[Progress, None, tuple[list[tuple[AttributionInput, Score]], list[float], str]]


def _entailment(model: LoadedModel, text: str, labels: Sequence[str], template: str, units: Units) -> Scored:
    entails, _ = entailment.entailment(model)
    scores: list[tuple[AttributionInput, Score]] = []
    for label in labels:
        (row, *_) = windows.split(model, text, behind=template.replace("{}", label))
        network_input = attribution_input(model, row.row, units.owners(text, TEXT, row.offsets), None)
        scores.append((network_input, lambda output: output.logits[:, entails].float()))
        yield Progress("Comparing labels", len(scores) / len(labels))
    return scores, [0.0] * len(labels), TEXTS["logit"]


def _closeness(model: LoadedModel, text: str, labels: Sequence[str], template: str, units: Units) -> Scored:
    found = yield from embeddings.embed(model, [template.replace("{}", label) for label in labels])
    network_input = embedding_input(model, text, TEXT, units)
    scores = [(network_input, cosine_score(network_input, vector)) for vector in found.vectors]
    return scores, [0.0] * len(labels), "the cosine between the text and a sentence with"


def _likelihood(model: LoadedModel, text: str, labels: Sequence[str], template: str, units: Units) -> Scored:
    before, after = template.split("{}")
    lead = " " if before.endswith(" ") else ""
    start, opening = [causal.separator(model)], ids_of(model, before.rstrip(" "))
    bridge = ids_of(model, f"\n{before.rstrip(' ')}")
    endings = [ids_of(model, f"{lead}{label}{after}") for label in labels]
    context = causal.Context(model)
    without = yield from context.log_likelihoods(start + opening, endings)
    words, offsets = ids_of(model, text), offsets_of(model, text)
    scores = []
    for ending in endings:
        ids = [*start, *words, *bridge, *ending]
        places: Offsets = [None, *offsets, *[None] * (len(bridge) + len(ending))]
        scores.append(written_score(model, ids, units.owners(text, TEXT, places), ending))
    offset = [-float(one) for one in without]
    return scores, offset, "the log-probability that the text adds to"
