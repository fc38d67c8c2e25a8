"""Metrics against the libraries that define them, intervals against theory."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from components.training.evaluation.answers import word_f1
from components.training.evaluation.measure import Failure, bootstrap, f1, mean, worst


def test_macro_f1_of_counts_is_that_of_scikit_learn() -> None:
    chance = np.random.default_rng(1)
    wanted, given = chance.random((200, 3)) > 0.6, chance.random((200, 3)) > 0.5
    hits = np.stack([wanted & given, given & ~wanted, wanted & ~given], axis=2).reshape(200, 9)
    measure = bootstrap("macro", hits.tolist(), lambda sums: sum(f1(*sums[i : i + 3]) for i in (0, 3, 6)) / 3)
    assert measure.value == pytest.approx(f1_score(wanted, given, average="macro"))
    assert measure.low < measure.value < measure.high


def test_interval_of_a_mean_is_as_wide_as_the_normal_approximation() -> None:
    right = [1.0] * 300 + [0.0] * 100
    measure = mean("accuracy", right)
    half = 1.96 * (0.75 * 0.25 / 400) ** 0.5
    assert measure.value == 0.75
    assert measure.low == pytest.approx(0.75 - half, abs=0.01)
    assert measure.high == pytest.approx(0.75 + half, abs=0.01)


@pytest.mark.parametrize(
    ("answered", "right", "score"),
    [
        ("The Denver Broncos!", "Denver Broncos", 1.0),
        ("in Denver", "Denver Broncos", 0.5),
        ("Oslo", "Denver", 0.0),
        ("", "Denver", 0.0),
    ],
)
def test_word_f1(answered: str, right: str, score: float) -> None:
    assert word_f1(answered, right) == pytest.approx(score)


def test_the_worst_failures_are_of_different_inputs() -> None:
    failures = [
        Failure(given=name, expected="", answered="", weight=w)
        for name, w in zip("aabcd", range(5), strict=True)
    ]
    assert [failure.given for failure in worst(failures)] == ["d", "c", "b"]
