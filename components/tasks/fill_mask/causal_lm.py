"""Words for gaps from a model that reads from left to right. Imports torch."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from components.models.errors import Code, TourError
from components.tasks import causal
from components.tasks.fill_mask import Candidates, Inputs, Options
from components.tasks.fill_mask.gaps import (
    BEAMS,
    KEPT,
    Filling,
    Scored,
    asked,
    join,
    output,
    text_of,
    within_reach,
)
from components.tasks.stages import Forward
from components.tasks.task import Output, Progress, scaled_progress
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

# How many words a context proposes, how many of them are tried with further tokens, and up to how many.
PROPOSED, LENGTHENED, LONGEST = 20, 8, 5
# All proposals are ranked by this many tokens after the gap, those kept by all that follow.
HORIZON = 4
# Tokens that are read before the first gap, between gaps, and after the last.
LEFT, BETWEEN, RIGHT = 256, 64, 64


@dataclass(frozen=True, kw_only=True)
class Gapped:
    """A text around its gaps, and the words to compare, none for the model's own."""

    parts: Sequence[str]
    targets: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Prepared:
    rows: tuple[Gapped]
    notes: tuple[str, ...]


def preprocess(model: LoadedModel, inputs: Inputs, options: Options) -> Prepared:
    limit = model.checkpoint.token_limit
    parts, targets = asked(inputs, options)
    reached, notes = within_reach(
        model,
        parts,
        left=min(LEFT, limit // 2),
        between=min(BETWEEN, limit // 8),
        right=min(RIGHT, limit // 8),
    )
    return Prepared(rows=(Gapped(parts=reached, targets=targets),), notes=notes)


def forward(model: LoadedModel, rows: Sequence[Gapped]) -> Forward[list[Scored]]:
    """The likeliest fillings of each text, with the log-likelihood of the whole text, likeliest first."""
    found = []
    for place, row in enumerate(rows):
        filling = _fill(model, row.parts, row.targets)
        found.append((yield from scaled_progress(filling, place / len(rows), (place + 1) / len(rows))))
    return found


def postprocess(
    model: LoadedModel,
    inputs: Inputs,
    options: Options,
    prepared: Prepared,
    outputs: Sequence[list[Scored]],
) -> Output[Candidates]:
    """A score is the softmax of the log-likelihoods over the `KEPT` best."""
    (row,), (beams,) = prepared.rows, outputs
    scores = torch.tensor([scored.logprob for scored in beams], dtype=torch.float64).softmax(dim=0)
    fillings = [
        Filling(words=one.words, score=float(score), token_ids=_word_ids(model, row.parts, one.words))
        for one, score in zip(beams, scores, strict=True)
    ]
    tokens = len(_ids(model, join(row.parts, beams[0].words)))
    return output(model, inputs, options, fillings, tokens, prepared.notes)


def _fill(
    model: LoadedModel, parts: Sequence[str], targets: Sequence[str]
) -> Generator[Progress, None, list[Scored]]:
    """Words are proposed twice: as what goes on from the left context, and as what goes on from it when
    the right context was put in front of it. `targets`, if any, take the proposals' place. The
    log-likelihood of the whole text ranks them, so that what follows the gap counts. Several gaps are filled
    one after the other; the likeliest `BEAMS` beginnings go on.
    """
    context = causal.Context(model)
    beams = [Scored(words=(), logprob=0.0)]
    gaps = len(parts) - 1
    for gap in range(1, len(parts)):
        share = (gap - 1) / gaps
        begun = [beam.words for beam in beams[:BEAMS]]
        words = [list(targets) for _ in begun]
        if not targets:
            texts = [join(parts, filled) for filled in begun]
            after = " ".join(parts[gap:]).strip()
            # The left context alone is read last: what is ranked next begins with it.
            befores = (after, "") if any(map(str.isalnum, after)) else ("",)
            for before in befores:
                proposing = _propose(model, context, before, texts, grow=before == befores[0])
                found = yield from scaled_progress(proposing, share, share + 0.2 / gaps)
                share += 0.2 / gaps
                words = [other + one for one, other in zip(words, found, strict=True)]
        proposals = [
            (*filled, word)
            for filled, found in zip(begun, words, strict=True)
            for word in dict.fromkeys(found)
        ]
        if not proposals:
            raise TourError(
                Code.INVALID_INPUT,
                TEXTS["no_word"].format(model=model.checkpoint.id),
                "text",
            )
        ranking = _rank(model, context, parts[: gap + 1], proposals)
        beams = yield from scaled_progress(ranking, share, gap / gaps)
    return beams


def _propose(
    model: LoadedModel, context: causal.Context, before: str, texts: Sequence[str], *, grow: bool
) -> Generator[Progress, None, list[list[str]]]:
    """Per text, words that go on from `before` and it: likely first tokens and, if they are to grow, what
    some of them become with further tokens. The texts begin alike; some words are given twice.
    """
    starts = [_ids(model, (f"{before} {text}" if before else text).rstrip(" ")) for text in texts]
    shared = causal.shared_start(starts)
    rests = [ids[len(shared) :] for ids in starts]
    # A space belongs to the token after it.
    opening = not texts[0].strip()
    lead = " " if (before and opening) or texts[0].endswith(" ") else ""
    words: list[list[str]] = [[] for _ in texts]
    growing: list[tuple[int, list[int]]] = []
    rows = yield from context.next_tokens(shared, rests)
    for index, row in enumerate(rows):
        tokens = []
        for token in row.topk(min(1000, len(row))).indices.tolist():
            piece = text_of(model, [token])
            word = piece.removeprefix(lead)
            if piece.startswith(lead) and _is_word(word) and not (opening and word[0].islower()):
                words[index].append(word)
                tokens.append(token)
            elif piece == lead == " ":  # of a number, whose digits are tokens
                tokens.append(token)
            if len(words[index]) == max(PROPOSED // len(texts), 4):
                break
        growing += [(index, [token]) for token in tokens[: max(LENGTHENED // len(texts), 1)]]
    for _ in range(LONGEST - 1):
        if not (grow and growing):
            break
        rows = yield from context.next_tokens(shared, [rests[index] + ids for index, ids in growing])
        longer = [(index, [*ids, int(row.argmax())]) for (index, ids), row in zip(growing, rows, strict=True)]
        growing = [(index, ids) for index, ids in longer if _is_word(text_of(model, ids[-1:]))]
        for index, ids in growing:
            words[index].append(text_of(model, ids).removeprefix(lead))
    return words


def _is_word(text: str) -> bool:
    return text != "" and all(character.isalpha() or character.isdecimal() for character in text)


def _rank(
    model: LoadedModel, context: causal.Context, parts: Sequence[str], proposals: Sequence[tuple[str, ...]]
) -> Generator[Progress, None, list[Scored]]:
    """The `KEPT` likeliest, by the log-likelihood of the text up to the next gap; likeliest first."""
    scored: list[Scored] = []
    after = len(_ids(model, parts[-1])) - 1
    for unread in (after - HORIZON, 0) if after > HORIZON else (0,):
        texts = [_ids(model, join(parts, words)) for words in proposals]
        rows = [ids[: len(ids) - unread] for ids in texts]
        shared = causal.shared_start([ids[:-1] for ids in rows])
        logprobs = yield from context.log_likelihoods(shared, [ids[len(shared) :] for ids in rows])
        order = logprobs.argsort(descending=True, stable=True)[:KEPT].tolist()
        scored = [Scored(words=proposals[index], logprob=float(logprobs[index])) for index in order]
        proposals = [one.words for one in scored]
    return scored


def _ids(model: LoadedModel, text: str) -> list[int]:
    """The tokens of a document that starts with `text`."""
    ids = model.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    return [causal.separator(model), *ids]


def _word_ids(model: LoadedModel, parts: Sequence[str], words: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """For each word, the ids of the tokens that it is made of in the whole text."""
    encoded = model.tokenizer(
        join(parts, words), add_special_tokens=False, return_offsets_mapping=True, verbose=False
    )
    places = list(zip(encoded["input_ids"], encoded["offset_mapping"], strict=True))
    found, at = [], 0
    for before, word in zip(parts, words, strict=False):
        start = at + len(before)
        at = start + len(word)
        found.append(tuple(token for token, (left, right) in places if left < at and right > start))
    return tuple(found)
