"""What there is to see in a data set: rows, classes, lengths, duplicates, imbalance.

All of it reads the memory-mapped table a batch at a time, and keeps at most some numbers per row.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from components.lab.data import SPLITS, UNUSED, Data
from components.models.tokenizer import Tokenizer

if TYPE_CHECKING:
    import pyarrow as pa

PAGE = 25  # rows
LENGTH = "\0length"  # sorts by the text's characters; no column is called so
MOST_TOKENIZED = 5000  # rows
MOST_EXAMPLES = 12  # groups of duplicates that are shown


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A column; `role` is "text", "label", "split" or empty."""

    name: str
    type: str
    role: str


def features(data: Data) -> list[Feature]:
    about = data.about
    roles = {about.text: "text", about.label: "label", about.split: "split"}
    return [
        Feature(name=one.name, type=str(one.type), role=roles.get(one.name, ""))
        for one in _arrow(data).schema
    ]


# Rows


@dataclass(frozen=True, kw_only=True)
class Query:
    """`words` are looked for in the text, whatever their case; `label` is a code, `split` a name; `sort` is
    a column or `LENGTH`, empty for the file's own order. `page` counts from 0."""

    words: str = ""
    label: int | None = None
    split: str | None = None
    sort: str = ""
    descending: bool = False
    page: int = 0


@dataclass(frozen=True, kw_only=True)
class Page:
    """Rows as the table has them, each with its number in the file; `found` counts all that fit."""

    found: int
    page: int
    pages: int
    columns: tuple[str, ...]
    numbers: tuple[int, ...]
    rows: tuple[tuple[Any, ...], ...]


def page(data: Data, query: Query) -> Page:
    """A page of the rows that fit; one beyond the end is the last."""
    rows = _matching(data, query)
    pages = max(1, math.ceil(len(rows) / PAGE))
    at = min(max(0, query.page), pages - 1)
    if query.sort:
        rows = _sorted(data, rows, query)
    shown = rows[at * PAGE : (at + 1) * PAGE]
    table = _arrow(data)
    picked = table.take(shown).to_pydict() if len(shown) else {name: [] for name in table.column_names}
    return Page(
        found=len(rows),
        page=at,
        pages=pages,
        columns=tuple(table.column_names),
        numbers=tuple(map(int, shown)),
        rows=tuple(zip(*picked.values(), strict=True)),
    )


def _matching(data: Data, query: Query) -> np.ndarray:
    from pyarrow import compute as pc

    fits = np.ones(len(data), bool)
    if query.label is not None:
        fits &= data.label_codes == query.label
    if query.split is not None:
        fits &= data.split_codes == (SPLITS.index(query.split) if query.split in SPLITS else UNUSED)
    if query.words:
        for start, chunk in _chunks(data, data.about.text):
            found = pc.match_substring(chunk, query.words, ignore_case=True)
            fits[start : start + len(chunk)] &= _numpy(found, False)
    return np.flatnonzero(fits)


def _sorted(data: Data, rows: np.ndarray, query: Query) -> np.ndarray:
    from pyarrow import compute as pc

    if query.sort == LENGTH:
        keys = lengths(data)[rows]
        order = np.argsort(-keys if query.descending else keys, kind="stable")
        return np.asarray(rows[order])
    table = _arrow(data)
    if query.sort not in table.column_names:
        return rows
    column = table.column(query.sort)
    keys = [("", "descending" if query.descending else "ascending")]
    if len(rows) == len(data):
        return np.asarray(pc.sort_indices(column, sort_keys=keys))
    return np.asarray(rows[np.asarray(pc.sort_indices(column.take(rows), sort_keys=keys))])


# Lengths


def lengths(data: Data) -> np.ndarray:
    """Characters of each text, int32 [n]; 0 where there is none."""
    from pyarrow import compute as pc

    return _each(data, pc.utf8_length)


def words(data: Data) -> np.ndarray:
    """Words of each text, int32 [n]: what blanks part."""
    from pyarrow import compute as pc

    def count(chunk: pa.Array) -> pa.Array:
        found = pc.list_value_length(pc.utf8_split_whitespace(pc.utf8_trim_whitespace(chunk)))
        return pc.if_else(pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(chunk)), 0), 0, found)

    return _each(data, count)


def tokens(data: Data, tokenizer: Tokenizer) -> tuple[np.ndarray, np.ndarray]:
    """Rows at even distances, at most `MOST_TOKENIZED`, and the tokens of each one's text."""
    usable = np.flatnonzero(data.split_codes != UNUSED)
    if len(usable) > MOST_TOKENIZED:
        usable = usable[np.linspace(0, len(usable) - 1, MOST_TOKENIZED).astype(np.int64)]
    return usable, np.array([len(tokenizer.columns(text).ids) for text in data.texts(usable)], np.int32)


@dataclass(frozen=True, kw_only=True)
class Box:
    """Five numbers of a box plot: whiskers end at the last value within 1.5 times the box's height (Tukey);
    `beyond` counts the values farther out, up to `most`."""

    label: str
    count: int
    low: float
    first: float
    median: float
    third: float
    high: float
    beyond: int
    most: float


def boxes(data: Data, rows: np.ndarray, values: np.ndarray) -> list[Box]:
    """A box per class for the values of some rows; one for all where there are no classes."""
    codes = data.classes(rows)
    named = list(enumerate(data.about.labels)) or [(UNUSED, "all texts")]
    return [_box(label, values[codes == code]) for code, label in named if (codes == code).any()]


def _box(label: str, values: np.ndarray) -> Box:
    first, median, third = (float(one) for one in np.percentile(values, (25, 50, 75)))
    reach = 1.5 * (third - first)
    inside = values[(values >= first - reach) & (values <= third + reach)]
    return Box(
        label=label,
        count=len(values),
        low=float(inside.min()),
        first=first,
        median=median,
        third=third,
        high=float(inside.max()),
        beyond=len(values) - len(inside),
        most=float(values.max()),
    )


# Classes


def counts(data: Data) -> np.ndarray:
    """Rows of each split and class, int [3, classes]; one column for all where there are no classes."""
    classes = max(1, len(data.about.labels))
    found = np.zeros((len(SPLITS), classes), np.int64)
    for split in range(len(SPLITS)):
        codes = np.asarray(data.label_codes[data.split_codes == split])
        found[split] = np.bincount(np.maximum(codes, 0), minlength=classes)
    return found


@dataclass(frozen=True, kw_only=True)
class Imbalance:
    """Training rows by class, and how many each would have were small classes repeated (`over`) or large
    ones thinned out (`under`). `ratio` is the largest by the smallest."""

    labels: tuple[str, ...]
    counts: tuple[int, ...]
    ratio: float
    over: int
    under: int


def imbalance(data: Data) -> Imbalance | None:
    """None where no class has training rows. Only the training split is ever resampled: the others say how
    good a model is on data as it comes."""
    train = counts(data)[0]
    present = [at for at in range(len(data.about.labels)) if train[at]]
    if not present:
        return None
    many = tuple(int(train[at]) for at in present)
    return Imbalance(
        labels=tuple(data.about.labels[at] for at in present),
        counts=many,
        ratio=max(many) / min(many),
        over=max(many),
        under=min(many),
    )


# Duplicates


@dataclass(frozen=True, kw_only=True)
class Copy:
    row: int
    split: str | None
    label: str | None


@dataclass(frozen=True, kw_only=True)
class Group:
    """One text that several rows have; `count` counts them, `copies` are the first few."""

    text: str
    count: int
    copies: tuple[Copy, ...]
    contradictory: bool


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """`within` counts, for each split, rows that repeat an earlier one of it; `across`, for pairs of splits,
    rows of the first whose text the second has too. `contradictory` counts texts with several labels."""

    within: dict[str, int]
    across: dict[tuple[str, str], int]
    contradictory: int
    groups: tuple[Group, ...]


def duplicates(data: Data) -> Duplicates:
    """Rows with the same text but for case and blanks."""
    rows = np.flatnonzero(data.split_codes != UNUSED)
    _, group, sizes = np.unique(_keys(data)[rows], return_inverse=True, return_counts=True)
    repeated = sizes[group] > 1
    rows, group = rows[repeated], group[repeated]
    splits, codes = np.asarray(data.split_codes[rows]), np.asarray(data.label_codes[rows])
    there = np.zeros((len(SPLITS), len(sizes)), bool)
    there[splits, group] = True
    within = {name: int((splits == at).sum()) - int(there[at].sum()) for at, name in enumerate(SPLITS)}
    pairs = [("validation", "train"), ("test", "train"), ("test", "validation")]
    across = {
        (one, other): int(there[SPLITS.index(other)][group[splits == SPLITS.index(one)]].sum())
        for one, other in pairs
    }
    lowest = np.full(len(sizes), np.iinfo(np.int32).max)
    highest = np.full(len(sizes), -1)
    np.minimum.at(lowest, group, codes)
    np.maximum.at(highest, group, codes)
    disagree = (highest > lowest) & (sizes > 1)
    worth = disagree * 4 + there.sum(axis=0)
    worth[sizes < 2] = 0
    best = np.argsort(-worth, kind="stable")[:MOST_EXAMPLES]
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], best)
    return Duplicates(
        within=within,
        across=across,
        contradictory=int(disagree.sum()),
        groups=tuple(
            _group(data, rows[order[start : start + min(size, 6)]], size, bool(disagree[at]))
            for at, start in zip(best, starts, strict=True)
            if (size := int(sizes[at])) > 1
        ),
    )


def _group(data: Data, rows: np.ndarray, count: int, contradictory: bool) -> Group:
    [text] = data.texts(rows[:1])
    labels = data.about.labels
    return Group(
        text=text,
        count=count,
        copies=tuple(
            Copy(
                row=int(row),
                split=SPLITS[data.split_codes[row]],
                label=labels[data.label_codes[row]] if labels else None,
            )
            for row in rows
        ),
        contradictory=contradictory,
    )


def _keys(data: Data) -> np.ndarray:
    """A number of 64 bits for each text, the same for those that differ in case and blanks alone."""
    from pyarrow import compute as pc

    keys = np.zeros(len(data), np.int64)
    for start, chunk in _chunks(data, data.about.text):
        words = pc.utf8_split_whitespace(pc.utf8_trim_whitespace(pc.utf8_lower(chunk)))
        plain = pc.binary_join(words, " ")
        keys[start : start + len(chunk)] = np.fromiter(map(hash, plain.to_pylist()), np.int64, len(chunk))
    return keys


# Inside


def _arrow(data: Data) -> pa.Table:
    return data.table.data.table


def _chunks(data: Data, name: str) -> Iterator[tuple[int, pa.Array]]:
    """A column's batches, each with the number of its first row."""
    start = 0
    for chunk in _arrow(data).column(name).chunks:
        yield start, chunk
        start += len(chunk)


def _each(data: Data, count: Any) -> np.ndarray:
    found = np.zeros(len(data), np.int32)
    for start, chunk in _chunks(data, data.about.text):
        found[start : start + len(chunk)] = _numpy(count(chunk), 0)
    return found


def _numpy(array: pa.Array, instead: Any) -> np.ndarray:
    """An array with something in the place of what is missing."""
    from pyarrow import compute as pc

    return np.asarray(pc.fill_null(array, instead).to_numpy(zero_copy_only=False))
