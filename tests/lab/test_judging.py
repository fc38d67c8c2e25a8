"""What is said of a classifier, against the libraries that define it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, log_softmax
from sklearn.metrics import (
    accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    f1_score,
    log_loss,
    precision_recall_fscore_support,
)

from components.lab import judging
from components.lab.data import SPLITS, Data
from components.lab.judging import (
    Judgement,
    agreement,
    binary_losses,
    judge,
    temperature,
    temperature_several,
)
from components.models.errors import TourError
from components.training.thresholds import thresholds
from tests.fakes.labelled import labelled


def data_of(folder: Path, codes: np.ndarray, splits: np.ndarray, classes: int) -> Data:
    return labelled(folder, codes, splits, [f"class {code}" for code in range(classes)])


class Setting:
    """Random labels and logits on both splits, rows in mixed order."""

    def __init__(self, folder: Path, *, classes: int = 4, rows: int = 300, seed: int = 0) -> None:
        chance = np.random.default_rng(seed)
        self.folder = folder
        folder.mkdir(exist_ok=True, parents=True)
        self.codes = chance.integers(0, classes, rows)
        self.splits = chance.permutation(np.arange(rows) % 3)
        self.classes = classes
        self.logits = chance.normal(size=(rows, classes))
        self.logits[np.arange(rows), self.codes] += 1.2
        self.data = data_of(folder, self.codes, self.splits, classes)

    def rows(self, split: str) -> np.ndarray:
        return np.flatnonzero(self.splits == SPLITS.index(split))

    def judged(self, logits: np.ndarray | None = None, split: str = "test") -> Judgement:
        logits = self.logits if logits is None else logits
        file = self.folder / "predictions.npz"
        np.savez(file, **{name: logits[self.rows(name)] for name in ("validation", "test")})
        return judge(self.data, file, split)


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_everything_is_what_scikit_learn_says(setting: Setting, split: str) -> None:
    judged = setting.judged(split=split)
    rows = setting.rows(split)
    truth, logits = setting.codes[rows], setting.logits[rows]
    predicted = logits.argmax(axis=1)
    assert judged.rows.tolist() == rows.tolist()
    assert judged.predicted.tolist() == predicted.tolist()
    assert {one.name: one.value for one in judged.measures} == pytest.approx(
        {
            "accuracy": accuracy_score(truth, predicted),
            "macro F1": f1_score(truth, predicted, average="macro"),
            "weighted F1": f1_score(truth, predicted, average="weighted"),
        }
    )
    assert all(one.low < one.value < one.high for one in judged.measures)
    assert np.array_equal(judged.confusion, confusion_matrix(truth, predicted))
    assert judged.losses.mean() == pytest.approx(log_loss(truth, np.exp(log_softmax(logits, axis=1))))
    assert judged.confidence == pytest.approx(np.exp(log_softmax(logits, axis=1)).max(axis=1))
    columns = precision_recall_fscore_support(truth, predicted)
    found = [(one.precision, one.recall, one.f1, one.support) for one in judged.per_class]
    assert np.array(found) == pytest.approx(np.stack(columns, axis=1))


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), classes=st.integers(2, 7), rows=st.integers(3, 60))
def test_no_logits_give_what_is_not_a_number(
    tmp_path_factory: pytest.TempPathFactory, seed: int, classes: int, rows: int
) -> None:
    setting = Setting(tmp_path_factory.mktemp("any"), classes=classes, rows=rows, seed=seed)
    chance = np.random.default_rng(seed)
    wild = chance.choice([-np.inf, np.inf, np.nan, -1e30, 1e30, 3e38, 0.0, 1.0, -2.0], (rows, classes))
    judged = setting.judged(np.where(chance.random((rows, classes)) < 0.5, wild, setting.logits))
    assert np.isfinite(judged.confidence).all()
    assert np.isfinite(judged.losses).all()
    assert np.isfinite([judged.temperature, judged.raw.error, judged.scaled.error]).all()
    for one in judged.measures:
        assert 0 <= one.low <= one.value <= one.high <= 1
    truth, predicted = judged.truth, judged.predicted
    assert judged.measures[1].value == pytest.approx(f1_score(truth, predicted, average="macro"))
    assert judged.confusion.sum() == len(truth)


def test_a_temperature_is_found_again() -> None:
    """Labels drawn from the softmax of logits: these are calibrated, and stay so only when divided by what
    they were multiplied with."""
    chance = np.random.default_rng(0)
    logits = chance.normal(scale=2.0, size=(20_000, 5))
    truth = np.array([chance.choice(5, p=row) for row in np.exp(log_softmax(logits, axis=1))])
    for scale in (0.3, 1.0, 4.0):
        assert temperature(logits * scale, truth) == pytest.approx(scale, rel=0.05)


def test_scaling_by_temperature_mends_over_confidence(setting: Setting) -> None:
    judged = setting.judged(setting.logits * 8)
    assert judged.temperature > 3
    assert judged.scaled.error < judged.raw.error / 2
    assert judged.measures == setting.judged().measures  # no prediction has changed
    assert sum(one.count for one in judged.scaled.bins) == len(judged.rows)


def test_a_class_without_examples_has_scores(tmp_path: Path) -> None:
    setting = Setting(tmp_path, classes=3)
    setting.codes[setting.codes == 2] = 0
    setting.data = data_of(tmp_path, setting.codes, setting.splits, 3)
    setting.logits[:, 2] = -np.inf
    judged = setting.judged()
    assert (judged.per_class[2].f1, judged.per_class[2].support) == (0.0, 0)
    rows = setting.rows("test")
    wanted = f1_score(setting.codes[rows], setting.logits[rows].argmax(axis=1), average="macro")
    assert judged.measures[1].value == pytest.approx(wanted)


def test_predictions_of_other_data_are_refused(setting: Setting) -> None:
    file = setting.folder / "other.npz"
    np.savez(file, validation=np.zeros((3, 4)), test=np.zeros((3, 4)))
    with pytest.raises(TourError, match="Train it again"):
        judge(setting.data, file)


def test_agreement_is_what_scikit_learn_says(setting: Setting) -> None:
    chance = np.random.default_rng(5)
    others = [setting.logits + chance.normal(scale=scale, size=setting.logits.shape) for scale in (0.5, 3.0)]
    judged = [setting.judged(), *map(setting.judged, others)]
    pairs = agreement(judged)
    assert [(one.first, one.second) for one in pairs] == [(0, 1), (0, 2), (1, 2)]
    for pair in pairs:
        one, other = judged[pair.first], judged[pair.second]
        assert pair.equal == accuracy_score(one.predicted, other.predicted)
        assert pair.kappa == pytest.approx(cohen_kappa_score(one.predicted, other.predicted))
        assert (one.predicted[pair.differing] != other.predicted[pair.differing]).all()
        assert len(pair.differing) == round((1 - pair.equal) * len(one.rows))
    # The second is far noisier: that the first is right more often is no chance; of nearly equal ones it is.
    assert pairs[1].only_first > pairs[1].only_second
    assert pairs[1].p < 0.01 < pairs[0].p


def test_two_that_always_say_the_same_class_agree_by_chance(setting: Setting) -> None:
    constant = np.zeros_like(setting.logits)
    constant[:, 1] = 1
    [pair] = agreement([setting.judged(constant), setting.judged(constant)])
    assert (pair.equal, pair.kappa, pair.p, len(pair.differing)) == (1.0, None, 1.0, 0)


def test_agreement_on_different_examples_is_a_mistake(setting: Setting) -> None:
    with pytest.raises(ValueError, match="different examples"):
        agreement([setting.judged(), setting.judged(split="validation")])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_several_labels_are_scored_as_the_field_does(seed: int) -> None:
    from sklearn.metrics import f1_score, log_loss

    chance = np.random.default_rng(seed)
    fits = chance.random((200, 4)) < [0.5, 0.3, 0.1, 0.02]
    logits = np.where(fits, 1.0, -1.0) + chance.normal(0, 1.5, fits.shape)
    chosen = expit(logits) >= thresholds(expit(logits), fits)
    exact, macro, micro = judging._measures_several(fits, chosen)
    assert exact.value == pytest.approx((fits == chosen).all(axis=1).mean())
    assert macro.value == pytest.approx(f1_score(fits, chosen, average="macro"))
    assert micro.value == pytest.approx(f1_score(fits, chosen, average="micro"))
    expected = np.mean([log_loss(fits[:, at], expit(logits)[:, at], labels=[0, 1]) for at in range(4)])
    assert binary_losses(logits, fits).mean() == pytest.approx(expected)
    scale = temperature_several(logits, fits)
    for other in (scale * 0.9, scale * 1.1):
        assert binary_losses(logits / scale, fits).mean() <= binary_losses(logits / other, fits).mean()
