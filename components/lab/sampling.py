"""Which rows to take where there are too many."""

from __future__ import annotations

import numpy as np


def stratified(classes: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Places of about `most` of the rows, in order; each of the `classes` [n] keeps its share, and one at
    least."""
    if len(classes) <= most:
        return np.arange(len(classes))
    chance = np.random.default_rng(seed)
    taken = []
    for one in np.unique(classes):
        places = np.flatnonzero(classes == one)
        count = max(1, round(most * len(places) / len(classes)))
        taken.append(chance.choice(places, count, replace=False))
    return np.sort(np.concatenate(taken))


def spread(rows: np.ndarray, most: int) -> np.ndarray:
    """At most `most` of the rows, at even distances."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)]
