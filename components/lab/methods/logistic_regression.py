"""A linear classifier on hidden states that stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from components.lab.methods.method import Method
from components.lab.methods.options import DEFAULT_MODEL, Layer, Model, Pooling, Seed
from components.lab.methods.splits import scores, training_rows
from components.lab.work import Work
from components.tasks.fields import STRICT
from components.texts import in_folder

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

TEXTS = in_folder(__file__)

_ABSENT = 10.0  # how far below the lowest logit a class lies that was not learned: all but impossible


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    model: Model = DEFAULT_MODEL
    layer: Layer = -1
    pooling: Pooling = "mean"
    c: Annotated[
        float,
        Field(
            ge=1e-5,
            le=1000,
            title="Freedom (C)",
            description=TEXTS["freedom"],
        ),
    ] = 0.01
    seed: Seed = 20


def run(work: Work, options: Options) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    from components.lab.hidden import cut_note, hidden_states

    data = work.data
    rows = {split: data.rows(split) for split in ("validation", "test")}
    rows["train"] = training_rows(work, options.seed)
    everything = np.concatenate(list(rows.values()))
    hidden = hidden_states(work, everything, options.layer, options.pooling)
    if work.base and (note := cut_note(hidden.cut, work.base.token_limit)):
        work.note(note)

    work.progress("Fitting")
    validation, test, train = np.split(hidden.vectors, np.cumsum([len(each) for each in rows.values()])[:-1])
    scaler = StandardScaler().fit(train)
    scaled, held = scaler.transform(train), [scaler.transform(each) for each in (validation, test)]
    classes = len(data.about.labels)

    def fitted(truth: np.ndarray) -> LogisticRegression:
        classifier = LogisticRegression(C=options.c, max_iter=2000, random_state=options.seed)
        return classifier.fit(scaled, truth)

    if data.about.several:  # a classifier for each label
        classifiers = [_of_label(fitted, truth) for truth in data.fits(rows["train"]).T]
        logits = [
            np.stack([_decisions(one, each) for one in classifiers], axis=1).astype(np.float32)
            for each in held
        ]
        made = [one for one in classifiers if one is not None]
    else:
        made = [fitted(data.classes(rows["train"]))]
        logits = [_logits(made[0].decision_function(each), made[0].classes_, classes) for each in held]
    work.validation(1, **scores(data, rows["validation"], logits[0]))
    work.predict(*logits)
    work.finish(
        {
            "layer": hidden.layer,
            "layers": hidden.layers,
            "features": hidden.vectors.shape[1],
            "train_rows": len(rows["train"]),
            "cut": hidden.cut,
            "iterations": max((int(one.n_iter_.max()) for one in made), default=0),
        }
    )


def _of_label(
    fitted: Callable[[np.ndarray], LogisticRegression], truth: np.ndarray
) -> LogisticRegression | None:
    """A classifier of whether a label fits; None for one that fits no row, or all of them."""
    return fitted(truth) if 0 < truth.sum() < len(truth) else None


def _decisions(classifier: LogisticRegression | None, vectors: np.ndarray) -> np.ndarray:
    """Logits [rows]; of a label that could not be learned, all but impossible."""
    if classifier is None:
        return np.full(len(vectors), -_ABSENT)
    decisions: np.ndarray = classifier.decision_function(vectors)
    return decisions


def _logits(decisions: np.ndarray, learned: np.ndarray, classes: int) -> np.ndarray:
    """Logits fp32 [rows, classes] of decisions for the classes that were `learned`; where these are two,
    there is a single decision, for the second."""
    if decisions.ndim == 1:
        decisions = np.stack([-decisions / 2, decisions / 2], axis=1)
    logits = np.tile(decisions.min(axis=1, keepdims=True) - _ABSENT, (1, classes)).astype(np.float32)
    logits[:, learned] = decisions
    return logits


METHOD = Method(
    name="logistic_regression",
    title="Logistic regression on frozen features",
    about=TEXTS["about"],
    kind="classifier",
    options=Options,
    run=run,
    disk=6.0,
)
