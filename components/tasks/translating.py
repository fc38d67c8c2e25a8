"""Sentences through an encoder-decoder. Imports torch: import this inside `run`."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from components.tasks import stepwise
from components.tasks.loops import loops
from components.tasks.sentences import Span, parted, sentences, shouted, unlisted
from components.tasks.task import Progress, part, told

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel
    from components.tasks.translators import Route

# Beams of all sentences of a batch together.
ROWS = {"cpu": 32}
ROWS_ACCELERATED = 512
# A translation has at most `LEAST` tokens for each `PER` begun of the source: at least twice as many.
LEAST, PER = 64, 32
# How a sentence is tried again whose translation goes round in circles (Keskar et al. 2019,
# https://arxiv.org/abs/1909.05858): no three tokens twice, and those that are there already are less likely.
STRICTER = {"no_repeat_ngram_size": 3, "repetition_penalty": 1.3}
# Where networks do not say how far their decoder counts.
POSITIONS = 512


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A sentence of the text, or part of one; `tokens` with the special ones."""

    span: Span
    tokens: int


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A text's pieces in order; `longer` counts the sentences that had to be parted."""

    pieces: Sequence[Piece]
    longer: int


@dataclass(frozen=True, kw_only=True)
class Search:
    """How translations are looked for: with `beams`, of which the `best` are given; if `guarded`, without
    those that are empty or go round in circles, and sentences in capitals are read as if in small letters,
    which models know far better.
    """

    beams: int
    length_penalty: float
    best: int
    guarded: bool = True


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A piece's translations, best first; none where the search is guarded and found nothing sound.

    `cut` if the best had not ended at the greatest length.
    """

    texts: Sequence[str]
    scores: Sequence[float]
    cut: bool


def cut(model: LoadedModel, text: str, route: Route) -> Cut:
    """Where the text is divided for translation."""

    def tokens(span: Span) -> int:
        return len(_ids(model, route.prefix + span.of(text), route))

    def fits(span: Span) -> bool:
        return tokens(span) <= model.checkpoint.token_limit

    pieces: list[Piece] = []
    longer = 0
    for sentence in sentences(text, route.source):
        parts = list(parted(text, unlisted(text, sentence), fits))
        longer += len(parts) > 1
        pieces += [Piece(span=span, tokens=tokens(span)) for span in parts]
    return Cut(pieces=pieces, longer=longer)


@torch.inference_mode()
def translate(
    model: LoadedModel, text: str, pieces: Sequence[Piece], route: Route, search: Search
) -> Generator[Progress, None, list[Rendered]]:
    """Each piece's translations, in order; what `generate()` gives for each alone.

    Pieces of similar length go through the network together. Where only circles come out, or nothing, the
    piece is translated again more strictly. Yields after each token.
    """
    found: dict[Piece, Rendered] = {}
    for length, batch in _batches(model, pieces, search.beams):
        share = len(found) / len(pieces)
        whole = share + len(batch) / len(pieces)
        again = yield from part(_render(model, text, batch, route, search, length, found), share, whole)
        if again:
            yield from part(
                _render(model, text, again, route, search, length, found, **STRICTER), whole, whole
            )
    return [found[piece] for piece in pieces]


def _render(
    model: LoadedModel,
    text: str,
    batch: Sequence[Piece],
    route: Route,
    search: Search,
    length: int,
    found: dict[Piece, Rendered],
    **stricter: float,
) -> Generator[Progress, None, list[Piece]]:
    """Puts the pieces' translations, of at most `length` tokens, into `found`; returns what has none."""
    given = 1 if route.first_token is None else 2  # tokens that the decoder was given
    sources = [piece.span.of(text) for piece in batch]
    loud = [search.guarded and shouted(source) for source in sources]
    read = [source.capitalize() if quieter else source for source, quieter in zip(sources, loud, strict=True)]
    rows = _rows(model, read, route)
    longest = min(length, getattr(model.network.config, "max_position_embeddings", POSITIONS))
    work = stepwise.generate(
        model.network,
        **rows,
        max_new_tokens=longest,
        num_beams=search.beams,
        num_return_sequences=search.best,
        do_sample=False,
        **({"length_penalty": search.length_penalty} if search.beams > 1 else {}),
        **({} if route.first_token is None else {"forced_bos_token_id": route.first_token}),
        **stricter,
    )
    ids = yield from told(work, lambda tokens: Progress("Translating", tokens / longest))
    for index, (piece, translations) in enumerate(zip(batch, ids.split(search.best), strict=True)):
        texts = [_decode(model, one[given:]) for one in translations]
        if loud[index]:
            texts = [one.upper() for one in texts]
        sound = [
            place
            for place, one in enumerate(texts)
            if not search.guarded or (one and not loops(one, sources[index]))
        ]
        row = {name: tensor[index : index + 1] for name, tensor in rows.items()}
        found[piece] = Rendered(
            texts=[texts[place] for place in sound],
            scores=_scores(model, row, translations[sound], route) if sound else [],
            cut=bool(sound) and not any(_ends(model, translations[sound[0], 1:longest])),
        )
    return [piece for piece in batch if not found[piece].texts]


def _decode(model: LoadedModel, ids: torch.Tensor) -> str:
    return str(model.tokenizer.decode(ids, skip_special_tokens=True)).strip()


def _batches(
    model: LoadedModel, pieces: Sequence[Piece], beams: int
) -> Iterator[tuple[int, Sequence[Piece]]]:
    """Pieces of similar length with the tokens that their translations may have, the shortest first."""
    size = max(1, ROWS.get(model.device.type, ROWS_ACCELERATED) // beams)
    alike: dict[int, list[Piece]] = {}
    for piece in sorted(pieces, key=lambda piece: (piece.tokens, piece.span)):
        alike.setdefault(LEAST * (1 + piece.tokens // PER), []).append(piece)
    for longest, group in alike.items():
        for start in range(0, len(group), size):
            yield longest, group[start : start + size]


def _rows(model: LoadedModel, texts: Sequence[str], route: Route) -> dict[str, torch.Tensor]:
    """The network's inputs [texts, tokens]."""
    tokenizer = tokenizer_for(model, route)
    encoded = tokenizer([route.prefix + text for text in texts], padding=True, return_tensors="pt")
    return {name: encoded[name].to(model.device) for name in ("input_ids", "attention_mask")}


def _ids(model: LoadedModel, text: str, route: Route) -> list[int]:
    return list(tokenizer_for(model, route)(text, verbose=False)["input_ids"])


def tokenizer_for(model: LoadedModel, route: Route) -> Any:
    """The tokenizer, set to the source language: it is shared, and others may have set it otherwise."""
    tokenizer: Any = model.tokenizer
    if route.spelling is not None and tokenizer.src_lang != route.spelling:
        tokenizer.src_lang = route.spelling
    return tokenizer


def _ends(model: LoadedModel, ids: torch.Tensor) -> torch.Tensor:
    """Which tokens end a text."""
    ends = model.network.generation_config.eos_token_id
    return torch.isin(ids, torch.tensor(ends, device=ids.device))


def _scores(
    model: LoadedModel, row: dict[str, torch.Tensor], translations: torch.Tensor, route: Route
) -> list[float]:
    """The geometric mean of the probabilities of each translation's tokens, those that are forced aside."""
    targets = translations[:, 1:]
    logits = model.network(
        **{name: tensor.expand(len(targets), -1) for name, tensor in row.items()},
        decoder_input_ids=translations[:, :-1],
    ).logits
    logprobs = logits.float().log_softmax(dim=-1).gather(2, targets[:, :, None])[:, :, 0]
    ends = _ends(model, targets).long()
    counted = ends.cumsum(dim=1) == ends  # up to the first end
    if route.first_token is not None:
        counted[:, 0] = False
    means = (logprobs * counted).sum(dim=1) / counted.sum(dim=1).clamp(min=1)
    return [float(score) for score in means.exp()]
