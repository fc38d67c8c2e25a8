"""Tables out of spreadsheets and texts out of documents, by a bounded process of this module.

Its input is an `Order` as JSON; what was asked for is written to the order's target.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from components.models import disk
from components.models.errors import Code, TourError
from components.tasks import bounded, documents, files, sheets
from components.tasks.fields import shorten

LARGEST = 20_000_000  # bytes
_WRITTEN = 200_000_000  # bytes


@dataclass(frozen=True, kw_only=True)
class Order:
    """`target` gets the sheet as CSV, or the document's text, in UTF-8."""

    what: Literal["sheet", "document"]
    source: Path
    name: str
    sheet: str
    target: Path


@dataclass(frozen=True, kw_only=True)
class Extracted:
    """What there is to know of what was written; `sheets` are those that the file has."""

    sheet: str
    sheets: tuple[str, ...]
    notes: tuple[str, ...]


def is_sheet(path: Path) -> bool:
    with path.open("rb") as file:
        return files.is_sheet(file.read(files.SAMPLE), path.name)


def sheet_as_csv(source: Path, target: Path, sheet: str = "") -> Extracted:
    """Writes a spreadsheet's table, by default the first one, as CSV; raises `TourError`."""
    return _ask(Order(what="sheet", source=source, name=source.name, sheet=sheet, target=target))


def document_as_text(source: Path, target: Path) -> Extracted:
    """Writes the text of a document; raises `TourError`."""
    return _ask(Order(what="document", source=source, name=source.name, sheet="", target=target))


def _ask(order: Order) -> Extracted:
    if (nbytes := order.source.stat().st_size) > LARGEST:
        raise TourError(
            Code.TOO_LONG,
            f"{shorten(order.name)} has {nbytes / 1e6:,.0f} MB; up to {LARGEST / 1e6:.0f} MB are read. "
            "Take a part of it.",
            "file",
        )
    (told,) = bounded.ask("components.tasks.extract", TypeAdapter(Order).dump_json(order), order.name)
    return TypeAdapter(Extracted).validate_python(told["done"])


def _extract(order: Order) -> Extracted:
    if order.what == "document":
        document = documents.read(order.source, order.name)
        order.target.write_text(document.text, "utf-8")
        return Extracted(sheet="", sheets=(), notes=document.notes)
    found = sheets.read(order.source, order.name, order.sheet)
    _write(found.rows, order.target)
    return Extracted(sheet=found.name, sheets=found.sheets, notes=found.notes)


def _write(rows: Sequence[Sequence[str]], target: Path) -> None:
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def main() -> int:
    bounded.bound(_WRITTEN)
    order = TypeAdapter(Order).validate_json(sys.stdin.read())
    try:
        with disk.explained("the file could not be read"):
            bounded.tell(done=TypeAdapter(Extracted).dump_python(_extract(order), mode="json"))
    except TourError as error:
        bounded.tell(error={"code": error.code, "message": error.message})
    except MemoryError:
        return bounded.BEYOND
    return 0


if __name__ == "__main__":
    sys.exit(main())
