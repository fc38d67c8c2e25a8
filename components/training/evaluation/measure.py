"""Figures with their 95 % intervals, and the examples that a checkpoint got wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from tqdm import tqdm

RESAMPLES = 1000

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A metric on a split: its value and the bounds of its 95 % interval."""

    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An example that went wrong; `weight` says how badly, for choosing which to show."""

    given: str
    expected: str
    answered: str
    weight: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Answers with scores from `low` to `high`: how many, their mean score, and the share that was right."""

    low: float
    high: float
    count: int
    score: float
    right: float


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """All that was measured of one checkpoint; `others` are other ways to do the task, by name, and
    `reliability` says how far its scores are probabilities."""

    split: str
    examples: int
    measures: tuple[Measure, ...]
    others: Mapping[str, Mapping[str, float]]
    failures: tuple[Failure, ...]
    reliability: tuple[Bin, ...] = ()


def reliability(scores: Sequence[float], right: Sequence[float], bins: int = 10) -> tuple[Bin, ...]:
    """Scores in bins of equal width, each with the share of right ones, for a reliability diagram (Niculescu-
    Mizil and Caruana 2005, https://doi.org/10.1145/1102351.1102430); empty bins are left out."""
    values, hits = np.asarray(scores), np.asarray(right)
    places = np.minimum((values * bins).astype(int), bins - 1)
    return tuple(
        Bin(
            low=place / bins,
            high=(place + 1) / bins,
            count=int((places == place).sum()),
            score=float(values[places == place].mean()),
            right=float(hits[places == place].mean()),
        )
        for place in range(bins)
        if (places == place).any()
    )


def calibration_error(bins: Sequence[Bin]) -> float:
    """The mean distance of score and share of right answers (expected calibration error, Guo et al. 2017,
    https://arxiv.org/abs/1706.04599)."""
    total = sum(one.count for one in bins)
    return sum(one.count * abs(one.score - one.right) for one in bins) / total


def bootstrap(
    name: str,
    counts: Sequence[Sequence[float]] | np.ndarray,
    metric: Callable[[np.ndarray], float],
    seed: int = 0,
    times: np.ndarray | None = None,
) -> Measure:
    """A metric of summed counts, one row [k] per example, with a percentile interval from resampled
    examples (Efron and Tibshirani 1993). Where many examples are alike, `times` says how many each row
    stands for, and the time no longer depends on how many there are."""
    table = np.asarray(counts, dtype=float)
    chance = np.random.default_rng(seed)
    if times is None:
        sums = (table[chance.integers(0, len(table), len(table))].sum(axis=0) for _ in range(RESAMPLES))
        whole = table.sum(axis=0)
    else:
        drawn = chance.multinomial(times.sum(), times / times.sum(), RESAMPLES)
        sums, whole = iter(drawn @ table), times @ table
    low, high = np.percentile([metric(one) for one in sums], [2.5, 97.5])
    return Measure(name=name, value=metric(whole), low=float(low), high=float(high))


def mean(name: str, values: Sequence[float]) -> Measure:
    return bootstrap(name, [(value, 1.0) for value in values], lambda sums: float(sums[0] / sums[1]))


def some(items: Sequence[T], limit: int | None) -> Sequence[T]:
    """At most `limit` items, at even distances: what stands together in a file is alike."""
    return items if limit is None else items[:: max(1, len(items) // limit)][:limit]


def each(items: Sequence[T], title: str) -> Iterator[T]:
    """The items, with a progress bar."""
    yield from tqdm(items, desc=title)


def f1(true_positives: float, false_positives: float, false_negatives: float) -> float:
    wrong = false_positives + false_negatives
    return float(2 * true_positives / (2 * true_positives + wrong)) if true_positives else 0.0


def worst(failures: Sequence[Failure], count: int = 3) -> tuple[Failure, ...]:
    """The worst, one per input."""
    first = {failure.given: failure for failure in sorted(failures, key=lambda one: one.weight)}
    return tuple(sorted(first.values(), key=lambda one: -one.weight)[:count])
