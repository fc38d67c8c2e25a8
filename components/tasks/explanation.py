"""A prediction as a score of what a network reads, and the parts of the texts it reads. Imports torch."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch

from components.models.checkpoint import Head
from components.models.errors import Code, TourError
from components.models.tokenizer import wrapped
from components.tasks import network, scores, token_labels, windows
from components.tasks.attribution_input import AttributionInput, Score, Term
from components.tasks.explained import LONGEST, PAIR, TEXT, Asked, Choice, Unit
from components.tasks.fields import shorten
from components.tasks.sentences import Span
from components.tasks.task import Progress
from components.texts import in_folder

if TYPE_CHECKING:
    from transformers import BatchEncoding

    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)


# What else might have been predicted: shown, and named in messages.
SHOWN, NAMED = 5, 25


Offsets = Sequence[tuple[int, int] | None]


"""Where each token stands in a text; None for one that is not the text's."""


Predicting = Generator[Progress, None, "Prediction"]


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
        spans = {
            place: span for place, pair in enumerate(offsets) if pair and (span := without_space(text, *pair))
        }
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


def without_space(text: str, start: int, end: int) -> Span | None:
    """A token's place without the space around it; None if nothing remains."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return Span(start, end) if start < end else None


def offsets_of(model: LoadedModel, text: str) -> list[tuple[int, int]]:
    """Where each of a text's own tokens stands."""
    if model.tokenizer.is_fast:
        encoded = model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        return [(start, end) for start, end in encoded["offset_mapping"]]
    tokenizer = wrapped(model.tokenizer)
    if tokenizer is None:
        raise TourError(
            Code.UNSUITABLE_MODEL,
            TEXTS["no_positions"].format(model=model.checkpoint.id),
            "model",
        )
    return [(token.start, token.end) for token in tokenizer.encode(text, special=False)]


def ids_of(model: LoadedModel, text: str) -> list[int]:
    return list(model.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


def cut_to_fit(
    model: LoadedModel, text: str, reserved: int = 0, what: str = "text"
) -> tuple[str, tuple[str, ...]]:
    """As much of a text as is explained, `reserved` tokens of the limit being taken, and a note if that is
    not all."""
    room = min(model.checkpoint.token_limit - reserved, LONGEST)
    if room < 1:
        raise TourError(
            Code.TOO_LONG,
            TEXTS["no_room"].format(what=what, model=model.checkpoint.id, limit=model.checkpoint.token_limit),
            "text_pair",
        )
    offsets = offsets_of(model, text)
    if len(offsets) <= room:
        return text, ()
    note = TEXTS["long_text"].format(what=what, read=room, tokens=len(offsets))
    return text[: offsets[room - 1][1]], (note,)


def special_tokens(model: LoadedModel, *, pair: bool = False) -> int:
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


def attribution_input(
    model: LoadedModel,
    row: Mapping[str, Sequence[int]],
    owners: Sequence[int | None],
    reads: Sequence[int] | None,
    **options: Any,
) -> AttributionInput:
    """`row` is what the tokenizer made: ids, and what belongs to them."""
    tensors = {name: torch.tensor([list(values)], device=model.device) for name, values in row.items()}
    ids = tensors.pop("input_ids")[0]
    tensors.setdefault("attention_mask", torch.ones_like(ids)[None])
    return AttributionInput(
        network=model.network,
        ids=ids,
        given=tensors,
        owners=owners,
        filler=_filler(model),
        reads=reads,
        options=options,
    )


def decoder_input(
    model: LoadedModel, ids: Sequence[int], owners: Sequence[int | None], reads: Sequence[int]
) -> AttributionInput:
    """A text that is read from left to right; the logits from the first of `reads` on are kept."""
    # As places, which are copied: of a slice the head makes a product for each row, with all its weights.
    kept = torch.arange(reads[0] - len(ids), 0, device=model.device)
    options = {"use_cache": False, "logits_to_keep": kept}
    first = next((place for place, owner in enumerate(owners) if owner is not None), 0)
    return replace(
        attribution_input(model, {"input_ids": ids}, owners, reads, **options), once=min(first, reads[0])
    )


def read_window(
    model: LoadedModel, units: Units, text: str, question: str
) -> tuple[AttributionInput, windows.Window]:
    """A text after a question in one window, as the task page reads it; both are explained."""
    window = windows.split(model, text, question=question)[0]
    _, owners = _pair_owners(model, units, {PAIR: question, TEXT: text})
    return attribution_input(model, window.row, owners, None), window


def pair_input(model: LoadedModel, asked: Asked, units: Units) -> tuple[AttributionInput, tuple[str, ...]]:
    """Two texts as a network of pairs reads them, and notes on what is left out of them."""
    room = special_tokens(model, pair=True)
    text, notes = cut_to_fit(model, asked.text, room + len(ids_of(model, asked.text_pair)))
    encoded, owners = _pair_owners(model, units, {TEXT: text, PAIR: asked.text_pair})
    row = {name: encoded[name] for name in model.tokenizer.model_input_names if name in encoded}
    return attribution_input(model, row, owners, None), notes


def _pair_owners(
    model: LoadedModel, units: Units, texts: Mapping[str, str]
) -> tuple[BatchEncoding, list[int | None]]:
    """Two texts by their sources, in the order in which they are read, encoded together, and for each token
    the unit that it belongs to."""
    encoded = model.tokenizer(*texts.values(), return_offsets_mapping=True, verbose=False)
    order = list(texts)
    owners: list[int | None] = [None] * len(encoded["input_ids"])
    for source in (TEXT, PAIR):  # units are numbered through the text first
        offsets = [
            tuple(place) if sequence is not None and order[sequence] == source else None
            for place, sequence in zip(encoded["offset_mapping"], encoded.sequence_ids(0), strict=True)
        ]
        found = units.owners(texts[source], source, offsets)
        owners = [one if one is not None else other for one, other in zip(owners, found, strict=True)]
    return encoded, owners


def output_now(network_input: AttributionInput) -> Any:
    """The network's output for the texts as they are."""
    with torch.no_grad():
        return network_input.read(network_input.embedded[None])


def terms_of(score: Callable[[str], tuple[AttributionInput, Score]], target: str, against: str) -> list[Term]:
    network_input, of = score(target)
    terms = [Term(input=network_input, score=of)]
    if against:
        network_input, of = score(against)
        terms.append(Term(input=network_input, score=of, weight=-1.0))
    return terms


def the_named(name: str, names: Iterable[str], field: str, model: LoadedModel) -> str:
    """The one of `names` that a visitor calls `name`."""
    names = list(names)
    for one in names:
        if one.strip().casefold() == name.strip().casefold():
            return one
    known = ", ".join(names[:NAMED]) + (" and others" if len(names) > NAMED else "")
    raise TourError(
        Code.INVALID_INPUT,
        f"{model.checkpoint.id} cannot predict {shorten(name)} here; it can predict {known}.",
        field,
    )


def refuse_the_same(target: str, against: str) -> None:
    if target and target == against:
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["already_explained"].format(word=shorten(against)),
            "against",
        )


def log_probability(tokens: Sequence[int], start: int) -> Score:
    """Of tokens that are predicted at the places from `start` on, counted from the end if negative."""

    def score(output: Any) -> torch.Tensor:
        at = start % output.logits.shape[1]
        logprobs = output.logits[:, at : at + len(tokens)].float().log_softmax(dim=-1)
        which = torch.tensor(list(tokens), device=logprobs.device)
        index = which[None, :, None].expand(len(logprobs), -1, 1)
        found: torch.Tensor = logprobs.gather(2, index)[:, :, 0].sum(dim=1)
        return found

    return score


def tokens_of(model: LoadedModel, written: Sequence[int], word: str, field: str) -> tuple[int, int]:
    """Which tokens of what was written make up a word of it: from which, up to which."""
    texts = [str(model.tokenizer.decode(list(written[:count]))) for count in range(len(written) + 1)]
    whole = texts[-1]
    place = whole.casefold().find(word.strip().casefold())
    if place < 0:
        raise TourError(
            Code.INVALID_INPUT,
            f"{shorten(word)} does not occur in the model's text: {shorten(whole, 200)}",
            field,
        )
    behind = place + len(word.strip())
    first = max(count for count, text in enumerate(texts) if len(text.rstrip()) <= place)
    last = min(count for count, text in enumerate(texts) if len(text) >= behind)
    return first, max(last, first + 1)


def inside_of(offsets: Offsets, start: int, end: int) -> list[tuple[int, int] | None]:
    """Places in a text that stands at [start, end) of a larger one, whose tokens have `offsets`."""
    return [
        (max(pair[0], start) - start, min(pair[1], end) - start)
        if pair and pair[0] < end and start < pair[1]
        else None
        for pair in offsets
    ]


def embedding_input(model: LoadedModel, text: str, source: str, units: Units) -> AttributionInput:
    encoded = model.tokenizer(text, return_special_tokens_mask=True, return_offsets_mapping=True)
    offsets = [
        None if special else tuple(pair)
        for pair, special in zip(encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True)
    ]
    row = {"input_ids": encoded["input_ids"]}
    return attribution_input(model, row, units.owners(text, source, offsets), range(len(offsets)))


def cosine_score(network_input: AttributionInput, other: torch.Tensor) -> Score:
    """The cosine between the mean of the last states and a vector of length 1, as in `embeddings.embed`."""
    fixed = other.clone().to(network_input.ids.device)  # a plain tensor, whatever mode it was made in

    def score(output: Any) -> torch.Tensor:
        mean = output.last_hidden_state.float().mean(dim=1)
        cosines: torch.Tensor = torch.nn.functional.normalize(mean, dim=1) @ fixed
        return cosines

    return score


def found_in(text: str, wanted: str, field: str = "target") -> int:
    start = text.casefold().find(wanted.strip().casefold())
    if start < 0 or len(text.casefold()) != len(text):
        start = text.find(wanted.strip())
    if start < 0:
        raise TourError(
            Code.INVALID_INPUT,
            (f"{shorten(wanted)} does not occur in the explained text. Name a word from it."),
            field,
        )
    return start


def explain_label(
    model: LoadedModel, asked: Asked, units: Units, network_input: AttributionInput, notes: tuple[str, ...]
) -> Predicting:
    """The logit of a label that a classifier gives to what it reads."""
    names = network.labels(model)
    yield Progress("Classifying", 0.5)
    logits = output_now(network_input).logits[0].float().cpu()
    function = "sigmoid" if scores.several_labels(model.network.config) else "softmax"
    found = scores.apply(function, logits)
    ranked = sorted(range(len(names)), key=lambda index: -found[index])
    target = the_named(asked.target, names, "target", model) if asked.target else names[ranked[0]]
    against = the_named(asked.against, names, "against", model) if asked.against else ""
    refuse_the_same(target, against)

    def score(name: str) -> tuple[AttributionInput, Score]:
        index = names.index(name)
        return network_input, lambda output: output.logits[:, index].float()

    return Prediction(
        target=target,
        against=against,
        terms=terms_of(score, target, against),
        units=units.found,
        choices=[Choice(text=names[index], score=found[index]) for index in ranked],
        means=f"the raw score (logit) of “{target}”",
        tokens=len(network_input.ids),
        notes=notes,
    )
