"""The answer that needs no model: always the class that is most frequent in the training split."""

from __future__ import annotations

import numpy as np
from pydantic.dataclasses import dataclass

from components.lab.methods.method import Method
from components.lab.work import Work
from components.tasks.fields import STRICT
from components.texts import in_folder

TEXTS = in_folder(__file__)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    pass


def run(work: Work, options: Options) -> None:
    data = work.data
    if data.about.several:
        _each(work)
        return
    counts = np.bincount(data.classes(data.rows("train")), minlength=len(data.about.labels))
    # Logarithms of the shares are the logits whose softmax gives these shares for every text.
    logits = np.log(np.maximum(counts, 0.5) / counts.sum()).astype(np.float32)
    work.predict(*(np.tile(logits, (len(data.rows(split)), 1)) for split in ("validation", "test")))
    work.finish({"answer": data.about.labels[int(counts.argmax())]})


def _each(work: Work) -> None:
    """Each label's share as its score, where several may fit."""
    data = work.data
    fits = data.fits(data.rows("train"))
    shares = np.clip(fits.mean(axis=0), 0.5 / len(fits), 1 - 0.5 / len(fits))
    logits = np.log(shares / (1 - shares)).astype(np.float32)
    work.predict(*(np.tile(logits, (len(data.rows(split)), 1)) for split in ("validation", "test")))
    often = [label for label, share in zip(data.about.labels, shares, strict=True) if share >= 0.5]
    work.finish({"answer": ", ".join(often) or "none of the labels"})


METHOD = Method(
    name="baseline",
    title="Most frequent class",
    about=TEXTS["about"],
    kind="classifier",
    options=Options,
    run=run,
)
