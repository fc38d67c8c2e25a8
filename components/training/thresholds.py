"""From which score on a label fits, where several may. Without torch, for those who only judge."""

from __future__ import annotations

import numpy as np


def thresholds(scores: np.ndarray, fits: np.ndarray) -> np.ndarray:
    """For each label the score from which on it fits: the one with the best F1, a half where several are.

    `scores` in [0, 1] and `fits`, bool, are [examples, labels].
    """
    grid = np.concatenate([[0.5], np.arange(0.05, 0.95, 0.01)])
    best = []
    for score, fit in zip(scores.T, fits.T, strict=True):
        chosen = score[:, None] >= grid
        right = (chosen & fit[:, None]).sum(axis=0)
        best.append(grid[(2 * right / np.maximum(1, chosen.sum(axis=0) + fit.sum())).argmax()])
    return np.array(best).round(2)
