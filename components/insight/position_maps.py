"""How a network knows where a token stands: its position embeddings, and what becomes of a text without them.

Learned and sinusoidal embeddings (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762) are read from the
network's table. Rotary ones (Su et al. 2021, https://arxiv.org/abs/2104.09864) turn queries and keys, so they
are told by the cosine between a vector and itself some tokens away. Relative ones (Raffel et al. 2020,
https://arxiv.org/abs/1910.10683) are numbers that each head adds to its scores. Imports torch.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from components.insight import outcomes, switching
from components.insight.anatomy.blocks import Position
from components.insight.parts import Part
from components.insight.placement import Map, Positions
from components.insight.reading import Reading
from components.insight.switching import Parts
from components.insight.weights import Piece
from components.models.checkpoint import Head
from components.tasks.task import Progress
from components.texts import in_folder

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

SHOWN = 128  # positions on a side of a map
FARTHEST = 128  # tokens between two
WITHOUT = Part(what="positions")


def look(
    model: LoadedModel, text: str, text_pair: str, seed: int = 0
) -> Generator[Progress, None, Positions]:
    """Four passes: the text and its words shuffled, with positions and without. Yields between them."""
    network, read, parts = yield from switching.opened(model, text, text_pair)
    maps = tuple(position_maps(network, parts))
    order = shuffled(read.pieces, seed)
    other = _reordered(read, order)
    yield Progress("Shuffling the words", 0.2)
    first = outcomes.outcome(model, network, read)
    said = yield from outcomes.written(model, network, read)
    second = outcomes.outcome(model, network, other)
    said_shuffled = yield from outcomes.written(model, network, other)
    moves = order if not read.given else range(len(read.given))
    changed = outcomes.difference(first, _back(second, moves), said, said_shuffled)
    order_without = without = None
    missing = ""
    if parts.positions:
        yield Progress("Reading without positions", 0.6)
        with switching.switched_off(network, parts, WITHOUT):
            third = outcomes.outcome(model, network, read)
            said_without = yield from outcomes.written(model, network, read)
            fourth = outcomes.outcome(model, network, other)
        without = outcomes.difference(first, third, said, said_without)
        order_without = outcomes.difference(third, _back(fourth, moves))
    else:
        missing = TEXTS["no_positions"].format(model=model.checkpoint.id)
    places = [0] * len(order)
    for to, origin in enumerate(order):
        places[origin] = to
    return Positions(
        maps=maps,
        tokens=tuple(piece.text for piece in read.pieces),
        shuffled=tuple(read.pieces[origin].text for origin in order),
        moved_to=tuple(places),
        compared=tuple(outcomes.tokens(model, read)),
        order=changed,
        order_without=order_without,
        without=without,
        causal=model.checkpoint.head is Head.CAUSAL_LM,
        missing=missing,
        notes=read.notes,
        tokens_used=len(read.pieces),
    )


# Shuffling


def shuffled(pieces: Sequence[Piece], seed: int) -> list[int]:
    """[tokens]: which token is read in each place. Words move as wholes, each within its own text; special
    tokens stay. With two words or more the order is another one."""
    order = list(range(len(pieces)))
    for sequence in sorted({piece.sequence for piece in pieces}):
        own = [
            place for place, piece in enumerate(pieces) if piece.sequence == sequence and not piece.special
        ]
        words: list[list[int]] = []
        for place in own:
            last = pieces[words[-1][-1]] if words else None
            if last is not None and last.word is not None and last.word == pieces[place].word:
                words[-1].append(place)
            else:
                words.append([place])
        for place, origin in zip(own, [place for word in _mixed(words, seed) for place in word], strict=True):
            order[place] = origin
    return order


def _mixed(words: list[list[int]], seed: int) -> list[list[int]]:
    draw = torch.Generator().manual_seed(seed)
    mixed = [words[place] for place in torch.randperm(len(words), generator=draw).tolist()]
    return mixed if mixed != words else [*words[1:], *words[:1]]


def _reordered(read: Reading, order: Sequence[int]) -> Reading:
    """What the network reads, with tokens in another order; what belongs to a place stays there."""
    index = torch.tensor(order, device=read.inputs["input_ids"].device)
    moving = {"input_ids", "token_type_ids"}
    return replace(
        read,
        inputs={name: one[:, index] if name in moving else one for name, one in read.inputs.items()},
        pieces=tuple(read.pieces[origin] for origin in order),
    )


def _back(outcome: outcomes.Outcome, order: Sequence[int]) -> outcomes.Outcome:
    """An outcome of shuffled tokens, token by token in the order that they had."""
    index = torch.argsort(torch.tensor(order, device=outcome.states.device))
    scores = outcome.scores[index] if outcome.predicts == "labels of tokens" else outcome.scores
    return replace(outcome, states=outcome.states[index], scores=scores)


# Maps


@torch.inference_mode()
def position_maps(network: PreTrainedModel, parts: Parts) -> Iterator[Map]:
    """Of each module that was seen to tell positions; an encoder-decoder may have two."""
    for position in parts.positions:
        module: Any = network.get_submodule(position.path)
        side = ""
        if network.config.is_encoder_decoder:
            names = position.path.split(".")
            side = next((name for name in names if name in ("encoder", "decoder")), "")
        if position.kind == "relative":
            yield from _relative(network, position, side)
        elif position.kind == "rotary":
            yield from _rotary(module, position, side)
        else:
            yield _table(module, position, side)


def table_of(module: nn.Module) -> Tensor:
    """The embeddings [positions, width] that a module holds."""
    weight = getattr(module, "weight", None)
    found: Tensor = weight if weight is not None else module.get_buffer("weights")
    return found


def _table(module: nn.Module, position: Position, side: str) -> Map:
    rows = table_of(module)[position.first :].float()
    count = len(rows)
    step = max(1, -(-min(count, 4 * SHOWN) // SHOWN))
    places = list(range(0, min(count, step * SHOWN), step))
    units = normalize(rows[places], dim=-1)
    near = normalize(rows[: min(count, 4 * SHOWN)], dim=-1)
    cosines = [
        float((near[: len(near) - distance] * near[distance:]).sum(dim=-1).mean())
        for distance in range(min(len(near), FARTHEST + 1))
    ]
    return Map(
        path=position.path,
        side=side,
        kind=position.kind,
        count=count,
        places=tuple(places),
        similarity=_rounded(units @ units.T),
        nearest=0,
        by_distance=(("mean cosine", tuple(round(value, 6) for value in cosines)),),
    )


def rotary_similarity(frequencies: Tensor, distance: Tensor) -> Tensor:
    """The cosine between a vector whose pairs of numbers all have the same length, and itself turned by
    `distance` more tokens: the mean of the cosines of the pairs' angles. Of [pairs] and [...] gives [...]."""
    return torch.cos(distance[..., None] * frequencies).mean(dim=-1)


def _rotary(module: nn.Module, position: Position, side: str) -> Iterator[Map]:
    """One for each set of frequencies: some networks have another one for local attention."""
    named = {name: one for name, one in module.named_buffers() if name.endswith("inv_freq")}
    own = {name: one for name, one in named.items() if "original" not in name}
    for name, buffer in own.items():
        frequencies = buffer.float()
        distance = torch.arange(FARTHEST + 1, device=frequencies.device, dtype=torch.float32)
        places = torch.arange(SHOWN // 2, device=frequencies.device, dtype=torch.float32)
        pairs = torch.cos(distance[:, None] * frequencies)
        series = [("mean of all pairs", rotary_similarity(frequencies, distance))]
        some = dict.fromkeys((0, len(frequencies) // 2, len(frequencies) - 1))
        series += [(f"pair {pair}", pairs[:, pair]) for pair in some]
        yield Map(
            path=f"{position.path}.{name}",
            side=side,
            kind="rotary",
            count=0,
            places=tuple(range(len(places))),
            similarity=_rounded(rotary_similarity(frequencies, places[:, None] - places)),
            nearest=0,
            by_distance=tuple((called, _row(values)) for called, values in series),
        )


def _relative(network: PreTrainedModel, position: Position, side: str) -> Iterator[Map]:
    """The bias of each head by distance, as the network's own code looks it up."""
    owner: Any = network.get_submodule(position.path.rpartition(".")[0])
    size = FARTHEST + 1
    if not hasattr(owner, "compute_bias"):  # there are other ways, which nothing tells
        return
    heads = owner.compute_bias(size, size)[0].float()  # [heads, queries, keys]
    before = heads[:, -1, :]  # what the last token sees of those before it, and of itself
    after = heads[:, 0, 1:] if side != "decoder" else heads[:, 0, :0]
    values = torch.cat([before, after], dim=-1)
    yield Map(
        path=position.path,
        side=side,
        kind="relative",
        count=0,
        places=(),
        similarity=(),
        nearest=-FARTHEST,
        by_distance=tuple((f"head {head}", _row(row)) for head, row in enumerate(values)),
    )


def _row(values: Tensor) -> tuple[float, ...]:
    return tuple(round(value, 6) for value in values.cpu().double().tolist())


def _rounded(matrix: Tensor) -> tuple[tuple[float, ...], ...]:
    return tuple(_row(row) for row in matrix.clamp(-1, 1))
