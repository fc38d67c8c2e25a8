"""What a table's columns are for: guessed, confirmed by the visitor, and made into a data set."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from components.lab.data import SPLITS, UNUSED, About, Data
from components.models.errors import Code, TourError
from components.tasks.fields import shorten
from components.texts import in_folder

if TYPE_CHECKING:
    import pyarrow as pa

TEXTS = in_folder(__file__)

MOST_CLASSES = 100
SHARES = (0.70, 0.15, 0.15)  # of the splits that are cut here, in the order of `SPLITS`
SEED = 0
_JOINER = "\u200d"
# Letters of other scripts that look like Latin ones, in small letters.
_ALIKE = str.maketrans("аеорсухіјѕԁһԛԝοαρυνικτχ", "aeopcyxijsdhqwoapuviktx")
_FEWEST = 3  # rows of a class that can be in all three splits

_SPLIT_NAMES = {
    "train": {"train", "training"},
    "validation": {"validation", "valid", "dev", "val", "development", "eval"},
    "test": {"test", "testing"},
}
_TEXTS = (
    *("text", "sentence", "message", "review", "comment", "content", "tweet", "body", "utterance"),
    *("question", "title", "document"),
)
_LABELS = (
    *("label", "class", "category", "sentiment", "emotion", "feeling", "intent", "target", "topic"),
    *("stars", "rating"),
)


@dataclass(frozen=True, kw_only=True)
class Column:
    """`type` is Arrow's name. `distinct` counts up to `MOST_CLASSES` + 1 different values, which `values` has
    as texts if they are no more; `length` is the mean number of characters, 0 for what is no text."""

    name: str
    type: str
    missing: int
    distinct: int
    length: float
    longest: int
    values: tuple[str, ...]
    examples: tuple[str, ...]

    @property
    def is_text(self) -> bool:
        return self.type == "string"


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Names of columns; `pair` has a second text for each row.

    `several`: a cell of `label` may hold any number of labels, with commas, semicolons or bars between them,
    or as a JSON list.
    """

    text: str
    label: str | None
    split: str | None
    pair: str | None = None
    several: bool = False


def columns_of(table: Path) -> Iterator[Column]:
    """What each column of an Arrow stream file holds, read batch by batch."""
    import pyarrow as pa
    from pyarrow import compute as pc

    with pa.OSFile(str(table), "rb") as file, pa.ipc.open_stream(file) as reader:
        schema = reader.schema
        seen: list[_Seen] = [_Seen() for _ in schema]
        for batch in reader:
            for one, column in zip(seen, batch.columns, strict=True):
                one.rows += len(column)
                one.missing += column.null_count
                if column.type == pa.string():
                    lengths = pc.utf8_length(column)
                    blank = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(column)), 0)
                    one.missing += pc.sum(blank).as_py() or 0
                    one.characters += pc.sum(lengths).as_py() or 0
                    one.longest = max(one.longest, pc.max(lengths).as_py() or 0)
                if len(one.values) <= MOST_CLASSES:
                    for value in pc.unique(column):
                        if len(one.values) > MOST_CLASSES:
                            break
                        if value.is_valid and str(value.as_py()).strip():
                            one.values.setdefault(str(value.as_py()).strip())
    for found, one in zip(schema, seen, strict=True):
        values = tuple(one.values)
        yield Column(
            name=found.name,
            type=str(found.type),
            missing=one.missing,
            distinct=len(values),
            length=one.characters / max(1, one.rows),
            longest=one.longest,
            values=tuple(sorted(cut_short(value) for value in values)) if len(values) <= MOST_CLASSES else (),
            examples=tuple(map(cut_short, values[:3])),
        )


def cut_short(text: str, width: int = 80) -> str:
    return text if len(text) <= width else f"{text[: width - 2]} …"


@dataclass
class _Seen:
    rows: int = 0
    missing: int = 0
    characters: int = 0
    longest: int = 0

    def __post_init__(self) -> None:
        self.values: dict[str, None] = {}


def guess(columns: Sequence[Column]) -> Roles:
    """The likeliest roles by names and contents; raises `TourError` where no column has texts."""
    texts = [one for one in columns if one.is_text]
    if not texts:
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["no_text"],
        )
    split = next((one for one in columns if _is_split(one)), None)
    free = [one for one in texts if one is not split]
    text = _called(free, _TEXTS) or max(free or texts, key=lambda one: one.length)
    few = [
        one
        for one in columns
        if one is not split
        and one is not text
        and 1 <= one.distinct <= MOST_CLASSES
        and (one.type != "double" or all(float(value).is_integer() for value in one.values))
    ]
    label = _called(few, _LABELS) or next((one for one in few if one.is_text and one.length < 40), None)
    return Roles(text=text.name, label=label.name if label else None, split=split.name if split else None)


def too_many_classes(columns: Sequence[Column]) -> list[str]:
    """A note where the column that is called like a label has more values than there can be classes."""
    label = _called([one for one in columns if not _is_split(one)], _LABELS)
    if label is None or label.distinct <= MOST_CLASSES:
        return []
    return [TEXTS["too_many_classes"].format(column=shorten(label.name), limit=MOST_CLASSES)]


def _called(columns: Iterable[Column], names: Sequence[str]) -> Column | None:
    def words(one: Column) -> set[str]:
        return set(re.split(r"[^a-z]+", one.name.lower()))

    found = [(place, one) for one in columns for place, name in enumerate(names) if name in words(one)]
    return min(found, key=lambda pair: pair[0])[1] if found else None


def _is_split(column: Column) -> bool:
    known = [value for value in column.values if _split_of(value)]
    return 0 < column.distinct <= 6 and "train" in map(_split_of, known) and 2 * len(known) >= column.distinct


def _split_of(value: str) -> str | None:
    plain = value.strip().lower()
    return next((split for split, names in _SPLIT_NAMES.items() if plain in names), None)


def make(
    table: Path, roles: Roles, folder: Path, *, title: str, source: str, licence: str, notes: Sequence[str]
) -> Data:
    """Makes a data set of an Arrow stream file, which is moved; raises `TourError` for roles that do not fit.

    Rows without text, or without a label where there is a column of labels, are in no split. Splits that
    are missing are cut from the training rows, each class in the same shares.
    """
    said = list(notes)
    text = _read(table, roles.text)
    label, split = (_read(table, name) if name else None for name in (roles.label, roles.split))
    _check(text, roles.text, roles)
    if roles.pair:
        _check(_read(table, roles.pair), roles.pair, roles)
    usable = _filled(text)
    if roles.pair:
        usable &= _filled(_read(table, roles.pair))
    if lost := int((~usable).sum()):
        blank = "one of their texts" if roles.pair else "text"
        said.append(f"{lost:,} rows without {blank} are not trained on.")
    labels: tuple[str, ...] = ()
    codes, fits = np.full(len(usable), UNUSED), None
    if label is not None and roles.several:
        labels, codes, fits = _coded_several(label, roles.label)
    elif label is not None:
        labels, codes = _coded(label, roles.label)
    if label is not None:
        unlabelled = usable & (codes == UNUSED)
        if lost := int(unlabelled.sum()):
            said.append(f"{lost:,} rows without a label are not trained on.")
        usable &= codes != UNUSED
        said += look_alikes(labels)
        if hidden := _hidden(label):
            said.append(f"Invisible characters were taken out of the labels of {hidden:,} rows.")
        if len(labels) == 1:
            said.append(TEXTS["one_label"].format(label=shorten(labels[0])))
        if not usable.any():
            raise TourError(
                Code.INVALID_INPUT,
                "No row has both a text and a label. Choose other columns.",
            )
    splits = np.full(len(usable), UNUSED, np.int8)
    if split is not None:
        splits = _declared(split, str(roles.split), said)
        if roles.split and not (splits[usable] == 0).any():
            raise TourError(
                Code.INVALID_INPUT,
                TEXTS["no_training"].format(column=shorten(roles.split)),
            )
    else:
        splits[usable] = 0
    splits[~usable] = UNUSED
    _cut(splits, codes, labels, split is not None, said)
    about = About(
        title=title,
        source=source,
        licence=licence,
        text=roles.text,
        label=roles.label,
        split=roles.split,
        labels=labels,
        notes=tuple(said),
        pair=roles.pair,
        several=fits is not None,
    )
    return Data.write(folder, table, about, codes, splits, fits)


def _read(table: Path, name: str) -> pa.ChunkedArray:
    """One column, memory-mapped."""
    import pyarrow as pa

    with pa.memory_map(str(table)) as file, pa.ipc.open_stream(file) as reader:
        return reader.read_all().column(name)


def _check(text: Any, name: str, roles: Roles) -> None:
    import pyarrow as pa

    if text.type != pa.string():
        raise TourError(
            Code.INVALID_INPUT,
            f"{shorten(name)} holds numbers. Choose a column with texts for the text.",
        )
    names = [name for name in (roles.text, roles.pair, roles.label, roles.split) if name]
    if len(set(names)) < len(names):
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["two_roles"],
        )


def _filled(column: Any) -> np.ndarray:
    """Whether each row of a column has something in it."""
    from pyarrow import compute as pc

    parts = [
        pc.fill_null(pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(chunk)), 0), False).to_numpy(
            zero_copy_only=False
        )
        for chunk in column.chunks
    ]
    return np.concatenate(parts).astype(bool)


def _coded(column: Any, name: str | None) -> tuple[tuple[str, ...], np.ndarray]:
    """The classes, sorted, and the code of each row's."""
    import pyarrow as pa
    from pyarrow import compute as pc

    if pa.types.is_floating(column.type) and all(
        value.as_py() is None or value.as_py().is_integer() for value in pc.unique(column)
    ):
        column = column.cast(pa.int64())
    trimmed = [_cleaned(chunk.cast(pa.string())) for chunk in column.chunks]
    # a class is told by its name, also where it is a number
    found: set[str] = set()
    for chunk in trimmed:
        found |= {value for value in pc.unique(chunk).to_pylist() if value}
        if len(found) > MOST_CLASSES:
            kind = "an identifier or a number" if column.type != pa.string() else "a text or an identifier"
            raise TourError(
                Code.INVALID_INPUT,
                TEXTS["too_many_values"].format(column=shorten(name), limit=MOST_CLASSES, kind=kind),
            )
    labels = tuple(sorted(found, key=_natural))
    known = pa.array(labels, pa.string())
    parts = [
        pc.fill_null(pc.index_in(chunk, known), UNUSED).to_numpy(zero_copy_only=False) for chunk in trimmed
    ]
    return labels, np.concatenate(parts).astype(np.int32)


def _coded_several(column: Any, name: str | None) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """The labels, sorted, the code of each row's first, and which of them fit it: bool [rows, labels]."""
    import pyarrow as pa

    rows = [_parts(value) for value in column.cast(pa.string()).to_pylist()]
    found = {label for row in rows for label in row}
    if len(found) > MOST_CLASSES:
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["too_many_labels"].format(column=shorten(name), limit=MOST_CLASSES),
        )
    labels = tuple(sorted(found, key=_natural))
    place = {label: at for at, label in enumerate(labels)}
    fits = np.zeros((len(rows), len(labels)), dtype=bool)
    for at, row in enumerate(rows):
        fits[at, [place[label] for label in row]] = True
    codes = np.array([place[row[0]] if row else UNUSED for row in rows], dtype=np.int32)
    return labels, codes, fits


def _parts(cell: str | None) -> list[str]:
    """The labels in a cell, each once."""
    text = (cell or "").strip()
    parts: Sequence[object] = re.split(r"[,;|]", text)
    if text.startswith("["):
        with suppress(ValueError, RecursionError):
            parts = json.loads(text)
    return [label for label in dict.fromkeys(visible(str(part)) for part in parts) if label]


def _cleaned(chunk: Any) -> Any:
    """Labels as they look: composed (NFC), without characters that are invisible, single spaces."""
    import pyarrow as pa
    from pyarrow import compute as pc

    encoded = pc.dictionary_encode(pc.utf8_trim_whitespace(chunk))
    names = pa.array([visible(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return names.take(encoded.indices)


def _hidden(column: Any) -> int:
    """How many rows have a label that looks like another one."""
    import pyarrow as pa
    from pyarrow import compute as pc

    if column.type != pa.string():
        return 0
    counted = pc.value_counts(column).to_pylist()
    return sum(
        one["counts"]
        for one in counted
        if one["values"] and visible(one["values"]) != " ".join(one["values"].split())
    )


def visible(label: str) -> str:
    kept = "".join(one for one in label if unicodedata.category(one) != "Cf" or one == _JOINER)
    return " ".join(unicodedata.normalize("NFC", kept).split())


def look_alikes(labels: Sequence[str]) -> list[str]:
    """A note on labels that a reader can hardly tell apart."""
    alike: dict[str, list[str]] = {}
    for label in labels:
        shape = unicodedata.normalize("NFKC", label).casefold().translate(_ALIKE).replace(_JOINER, "")
        alike.setdefault(shape.strip(".!? "), []).append(label)
    pairs = [" and ".join(map(shorten, group)) for group in alike.values() if len(group) > 1]
    if not pairs:
        return []
    return [TEXTS["similar_labels"].format(labels="; ".join(pairs[:5]))]


def _natural(label: str) -> tuple[float, str]:
    """Numbers by size, and before names."""
    try:
        return float(label), label
    except ValueError:
        return float("inf"), label


def _declared(column: Any, name: str, notes: list[str]) -> np.ndarray:
    """The split that each row is marked with."""
    values, codes = _coded(column, name)
    splits = np.full(len(codes), UNUSED, np.int8)
    for code, value in enumerate(values):
        if (known := _split_of(value)) is not None:
            splits[codes == code] = SPLITS.index(known)
        else:
            rows = int((codes == code).sum())
            notes.append(TEXTS["other_mark"].format(rows=rows, value=shorten(value), column=shorten(name)))
    if blank := int((codes == UNUSED).sum()):
        notes.append(f"{blank:,} rows are marked with no split; they are in none.")
    return splits


def _cut(
    splits: np.ndarray, codes: np.ndarray, labels: Sequence[str], marked: bool, notes: list[str]
) -> None:
    """Takes the splits that are missing out of the training rows, in place."""
    missing = [at for at in range(1, len(SPLITS)) if not (splits == at).any()]
    if not missing:
        return
    draw = np.random.default_rng(SEED)
    small = []
    for code in range(len(labels)) if labels else (UNUSED,):
        rows = np.flatnonzero((splits == 0) & (codes == code))
        if not len(rows):
            continue
        if len(rows) < _FEWEST:
            small.append(labels[code] if labels else "")
            continue
        draw.shuffle(rows)
        at = 0
        for split in missing:
            many = max(1, round(SHARES[split] * len(rows)))
            splits[rows[at : at + many]] = split
            at += many
    names = " and ".join(SPLITS[at] for at in missing)
    if marked:
        taken = " and ".join(f"{100 * SHARES[at]:.0f} %" for at in missing)
        notes.append(
            TEXTS["taken_by_class" if labels else "taken"].format(splits=names, shares=taken, seed=SEED)
        )
    else:
        shares = {split: f"{100 * share:.0f} %" for split, share in zip(SPLITS, SHARES, strict=True)}
        notes.append(TEXTS["divided_by_class" if labels else "divided"].format(seed=SEED, **shares))
    if small:
        notes.append(
            f"Too few rows for all splits, so all are training rows: {', '.join(map(shorten, small[:10]))}."
        )
