"""Which parts of what a network reads drive its score, by four methods. Imports torch: import this inside
`run`.

Methods know an `AttributionInput` and a score of its output, nothing of tasks. They all measure a part
against the same thing: the filler, which stands for "no word here".
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch

from components.insight.instrumented import instrumented_copy
from components.tasks.attribution_input import AttributionInput, Score, Term
from components.tasks.task import Progress, scaled_progress

if TYPE_CHECKING:
    from transformers import PreTrainedModel

T = TypeVar("T")

# Tokens in one pass without gradients, and in one with them: a fraction of a second on two cores.
ROOM = {"cpu": 1024}
ROOM_ACCELERATED = 16384
# Points of the integral in one pass: few enough to yield often, and to be divided where the slope changes
# most; a Gauss-Legendre rule of two is exact already for cubics.
FEWEST, MOST_AT_ONCE = 2, 8
# What the integral may miss of the change that it explains, and after how many times the steps asked for it
# is left at that.
TOLERANCE = 0.05
MORE = 4


@dataclass(frozen=True, kw_only=True)
class Values:
    """One number per unit, of one method. `note` says what is special about this run."""

    name: str
    values: list[float]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Attributed:
    """`change` is the score less what is left of it when every unit is taken away. `error` is what integrated
    gradients miss of it, as a share; `steps` is how many points of the way they looked at.
    """

    score: float
    change: float
    methods: list[Values]
    error: float
    steps: int


OCCLUSION, GRADIENT, INTEGRATED, ROLLOUT = (
    "occlusion",
    "gradient_x_input",
    "integrated_gradients",
    "attention_rollout",
)
METHODS = (OCCLUSION, GRADIENT, INTEGRATED, ROLLOUT)


def attribute(terms: Sequence[Term], units: int, steps: int) -> Generator[Progress, None, Attributed]:
    """All four methods. What is explained is the weighted sum of the terms' scores; the methods are linear in
    it, so that each term is asked for itself. Yields after each bounded piece of work.
    """
    parts = _parts(terms)
    hidden, score, change = yield from scaled_progress(_occlusion(parts, units), 0.0, 0.3)
    slopes = yield from scaled_progress(_gradients(parts, units), 0.3, 0.4)
    integral = yield from scaled_progress(_integrate(parts, units, steps, score, change), 0.4, 0.9)
    yield Progress("Following attention", 0.92)
    methods = [
        Values(name=OCCLUSION, values=hidden.tolist()),
        Values(name=GRADIENT, values=slopes.tolist()),
        Values(name=INTEGRATED, values=integral.values.tolist()),
    ]
    if (rolled := _rollout(parts, units)) is not None:
        elsewhere = f"{100 * (1 - rolled.share):.0f} % of the attention leads to tokens around the text."
        methods.append(Values(name=ROLLOUT, values=rolled.values.tolist(), note=elsewhere))
    return Attributed(score=score, change=change, methods=methods, error=integral.error, steps=integral.steps)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Part:
    """All that is asked of one input."""

    input: AttributionInput
    score: Score


def _parts(terms: Sequence[Term]) -> list[_Part]:
    by_input: dict[AttributionInput, list[Term]] = {}
    for term in terms:
        by_input.setdefault(term.input, []).append(term)

    def summed(terms: Sequence[Term]) -> Score:
        return lambda output: torch.stack([term.weight * term.score(output) for term in terms]).sum(dim=0)

    return [_Part(input=network_input, score=summed(terms)) for network_input, terms in by_input.items()]


def _room(network_input: AttributionInput) -> int:
    """Rows in one pass."""
    room = ROOM.get(network_input.ids.device.type, ROOM_ACCELERATED)
    return max(1, room // (len(network_input.ids) - network_input.once))


def _occlusion(
    parts: Sequence[_Part], units: int
) -> Generator[Progress, None, tuple[torch.Tensor, float, float]]:
    """What the score loses when the filler takes a unit's place (Zeiler and Fergus 2014,
    https://arxiv.org/abs/1311.2901), [units]; the score, and what it loses when it takes the place of all.
    """
    values = torch.zeros(units, dtype=torch.float64)
    score = change = 0.0
    for index, one in enumerate(parts):
        network_input = one.input
        taken: list[set[int]] = [set(), set(network_input.units), *({unit} for unit in network_input.units)]
        scores: list[float] = []
        for batch in _batches(taken, _room(network_input)):
            with torch.no_grad():
                rows = torch.stack([network_input.without(units) for units in batch])
                scores += one.score(network_input.read(rows)).double().cpu().tolist()
            yield Progress("Taking words away", (index + len(scores) / len(taken)) / len(parts))
        score += scores[0]
        change += scores[0] - scores[1]
        values[network_input.units] += scores[0] - torch.tensor(scores[2:], dtype=torch.float64)
    return values, score, change


def _batches(whole: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(whole), size):
        yield whole[start : start + size]


def _gradients(parts: Sequence[_Part], units: int) -> Generator[Progress, None, torch.Tensor]:
    """The score's slope times the way from the filler (Shrikumar et al. 2016,
    https://arxiv.org/abs/1605.01713), [units]: what taking a unit away would cost
    if the slope stayed the same.
    """
    values = torch.zeros(units, dtype=torch.float64)
    for index, one in enumerate(parts):
        network_input = one.input
        rows = network_input.embedded[None].clone().requires_grad_(True)
        with torch.enable_grad():
            (slope,) = torch.autograd.grad(one.score(network_input.read(rows)).sum(), rows)
        values += network_input.per_unit(
            (slope[0] * (network_input.embedded - network_input.empty)).sum(dim=-1), units
        )
        yield Progress("Measuring slopes", (index + 1) / len(parts))
    return values


@dataclass(frozen=True, kw_only=True)
class _Stretch:
    """Part of the way from nothing to the whole text, [start, end] within [0, 1], and what was found there;
    `missed` is what the values' sum lacks of the score's change."""

    start: float
    end: float
    values: torch.Tensor
    missed: float


@dataclass(frozen=True, kw_only=True)
class _Integral:
    values: torch.Tensor
    error: float
    steps: int


def _integrate(
    parts: Sequence[_Part], units: int, steps: int, score: float, change: float
) -> Generator[Progress, None, _Integral]:
    """Integrated gradients (Sundararajan et al. 2017, https://arxiv.org/abs/1703.01365), [units]: the slope
    along the straight way from fillers to the text. Its sum is the score's change, but for the error of the
    integral: where that is too large, the worst stretch is divided, until `TOLERANCE` or `MORE` times as many
    steps.
    """
    at_once = min(max(FEWEST, _room(one.input) // 3) for one in parts)
    pieces = ceil(steps / min(MOST_AT_ONCE, at_once))
    nodes = ceil(steps / pieces)
    scale = max(abs(change), torch.finfo(torch.float32).eps)
    ends = [piece / pieces for piece in range(pieces + 1)]
    between = yield from scaled_progress(_scores(parts, ends[1:-1]), 0.0, 0.1)
    reached = dict(zip(ends, (score - change, *between, score), strict=True))
    stretches: list[_Stretch] = []

    def integrated(start: float, end: float, before: float, after: float) -> Generator[Progress, None, None]:
        work = _stretch(parts, start, end, nodes, units)
        values = yield from scaled_progress(work, before, after)
        missed = float(values.sum()) - (reached[end] - reached[start])
        stretches.append(_Stretch(start=start, end=end, values=values, missed=missed))

    for piece, (start, end) in enumerate(pairwise(ends)):
        yield from integrated(start, end, 0.1 + 0.7 * piece / pieces, 0.1 + 0.7 * (piece + 1) / pieces)
    used, most = pieces * nodes, MORE * steps
    while (error := abs(sum(one.missed for one in stretches)) / scale) > TOLERANCE and (
        used + 2 * nodes <= most
    ):
        worst = max(stretches, key=lambda one: abs(one.missed))
        stretches.remove(worst)
        middle = (worst.start + worst.end) / 2
        share = 0.8 + 0.2 * min(used / most, 1.0)
        [reached[middle]] = yield from scaled_progress(_scores(parts, [middle]), share, share)
        for start, end in ((worst.start, middle), (middle, worst.end)):
            yield from integrated(start, end, share, share)
            used += nodes
    values = torch.stack([one.values for one in stretches]).sum(dim=0)
    return _Integral(values=values, error=error, steps=used)


def _scores(parts: Sequence[_Part], places: Sequence[float]) -> Generator[Progress, None, list[float]]:
    """The score at places of the way, from 0, where there are fillers alone, to 1."""
    scores = torch.zeros(len(places), dtype=torch.float64)
    for index, one in enumerate(parts):
        found: list[float] = []
        for some in _batches(places, _room(one.input)):
            with torch.no_grad():
                found += one.score(one.input.read(one.input.on_the_way(some))).double().cpu().tolist()
            yield Progress("Integrating slopes", (index + len(found) / len(places)) / len(parts))
        scores += torch.tensor(found, dtype=torch.float64)
    return scores.tolist()


def _stretch(
    parts: Sequence[_Part], start: float, end: float, nodes: int, units: int
) -> Generator[Progress, None, torch.Tensor]:
    """The integral over part of the way, [units], by the Gauss-Legendre rule of so many nodes."""
    places, weights = np.polynomial.legendre.leggauss(nodes)  # on [-1, 1]
    at = ((end - start) * places + start + end) / 2
    values = torch.zeros(units, dtype=torch.float64)
    for index, one in enumerate(parts):
        network_input = one.input
        rows = network_input.on_the_way(at.tolist()).requires_grad_(True)
        with torch.enable_grad():
            (slopes,) = torch.autograd.grad(one.score(network_input.read(rows)).sum(), rows)
        mean = torch.einsum("n,ntw->tw", slopes.new_tensor(weights / 2), slopes)
        way = (end - start) * (network_input.embedded - network_input.empty)
        values += network_input.per_unit((mean * way).sum(dim=-1), units)
        yield Progress("Integrating slopes", (index + 1) / len(parts))
    return values


@dataclass(frozen=True, kw_only=True)
class _Rolled:
    """`share` is what of the attention reaches the units."""

    values: torch.Tensor
    share: float


def _rollout(parts: Sequence[_Part], units: int) -> _Rolled | None:
    """Where attention leads from the places that predict (Abnar and Zuidema 2020,
    https://arxiv.org/abs/2005.00928), [units], as shares of 1, part of which goes to tokens without an
    owner. Each layer's heads are averaged, half of each layer is what it was given. None if the network tells
    nothing.

    Through an encoder-decoder: the decoder's rollout from the places that predict, its mean attention on the
    encoder, the encoder's rollout. Of several inputs the mean, for each unit over those that have it.
    """
    copies: dict[PreTrainedModel, PreTrainedModel] = {}
    values = torch.zeros(units, dtype=torch.float64)
    seen = torch.zeros(units, dtype=torch.float64)
    share = 0.0
    for one in parts:
        network_input = one.input
        if network_input.network not in copies:
            copies[network_input.network] = instrumented_copy(network_input.network)
        with torch.no_grad():
            output = replace(network_input, network=copies[network_input.network]).read(
                network_input.embedded[None], output_attentions=True
            )
        weights = _followed(network_input, output)
        if weights is None:
            return None
        reached = network_input.per_unit(weights, units)
        values += reached
        share += float(reached.sum()) / len(parts)
        seen[network_input.units] += 1
    return _Rolled(values=values / seen.clamp(min=1), share=share)


def _followed(network_input: AttributionInput, output: Any) -> torch.Tensor | None:
    """How much of each token [tokens] there is in the places that predict."""
    if network_input.network.config.is_encoder_decoder:
        encoder, decoder = output.encoder_attentions, output.decoder_attentions
        if not encoder or not decoder or not output.cross_attentions:
            return None
        across = torch.stack([layer[0].float().mean(dim=0) for layer in output.cross_attentions]).mean(dim=0)
        across = across / across.sum(dim=-1, keepdim=True)
        places = [*range(len(across))] if network_input.reads is None else list(network_input.reads)
        return _rolled(decoder)[places].mean(dim=0) @ across @ _rolled(encoder)
    if not output.attentions:
        return None
    rolled = _rolled(output.attentions)
    causal = not output.attentions[0][0].triu(diagonal=1).any()
    places = [len(rolled) - 1 if causal else 0] if network_input.reads is None else list(network_input.reads)
    return rolled[places].mean(dim=0)


def _rolled(layers: Sequence[torch.Tensor]) -> torch.Tensor:
    """[tokens, tokens]: from which to which, through all layers."""
    size = layers[0].shape[-1]
    identity = torch.eye(size, device=layers[0].device)
    rolled = identity
    for layer in layers:
        mixed = 0.5 * layer[0].float().mean(dim=0) + 0.5 * identity
        rolled = (mixed / mixed.sum(dim=-1, keepdim=True)) @ rolled
    return rolled
