"""Spreadsheets as rows of texts. Opens untrusted files: call this in a bounded process."""

from __future__ import annotations

import datetime
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.models.errors import Code, TourError
from components.tasks.counted import counted
from components.tasks.fields import shorten
from components.texts import in_folder

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

TEXTS = in_folder(__file__)

MOST_UNPACKED = 1_000_000_000  # bytes of a packed file's parts together
MOST_PARTS = 10_000
_MOST_TITLES = 5  # rows above a table that are no part of it
_NAMED = 8  # sheets that a note names
_DAMAGED = "is damaged. Save it again, and upload that"
_FORMULA = (b"<f>", b"<f ", b"table:formula=")


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The rows of a sheet, all as long as the longest, without blank rows and columns. `sheets` are the names
    of all that have rows to read."""

    name: str
    rows: list[list[str]]
    sheets: tuple[str, ...]
    notes: tuple[str, ...]


def read(path: Path, name: str, sheet: str = "") -> Sheet:
    """The sheet of that name, by default the first visible one with cells; raises `TourError`.

    `name` is what the visitor calls the file.
    """
    from python_calamine import CalamineError, load_workbook

    check_packed(path, name)
    try:
        with load_workbook(path) as book:
            visible = _visible(book)
            if sheet and sheet not in book.sheet_names:
                raise _fault(name, f"has no sheet {shorten(sheet)}; it has {_listed(book.sheet_names)}")
            rows: list[list[str]] = []
            taken = ""
            for taken in [sheet] if sheet else visible:
                if rows := _even(map(_texts, book.get_sheet_by_name(taken).iter_rows())):
                    break
    except CalamineError as error:
        locked = "password" in str(error).lower() or type(error).__name__ == "PasswordError"
        raise _fault(
            name,
            TEXTS["locked"] if locked else TEXTS["unreadable"].format(error=shorten(str(error), 80)),
        ) from error
    if not rows:
        raise _fault(name, "has only empty cells. Upload one with a table in it")
    rows, titles = _below_titles(rows)
    notes = []
    if len(visible) > 1 or sheet not in ("", *visible):
        notes.append(f"Of the sheets {_listed(visible)}, {shorten(taken)} was read.")
    if titles:
        notes.append(f"Left out above the table: {counted(titles, 'row')} with a single cell.")
    try:
        if _has_formulas(path):
            notes.append(TEXTS["formulas"])
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _fault(name, _DAMAGED) from error
    return Sheet(name=taken, rows=rows, sheets=tuple(visible), notes=tuple(notes))


def names(path: Path) -> tuple[str, ...]:
    """The names of the visible sheets of a file that `read` has read."""
    from python_calamine import load_workbook

    with load_workbook(path) as book:
        return tuple(_visible(book))


def _visible(book: CalamineWorkbook) -> list[str]:
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    listed = [one for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
    shown = [one.name for one in listed if one.visible == SheetVisibleEnum.Visible]
    return shown or [one.name for one in listed]


def check_packed(path: Path, name: str) -> None:
    """Raises `TourError` for an archive that unpacks to more than a document has."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as packed:
            parts = packed.infolist()
    except zipfile.BadZipFile as error:
        raise _fault(name, _DAMAGED) from error
    size = sum(part.file_size for part in parts)
    if size > MOST_UNPACKED or len(parts) > MOST_PARTS:
        raise TourError(
            Code.TOO_LONG,
            TEXTS["too_large"].format(
                name=shorten(name),
                size=size / 1e6,
                parts=len(parts),
                most=MOST_UNPACKED / 1e6,
                most_parts=MOST_PARTS,
            ),
            "file",
        )


def _texts(cells: Sequence[Any]) -> list[str]:
    return [_text(cell) for cell in cells]


def _text(cell: Any) -> str:
    """A stored value as text: whole numbers without a point, dates as ISO 8601 has them."""
    match cell:
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case datetime.datetime():
            whole = cell.time() == datetime.time()
            return cell.date().isoformat() if whole else cell.isoformat(sep=" ")
        case datetime.date() | datetime.time():
            return cell.isoformat()
    return str(cell).replace("\0", "").strip()


def _even(rows: Iterator[list[str]]) -> list[list[str]]:
    """Without blank rows and columns."""
    kept = [row for row in rows if any(row)]
    width = max(map(len, kept), default=0)
    used = [at for at in range(width) if any(at < len(row) and row[at] for row in kept)]
    return [[row[at] if at < len(row) else "" for at in used] for row in kept]


def _below_titles(rows: list[list[str]]) -> tuple[list[list[str]], int]:
    """The table under rows of a single cell, and how many they are."""
    titles = next((at for at, row in enumerate(rows) if sum(map(bool, row)) > 1), 0)
    if not 0 < titles <= _MOST_TITLES:
        return rows, 0
    return _even(iter(rows[titles:])), titles


def _has_formulas(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as packed:
        for part in packed.namelist():
            if part.startswith("xl/worksheets/") or part == "content.xml":
                with packed.open(part) as file:
                    before = b""
                    while block := file.read(1 << 20):
                        if any(mark in before + block for mark in _FORMULA):
                            return True
                        before = block[-16:]
    return False


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(map(shorten, names[:_NAMED])) + more


def _fault(name: str, what: str) -> TourError:
    return TourError(Code.INVALID_INPUT, f"{shorten(name)} {what}.", "file")
