"""A visitor's data set: a table on disk, memory-mapped, and what each of its rows is for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter

if TYPE_CHECKING:
    from datasets import Dataset

SPLITS = ("train", "validation", "test")
UNUSED = -1  # among split codes: rows without text or label; among label codes: no label

_TABLE, _LABELS, _SPLITS, _ABOUT = "table.arrow", "labels.npy", "splits.npy", "data.json"
_FITS = "fits.npy"


@dataclass(frozen=True, kw_only=True)
class About:
    """What is known of a data set as a whole.

    `text`, `label`, `split` and, where rows have two texts, `pair` are names of columns; without `label` it
    can be explored, not trained on. `labels` are the classes, in the order of their codes. `notes` say what
    was left out or decided. `several`: any number of labels may fit a row.
    """

    title: str
    source: str  # where it is from, for the model card: a file's name, or an id on the Hub
    licence: str
    text: str
    label: str | None
    split: str | None
    labels: tuple[str, ...]
    notes: tuple[str, ...] = ()
    pair: str | None = None
    several: bool = False


class Data:
    """Rows [n] of a table with a code for the class and for the split of each.

    `label_codes` int32 [n] index `about.labels`, `split_codes` int8 [n] index `SPLITS`; both have
    `UNUSED` where a row has no class, or is in no split. Where several labels may fit, the code is that of
    the first that does, and `fits` says it of each.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        content = json.loads((folder / _ABOUT).read_text("utf-8"))
        self.about = TypeAdapter(About).validate_python(content)
        self.label_codes: np.ndarray = np.load(folder / _LABELS, mmap_mode="r")
        self.split_codes: np.ndarray = np.load(folder / _SPLITS, mmap_mode="r")

    @classmethod
    def write(
        cls,
        folder: Path,
        table: Path,
        about: About,
        label_codes: np.ndarray,
        split_codes: np.ndarray,
        fits: np.ndarray | None = None,
    ) -> Data:
        """Makes a data set of an Arrow stream file, which is moved into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / _LABELS, label_codes.astype(np.int32))
        np.save(folder / _SPLITS, split_codes.astype(np.int8))
        if fits is not None:
            np.save(folder / _FITS, fits.astype(bool))
        table.replace(folder / _TABLE)
        (folder / _ABOUT).write_text(json.dumps(asdict(about), ensure_ascii=False, indent=1), "utf-8")
        return cls(folder)

    def fits(self, rows: np.ndarray) -> np.ndarray:
        """Whether each label fits each row: bool [rows, labels]."""
        if self.about.several:
            found: np.ndarray = np.load(self.folder / _FITS, mmap_mode="r")[rows]
            return found
        only: np.ndarray = self.classes(rows)[:, None] == np.arange(len(self.about.labels))
        return only

    @property
    def id(self) -> str:
        return self.folder.name

    @cached_property
    def table(self) -> Dataset:
        """All columns of all rows; nothing of it is in memory until it is read."""
        from datasets import Dataset

        return Dataset.from_file(str(self.folder / _TABLE))

    def __len__(self) -> int:
        return len(self.split_codes)

    def rows(self, split: str) -> np.ndarray:
        """Indices of a split's rows."""
        return np.flatnonzero(self.split_codes == SPLITS.index(split))

    def texts(self, rows: Sequence[int] | np.ndarray) -> list[str]:
        return self.column(self.about.text, rows)

    def pairs(self, rows: Sequence[int] | np.ndarray) -> list[str] | None:
        """The second text of each row; None where rows have one alone."""
        return None if self.about.pair is None else self.column(self.about.pair, rows)

    def column(self, name: str, rows: Sequence[int] | np.ndarray) -> list[Any]:
        if len(rows) == 0:
            return []
        picked = self.table.select_columns([name])[[int(row) for row in rows]][name]
        return list(picked)

    def classes(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """Class codes of rows."""
        return np.asarray(self.label_codes[np.asarray(rows, dtype=np.int64)])
