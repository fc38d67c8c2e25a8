"""Metrics against the libraries that define them, intervals against theory."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from components.training.evaluation.answers import word_f1
from components.training.evaluation.measure import (
    Failure,
    bootstrap,
    calibration_error,
    f1,
    mean,
    reliability,
    worst,
)


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


def test_reliability_is_what_was_right_at_each_score() -> None:
    bins = reliability([0.05, 0.93, 0.97, 1.0, 0.42], [0, 1, 1, 0, 1])
    assert [(one.low, one.count) for one in bins] == [(0.0, 1), (0.4, 1), (0.9, 3)]
    assert bins[-1].right == pytest.approx(2 / 3)
    assert bins[-1].score == pytest.approx((0.93 + 0.97 + 1.0) / 3)
    expected = (0.05 + 0.58 + 3 * abs(2.9 / 3 - 2 / 3)) / 5
    assert calibration_error(bins) == pytest.approx(expected)


def test_scores_that_are_probabilities_have_no_error() -> None:
    chance = np.random.default_rng(0)
    scores = chance.random(20_000)
    right = chance.random(20_000) < scores
    assert calibration_error(reliability(scores.tolist(), right.tolist())) < 0.02
