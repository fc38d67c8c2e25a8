"""What a file of texts is, guessed from its first bytes; what cannot be read is refused by them."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from components.models.errors import Code, TourError
from components.tasks.fields import shorten

TABLE, JSON, JSONL, LINES, PARQUET = "table", "json", "jsonl", "lines", "parquet"
KINDS = {
    TABLE: "table (CSV, TSV)",
    JSON: "JSON: one list of objects",
    JSONL: "JSONL: an object in each line",
    LINES: "lines of text",
    PARQUET: "Parquet",
}
# "" is a table of one column, whatever its lines hold. Where two fit equally well, the first is taken.
SEPARATORS = {"\t": "tab", ";": "semicolon", "|": "bar", ",": "comma", "": "none: a line is one cell"}
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252 (Western European)",
    "latin-1": "Latin-1",
}
SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".txt", ".parquet")

SAMPLE = 65_536  # bytes that most is guessed from
SAMPLE_ROWS = 200
_UNDEFINED = frozenset(b"\x81\x8d\x8f\x90\x9d")  # in Windows-1252
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1a\x1b")  # which texts seldom have
_LONGEST_NAME = 60  # characters of a column's name; what is longer is a text
_NAMES = frozenset(
    ("text", "label", "split", "sentence", "message", "class", "category", "sentiment", "emotion", "id")
)


@dataclass(frozen=True, kw_only=True)
class Format:
    """How a file is read; all but `kind` and `encoding` matter for tables alone.

    `quoted` says whether quotation marks keep a separator or a line break inside a cell.
    """

    kind: str
    separator: str = ","
    header: bool = True
    quoted: bool = True
    encoding: str = "utf-8"


class _Refused(NamedTuple):
    start: bytes
    what: str
    instead: str


_UNPACK = "Unpack it, and upload the file with the texts that is in it"
_EXPORT = "Export the texts as CSV, JSONL or Parquet, and upload that"
_SPREADSHEET = "Open it in the spreadsheet program, save the sheet as CSV (UTF-8), and upload that"
_REFUSED = (
    _Refused(b"PK\x03\x04", "a ZIP archive", _UNPACK),
    _Refused(b"PK\x05\x06", "an empty ZIP archive", _UNPACK),
    _Refused(b"\x1f\x8b", "compressed with gzip", _UNPACK),
    _Refused(b"BZh", "compressed with bzip2", _UNPACK),
    _Refused(b"\xfd7zXZ\x00", "compressed with xz", _UNPACK),
    _Refused(b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    _Refused(b"Rar!\x1a", "a RAR archive", _UNPACK),
    _Refused(b"\x28\xb5\x2f\xfd", "compressed with Zstandard", _UNPACK),
    _Refused(b"\x04\x22\x4d\x18", "compressed with LZ4", _UNPACK),
    _Refused(b"%PDF", "a PDF", "Copy its text into a file of plain text or CSV"),
    _Refused(b"{\\rtf", "a document (RTF)", "Save it as plain text"),
    _Refused(b"\xd0\xcf\x11\xe0", "a document of an old office program", _SPREADSHEET),
    _Refused(b"\x89PNG", "a picture", "Only texts can be read here"),
    _Refused(b"\xff\xd8\xff", "a picture", "Only texts can be read here"),
    _Refused(b"GIF8", "a picture", "Only texts can be read here"),
    _Refused(b"RIFF", "a sound or a picture", "Only texts can be read here"),
    _Refused(b"SQLite format 3", "a database", _EXPORT),
    _Refused(b"ARROW1", "an Arrow or Feather file", _EXPORT),
    _Refused(b"\xff\xff\xff\xff", "an Arrow file", _EXPORT),
    _Refused(b"Obj\x01", "an Avro file", _EXPORT),
    _Refused(b"ORC", "an ORC file", _EXPORT),
    _Refused(b"\x89HDF", "an HDF5 file", _EXPORT),
    _Refused(b"\x93NUMPY", "a NumPy array", _EXPORT),
    _Refused(b"version https://git-lfs", "only a pointer to the data", "Fetch the data with git lfs pull"),
)
_PICKLE = (
    "a pickle, which is never opened here: to open one runs whatever code is in it",
    "Where you made it, write the data as CSV, JSONL or Parquet instead (with pandas: to_csv, to_parquet)",
)


def refuse(start: bytes, name: str) -> None:
    """Raises `TourError` for a file that begins like something other than texts."""
    for magic, what, instead in _REFUSED:
        if start.startswith(magic):
            if magic.startswith(b"PK") and (_is_sheet(start) or name.lower().endswith((".xlsx", ".ods"))):
                what, instead = "a spreadsheet", _SPREADSHEET
            raise _no(name, what, instead)
    if start[257:262] == b"ustar":
        raise _no(name, "a TAR archive", _UNPACK)
    if (start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")) or name.lower().endswith(
        (".pkl", ".pickle", ".pt", ".pth", ".joblib")
    ):
        raise _no(name, *_PICKLE)
    if start.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise _no(name, "a web page", "Download the data itself (on a site for code, its raw file)")


def guess(path: Path, name: str) -> Format:
    """How a file seems to be meant; raises `TourError` for what cannot be read.

    Reads all of it once, in blocks, to tell its encoding.
    """
    with path.open("rb") as file:
        start = file.read(SAMPLE)
    if not start:
        raise TourError(Code.INVALID_INPUT, f"{shorten(name)} is empty. Upload one with a text in each row.")
    refuse(start, name)
    if start.startswith(b"PAR1"):
        return Format(kind=PARQUET)
    encoding = _encoding(path, start, name)
    text = start.decode(encoding, errors="ignore").removeprefix("\ufeff")
    suffix = Path(name).suffix.lower()
    match text.lstrip()[:1]:
        case "[" if suffix == ".json" or text.lstrip()[1:].lstrip()[:1] in ("{", "]"):
            return Format(kind=JSON, encoding=encoding)
        case "{" if suffix != ".csv":
            return Format(kind=JSONL, encoding=encoding)
    if suffix in (".json", ".jsonl", ".ndjson"):
        return Format(kind=JSON if suffix == ".json" else JSONL, encoding=encoding)
    if suffix == ".txt":
        return Format(kind=LINES, encoding=encoding)
    separator, quoted = table_of(text)
    rows = cells(text, separator, quoted)
    return Format(kind=TABLE, separator=separator, header=_has_header(rows), quoted=quoted, encoding=encoding)


def table_of(text: str) -> tuple[str, bool]:
    """What parts the cells of a table that begins so, and whether quotation marks count."""
    best, found = 0.0, ("", True)
    for separator in filter(None, SEPARATORS):
        for quoted in (True, False):
            rows = cells(text, separator, quoted)
            if rows and len(rows[0]) > 1:
                even = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
                if even > best:
                    best, found = even, (separator, quoted)
    return found


def cells(text: str, separator: str, quoted: bool) -> list[list[str]]:
    """The first rows of a table; the last one of a sample, which may be cut off, is left out."""
    if not separator:
        return [[line] for line in text.splitlines()[:SAMPLE_ROWS] if line]
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=separator,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
    )
    rows = []
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) > SAMPLE_ROWS:
                break
    except csv.Error:  # a cell that is longer than the library allows
        pass
    return rows[:-1] if len(rows) > 2 and not text.endswith(("\n", "\r")) else rows[:SAMPLE_ROWS]


def _has_header(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns, instead of being like those below it."""
    if not rows:
        return True
    first, below = [cell.strip() for cell in rows[0]], rows[1:]
    if any(cell.lower() in _NAMES for cell in first):
        return True
    if any(not cell or len(cell) > _LONGEST_NAME or _is_number(cell) for cell in first):
        return False
    for at, cell in enumerate(first):
        counts = Counter(row[at].strip() for row in below if at < len(row))
        if (counts[cell] and counts[cell] > 1) or (len(below) < 20 and counts[cell]):
            return False
    return len(set(first)) == len(first)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _encoding(path: Path, start: bytes, name: str) -> str:
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\x00" in start:
        for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
            if start[offset::2].count(0) > 0.4 * len(start[offset::2]):
                return encoding
        raise _binary(name)
    decoder = codecs.getincrementaldecoder("utf-8")()
    seen: set[int] = set()
    plain = True
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            seen |= set(block)
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                plain = False
    if len(seen & _CONTROLS) > 3:
        raise _binary(name)
    if plain and not decoder.getstate()[0]:  # it does not end within a character
        return "utf-8"
    return "latin-1" if seen & _UNDEFINED else "cp1252"


def _is_sheet(start: bytes) -> bool:
    return b"xl/" in start or b"[Content_Types].xml" in start or b"opendocument.spreadsheet" in start


def _binary(name: str) -> TourError:
    return _no(name, "no text, and of binary files only Parquet is read", _EXPORT)


def _no(name: str, what: str, instead: str) -> TourError:
    return TourError(Code.INVALID_INPUT, f"{shorten(name)} is {what}. {instead}.", "file")
