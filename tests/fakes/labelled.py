"""Small data sets of the lab, with any texts and classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from datasets import Dataset
from datasets.arrow_writer import ArrowWriter

from components.lab.data import About, Data


def labelled(
    folder: Path, codes: np.ndarray, splits: np.ndarray, labels: Sequence[str], texts: Sequence[str] = ()
) -> Data:
    """A data set in a folder of its own below `folder`; without `texts` each row has its number."""
    table = folder / "table.arrow"
    texts = texts or [f"text {row}" for row in range(len(codes))]
    with ArrowWriter(path=str(table)) as writer:
        writer.write_table(Dataset.from_dict({"text": list(texts)}).data.table)
        writer.finalize()
    about = About(
        title="made up",
        source="a test",
        licence="",
        text="text",
        label="label",
        split=None,
        labels=tuple(labels),
    )
    return Data.write(folder / "data", table, about, codes, splits)
