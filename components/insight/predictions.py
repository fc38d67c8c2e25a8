"""What there is to explain: each task's own prediction as a score of what a network reads, and the parts of
the texts it reads. Imports torch: import this inside `run`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from components.insight.attributing import Probe, Score, Term
from components.insight.attribution import PAIR, TEXT, Choice, Unit
from components.models.checkpoint import Head
from components.models.errors import Code, TourError
from components.models.tokenizer import wrapped
from components.tasks import (
    abstraction,
    causal,
    decoding,
    encoders,
    extraction,
    hypotheses,
    infill,
    reading,
    text_generation,
    token_labels,
    translating,
    translators,
    windows,
)
from components.tasks.fields import shorten
from components.tasks.fill_mask import MASK, MOST_GAPS
from components.tasks.languages import AUTO, LANGUAGES
from components.tasks.sentences import Span, sentences
from components.tasks.summarization import Summary
from components.tasks.task import Output, Progress
from components.tasks.text_classification import SEVERAL
from components.tasks.zero_shot_classification import Options as ZeroShotOptions

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

# Tokens of a text that are explained at most: each costs a pass of its own.
LONGEST = 512
# What else might have been predicted: shown, and named in messages.
SHOWN, NAMED = 5, 25

Offsets = Sequence[tuple[int, int] | None]
"""Where each token stands in a text; None for one that is not the text's."""

Predicting = Generator[Progress, None, "Prediction"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request. `target` and `against` are what visitors call predictions, empty for the model's own best
    and for no comparison."""

    task: str
    text: str
    text_pair: str
    target: str
    against: str
    by_words: bool


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """`terms` and `offset`, which no text changes, sum to the score, which `means` says in words. `choices`
    are what the task's page shows, with the page's own numbers, best first.
    """

    target: str
    against: str
    terms: Sequence[Term]
    units: Sequence[Unit]
    choices: Sequence[Choice]
    means: str
    tokens: int
    offset: float = 0.0
    notes: tuple[str, ...] = ()


@dataclass
class Units:
    """The parts of the texts, numbered through: words, or tokens."""

    by_words: bool
    found: list[Unit] = field(default_factory=list)

    def owners(self, text: str, source: str, offsets: Offsets, shift: int = 0) -> list[int | None]:
        """For each token the unit that it belongs to, none for space. `shift` is where `text` stands in the
        whole. A text that is read again keeps the units it has."""
        known = [index for index, unit in enumerate(self.found) if unit.source == source]
        spans = {place: span for place, pair in enumerate(offsets) if pair and (span := _solid(text, *pair))}
        owners: list[int | None] = [None] * len(offsets)
        if known:
            for place, span in spans.items():
                owners[place] = next(
                    (
                        index
                        for index in known
                        if self.found[index].start < span.end + shift
                        and span.start + shift < self.found[index].end
                    ),
                    None,
                )
            return owners
        for places in self._groups(text, spans):
            start = min(spans[place].start for place in places)
            end = max(spans[place].end for place in places)
            for place in places:
                owners[place] = len(self.found)
            self.found.append(Unit(text=text[start:end], start=start + shift, end=end + shift, source=source))
        return owners

    def _groups(self, text: str, spans: Mapping[int, Span]) -> list[list[int]]:
        """Which tokens go together: of a word, or at least of a character."""
        places = list(spans)
        if self.by_words:
            tokens = [token_labels.Token(span.start, span.end, None) for span in spans.values()]
            groups = [[places[one] for one in group] for group in token_labels.words(text, tokens)]
        else:
            groups = [[place] for place in places]
        joined: list[list[int]] = []
        reached = 0
        for group in groups:
            if joined and spans[group[0]].start < reached:
                joined[-1] += group
            else:
                joined.append(group)
            reached = max(reached, *(spans[place].end for place in group))
        return joined


def _solid(text: str, start: int, end: int) -> Span | None:
    """A token's place without the space around it; None if nothing remains."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return Span(start, end) if start < end else None


def predict(model: LoadedModel, asked: Asked) -> Predicting:
    """The prediction that is asked for; raises `TourError` where there is none."""
    prediction = yield from _PREDICTORS[asked.task](model, asked, Units(asked.by_words))
    if not prediction.units:
        raise TourError(Code.INVALID_INPUT, "There is no word in the text to explain anything by.", "text")
    return prediction


# Texts as tokens with places


def _offsets(model: LoadedModel, text: str) -> list[tuple[int, int]]:
    """Where each of a text's own tokens stands."""
    if model.tokenizer.is_fast:
        encoded = model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        return [(start, end) for start, end in encoded["offset_mapping"]]
    tokenizer = wrapped(model.tokenizer)
    if tokenizer is None:
        raise TourError(
            Code.UNSUITABLE_MODEL,
            f"{model.checkpoint.id}'s tokenizer does not tell where its tokens stand in the text. Pick "
            "another model.",
            "model",
        )
    return [(token.start, token.end) for token in tokenizer.encode(text, special=False)]


def _ids(model: LoadedModel, text: str) -> list[int]:
    return list(model.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


def _cut(model: LoadedModel, text: str, reserved: int = 0, what: str = "text") -> tuple[str, tuple[str, ...]]:
    """As much of a text as is explained, `reserved` tokens of the limit being taken, and a note if that is
    not all."""
    room = min(model.checkpoint.token_limit - reserved, LONGEST)
    if room < 1:
        raise TourError(
            Code.TOO_LONG,
            f"No room is left for the {what}: {model.checkpoint.id} reads {model.checkpoint.token_limit:,} "
            "tokens at once. Shorten what else there is.",
            "text_pair",
        )
    offsets = _offsets(model, text)
    if len(offsets) <= room:
        return text, ()
    note = (
        f"The {what} is long: only the first {room:,} of its {len(offsets):,} tokens are read and explained."
    )
    return text[: offsets[room - 1][1]], (note,)


def _special(model: LoadedModel, *, pair: bool = False) -> int:
    return model.tokenizer.num_special_tokens_to_add(pair=pair)


def _filler(model: LoadedModel) -> int | None:
    """The token that says least: the mask of a network that was trained with one, else what stands for an
    unknown word, padding, or an end. None in a decoder, for the mean of its vocabulary: its special tokens
    say a lot, as that a text or a turn ends.
    """
    tokenizer = model.tokenizer
    tokens = [tokenizer.mask_token_id]
    if model.checkpoint.head is not Head.CAUSAL_LM:
        tokens += [tokenizer.unk_token_id, tokenizer.pad_token_id, tokenizer.eos_token_id]
    return next((token for token in tokens if isinstance(token, int)), None)


def _probe(
    model: LoadedModel,
    row: Mapping[str, Sequence[int]],
    owners: Sequence[int | None],
    reads: Sequence[int] | None,
    **options: Any,
) -> Probe:
    """`row` is what the tokenizer made: ids, and what belongs to them."""
    tensors = {name: torch.tensor([list(values)], device=model.device) for name, values in row.items()}
    ids = tensors.pop("input_ids")[0]
    tensors.setdefault("attention_mask", torch.ones_like(ids)[None])
    return Probe(
        network=model.network,
        ids=ids,
        given=tensors,
        owners=owners,
        filler=_filler(model),
        reads=reads,
        options=options,
    )


def _window(
    model: LoadedModel,
    units: Units,
    text: str,
    *,
    question: str | None = None,
) -> tuple[Probe, windows.Window]:
    """A text in one window, as the task pages read it; with a question before it, that is explained too."""
    window = windows.split(model, text, question=question)[0]
    owners = units.owners(text, TEXT, window.offsets)
    if question is not None:
        encoded = model.tokenizer(question, add_special_tokens=False, return_offsets_mapping=True)
        offsets: list[tuple[int, int] | None] = [None] * len(window.offsets)
        before = 1 if model.tokenizer.cls_token_id == window.row["input_ids"][0] else 0
        for place, pair in enumerate(encoded["offset_mapping"], before):
            offsets[place] = (pair[0], pair[1])
        asked = units.owners(question, PAIR, offsets)
        owners = [one if one is not None else other for one, other in zip(owners, asked, strict=True)]
    return _probe(model, window.row, owners, None), window


def _now(probe: Probe) -> Any:
    """The network's output for the texts as they are."""
    with torch.no_grad():
        return probe.read(probe.embedded[None])


def _terms(score: Callable[[str], tuple[Probe, Score]], target: str, against: str) -> list[Term]:
    probe, of = score(target)
    terms = [Term(probe=probe, score=of)]
    if against:
        probe, of = score(against)
        terms.append(Term(probe=probe, score=of, weight=-1.0))
    return terms


def _named(name: str, names: Iterable[str], field: str, model: LoadedModel) -> str:
    """The one of `names` that a visitor calls `name`."""
    names = list(names)
    for one in names:
        if one.strip().casefold() == name.strip().casefold():
            return one
    known = ", ".join(names[:NAMED]) + (" and others" if len(names) > NAMED else "")
    raise TourError(
        Code.INVALID_INPUT,
        f"{shorten(name)} is nothing that {model.checkpoint.id} can choose here; it can choose {known}.",
        field,
    )


def _two(target: str, against: str) -> None:
    if target and target == against:
        raise TourError(
            Code.INVALID_INPUT,
            f"{shorten(against)} is what is explained. Name something else to compare it with, or nothing.",
            "against",
        )


# Labels


def _classify(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    config = model.network.config
    if config.problem_type == "regression":
        raise TourError(
            Code.UNSUITABLE_MODEL,
            f"{model.checkpoint.id} was trained to give a number, not to choose a label. Pick another model.",
            "model",
        )
    names = [name for _, name in sorted((config.id2label or {}).items())]
    text, notes = _cut(model, asked.text, _special(model))
    probe, _ = _window(model, units, text)
    yield Progress("Classifying", 0.5)
    logits = _now(probe).logits[0].float().cpu()
    several = config.problem_type == SEVERAL or len(names) == 1
    scores: list[float] = (logits.sigmoid() if several else logits.softmax(dim=0)).tolist()
    ranked = sorted(range(len(names)), key=lambda index: -scores[index])
    target = _named(asked.target, names, "target", model) if asked.target else names[ranked[0]]
    against = _named(asked.against, names, "against", model) if asked.against else ""
    _two(target, against)

    def score(name: str) -> tuple[Probe, Score]:
        index = names.index(name)
        return probe, lambda output: output.logits[:, index].float()

    return Prediction(
        target=target,
        against=against,
        terms=_terms(score, target, against),
        units=units.found,
        choices=[Choice(text=names[index], score=scores[index]) for index in ranked],
        means=f"the raw score (logit) of “{target}”",
        tokens=len(probe.ids),
        notes=notes,
    )


def _zero_shot(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
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
    longest = max(len(_ids(model, template.replace("{}", label))) for label in labels)
    text, notes = _cut(model, asked.text, longest + 4 + _special(model, pair=True))
    support = yield from support_by(model, text, labels, template, each=False)
    ranked = sorted(range(len(labels)), key=lambda index: -support.scores[index])
    target = _named(asked.target, labels, "target", model) if asked.target else labels[ranked[0]]
    against = _named(asked.against, labels, "against", model) if asked.against else ""
    _two(target, against)
    wanted = [target, against] if against else [target]
    scores, offsets, means = yield from score_by(model, text, wanted, template, units)
    return Prediction(
        target=target,
        against=against,
        terms=_terms(lambda name: scores[wanted.index(name)], target, against),
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
        probe = _probe(model, row, units.owners(text, TEXT, offsets), None)
        scores.append((probe, lambda output: output.logits[:, entails].float()))
        yield Progress("Comparing labels", len(scores) / len(labels))
    return scores, [0.0] * len(labels), "the raw score (logit) of the text entailing the sentence with"


def _closeness(model: LoadedModel, text: str, labels: Sequence[str], template: str, units: Units) -> Scored:
    found = yield from encoders.embed(model, [template.replace("{}", label) for label in labels])
    probe = _encoded(model, text, TEXT, units)
    scores = [(probe, _cosine(probe, vector)) for vector in found.vectors]
    return scores, [0.0] * len(labels), "the cosine between the text and a sentence with"


def _likelihood(model: LoadedModel, text: str, labels: Sequence[str], template: str, units: Units) -> Scored:
    before, after = template.split("{}")
    lead = " " if before.endswith(" ") else ""
    start, opening = [causal.separator(model)], _ids(model, before.rstrip(" "))
    bridge = _ids(model, f"\n{before.rstrip(' ')}")
    endings = [_ids(model, f"{lead}{label}{after}") for label in labels]
    context = causal.Context(model)
    without = yield from context.log_likelihoods(start + opening, endings)
    words, offsets = _ids(model, text), _offsets(model, text)
    scores = []
    for ending in endings:
        ids = [*start, *words, *bridge, *ending]
        places: Offsets = [None, *offsets, *[None] * (len(bridge) + len(ending))]
        scores.append(_written(model, ids, units.owners(text, TEXT, places), ending))
    offset = [-float(one) for one in without]
    return scores, offset, "how much likelier the text makes, as a logarithm,"


# Vectors


def _encoded(model: LoadedModel, text: str, source: str, units: Units) -> Probe:
    encoded = model.tokenizer(text, return_special_tokens_mask=True, return_offsets_mapping=True)
    offsets = [
        None if special else tuple(pair)
        for pair, special in zip(encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True)
    ]
    row = {"input_ids": encoded["input_ids"]}
    return _probe(model, row, units.owners(text, source, offsets), range(len(offsets)))


def _cosine(probe: Probe, other: torch.Tensor) -> Score:
    """The cosine between the mean of the last states and a vector of length 1, as `encoders.embed` has it."""
    fixed = other.clone().to(probe.ids.device)  # a plain tensor, whatever mode it was made in

    def score(output: Any) -> torch.Tensor:
        mean = output.last_hidden_state.float().mean(dim=1)
        cosines: torch.Tensor = torch.nn.functional.normalize(mean, dim=1) @ fixed
        return cosines

    return score


def _compare(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    """The cosine of two texts, each explained with the other as it is: half of the score belongs to each."""
    room = _special(model)
    text, notes = _cut(model, asked.text, room)
    other, more = _cut(model, asked.text_pair, room, "second text")
    third, cut = _cut(model, asked.against, room, "text to compare with")
    found = yield from encoders.embed(model, [text, other, *([third] if third else [])])
    vectors = found.vectors
    one = _encoded(model, text, TEXT, units)
    two = _encoded(model, other, PAIR, units)
    terms = [Term(probe=one, score=_cosine(one, vectors[1])), Term(probe=two, score=_cosine(two, vectors[0]))]
    cosines = (vectors[1:] @ vectors[0]).tolist()
    if third:
        terms.append(Term(probe=one, score=_cosine(one, vectors[2]), weight=-1.0))
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


# Places in a text


def _entity(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    names = [name for _, name in sorted((model.network.config.id2label or {}).items())]
    text, notes = _cut(model, asked.text, _special(model))
    window = windows.split(model, text)[0]
    places = [place for place in window.positions if window.offsets[place] is not None]
    tokens = [
        token_labels.Token(*offset, window.words[place])
        for place in places
        if (offset := window.offsets[place]) is not None
    ]
    owners = units.owners(text, TEXT, window.offsets)
    probe = _probe(model, window.row, owners, None)
    yield Progress("Labelling tokens", 0.5)
    probabilities = _now(probe).logits[0].float().cpu()[places].softmax(dim=1)
    words = token_labels.words(text, tokens)
    spans = token_labels.spans(text, tokens, probabilities, names, "first")
    span = _place(text, asked.target, spans, model)
    # A word is labelled by its first token, as on the page.
    firsts = [word[0] for word in words if span.start <= tokens[word[0]].start < span.end]
    if not firsts:  # inside a word
        firsts = [word[0] for word in words if tokens[word[0]].start < span.end][-1:]
    chosen = [names[int(probabilities[first].argmax())] for first in firsts]
    kinds = {name: token_labels.kind(name, names)[1] for name in names}
    own = span.label or kinds[chosen[0]]

    def labels(wanted: str) -> list[int]:
        """What each word would be labelled, were it all of a kind: those it has, else as in B-PER, I-PER."""
        found = []
        for place, label in enumerate(chosen):
            same = [name for name in names if kinds[name] == wanted]
            begins = [name for name in same if token_labels.kind(name, names)[0] in "BSU"]
            inside = [name for name in same if name not in begins]
            fitting = (begins or inside) if place == 0 else (inside or begins)
            found.append(names.index(label if label in same else fitting[0]))
        return found

    against = _named(asked.against, kinds.values(), "against", model) if asked.against else ""
    _two(own, against)
    reads = [places[first] for first in firsts]

    def score(wanted: str) -> tuple[Probe, Score]:
        at = torch.tensor(reads, device=model.device)
        which = torch.tensor(labels(wanted), device=model.device)
        return marked, lambda output: output.logits[:, at, which].float().mean(dim=1)

    marked = _probe(model, window.row, owners, reads)
    means = {
        kind: float(probabilities[firsts, labels(kind)].mean()) for kind in dict.fromkeys(kinds.values())
    }
    return Prediction(
        target=text[span.start : span.end],
        against=against,
        terms=_terms(score, own, against),
        units=units.found,
        choices=[Choice(text=kind, score=means[kind]) for kind in sorted(means, key=lambda one: -means[one])],
        means=f"the raw score (logit) of {own} at “{text[span.start : span.end]}”",
        tokens=len(probe.ids),
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
                f"{model.checkpoint.id} finds no name in this text. Write in Explain which word to explain.",
                "target",
            )
        return max(spans, key=lambda one: one.score)
    for span in spans:
        if text[span.start : span.end].casefold() == wanted.strip().casefold():
            return span
    start = _found(text, wanted)
    return token_labels.Span(start, start + len(wanted.strip()), "", 0.0)


def _found(text: str, wanted: str, field: str = "target") -> int:
    start = text.casefold().find(wanted.strip().casefold())
    if start < 0 or len(text.casefold()) != len(text):
        start = text.find(wanted.strip())
    if start < 0:
        raise TourError(
            Code.INVALID_INPUT, f"{shorten(wanted)} does not occur in the text that is explained.", field
        )
    return start


def _answer(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    question = asked.text_pair.strip()
    if not question:
        raise TourError(Code.INVALID_INPUT, "Write a question.", "text_pair")
    reserved = len(_ids(model, question)) + _special(model, pair=True)
    context, notes = _cut(model, asked.text, reserved, "context")
    found = yield from reading.answer(model, question, context, max_answer_length=30, stride=0)
    if not found.answers:
        raise TourError(Code.INVALID_INPUT, "There is no passage in the context that could answer.", "text")
    plain, window = _window(model, units, context, question=question)
    output = _now(plain)
    begins, ends = output.start_logits[0].float().cpu(), output.end_logits[0].float().cpu()

    def edges(span: Span) -> tuple[int, int]:
        """The tokens that the passage is read from: the best pair that grows into these words."""
        here = [
            place
            for place in window.positions
            if (pair := window.offsets[place]) and pair[0] < span.end and span.start < pair[1]
        ]
        first = [place for place in here if _same_word(context, span.start, window.offsets[place])]
        last = [place for place in here if _same_word(context, span.end - 1, window.offsets[place])]
        return max(
            ((start, end) for start in first for end in last if start <= end),
            key=lambda pair: float(begins[pair[0]] + ends[pair[1]]),
        )

    def span_of(name: str, field: str) -> Span:
        for one in found.answers:
            if one.span.of(context).casefold() == name.strip().casefold():
                return one.span
        start = _found(context, name, field)
        return Span(start, start + len(name.strip()))

    best = span_of(asked.target, "target") if asked.target else found.answers[0].span
    other = span_of(asked.against, "against") if asked.against else None
    spans = {best.of(context): best} | ({other.of(context): other} if other else {})
    _two(best.of(context), other.of(context) if other else "")
    probe = _probe(model, window.row, plain.owners, sorted({*edges(best)}))

    def score(name: str) -> tuple[Probe, Score]:
        start, end = edges(spans[name])
        return probe, lambda output: (output.start_logits[:, start] + output.end_logits[:, end]).float()

    choices = [Choice(text=one.span.of(context), score=one.score) for one in found.answers[:SHOWN]]
    if found.no_answer:
        choices = sorted([*choices, Choice(text="(no answer)", score=found.no_answer)], key=_by_score)
    return Prediction(
        target=best.of(context),
        against=other.of(context) if other else "",
        terms=_terms(score, best.of(context), other.of(context) if other else ""),
        units=units.found,
        choices=choices,
        means=f"the raw scores (logits) of an answer beginning and ending as “{best.of(context)}” does",
        tokens=len(probe.ids),
        notes=notes,
    )


def _by_score(choice: Choice) -> float:
    return -choice.score


def _same_word(text: str, character: int, offset: tuple[int, int] | None) -> bool:
    """Whether a token stands in the run without spaces that a character belongs to."""
    if offset is None:
        return False
    low, high = sorted((character, min(max(offset[0], 0), offset[1] - 1)))
    return not any(map(str.isspace, text[low:high]))


def _sentence(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    """The vote for one sentence: the mean of its tokens' logits for "keep" less those for "leave"."""
    text, notes = _cut(model, asked.text, _special(model))
    output: Output[Summary] | None = None
    for step in extraction.summarize(model, text, 1):
        if isinstance(step, Output):
            output = step
        else:
            yield step
    spans = sentences(text)
    if output is None or not output.result.sentences:
        raise TourError(Code.INVALID_INPUT, "There is no sentence in the text.", "text")
    tokenizer: Any = model.tokenizer
    ids: list[int] = [tokenizer.cls_token_id]
    places: list[tuple[int, int] | None] = [None]
    members: list[list[int]] = []
    for span in spans:
        own = _ids(model, span.of(text))
        members.append(list(range(len(ids), len(ids) + len(own))))
        ids += own
        places += [(span.start + start, span.start + end) for start, end in _offsets(model, span.of(text))]
    labels = {name.lower(): int(index) for index, name in (model.network.config.id2label or {}).items()}
    keep, leave = labels[extraction.KEEP], labels[extraction.LEAVE]
    row = {"input_ids": [*ids, tokenizer.sep_token_id]}
    owners = units.owners(text, TEXT, [*places, None])
    logits = _now(_probe(model, row, owners, None)).logits[0].float().cpu()
    votes = torch.stack([(logits[own, keep] - logits[own, leave]).mean() for own in members if own])
    names = [span.of(text) for span, own in zip(spans, members, strict=True) if own]
    members = [own for own in members if own]
    shares = votes.softmax(dim=0).tolist()
    target = _one_of(asked.target, names, "target") if asked.target else output.result.sentences[0].text
    against = _one_of(asked.against, names, "against") if asked.against else ""
    _two(target, against)
    probe = _probe(model, row, owners, members[names.index(target)])

    def score(name: str) -> tuple[Probe, Score]:
        own = torch.tensor(members[names.index(name)], device=model.device)
        return probe, lambda out: (out.logits[:, own, keep] - out.logits[:, own, leave]).float().mean(dim=1)

    ranked = sorted(range(len(names)), key=lambda index: -shares[index])
    return Prediction(
        target=target,
        against=against,
        terms=_terms(score, target, against),
        units=units.found,
        choices=[Choice(text=names[index], score=shares[index]) for index in ranked],
        means="the sentence's vote, the raw score (logit) of “keep” less that of “leave”",
        tokens=len(ids) + 1,
        notes=notes,
    )


def _one_of(wanted: str, names: Sequence[str], field: str) -> str:
    """The sentence that is meant, by all of it or by words in it."""
    for name in names:
        if wanted.strip().casefold() in name.casefold():
            return name
    raise TourError(
        Code.INVALID_INPUT, f"No sentence of the text has the words {shorten(wanted)} in it.", field
    )


# Words that are written


def _written(
    model: LoadedModel, ids: Sequence[int], owners: Sequence[int | None], end: Sequence[int]
) -> tuple[Probe, Score]:
    """The log-probability of the last tokens of a text, after those before them, under a causal model."""
    count = len(end)
    probe = _probe(
        model,
        {"input_ids": ids},
        owners,
        range(len(ids) - count - 1, len(ids) - 1),
        use_cache=False,
        logits_to_keep=count + 1,
    )
    return probe, _log_probability(end, -count - 1)


def _log_probability(tokens: Sequence[int], start: int) -> Score:
    """Of tokens that are predicted at the places from `start` on, counted from the end if negative."""

    def score(output: Any) -> torch.Tensor:
        at = start % output.logits.shape[1]
        logprobs = output.logits[:, at : at + len(tokens)].float().log_softmax(dim=-1)
        which = torch.tensor(list(tokens), device=logprobs.device)
        index = which[None, :, None].expand(len(logprobs), -1, 1)
        found: torch.Tensor = logprobs.gather(2, index)[:, :, 0].sum(dim=1)
        return found

    return score


def _tokens_of(model: LoadedModel, written: Sequence[int], word: str, field: str) -> tuple[int, int]:
    """Which tokens of what was written make up a word of it: from which, up to which."""
    texts = [str(model.tokenizer.decode(list(written[:count]))) for count in range(len(written) + 1)]
    whole = texts[-1]
    place = whole.casefold().find(word.strip().casefold())
    if place < 0:
        raise TourError(
            Code.INVALID_INPUT,
            f"{shorten(word)} does not occur in what the model wrote: {shorten(whole, 200)}",
            field,
        )
    behind = place + len(word.strip())
    first = max(count for count, text in enumerate(texts) if len(text.rstrip()) <= place)
    last = min(count for count, text in enumerate(texts) if len(text) >= behind)
    return first, max(last, first + 1)


def _chat(model: LoadedModel, messages: Sequence[Mapping[str, str]]) -> tuple[str, int]:
    """Messages in the checkpoint's template, and where the last one's text begins in it."""
    tokenizer: Any = model.tokenizer

    def rendered(content: str) -> str:
        told = [*messages[:-1], {**messages[-1], "content": content}]
        text: str = tokenizer.apply_chat_template(
            told, add_generation_prompt=True, tokenize=False, enable_thinking=False
        )
        return text

    whole = rendered(messages[-1]["content"])
    return whole, rendered("\ue000").index("\ue000")


def _inside(offsets: Offsets, start: int, end: int) -> list[tuple[int, int] | None]:
    """Places in a text that stands at [start, end) of a larger one, whose tokens have `offsets`."""
    return [
        (max(pair[0], start) - start, min(pair[1], end) - start)
        if pair and pair[0] < end and start < pair[1]
        else None
        for pair in offsets
    ]


def _next_token(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    """The first token of an answer to the prompt; the second text is how the answer begins."""
    text, notes = _cut(model, asked.text, 64)
    begun_text, more = _cut(model, asked.text_pair, 0, "beginning") if asked.text_pair else ("", ())
    prompt = text_generation.prompt_ids(model, text, text_generation.Options())
    begun = _ids(model, begun_text)
    ids = [*prompt, *begun]
    offsets: list[tuple[int, int] | None]
    if model.tokenizer.chat_template:
        whole, start = _chat(model, [{"role": "user", "content": text}])
        kept = text.strip()  # many templates leave the space around a message out
        at = whole.find(kept, start)
        lead = text.find(kept)
        places = _inside(_offsets(model, whole), at, at + len(kept))
        offsets = [pair and (pair[0] + lead, pair[1] + lead) for pair in places]
    else:
        encoded = model.tokenizer(text, return_offsets_mapping=True, return_special_tokens_mask=True)
        offsets = [
            None if special else (pair[0], pair[1])
            for pair, special in zip(encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True)
        ]
    nothing: list[None] = [None] * len(begun)
    owners = units.owners(text, TEXT, [*offsets, *nothing])
    if begun:
        its = units.owners(begun_text, PAIR, [*[None] * len(prompt), *_offsets(model, begun_text)])
        owners = [one if one is not None else other for one, other in zip(owners, its, strict=True)]
    probe = _probe(model, {"input_ids": ids}, owners, [len(ids) - 1], use_cache=False, logits_to_keep=1)
    yield Progress("Reading the prompt", 0.5)
    logits = _now(probe).logits[0, -1].float().cpu()
    pieces = decoding.Pieces(model)
    best = logits.topk(SHOWN).indices.tolist()
    shares = logits.softmax(dim=0)

    def shown(id: int) -> str:
        return pieces.after(begun, id)

    def token(name: str, field: str) -> int:
        for same in (name, name.strip()):
            for id in best:
                if same in (shown(id), shown(id).strip()):
                    return int(id)
        found = [own[0] for spelled in (name, f" {name.strip()}") if len(own := _ids(model, spelled)) == 1]
        if not found:
            raise TourError(
                Code.INVALID_INPUT,
                f"{shorten(name)} is not one token of {model.checkpoint.id}, which writes token by token. "
                "Name a shorter word, or the beginning of this one.",
                field,
            )
        return max(found, key=lambda id: float(logits[id]))

    wanted = token(asked.target, "target") if asked.target else int(best[0])
    target = shown(wanted)
    ids_by_name = {target: wanted}
    against = ""
    if asked.against:
        other = token(asked.against, "against")
        against = shown(other)
        _two(target, against)
        ids_by_name[against] = other

    def score(name: str) -> tuple[Probe, Score]:
        id = ids_by_name[name]
        return probe, _log_probability([id], -1)

    return Prediction(
        target=target,
        against=against,
        terms=_terms(score, target, against),
        units=units.found,
        choices=[
            Choice(text=shown(id), score=float(shares[id]))
            for id in dict.fromkeys([*best, *ids_by_name.values()])
        ],
        means=f"the logarithm of the probability of the next token “{target.strip() or target}”",
        tokens=len(ids),
        notes=(*notes, *more),
    )


def _summary(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    """What a model wrote, or a word in it: its log-probability after the text."""
    if model.checkpoint.head is Head.TOKEN_CLASSIFICATION:
        return (yield from _sentence(model, asked, units))
    most = 2
    text, notes = _cut(model, asked.text, model.checkpoint.token_limit // 2 + 64)
    output: Output[Summary] | None = None
    writing = abstraction.summarize(model, text, most, num_beams=4, no_repeat_ngram_size=3)
    for step in writing:
        if isinstance(step, Output):
            output = step
        else:
            yield step
    written = output.result.summary if output else ""
    notes = (*notes, *(output.notes if output else ()))
    if not written:
        raise TourError(Code.INVALID_INPUT, "The model wrote no summary of this text.", "text")
    if model.checkpoint.head is Head.SEQ2SEQ_LM:
        tasks = getattr(model.network.config, "task_specific_params", None) or {}
        prefix = tasks.get("summarization", {}).get("prefix", "")
        row, offsets = _source(model, prefix, text)
        return _seq2seq(
            model, asked, [(row, units.owners(text, TEXT, offsets), written, [], True)], units, notes
        )
    ids, places = _summary_prompt(model, text, most)
    answer = _ids(model, written)
    return _said(model, asked, units, ids, units.owners(text, TEXT, places), answer, written, notes)


def _summary_prompt(
    model: LoadedModel, text: str, most: int
) -> tuple[list[int], list[tuple[int, int] | None]]:
    """A decoder's prompt as the page has it, with the places of the text's tokens."""
    if not model.tokenizer.chat_template:
        whole, at = f"{text}\n\nTL;DR:", 0
        encoded = model.tokenizer(whole, return_offsets_mapping=True, return_special_tokens_mask=True)
        ids = list(encoded["input_ids"])
        pairs: Offsets = [
            None if special else (pair[0], pair[1])
            for pair, special in zip(encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True)
        ]
    else:
        asking = f"Summarize in {most} short sentences:\n\n"
        messages = [
            {"role": "system", "content": abstraction.SYSTEM},
            {"role": "user", "content": f"{asking}{text}"},
        ]
        whole, start = _chat(model, messages)
        at = whole.find(text.strip(), start)
        ids, pairs = _ids(model, whole), _offsets(model, whole)
    kept = text.strip()
    lead = text.find(kept)
    places = _inside(pairs, max(at, 0), max(at, 0) + len(kept))
    return ids, [pair and (pair[0] + lead, pair[1] + lead) for pair in places]


def _said(
    model: LoadedModel,
    asked: Asked,
    units: Units,
    prompt: Sequence[int],
    owners: Sequence[int | None],
    answer: Sequence[int],
    written: str,
    notes: tuple[str, ...],
) -> Prediction:
    """A decoder's text after its prompt, all of it or one word."""
    first, last = (
        _tokens_of(model, answer, asked.target, "target") if asked.target.strip() else (0, len(answer))
    )
    target = str(model.tokenizer.decode(list(answer[first:last]))).strip()

    def score(name: str) -> tuple[Probe, Score]:
        end = list(answer[first:last]) if name == target else _instead(model, name, first)
        ids = [*prompt, *answer[:first], *end]
        more: list[None] = [None] * (len(ids) - len(prompt))
        return _written(model, ids, [*owners, *more], end)

    against = asked.against.strip()
    _two(target, against)
    return Prediction(
        target=target,
        against=against,
        terms=_terms(score, target, against),
        units=units.found,
        choices=_likelihoods(score, [target, *([against] if against else [])]),
        means=f"the logarithm of the probability of “{target}”",
        tokens=len(prompt) + len(answer),
        notes=notes,
    )


def _instead(model: LoadedModel, text: str, place: int) -> list[int]:
    """The tokens of a text that goes on from another."""
    return _ids(model, f" {text}" if place else text)


def _likelihoods(score: Callable[[str], tuple[Probe, Score]], names: Sequence[str]) -> list[Choice]:
    """The probability of each, as a whole."""
    found = []
    for name in names:
        probe, of = score(name)
        found.append(Choice(text=name, score=Term(probe=probe, score=of).now()))
    return [Choice(text=one.text, score=float(torch.tensor(one.score).exp())) for one in found]


# Encoder-decoders

Source = dict[str, list[int]]


def _source(
    model: LoadedModel, prefix: str, text: str, tokenizer: Any = None
) -> tuple[Source, list[tuple[int, int] | None]]:
    """What the encoder reads, with the places of the text's tokens; `prefix` is not the text's."""
    encoded = (tokenizer or model.tokenizer)(prefix + text, verbose=False)
    ids = list(encoded["input_ids"])
    if model.tokenizer.is_fast:
        exact = model.tokenizer(
            prefix + text, return_offsets_mapping=True, return_special_tokens_mask=True, verbose=False
        )
        pairs: Offsets = [
            None if special else (pair[0], pair[1])
            for pair, special in zip(exact["offset_mapping"], exact["special_tokens_mask"], strict=True)
        ]
    else:
        known = wrapped(model.tokenizer)
        if known is None:
            _offsets(model, text)  # which says so
            raise AssertionError("a tokenizer without places was taken")
        pairs = [None if token.special else (token.start, token.end) for token in known.encode(prefix + text)]
    return {"input_ids": ids, "attention_mask": [1] * len(ids)}, _inside(
        pairs, len(prefix), len(prefix) + len(text)
    )


Rendered = tuple[Source, Sequence["int | None"], str, Sequence[int], bool]
"""What the encoder reads, who owns it, what was written, the ids it had to begin with, whether it ended."""


def _seq2seq(
    model: LoadedModel,
    asked: Asked,
    rendered: Sequence[Rendered],
    units: Units,
    notes: tuple[str, ...],
    tokens: int | None = None,
    choices: Sequence[Choice] = (),
) -> Prediction:
    """What an encoder-decoder wrote, piece by piece: all of it, or the first occurrence of one word."""
    config = model.network.config
    start = config.decoder_start_token_id
    ends = causal.stop_ids(model)
    end = next(iter(sorted(ends)), None)
    pieces = [_target_ids(model, text) for _, _, text, _, _ in rendered]
    word, against = asked.target.strip(), asked.against.strip()
    if word:
        for index, ids in enumerate(pieces):
            whole = str(model.tokenizer.decode(ids))
            if word.casefold() in whole.casefold() or index == len(pieces) - 1:
                first, last = _tokens_of(model, ids, word, "target")
                chosen = [(index, first, ids[first:last], False)]
                break
        target = str(model.tokenizer.decode(chosen[0][2])).strip()
    else:
        chosen = [
            (index, 0, ids, ended)
            for index, (ids, (*_, ended)) in enumerate(zip(pieces, rendered, strict=True))
        ]
        target = " ".join(text for _, _, text, _, _ in rendered)
    if against and len(chosen) > 1:
        raise TourError(
            Code.INVALID_INPUT,
            "The text has several sentences. Name the word to explain, and the one to compare it with.",
            "against",
        )
    _two(target, against)

    def term(index: int, first: int, ids: Sequence[int], ended: bool, weight: float) -> Term:
        row, owners, _, forced, _ = rendered[index]
        before = [start, *forced, *pieces[index][:first]]
        wanted = [*ids, *([end] if ended and end is not None else [])]
        decoder = [*before, *wanted][:-1]
        probe = _probe(
            model,
            {**row, "decoder_input_ids": decoder},
            owners,
            range(len(before) - 1, len(decoder)),
            use_cache=False,
        )
        return Term(probe=probe, score=_log_probability(wanted, len(before) - 1), weight=weight)

    terms = [term(*one, 1.0) for one in chosen]
    if against:
        index, first, _, ended = chosen[0]
        other = _target_ids(model, against)
        terms.append(term(index, first, other, ended, -1.0))
    found = list(choices) if choices and not word and not against else []
    if not found:
        total = sum(one.now() for one in terms if one.weight > 0)
        found = [Choice(text=target, score=float(torch.tensor(total).exp()))]
        found += [
            Choice(text=against, score=float(torch.tensor(-one.now()).exp()))
            for one in terms
            if one.weight < 0
        ]
    return Prediction(
        target=target,
        against=against,
        terms=terms,
        units=units.found,
        choices=found,
        means=f"the logarithm of the probability of “{target}”",
        tokens=sum(len(row["input_ids"]) for row, *_ in rendered) if tokens is None else tokens,
        notes=notes,
    )


def _target_ids(model: LoadedModel, text: str) -> list[int]:
    """The tokens of a text that is written, without special ones."""
    return list(model.tokenizer(text_target=text, add_special_tokens=False, verbose=False)["input_ids"])


def _translate(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    language = asked.text_pair.strip().lower() or "de"
    if language not in LANGUAGES:
        raise TourError(
            Code.INVALID_INPUT, f"{shorten(language)} is no language code; write one such as de.", "text_pair"
        )
    route = translators.route(model, AUTO, language)
    offsets = _offsets(model, asked.text)
    text, notes = asked.text, route.notes
    if len(offsets) > LONGEST:
        text = text[: offsets[LONGEST - 1][1]]
        notes += (
            f"The text is long: only the first {LONGEST} of its {len(offsets):,} tokens are explained.",
        )
    cut = translating.cut(model, text, route)
    if not cut.pieces:
        raise TourError(Code.INVALID_INPUT, "There is no word in the text.", "text")
    search = translating.Search(beams=4, length_penalty=1.0, best=1)
    found = yield from translating.translate(model, text, cut.pieces, route, search)
    tokenizer: Any = model.tokenizer
    if route.spelling is not None and tokenizer.src_lang != route.spelling:
        tokenizer.src_lang = route.spelling
    rows = []
    places: list[tuple[int, int] | None] = []
    for piece in cut.pieces:
        row, offsets_in = _source(model, route.prefix, piece.span.of(text))
        rows.append(row)
        places += [pair and (pair[0] + piece.span.start, pair[1] + piece.span.start) for pair in offsets_in]
    owners = units.owners(text, TEXT, places)
    rendered: list[Rendered] = []
    for row, one in zip(rows, found, strict=True):
        size = len(row["input_ids"])
        own, owners = owners[:size], owners[size:]
        forced = [] if route.first_token is None else [route.first_token]
        rendered.append((row, own, one.texts[0], forced, not one.cut))
    if len(cut.pieces) > 1:
        notes += ("The text is translated sentence by sentence: no sentence depends on another.",)
    return _seq2seq(
        model,
        asked,
        rendered,
        units,
        notes,
        tokens=sum(piece.tokens for piece in cut.pieces),
        choices=[Choice(text=one.texts[0], score=one.scores[0]) for one in found],
    )


# Gaps


def _fill(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    gaps = asked.text.count(MASK)
    if not 1 <= gaps <= MOST_GAPS:
        raise TourError(
            Code.INVALID_INPUT, f"Write {MASK} where a word is missing, at most {MOST_GAPS} times.", "text"
        )
    by = _fill_masked if model.checkpoint.head is Head.MASKED_LM else _fill_causal
    return (yield from by(model, asked, units))


def _around(model: LoadedModel, text: str, room: int) -> tuple[int, int, tuple[str, ...]]:
    """The part of a text around its first gap that is read, and a note if that is not all."""
    room = min(room, LONGEST)
    gap = text.index(MASK)
    before, behind = _offsets(model, text[:gap]), _offsets(model, text[gap + len(MASK) :])
    if len(before) + len(behind) <= room:
        return 0, len(text), ()
    half = room // 2
    left = min(len(before), max(half, room - len(behind)))
    right = min(len(behind), room - left)
    start = before[-left][0] if left else gap
    end = gap + len(MASK) + (behind[right - 1][1] if right else 0)
    note = (
        f"The text is long: {left + right:,} of its {len(before) + len(behind):,} tokens around the gap are "
        "read and explained."
    )
    return start, end, (note,)


def _joined(parts: Sequence[str], fillings: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """The parts with something in each gap, and where each part stands then."""
    text, ranges = "", []
    for index, part in enumerate(parts):
        ranges.append((len(text), len(text) + len(part)))
        text += part + (fillings[index] if index < len(fillings) else "")
    return text, ranges


def _back(
    pair: tuple[int, int], ranges: Sequence[tuple[int, int]], filled: Sequence[str]
) -> tuple[int, int] | None:
    """Where a token of a text with filled gaps stands in the one with `MASK` in them; None in a gap."""
    for index, (start, end) in enumerate(ranges):
        if start <= pair[0] and pair[1] <= end and pair[0] < pair[1]:
            moved = sum(len(MASK) - len(word) for word in filled[:index])
            return pair[0] + moved, pair[1] + moved
    return None


def _fill_masked(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    tokenizer: Any = model.tokenizer
    room = model.checkpoint.token_limit - _special(model) - asked.text.count(MASK)
    start, end, notes = _around(model, asked.text, room)
    text = asked.text[start:end]
    parts = text.split(MASK)
    marks = [tokenizer.mask_token] * (len(parts) - 1)
    whole, ranges = _joined(parts, marks)
    encoded = tokenizer(whole, return_offsets_mapping=True, return_special_tokens_mask=True)
    offsets = [
        None if id == tokenizer.mask_token_id or special else _back(tuple(pair), ranges, marks)
        for id, pair, special in zip(
            encoded["input_ids"], encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True
        )
    ]
    row = {name: encoded[name] for name in tokenizer.model_input_names if name in encoded}
    gap = list(encoded["input_ids"]).index(tokenizer.mask_token_id)
    probe = _probe(model, row, units.owners(text, TEXT, offsets, start), [gap])
    yield Progress("Filling the gap", 0.5)
    logits = _now(probe).logits[0, gap].float().cpu()
    shares = logits.softmax(dim=0)
    ranked = logits.clone()
    ranked[torch.tensor(tokenizer.all_special_ids)] = -torch.inf
    best = ranked.topk(SHOWN).indices.tolist()

    def word(id: int) -> str:
        return str(tokenizer.decode([id])).strip().removeprefix("##")

    def token(name: str, field: str) -> int:
        for id in best:
            if word(id) == name.strip():
                return int(id)
        ids = _ids(model, f" {name.strip()}")
        if len(ids) != 1 or ids[0] == tokenizer.unk_token_id:
            raise TourError(
                Code.INVALID_INPUT,
                f"{model.checkpoint.id} has no single token for {shorten(name)}; name another word.",
                field,
            )
        return ids[0]

    target = token(asked.target, "target") if asked.target.strip() else int(best[0])
    against = token(asked.against, "against") if asked.against.strip() else None
    ids = {word(target): target} | ({word(against): against} if against is not None else {})
    _two(word(target), word(against) if against is not None else "")

    def score(name: str) -> tuple[Probe, Score]:
        id = ids[name]
        return probe, _log_probability([id], gap)

    return Prediction(
        target=word(target),
        against=word(against) if against is not None else "",
        terms=_terms(score, word(target), word(against) if against is not None else ""),
        units=units.found,
        choices=[
            Choice(text=word(id), score=float(shares[id])) for id in dict.fromkeys([*best, *ids.values()])
        ],
        means=f"the logarithm of the probability of “{word(target)}” in the gap",
        tokens=len(probe.ids),
        notes=notes,
    )


def _fill_causal(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    start, end, notes = _around(model, asked.text, model.checkpoint.token_limit // 2)
    text = asked.text[start:end]
    parts = text.split(MASK)
    filled = yield from infill.fill_causal(model, parts, [])
    best = filled.fillings[0].words
    target = asked.target.strip() or best[0]
    against = asked.against.strip()
    _two(target, against)
    separator = causal.separator(model)

    def score(name: str) -> tuple[Probe, Score]:
        words = [name, *best[1:]]
        whole, ranges = _joined(parts, words)
        ids = _ids(model, whole)
        places = [
            _back(span_pair, ranges, words) if (span_pair := _tight(whole, pair)) else None
            for pair in _offsets(model, whole)
        ]
        owners = units.owners(text, TEXT, [None, *places], start)
        return _written(model, [separator, *ids], owners, ids)

    return Prediction(
        target=target,
        against=against,
        terms=_terms(score, target, against),
        units=units.found,
        choices=[Choice(text=" / ".join(one.words), score=one.score) for one in filled.fillings[:SHOWN]],
        means=f"the logarithm of the whole text's probability with “{target}” in the gap",
        tokens=filled.tokens_used,
        notes=(
            *notes,
            "This model reads from left to right: the words before the gap are read before it, those behind "
            "it count by how likely the word makes them.",
        ),
    )


def _tight(text: str, pair: tuple[int, int]) -> tuple[int, int] | None:
    span = _solid(text, *pair)
    return (span.start, span.end) if span else None


_PREDICTORS: Mapping[str, Callable[[LoadedModel, Asked, Units], Predicting]] = {
    "text_classification": _classify,
    "named_entities": _entity,
    "question_answering": _answer,
    "summarization": _summary,
    "translation": _translate,
    "text_generation": _next_token,
    "fill_mask": _fill,
    "zero_shot_classification": _zero_shot,
    "sentence_similarity": _compare,
}
