"""What the classifiers have in common: which rows they learn from, and how they are scored meanwhile."""

from __future__ import annotations

import numpy as np

from components.lab.data import Data
from components.lab.judging import binary_losses, log_softmax
from components.lab.sampling import stratified
from components.lab.work import Work
from components.texts import in_folder

TEXTS = in_folder(__file__)

MOST_TRAINING = 20_000  # rows
MOST_WATCHED = 2000


def training_rows(work: Work, seed: int) -> np.ndarray:
    """The rows of the training split, or a sample that keeps the classes' shares if they are too many."""
    data = work.data
    rows = data.rows("train")
    taken: np.ndarray = rows[stratified(data.classes(rows), MOST_TRAINING, seed)]
    if len(taken) < len(rows):
        work.note(TEXTS["sample"].format(rows=len(rows), read=len(taken)))
    there = set(np.flatnonzero(data.fits(rows).any(axis=0)).tolist())
    absent = [label for code, label in enumerate(data.about.labels) if code not in there]
    if absent:
        work.note(TEXTS["absent"].format(classes=", ".join(absent[:5]), more=" …" if len(absent) > 5 else ""))
    return taken


def watched_rows(work: Work, seed: int) -> np.ndarray:
    """The rows of the validation split that are looked at while a network learns, as `training_rows`."""
    rows = work.data.rows("validation")
    taken: np.ndarray = rows[stratified(work.data.classes(rows), MOST_WATCHED, seed)]
    if len(taken) < len(rows):
        work.note(f"Each epoch is scored on {len(taken):,} of the {len(rows):,} validation rows.")
    return taken


def scores(data: Data, rows: np.ndarray, logits: np.ndarray) -> dict[str, float]:
    """`loss` (cross-entropy in nats), `accuracy` and `macro_f1` of logits [rows, classes].

    Where several labels may fit, they fit from a score of a half on, and accuracy counts rows with all of
    them right.
    """
    from sklearn.metrics import accuracy_score, f1_score

    if data.about.several:
        fits, chosen = data.fits(rows), logits >= 0
        return {
            "loss": float(binary_losses(logits.astype(np.float64), fits).mean()),
            "accuracy": float((fits == chosen).all(axis=1).mean()),
            "macro_f1": float(f1_score(fits, chosen, average="macro", zero_division=0)),
        }
    truth = data.classes(rows)
    predicted = logits.argmax(axis=1)
    logs = log_softmax(logits.astype(np.float64))
    losses: np.ndarray = -np.take_along_axis(logs, truth[:, None], axis=1)
    return {
        "loss": float(losses.mean()),
        "accuracy": float(accuracy_score(truth, predicted)),
        "macro_f1": float(f1_score(truth, predicted, average="macro", zero_division=0)),
    }
