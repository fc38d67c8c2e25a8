"""Labels: those that a classifier was trained on, and those that somebody made up. Imports torch."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

from components.insight.attributing import Probe, Score
from components.insight.attribution import TEXT, Choice
from components.insight.predictions.parts import (
    Asked,
    Offsets,
    Predicting,
    Prediction,
    Units,
    cut_to_fit,
    ids_of,
    offsets_of,
    output_now,
    probe_of,
    read_window,
    refuse_the_same,
    special_tokens,
    terms_of,
    the_named,
)
from components.insight.predictions.vectors import cosine_score, encoded_probe
from components.insight.predictions.writing import written_score
from components.models.checkpoint import Head
from components.models.errors import Code, TourError
from components.tasks import causal, encoders, hypotheses
from components.tasks.task import Progress
from components.tasks.text_classification import SEVERAL
from components.tasks.zero_shot_classification import Options as ZeroShotOptions

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel


def explain_label(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    config = model.network.config
    if config.problem_type == "regression":
        raise TourError(
            Code.UNSUITABLE_MODEL,
            f"{model.checkpoint.id} was trained to give a number, not to choose a label. Pick another model.",
            "model",
        )
    names = [name for _, name in sorted((config.id2label or {}).items())]
    text, notes = cut_to_fit(model, asked.text, special_tokens(model))
    probe, _ = read_window(model, units, text)
    yield Progress("Classifying", 0.5)
    logits = output_now(probe).logits[0].float().cpu()
    several = config.problem_type == SEVERAL or len(names) == 1
    scores: list[float] = (logits.sigmoid() if several else logits.softmax(dim=0)).tolist()
    ranked = sorted(range(len(names)), key=lambda index: -scores[index])
    target = the_named(asked.target, names, "target", model) if asked.target else names[ranked[0]]
    against = the_named(asked.against, names, "against", model) if asked.against else ""
    refuse_the_same(target, against)

    def score(name: str) -> tuple[Probe, Score]:
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


def explain_zero_shot(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    labels = list(dict.fromkeys(filter(None, map(str.strip, asked.text_pair.split(",")))))
    if len(labels) < 2:
        raise TourError(
            Code.INVALID_INPUT,
            "Write at least two labels with commas between them, as in: sports, politics.",
            "text_pair",
        )
    template = ZeroShotOptions().hypothesis_template
    by = {
        Head.CAUSAL_LM: (hypotheses.by_likelihood, _likelihood),
        Head.ENCODER: (hypotheses.by_cosine, _closeness),
        Head.SEQUENCE_CLASSIFICATION: (hypotheses.by_entailment, _entailment),
    }[model.checkpoint.head]
    support_by, score_by = by
    longest = max(len(ids_of(model, template.replace("{}", label))) for label in labels)
    text, notes = cut_to_fit(model, asked.text, longest + 4 + special_tokens(model, pair=True))
    support = yield from support_by(model, text, labels, template, each=False)
    ranked = sorted(range(len(labels)), key=lambda index: -support.scores[index])
    target = the_named(asked.target, labels, "target", model) if asked.target else labels[ranked[0]]
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
        choices=[Choice(text=labels[index], score=support.scores[index]) for index in ranked],
        means=f"{means} “{target}”",
        tokens=support.tokens_used,
        notes=notes,
    )


Scored = Generator[Progress, None, tuple[list[tuple[Probe, Score]], list[float], str]]


def _entailment(model: LoadedModel, text: str, labels: Sequence[str], template: str, units: Units) -> Scored:
    classes = {name.lower(): int(index) for index, name in (model.network.config.id2label or {}).items()}
    entails = classes["entailment"]
    scores: list[tuple[Probe, Score]] = []
    for label in labels:
        encoded = model.tokenizer(text, template.replace("{}", label), return_offsets_mapping=True)
        of = encoded.sequence_ids(0)
        offsets = [
            tuple(pair) if sequence == 0 else None
            for pair, sequence in zip(encoded["offset_mapping"], of, strict=True)
        ]
        row = {name: encoded[name] for name in model.tokenizer.model_input_names if name in encoded}
        probe = probe_of(model, row, units.owners(text, TEXT, offsets), None)
        scores.append((probe, lambda output: output.logits[:, entails].float()))
        yield Progress("Comparing labels", len(scores) / len(labels))
    return scores, [0.0] * len(labels), "the raw score (logit) of the text entailing the sentence with"


def _closeness(model: LoadedModel, text: str, labels: Sequence[str], template: str, units: Units) -> Scored:
    found = yield from encoders.embed(model, [template.replace("{}", label) for label in labels])
    probe = encoded_probe(model, text, TEXT, units)
    scores = [(probe, cosine_score(probe, vector)) for vector in found.vectors]
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
    return scores, offset, "how much likelier the text makes, as a logarithm,"
