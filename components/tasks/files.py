"""What a file of texts is, guessed from its first bytes; what cannot be read is refused by them."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

from components.models.errors import Code, TourError
from components.tasks.fields import shorten
from components.texts import in_folder

TEXTS = in_folder(__file__)

TABLE, JSON, JSONL, COLUMNS, LINES = "table", "json", "jsonl", "columns", "lines"
PARQUET, SHEET = "parquet", "sheet"
KINDS = {
    TABLE: "table (CSV, TSV)",
    JSON: "JSON: one list of objects",
    JSONL: "JSONL: an object in each line",
    COLUMNS: "JSON: one object of columns",
    LINES: "lines of text",
    PARQUET: "Parquet",
    SHEET: "spreadsheet (XLSX, XLS, ODS)",
}
BINARY = (PARQUET, SHEET)  # kinds that no other can be taken for
# "" is a table of one column, whatever its lines hold. Where two fit equally well, the first is taken.
SEPARATORS = {"\t": "tab", ";": "semicolon", "|": "bar", ",": "comma", "": "none: a line is one cell"}
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252 (Western European)",
    "cp1250": "Windows-1250 (Central European)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
    "cp1257": "Windows-1257 (Baltic)",
    "koi8_r": "KOI8-R (Russian)",
    "gb18030": "GB18030 (Chinese, simplified; GBK, GB2312)",
    "big5": "Big5 (Chinese, traditional)",
    "cp932": "Shift-JIS (Japanese)",
    "euc_jp": "EUC-JP (Japanese)",
    "cp949": "EUC-KR (Korean)",
    "cp874": "Windows-874 (Thai)",
    "latin-1": "Latin-1",
}
SHEET_SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".txt", ".parquet", *SHEET_SUFFIXES)

csv.field_size_limit(20_000_000)  # the library's own, 131,072 characters, cuts long texts off

SAMPLE = 65_536  # bytes that most is guessed from
SAMPLE_ROWS = 200
LONGEST_CELL = 1_000_000  # characters
_UNDEFINED = frozenset(b"\x81\x8d\x8f\x90\x9d")  # in Windows-1252
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1a\x1b")  # which texts seldom have
_FEWEST_LETTERS = 12  # bytes outside ASCII that tell more than that a text is European
_NOT_LEADING = bytes(range(0xC0))  # bytes that begin no character of several
_SAME = {"iso8859_8": "cp1255", "iso8859_6": "cp1256", "iso8859_5": "cp1251", "gbk": "gb18030"}
_SPACED = re.compile(r' +".*"\s*$', re.DOTALL)  # a quoted cell that a space keeps from being one
_MOST_TITLES = 5  # lines above a table
_SEP = re.compile(r"\ufeff?\"?sep=(.)\"?\r?\n", re.IGNORECASE)
_LONGEST_NAME = 60  # characters of a column's name; what is longer is a text
_NAMES = frozenset(
    ("text", "label", "split", "sentence", "message", "class", "category", "sentiment", "emotion", "id")
)


@dataclass(frozen=True, kw_only=True)
class Format:
    """How a file is read; all but `kind` and `encoding` matter for tables alone.

    `quoted` says whether quotation marks keep a separator or a line break inside a cell, `spaced` whether
    spaces after a separator mean nothing, `escaped` whether a backslash takes a quotation mark its meaning.
    `skip` lines above the table are no part of it. `damaged`: single bytes do not fit the encoding. `sheet`
    is the name of a spreadsheet's table, empty for the first one.
    """

    kind: str
    separator: str = ","
    header: bool = True
    quoted: bool = True
    encoding: str = "utf-8"
    spaced: bool = False
    escaped: bool = False
    skip: int = 0
    damaged: bool = False
    sheet: str = ""


class _Refused(NamedTuple):
    start: bytes
    what: str
    instead: str


_UNPACK = "Unpack it, and upload the file with the texts that is in it"
_EXPORT = "Export the texts as CSV, JSONL or Parquet, and upload that"
_SPREADSHEET = TEXTS["open_spreadsheet"]
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
    TEXTS["pickle"],
    TEXTS["export_pickle"],
)


def refuse(start: bytes, name: str) -> None:
    """Raises `TourError` for a file that begins like something other than texts."""
    for magic, what, instead in _REFUSED:
        if start.startswith(magic):
            if magic.startswith(b"PK") and b"word/" in start:
                what, instead = "a document (DOCX)", "Copy its text into a file of plain text or CSV"
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
    if is_sheet(start, name):
        return Format(kind=SHEET)
    refuse(start, name)
    if start.startswith(b"PAR1"):
        return Format(kind=PARQUET)
    encoding, damaged = _encoding(path, start, name)
    text = start.decode(encoding, errors="ignore").removeprefix("\ufeff")
    suffix = Path(name).suffix.lower()
    whole = Format(kind=LINES, encoding=encoding, damaged=damaged)
    match text.lstrip()[:1]:
        case "[" if suffix == ".json" or text.lstrip()[1:].lstrip()[:1] in ("{", "]"):
            return replace(whole, kind=JSON)
        case "{" if suffix == ".json" and columns_in(path, encoding):
            return replace(whole, kind=COLUMNS)
        case "{" if suffix != ".csv":
            return replace(whole, kind=JSONL)
    if suffix in (".json", ".jsonl", ".ndjson"):
        return replace(whole, kind=JSON if suffix == ".json" else JSONL)
    shape = table_of(text)
    form = replace(whole, kind=TABLE, **asdict(shape))
    rows = cells(text, shape)
    if suffix == ".txt" and not _is_table(rows, shape.separator):
        return whole
    return replace(form, header=has_header(rows))


def columns_in(path: Path, encoding: str) -> dict[str, list[Any]] | None:
    """The columns of a file that is one JSON object of them: lists of one length, or objects with one set of
    keys, as pandas writes them. None where it is something else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig" if encoding == "utf-8" else encoding))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not found:
        return None
    values = list(found.values())
    if isinstance(found.get("columns"), list) and isinstance(found.get("data"), list):
        names, rows = list(map(str, found["columns"])), found["data"]
        if all(isinstance(row, list) and len(row) == len(names) for row in rows):
            return {name: [row[at] for row in rows] for at, name in enumerate(names)}
    if all(isinstance(one, dict) and one.keys() == values[0].keys() for one in values):
        return {name: list(one.values()) for name, one in found.items()}
    if all(isinstance(one, list) and len(one) == len(values[0]) for one in values) and not any(
        isinstance(value, dict) for one in values for value in one
    ):
        return dict(found)
    return None


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How the cells of a table are told apart: fields of `Format`."""

    separator: str = ""
    quoted: bool = True
    spaced: bool = False
    escaped: bool = False
    skip: int = 0

    def reader(self, lines: Iterable[str]) -> Any:
        """The library's reader of the lines below those that are skipped."""
        return csv.reader(
            islice(lines, self.skip, None),
            delimiter=self.separator or ",",
            quoting=csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE,
            skipinitialspace=self.spaced,
            escapechar="\\" if self.escaped else None,
        )


def shape_of(form: Format) -> Shape:
    return Shape(**{one.name: getattr(form, one.name) for one in fields(Shape)})


_VARIANTS: tuple[dict[str, Any], ...] = (
    {},
    {"quoted": False},
    {"spaced": True},
    {"escaped": True},
    {"spaced": True, "escaped": True},
)


def table_of(text: str) -> Shape:
    """What parts the cells of a table that begins so: what gives most rows as many cells as the first."""
    told = _SEP.match(text)
    best, found = -1.0, Shape()
    for separator in [told[1]] if told else filter(None, SEPARATORS):
        for variant in _VARIANTS:
            shape = Shape(separator=separator, skip=1 if told else 0, **variant)
            rows = cells(text, shape)
            if rows and len(rows[0]) > 1:
                good = [len(row) == len(rows[0]) and not any(map(_SPACED.match, row)) for row in rows]
                even = sum(good) / len(rows)
                if even > best:
                    best, found = even, shape
    if best < 1 and not told and (below := _below_titles(text)):
        return below
    return found if best >= 0 or not told else Shape(separator=told[1], skip=1)


def _below_titles(text: str) -> Shape | None:
    """A table under lines that are no part of it: they have no separator, and the table's rows are even."""
    lines = text.splitlines(keepends=True)
    for separator in filter(None, SEPARATORS):
        skip = next((at for at, line in enumerate(lines) if separator in line), 0)
        titles = [line.strip() for line in lines[:skip]]
        if not 0 < skip <= _MOST_TITLES or any(
            sign in line for line in titles for sign in SEPARATORS if sign
        ):
            continue
        shape = Shape(separator=separator, skip=skip)
        rows = cells(text, shape)
        known = rows and any(cell.strip().lower() in _NAMES for cell in rows[0])
        if len(rows) > 1 and len({*map(len, rows)}) == 1 and (known or not titles[-1]):
            return shape
    return None


def _is_table(rows: list[list[str]], separator: str) -> bool:
    """Whether lines of text are a table: all have as many cells, and columns have names or one has labels."""
    if len(rows) < 2 or not separator or len({*map(len, rows)}) > 1:
        return False
    if any(cell.strip().lower() in _NAMES for cell in rows[0]):
        return True
    few = any(len({row[at] for row in rows}) <= len(rows) / 2 for at in range(len(rows[0])))
    return separator == "\t" or (separator in ";|" and len(rows) > 5 and few)


def cells(text: str, shape: Shape) -> list[list[str]]:
    """The first rows of a table; the last one of a sample, which may be cut off, is left out."""
    if not shape.separator:
        return [[line] for line in text.splitlines()[:SAMPLE_ROWS] if line]
    rows = []
    try:
        for row in shape.reader(io.StringIO(text, newline="")):
            if row:
                rows.append(row)
            if len(rows) > SAMPLE_ROWS:
                break
    except csv.Error:  # a cell that is longer than the library allows
        pass
    return rows[:-1] if len(rows) > 2 and not text.endswith(("\n", "\r")) else rows[:SAMPLE_ROWS]


def opened(path: Path, form: Format) -> IO[str]:
    """The file's text without a byte order mark; bytes that do not fit become U+FFFD if it is damaged."""
    encoding = "utf-8-sig" if form.encoding == "utf-8" else form.encoding
    return path.open(encoding=encoding, errors="replace" if form.damaged else "strict", newline="")


def text_of(path: Path, name: str) -> tuple[str, list[str]]:
    """All of a file of plain text, and what there is to say of its encoding; raises `TourError`."""
    with path.open("rb") as file:
        start = file.read(SAMPLE)
    if not start:
        raise TourError(Code.INVALID_INPUT, f"{shorten(name)} is empty. Upload one with a text.", "file")
    refuse(start, name)
    encoding, damaged = _encoding(path, start, name)
    form = Format(kind=LINES, encoding=encoding, damaged=damaged)
    try:
        with opened(path, form) as text:
            read = text.read()
    except UnicodeDecodeError as error:
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["not_throughout"].format(name=shorten(name), encoding=ENCODINGS.get(encoding, encoding)),
            "file",
        ) from error
    notes = [damage(path, form)]
    if encoding not in ("utf-8", "utf-16"):
        notes.append(f"It is not UTF-8; it was read as {ENCODINGS.get(encoding, encoding)}.")
    return read, [note for note in notes if note]


def damage(path: Path, form: Format) -> str | None:
    """Which lines of a damaged file have bytes that do not fit, for a visitor."""
    if not form.damaged:
        return None
    lines = []
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode(form.encoding)
            except UnicodeDecodeError:
                lines.append(f"{number:,}")
    some = ", ".join(lines[:5]) + (f" and {len(lines) - 5:,} more" if len(lines) > 5 else "")
    return TEXTS["undecodable"].format(encoding=ENCODINGS[form.encoding], lines=some)


def has_header(rows: list[list[str]]) -> bool:
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


def _encoding(path: Path, start: bytes, name: str) -> tuple[str, bool]:
    """The encoding, and whether single bytes of the file do not fit it."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", False
    if b"\x00" in start:
        for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
            if start[offset::2].count(0) > 0.4 * len(start[offset::2]):
                return encoding, False
        raise _binary(name)
    seen: set[int] = set()
    letters = wrong = 0  # what is written with several bytes, and what can be no part of UTF-8
    foreign = bytearray()  # of lines that are not ASCII
    with path.open("rb") as file:
        while block := file.read(1 << 20) + file.readline(1 << 20):
            seen |= set(block)
            if block.isascii():
                continue
            if len(foreign) < SAMPLE:
                foreign += b"".join(line for line in block.splitlines(True) if not line.isascii())[:SAMPLE]
            letters += len(block.translate(None, _NOT_LEADING))
            try:
                block.decode("utf-8")
            except UnicodeDecodeError:
                bad = block.decode("utf-8", errors="replace").count("\ufffd")
                wrong, letters = wrong + bad, letters - bad
    if len(seen & _CONTROLS) > 3:
        raise _binary(name)
    if not wrong:
        return "utf-8", False
    if letters >= 10 * wrong or start.startswith(codecs.BOM_UTF8):
        return "utf-8", True
    return _old_encoding(path, bytes(foreign), seen), False


def _old_encoding(path: Path, sample: bytes, seen: set[int]) -> str:
    """What is no UTF-8: guessed from its letters where there are enough of them."""
    if sum(byte > 127 for byte in sample) >= _FEWEST_LETTERS:
        import chardet

        said = str(chardet.detect(sample)["encoding"] or "").lower()
        try:
            known = codecs.lookup(said).name.replace("-", "_") if said else ""
        except LookupError:
            known = ""
        guessed = _SAME.get(known, known)
        if guessed in ENCODINGS and _fits(path, guessed):
            return guessed
    return "latin-1" if seen & _UNDEFINED else "cp1252"


def _fits(path: Path, encoding: str) -> bool:
    try:
        with path.open(encoding=encoding) as file:
            while file.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return False
    return True


def is_sheet(start: bytes, name: str) -> bool:
    """Whether a file that begins so is a spreadsheet: an archive with a workbook in it, or an old XLS."""
    named = name.lower().endswith(SHEET_SUFFIXES)
    if start.startswith(b"PK\x03\x04"):
        return named or b"xl/" in start or b"opendocument.spreadsheet" in start
    return named and start.startswith(b"\xd0\xcf\x11\xe0")


def _binary(name: str) -> TourError:
    return _no(name, "no text, and of binary files only Parquet is read", _EXPORT)


def _no(name: str, what: str, instead: str) -> TourError:
    return TourError(Code.INVALID_INPUT, f"{shorten(name)} is {what}. {instead}.", "file")
