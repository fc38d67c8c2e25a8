"""A linear classifier on hidden states that stay as they are."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from components.lab.methods.method import Method
from components.lab.methods.options import DEFAULT_MODEL, Layer, Model, Pooling, Seed
from components.lab.methods.splits import scores, training_rows
from components.lab.work import Work
from components.tasks.fields import STRICT

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
            description=(
                "The inverse of regularisation: less keeps the weights small, more lets them follow every "
                "training example."
            ),
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
    classifier = LogisticRegression(C=options.c, max_iter=2000, random_state=options.seed)
    classifier.fit(scaler.transform(train), data.classes(rows["train"]))
    classes = len(data.about.labels)
    logits = [
        _logits(classifier.decision_function(scaler.transform(each)), classifier.classes_, classes)
        for each in (validation, test)
    ]
    work.validation(1, **scores(data, rows["validation"], logits[0]))
    work.predict(*logits)
    work.finish(
        {
            "layer": hidden.layer,
            "layers": hidden.layers,
            "features": hidden.vectors.shape[1],
            "train_rows": len(rows["train"]),
            "cut": hidden.cut,
            "iterations": int(classifier.n_iter_.max()),
        }
    )


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
    about=(
        "Reads each text once with a network that is not changed, takes one vector of hidden states for it, "
        "and fits a linear classifier on these vectors. Seconds, and often hard to beat on little data."
    ),
    kind="classifier",
    options=Options,
    run=run,
    disk=6.0,
)
