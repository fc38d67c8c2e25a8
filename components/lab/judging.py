"""How good a trained classifier is: measures, confusions, losses, calibration, and who agrees with whom.

Works on the logits that a run has kept, without the model.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from components.lab.data import Data
from components.models.errors import Code, TourError
from components.texts import in_folder
from components.training.evaluation.measure import (
    Bin,
    Measure,
    bootstrap,
    calibration_error,
    f1,
    reliability,
)
from components.training.thresholds import thresholds

TEXTS = in_folder(__file__)

# The exponential of less is nothing to a float64; logits this far below the best are as good as there.
_LOWEST = -700.0
_TEMPERATURES = (0.01, 100.0)


@dataclass(frozen=True, kw_only=True)
class ClassScores:
    """Scores of one class; 0 where it was never predicted, or has no example."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How far scores are probabilities: the expected calibration error, and the bins it is computed of."""

    error: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Judgement:
    """A classifier on the n examples of a split, in the order of `Data.rows(split)`.

    `rows` int [n] are theirs in the data; `truth` and `predicted` int [n] index `labels`; `confidence` [n]
    is the score of the prediction; `losses` [n] are cross-entropies in nats. `confusion` int [k, k] has the
    true classes as rows and the predicted ones as columns. `temperature` was fitted on the validation
    split; `raw` and `scaled` are this split before and after.

    Where several labels may fit an example, `fits` and `chosen` bool [n, k] say which do and which were
    predicted, from the labels' `thresholds` on, tuned on the validation split. `truth` and `predicted` then
    index `said`, the sets of labels; a cell of `confusion` counts examples that the one label fits and that
    the other was predicted of; `raw` and `scaled` are of all labels' scores.
    """

    split: str
    labels: tuple[str, ...]
    rows: np.ndarray
    truth: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    losses: np.ndarray
    measures: tuple[Measure, ...]
    per_class: tuple[ClassScores, ...]
    confusion: np.ndarray
    temperature: float
    raw: Calibration
    scaled: Calibration
    fits: np.ndarray
    chosen: np.ndarray
    said: tuple[str, ...]
    several: bool = False
    thresholds: tuple[float, ...] = ()

    def places(self, true: int, predicted: int) -> np.ndarray:
        """The examples that a cell of `confusion` counts."""
        return np.flatnonzero(self.fits[:, true] & self.chosen[:, predicted])


@dataclass(frozen=True, kw_only=True, eq=False)
class Agreement:
    """Two judgements, by their places, on the same examples.

    `equal` is the share of equal predictions. `kappa` is Cohen's, None where both give one and the same
    class throughout, so that chance would agree as well. `only_first` and `only_second` count examples that
    one of them alone has right; `p` is McNemar's exact test of whether that is chance. `differing` are the
    places in `Judgement.rows` where the predictions are not equal.
    """

    first: int
    second: int
    equal: float
    kappa: float | None
    only_first: int
    only_second: int
    p: float
    differing: np.ndarray


def judge(data: Data, predictions: Path, split: str = "test") -> Judgement:
    """`predictions` is what `Work.predict` keeps; raises `TourError` if it does not fit the data."""
    labels = data.about.labels
    rows = data.rows(split)
    logits = _logits(predictions, split, len(rows), len(labels))
    if data.about.several:
        return _judge_several(data, predictions, split, rows, logits)
    truth = data.classes(rows)
    logs = log_softmax(logits)
    predicted = logs.argmax(axis=1)
    confusion = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(confusion, (truth, predicted), 1)

    held = data.rows("validation")
    fitted = temperature(_logits(predictions, "validation", len(held), len(labels)), data.classes(held))
    right = predicted == truth
    confidence = np.exp(logs.max(axis=1))
    return Judgement(
        split=split,
        labels=labels,
        rows=rows,
        truth=truth,
        predicted=predicted,
        confidence=confidence,
        losses=-np.take_along_axis(logs, truth[:, None], axis=1)[:, 0],
        measures=_measures(confusion),
        per_class=_per_class(confusion, labels),
        confusion=confusion,
        temperature=fitted,
        raw=_calibration(confidence, right),
        scaled=_calibration(np.exp(log_softmax(logits / fitted).max(axis=1)), right),
        fits=truth[:, None] == np.arange(len(labels)),
        chosen=predicted[:, None] == np.arange(len(labels)),
        said=labels,
    )


def _judge_several(
    data: Data, predictions: Path, split: str, rows: np.ndarray, logits: np.ndarray
) -> Judgement:
    from scipy.special import expit

    labels = data.about.labels
    held = data.rows("validation")
    tune, tuned = _logits(predictions, "validation", len(held), len(labels)), data.fits(held)
    least = thresholds(expit(tune), tuned)
    fits = np.array(data.fits(rows))
    scores = expit(logits)
    chosen = scores >= least
    sets, codes = np.unique(np.concatenate([fits, chosen]), axis=0, return_inverse=True)
    truth, predicted = np.split(codes.reshape(-1), 2)
    fitted = temperature_several(tune, tuned)
    hits, given, wanted = (fits & chosen).sum(0), chosen.sum(0), fits.sum(0)

    def calibrated(scores: np.ndarray) -> Calibration:
        flat, right = scores.reshape(-1), fits.reshape(-1)
        return _calibration(np.maximum(flat, 1 - flat), (flat >= 0.5) == right)

    return Judgement(
        split=split,
        labels=labels,
        rows=rows,
        truth=truth,
        predicted=predicted,
        confidence=np.where(chosen, scores, 1 - scores).min(axis=1),
        losses=binary_losses(logits, fits),
        measures=_measures_several(fits, chosen),
        per_class=tuple(
            _class_scores(label, float(hit), float(many), float(true))
            for label, hit, many, true in zip(labels, hits, given, wanted, strict=True)
        ),
        confusion=fits.astype(np.int64).T @ chosen.astype(np.int64),
        temperature=fitted,
        raw=calibrated(scores),
        scaled=calibrated(expit(logits / fitted)),
        fits=fits,
        chosen=chosen,
        said=tuple(", ".join(labels[at] for at in np.flatnonzero(one)) or "none" for one in sets),
        several=True,
        thresholds=tuple(least.tolist()),
    )


def binary_losses(logits: np.ndarray, fits: np.ndarray) -> np.ndarray:
    """Cross-entropies in nats of each label, averaged: [rows]."""
    each = np.logaddexp(0, np.where(fits, -logits, logits))
    losses: np.ndarray = each.mean(axis=1)
    return losses


def temperature_several(logits: np.ndarray, fits: np.ndarray) -> float:
    """As `temperature`, for a sigmoid of each label."""
    return _best_temperature(lambda scale: float(binary_losses(logits / scale, fits).mean()), len(fits))


def _measures_several(fits: np.ndarray, chosen: np.ndarray) -> tuple[Measure, ...]:
    """F1 averaged over labels that have examples or were predicted, F1 of all decisions, and the share of
    examples with all labels right."""
    count, classes = fits.shape
    exact = (fits == chosen).all(axis=1)
    table = np.concatenate([fits & chosen, chosen, fits, exact[:, None], np.ones((count, 1))], axis=1)
    present = np.flatnonzero(fits.any(axis=0) | chosen.any(axis=0))

    def each(sums: np.ndarray) -> np.ndarray:
        hits, given, wanted = sums[: 3 * classes].reshape(3, classes)
        scores: np.ndarray = 2 * hits / np.maximum(1e-9, given + wanted)
        return scores

    def macro(sums: np.ndarray) -> float:
        return float(each(sums)[present].mean()) if len(present) else 0.0

    def micro(sums: np.ndarray) -> float:
        hits, given, wanted = sums[: 3 * classes].reshape(3, classes).sum(axis=1)
        return float(2 * hits / max(1e-9, given + wanted))

    def all_right(sums: np.ndarray) -> float:
        return float(sums[-2] / sums[-1])

    return tuple(
        bootstrap(name, table.astype(float), metric)
        for name, metric in (("all labels right", all_right), ("macro F1", macro), ("micro F1", micro))
    )


def agreement(judgements: Sequence[Judgement]) -> tuple[Agreement, ...]:
    """Each pair of judgements; raises `ValueError` if they are not of the same examples."""
    for one in judgements[1:]:
        if not np.array_equal(one.rows, judgements[0].rows):
            raise ValueError("evaluations of different examples cannot be compared")
    return tuple(
        _pair(first, second, judgements[first], judgements[second])
        for first, second in itertools.combinations(range(len(judgements)), 2)
    )


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """[n, classes] to logarithms of probabilities, all finite."""
    from scipy import special

    logs: np.ndarray = np.maximum(special.log_softmax(logits, axis=1), _LOWEST)
    return logs


def temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """What to divide logits [n, classes] by so that the cross-entropy of their softmax is least (Guo et al.
    2017, https://arxiv.org/abs/1706.04599); 1 if nothing is gained."""

    def loss(scale: float) -> float:
        return float(-log_softmax(logits / scale)[np.arange(len(truth)), truth].mean())

    return _best_temperature(loss, len(truth))


def _best_temperature(loss: Callable[[float], float], rows: int) -> float:
    """The temperature with the least loss; 1 if nothing is gained."""
    from scipy.optimize import minimize_scalar

    if not rows:
        return 1.0
    found = minimize_scalar(lambda log: loss(np.exp(log)), bounds=np.log(_TEMPERATURES), method="bounded")
    return float(np.exp(found.x)) if found.fun < loss(1.0) - 1e-9 else 1.0


def _logits(predictions: Path, split: str, rows: int, classes: int) -> np.ndarray:
    """float64 [rows, classes] without infinities."""
    with np.load(predictions) as kept:
        logits = kept[split].astype(np.float64)
    if logits.shape != (rows, classes):
        raise TourError(Code.EXPIRED, TEXTS["changed_data"])
    if not rows:
        raise TourError(Code.INVALID_INPUT, f"The {split} split has no examples to judge by.")
    finite: np.ndarray = np.nan_to_num(logits, nan=-1e30, posinf=1e30, neginf=-1e30)
    return finite


def _sums(confusion: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """By class: right ones, predicted ones, true ones."""
    return np.diag(confusion), confusion.sum(axis=0), confusion.sum(axis=1)


def _measures(confusion: np.ndarray) -> tuple[Measure, ...]:
    """Accuracy, and F1 averaged over the classes that have examples or were predicted."""
    true, predicted = np.nonzero(confusion)
    classes = len(confusion)
    places = np.arange(len(true))
    # A row for each kind of example: whether it is right, which class was predicted, and which is true.
    counts = np.zeros((len(true), 3, classes))
    counts[places, 0, true] = true == predicted
    counts[places, 1, predicted] = 1
    counts[places, 2, true] = 1
    present = sorted({*true.tolist(), *predicted.tolist()})

    def each(sums: np.ndarray) -> list[tuple[float, float]]:
        """F1 and support."""
        hits, given, wanted = sums.reshape(3, classes)
        return [(f1(hits[i], given[i] - hits[i], wanted[i] - hits[i]), float(wanted[i])) for i in present]

    def accuracy(sums: np.ndarray) -> float:
        return float(sums[:classes].sum() / sums[2 * classes :].sum())

    def macro(sums: np.ndarray) -> float:
        return sum(score for score, _ in each(sums)) / len(present)

    def weighted(sums: np.ndarray) -> float:
        scores = each(sums)
        return sum(score * support for score, support in scores) / sum(support for _, support in scores)

    table = counts.reshape(len(true), -1)
    times = confusion[true, predicted]
    return tuple(
        bootstrap(name, table, metric, times=times)
        for name, metric in (("accuracy", accuracy), ("macro F1", macro), ("weighted F1", weighted))
    )


def _per_class(confusion: np.ndarray, labels: Sequence[str]) -> tuple[ClassScores, ...]:
    return tuple(
        _class_scores(label, float(hits), float(given), float(wanted))
        for label, hits, given, wanted in zip(labels, *_sums(confusion), strict=True)
    )


def _class_scores(label: str, hits: float, given: float, wanted: float) -> ClassScores:
    return ClassScores(
        label=label,
        precision=hits / given if given else 0.0,
        recall=hits / wanted if wanted else 0.0,
        f1=f1(hits, given - hits, wanted - hits),
        support=int(wanted),
    )


def _calibration(confidence: np.ndarray, right: np.ndarray) -> Calibration:
    bins = reliability(confidence.tolist(), right.tolist())
    return Calibration(error=calibration_error(bins), bins=bins)


def _pair(first: int, second: int, one: Judgement, other: Judgement) -> Agreement:
    from scipy.stats import binomtest

    codes = np.unique(np.concatenate([one.chosen, other.chosen]), axis=0, return_inverse=True)[1].reshape(-1)
    answers = np.split(codes, 2)
    same = answers[0] == answers[1]
    shares = [np.bincount(each, minlength=codes.max() + 1) / len(same) for each in answers]
    chance = float(shares[0] @ shares[1])
    equal = float(same.mean())
    hits, others = one.predicted == one.truth, other.predicted == other.truth
    only_first, only_second = int((hits & ~others).sum()), int((others & ~hits).sum())
    alone = only_first + only_second
    return Agreement(
        first=first,
        second=second,
        equal=equal,
        kappa=(equal - chance) / (1 - chance) if chance < 1 else None,
        only_first=only_first,
        only_second=only_second,
        p=float(binomtest(only_first, alone).pvalue) if alone else 1.0,
        differing=np.flatnonzero(~same),
    )
