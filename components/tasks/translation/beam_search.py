"""Sentences through an encoder-decoder. Imports torch."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from components.tasks import stepwise
from components.tasks.loops import loops
from components.tasks.sentences import Span, parted, sentences, shouted, unlisted
from components.tasks.task import Progress, map_progress, scaled_progress

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel
    from components.tasks.translation.routes import Route

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
class Cut:
    """Where a text's sentences stand, in order; `longer` counts those that had to be parted."""

    spans: tuple[Span, ...]
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
class Sentence:
    """What is translated at once; `tokens` with the special ones."""

    text: str
    tokens: int
    route: Route
    search: Search


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A sentence's translations, best first; none where the search is guarded and found nothing sound.

    `cut` if the best had not ended at the greatest length.
    """

    texts: Sequence[str]
    scores: Sequence[float]
    cut: bool


def cut(model: LoadedModel, text: str, route: Route) -> Cut:
    """Where the text is divided for translation."""

    def fits(span: Span) -> bool:
        return len(_ids(model, span.of(text), route)) <= model.checkpoint.token_limit

    spans: list[Span] = []
    longer = 0
    for sentence in sentences(text, route.source):
        parts = list(parted(text, unlisted(text, sentence), fits))
        longer += len(parts) > 1
        spans += parts
    return Cut(spans=tuple(spans), longer=longer)


def rows(
    model: LoadedModel, text: str, spans: Sequence[Span], route: Route, search: Search
) -> tuple[Sentence, ...]:
    return tuple(
        Sentence(text=own, tokens=len(_ids(model, own, route)), route=route, search=search)
        for span in spans
        for own in [span.of(text)]
    )


@torch.inference_mode()
def translate(model: LoadedModel, rows: Sequence[Sentence]) -> Generator[Progress, None, list[Rendered]]:
    """Each sentence's translations, in order; what `generate()` gives for each alone.

    Sentences of similar length go through the network together. Where only circles come out, or nothing, the
    sentence is translated again more strictly. Yields after each token.
    """
    found: dict[Sentence, Rendered] = {}
    different = list(dict.fromkeys(rows))
    for length, batch in _batches(model, different):
        share = len(found) / len(different)
        whole = share + len(batch) / len(different)
        again = yield from scaled_progress(_render(model, batch, length, found), share, whole)
        if again:
            yield from scaled_progress(_render(model, again, length, found, **STRICTER), whole, whole)
    return [found[row] for row in rows]


def _render(
    model: LoadedModel,
    batch: Sequence[Sentence],
    length: int,
    found: dict[Sentence, Rendered],
    **stricter: float,
) -> Generator[Progress, None, list[Sentence]]:
    """Puts the translations of sentences with one route and search, of at most `length` tokens, into `found`;
    returns the sentences that have none."""
    route, search = batch[0].route, batch[0].search
    given = 1 if route.first_token is None else 2  # tokens that the decoder was given
    loud = [search.guarded and shouted(row.text) for row in batch]
    read = [row.text.capitalize() if quieter else row.text for row, quieter in zip(batch, loud, strict=True)]
    inputs = _inputs(model, read, route)
    longest = min(length, getattr(model.network.config, "max_position_embeddings", POSITIONS))
    work = stepwise.generate(
        model.network,
        **inputs,
        max_new_tokens=longest,
        num_beams=search.beams,
        num_return_sequences=search.best,
        do_sample=False,
        **({"length_penalty": search.length_penalty} if search.beams > 1 else {}),
        **({} if route.first_token is None else {"forced_bos_token_id": route.first_token}),
        **stricter,
    )
    ids = yield from map_progress(work, lambda tokens: Progress("Translating", tokens / longest))
    for index, (row, translations) in enumerate(zip(batch, ids.split(search.best), strict=True)):
        texts = [_decode(model, one[given:]) for one in translations]
        if loud[index]:
            texts = [one.upper() for one in texts]
        sound = [
            place
            for place, one in enumerate(texts)
            if not search.guarded or (one and not loops(one, row.text))
        ]
        own = {name: tensor[index : index + 1] for name, tensor in inputs.items()}
        found[row] = Rendered(
            texts=[texts[place] for place in sound],
            scores=_scores(model, own, translations[sound], route) if sound else [],
            cut=bool(sound) and not any(_ends(model, translations[sound[0], 1:longest])),
        )
    return [row for row in batch if not found[row].texts]


def _decode(model: LoadedModel, ids: torch.Tensor) -> str:
    return str(model.tokenizer.decode(ids, skip_special_tokens=True)).strip()


def _batches(model: LoadedModel, rows: Sequence[Sentence]) -> Iterator[tuple[int, Sequence[Sentence]]]:
    """Sentences of one route, search and similar length with the tokens that their translations may have, the
    shortest first."""
    alike: dict[tuple[int, Route, Search], list[Sentence]] = {}
    for row in sorted(rows, key=lambda row: row.tokens):
        alike.setdefault((LEAST * (1 + row.tokens // PER), row.route, row.search), []).append(row)
    for (longest, _, search), group in alike.items():
        size = max(1, ROWS.get(model.device.type, ROWS_ACCELERATED) // search.beams)
        for start in range(0, len(group), size):
            yield longest, group[start : start + size]


def _inputs(model: LoadedModel, texts: Sequence[str], route: Route) -> dict[str, torch.Tensor]:
    """The network's inputs [texts, tokens]."""
    tokenizer = tokenizer_for(model, route)
    encoded = tokenizer([route.prefix + text for text in texts], padding=True, return_tensors="pt")
    return {name: encoded[name].to(model.device) for name in ("input_ids", "attention_mask")}


def _ids(model: LoadedModel, text: str, route: Route) -> list[int]:
    return list(tokenizer_for(model, route)(route.prefix + text, verbose=False)["input_ids"])


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
