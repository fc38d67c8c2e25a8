"""Words for the gaps in a text. Imports torch: import this inside `run`.

A text with gaps is a list of `parts`, one more than there are gaps.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from components.models.errors import Code, TourError
from components.tasks import causal
from components.tasks.task import Progress, part

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

# How many words a context proposes, how many of them are tried with further tokens, and up to how many.
PROPOSED, LENGTHENED, LONGEST = 20, 8, 5
# All proposals are ranked by this many tokens after the gap, those kept by all that follow.
HORIZON, KEPT = 4, 20
# With several gaps, as many beginnings go on to the next gap.
BEAMS = 6
# Tokens that a causal model reads before the first gap, between gaps, and after the last.
LEFT, BETWEEN, RIGHT = 256, 64, 64


@dataclass(frozen=True, kw_only=True)
class Filling:
    """`words`, one per gap, their probability in [0, 1], and the ids of each word's tokens."""

    words: tuple[str, ...]
    score: float
    token_ids: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Filled:
    """`fillings` are sorted, likeliest first; `tokens_used` counts the text that was read."""

    fillings: Sequence[Filling]
    tokens_used: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Scored:
    words: tuple[str, ...]
    logprob: float


def fill_causal(
    model: LoadedModel, parts: Sequence[str], targets: Sequence[str]
) -> Generator[Progress, None, Filled]:
    """Fills gaps with a model that reads from left to right.

    Words are proposed twice: as what goes on from the left context, and as what goes on from it when
    the right context was put in front of it. `targets`, if any, take the proposals' place. The
    log-likelihood of the whole text ranks them, so that what follows the gap counts; scores are its
    softmax over the `KEPT` best. Several gaps are filled one after the other; the likeliest `BEAMS`
    beginnings go on.
    """
    limit = model.checkpoint.token_limit
    parts, notes = _within_reach(
        model,
        parts,
        left=min(LEFT, limit // 2),
        between=min(BETWEEN, limit // 8),
        right=min(RIGHT, limit // 8),
    )
    context = causal.Context(model)
    beams = [_Scored(words=(), logprob=0.0)]
    gaps = len(parts) - 1
    for gap in range(1, len(parts)):
        share = (gap - 1) / gaps
        begun = [beam.words for beam in beams[:BEAMS]]
        words = [list(targets) for _ in begun]
        if not targets:
            texts = [_join(parts, filled) for filled in begun]
            after = " ".join(parts[gap:]).strip()
            befores = ("", after) if any(map(str.isalnum, after)) else ("",)
            for before in befores:
                proposing = _propose(model, context, before, texts, grow=before == befores[-1])
                found = yield from part(proposing, share, share + 0.2 / gaps)
                share += 0.2 / gaps
                words = [one + other for one, other in zip(words, found, strict=True)]
        proposals = [
            (*filled, word)
            for filled, found in zip(begun, words, strict=True)
            for word in dict.fromkeys(found)
        ]
        if not proposals:
            raise TourError(
                Code.INVALID_INPUT,
                f"{model.checkpoint.id} finds no word for this gap. Write more text around it, or name words "
                "to compare.",
                "text",
            )
        ranking = _rank(model, context, parts[: gap + 1], proposals)
        beams = yield from part(ranking, share, gap / gaps)
    scores = torch.tensor([scored.logprob for scored in beams], dtype=torch.float64).softmax(dim=0)
    return Filled(
        fillings=[
            Filling(words=one.words, score=float(score), token_ids=_word_ids(model, parts, one.words))
            for one, score in zip(beams, scores, strict=True)
        ],
        tokens_used=len(_ids(model, _join(parts, beams[0].words))),
        notes=notes,
    )


def fill_masked(
    model: LoadedModel, parts: Sequence[str], targets: Sequence[str]
) -> Generator[Progress, None, Filled]:
    """Fills gaps with a model trained on them (Devlin et al. 2018, https://arxiv.org/abs/1810.04805).

    A word is one token of the vocabulary, its score the probability that the model gives it; `targets`,
    if any, are the only words asked for. Several gaps are filled one after the other, with those behind
    still open; the score is the product, the likeliest `BEAMS` beginnings go on.
    """
    tokenizer = model.tokenizer
    room = model.checkpoint.token_limit - tokenizer.num_special_tokens_to_add(pair=False) - (len(parts) - 1)
    between = sum(len(_offsets(model, part)) for part in parts[1:-1])
    fits = sum(len(_offsets(model, part)) for part in parts) <= room
    half = room if fits else max((room - between) // 2, 0)
    parts, notes = _within_reach(model, parts, left=half, between=room, right=half)
    ids = torch.tensor(tokenizer(tokenizer.mask_token.join(parts), verbose=False)["input_ids"])
    gaps = (ids == tokenizer.mask_token_id).nonzero().flatten().tolist()
    if len(gaps) != len(parts) - 1:
        raise TourError(
            Code.INVALID_INPUT,
            f"The text contains {tokenizer.mask_token}, {model.checkpoint.id}'s gap; write [MASK].",
            "text",
        )
    allowed, missing = _vocabulary(model, targets)
    if missing:
        notes += (f"Left out, as {model.checkpoint.id} has no single token for it: {', '.join(missing)}.",)
    beams = [(_Scored(words=(), logprob=0.0), ids)]
    for gap in gaps:
        rows = _mask_logprobs(model, torch.stack([row for _, row in beams]), gap)
        top = rows[:, allowed].topk(min(KEPT, len(allowed)), dim=-1)
        grown = []
        for (begun, row), logprobs, places in zip(
            beams, top.values.tolist(), top.indices.tolist(), strict=True
        ):
            for logprob, place in zip(logprobs, places, strict=True):
                token = int(allowed[place])
                word = _text(model, [token]).strip().removeprefix("##")
                filled = row.clone()
                filled[gap] = token
                grown.append((_Scored(words=(*begun.words, word), logprob=begun.logprob + logprob), filled))
        grown.sort(key=lambda one: -one[0].logprob)
        beams = grown[: KEPT if gap == gaps[-1] else BEAMS]
        yield Progress("Filling the gaps", (gaps.index(gap) + 1) / len(gaps))
    return Filled(
        fillings=[
            Filling(
                words=one.words,
                score=math.exp(one.logprob),
                token_ids=tuple((token,) for token in row[gaps].tolist()),
            )
            for one, row in beams
        ],
        tokens_used=len(ids),
        notes=notes,
    )


@torch.inference_mode()
def _mask_logprobs(model: LoadedModel, rows: torch.Tensor, gap: int) -> torch.Tensor:
    """Log-probabilities [rows, vocabulary] at a gap, on the CPU."""
    logits = model.network(input_ids=rows.to(model.device)).logits[:, gap]
    logprobs: torch.Tensor = logits.float().log_softmax(dim=-1).cpu()
    return logprobs


def _vocabulary(model: LoadedModel, targets: Sequence[str]) -> tuple[torch.Tensor, list[str]]:
    """The tokens that may fill a gap, and the targets that are none."""
    tokenizer = model.tokenizer
    if not targets:
        special = set(tokenizer.all_special_ids)
        size = model.network.config.vocab_size
        return torch.tensor([token for token in range(size) if token not in special]), []
    # The space makes it the start of a word for vocabularies that tell the two apart.
    split = {word: tokenizer(f" {word}", add_special_tokens=False)["input_ids"] for word in targets}
    known = {ids[0]: None for ids in split.values() if len(ids) == 1 and ids[0] != tokenizer.unk_token_id}
    missing = [word for word, ids in split.items() if len(ids) != 1 or ids[0] not in known]
    if not known:
        raise TourError(
            Code.INVALID_INPUT,
            f"{model.checkpoint.id} has no single token for {', '.join(missing)}; name other words.",
            "targets",
        )
    return torch.tensor(list(known)), missing


def _propose(
    model: LoadedModel, context: causal.Context, before: str, texts: Sequence[str], *, grow: bool
) -> Generator[Progress, None, list[list[str]]]:
    """Per text, words that go on from `before` and it: likely first tokens and, if they are to grow, what
    some of them become with further tokens. The texts begin alike; some words are given twice.
    """
    starts = [_ids(model, f"{before} {text}".rstrip(" ")) for text in texts]
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
            piece = _text(model, [token])
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
        growing = [(index, ids) for index, ids in longer if _is_word(_text(model, ids[-1:]))]
        for index, ids in growing:
            words[index].append(_text(model, ids).removeprefix(lead))
    return words


def _is_word(text: str) -> bool:
    return text != "" and all(character.isalpha() or character.isdecimal() for character in text)


def _rank(
    model: LoadedModel, context: causal.Context, parts: Sequence[str], proposals: Sequence[tuple[str, ...]]
) -> Generator[Progress, None, list[_Scored]]:
    """The `KEPT` likeliest, by the log-likelihood of the text up to the next gap; likeliest first."""
    scored: list[_Scored] = []
    after = len(_ids(model, parts[-1])) - 1
    for unread in (after - HORIZON, 0) if after > HORIZON else (0,):
        texts = [_ids(model, _join(parts, words)) for words in proposals]
        rows = [ids[: len(ids) - unread] for ids in texts]
        shared = causal.shared_start([ids[:-1] for ids in rows])
        logprobs = yield from context.log_likelihoods(shared, [ids[len(shared) :] for ids in rows])
        order = logprobs.argsort(descending=True, stable=True)[:KEPT].tolist()
        scored = [_Scored(words=proposals[index], logprob=float(logprobs[index])) for index in order]
        proposals = [one.words for one in scored]
    return scored


def _ids(model: LoadedModel, text: str) -> list[int]:
    """The tokens of a document that starts with `text`."""
    ids = model.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    return [causal.separator(model), *ids]


def _text(model: LoadedModel, ids: Sequence[int]) -> str:
    return str(model.tokenizer.decode(list(ids)))


def _join(parts: Sequence[str], words: Sequence[str]) -> str:
    """The text up to the first gap that has no word."""
    return parts[0] + "".join(word + part for word, part in zip(words, parts[1:], strict=False))


def _word_ids(model: LoadedModel, parts: Sequence[str], words: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """For each word, the ids of the tokens that it is made of in the whole text."""
    encoded = model.tokenizer(
        _join(parts, words), add_special_tokens=False, return_offsets_mapping=True, verbose=False
    )
    places = list(zip(encoded["input_ids"], encoded["offset_mapping"], strict=True))
    found, at = [], 0
    for before, word in zip(parts, words, strict=False):
        start = at + len(before)
        at = start + len(word)
        found.append(tuple(token for token, (left, right) in places if left < at and right > start))
    return tuple(found)


def _within_reach(
    model: LoadedModel, parts: Sequence[str], *, left: int, between: int, right: int
) -> tuple[list[str], tuple[str, ...]]:
    """The parts with at most `left` tokens before the first gap and `right` after the last, and a note
    if that is not all. More than `between` tokens from the first to the last gap raise `TourError`.
    """
    first, *middle, last = parts
    if (count := sum(len(_offsets(model, part)) for part in middle)) > between:
        raise TourError(
            Code.TOO_LONG,
            f"There are {count:,} tokens from the first gap to the last, at most {between} are allowed. "
            "Ask for gaps that are further apart one at a time.",
            "text",
        )
    before, behind = _offsets(model, first), _offsets(model, last)
    notes: tuple[str, ...] = ()
    if len(before) > left or len(behind) > right:
        notes = (
            f"The model read {min(len(before), left)} of {len(before):,} tokens before the gap and "
            f"{min(len(behind), right)} of {len(behind):,} after it.",
        )
    if len(before) > left:
        first = first[before[-left][0] :]
    if len(behind) > right:
        last = last[: behind[right - 1][1]]
    return [first, *middle, last], notes


def _offsets(model: LoadedModel, text: str) -> list[tuple[int, int]]:
    """Where in the text each token starts and ends."""
    encoded = model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    return [(start, end) for start, end in encoded["offset_mapping"]]
