"""Buttons that fill a box from a file: a document's text, a spreadsheet's or a CSV file's table."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import gradio as gr

from components import texts
from components.figures import status
from components.models.errors import TourError
from components.tasks import batch, documents, extract, files
from components.tasks.fields import LARGEST_TABLE, LONGEST_CELL, MOST_COLUMNS, MOST_ROWS
from components.temporary import remove

TEXTS = texts.beside(__file__)

# Reading takes a processor; nothing of it touches the device.
READING: dict[str, Any] = {
    "show_progress": "hidden",
    "concurrency_id": "reading",
    "concurrency_limit": 2,
    "api_visibility": "private",
}
FIRST = ""  # among sheets


def document(box: Any, limit: int | None, elem_id: str) -> None:
    """Fills a text box with the text of a PDF, a Word document or a file of plain text."""
    suffixes = ", ".join(suffix.removeprefix(".").upper() for suffix in documents.SUFFIXES)
    button = gr.UploadButton(
        f"Upload a file ({suffixes})",
        file_types=list(documents.SUFFIXES),
        size="sm",
        elem_id=f"{elem_id}-file",
    )
    said = gr.HTML(elem_id=f"{elem_id}-file-status", elem_classes="status")

    def take(path: str | None) -> list[Any]:
        if path is None:
            return [gr.skip(), gr.skip()]
        try:
            with tempfile.TemporaryDirectory() as folder:
                text = Path(folder) / "text"
                found = extract.document_as_text(Path(path), text)
                whole = text.read_text("utf-8")
        except TourError as error:
            return [gr.skip(), str(status.problem(error.message))]
        finally:
            remove(Path(path))
        notes = list(found.notes)
        if limit is not None and len(whole) > limit:
            notes.append(TEXTS["text_cut"].format(limit=limit, length=len(whole)))
        return [whole[:limit], str(status.notes(notes) or status.hint("This is the file's text."))]

    button.upload(take, button, [box, said], **READING)


def table(box: Any, show: Callable[[Any], str], elem_id: str) -> None:
    """Fills a text box with the table in a spreadsheet or a CSV file, as `show` writes it."""
    suffixes = (*files.SHEET_SUFFIXES, ".csv", ".tsv")
    with gr.Row(elem_classes="actions"):
        button = gr.UploadButton(
            "Upload a file (XLSX, ODS, CSV)", file_types=list(suffixes), size="sm", elem_id=f"{elem_id}-file"
        )
        sheet = gr.Dropdown([], label="Sheet", visible=False, elem_id=f"{elem_id}-sheet")
    said = gr.HTML(elem_id=f"{elem_id}-file-status", elem_classes="status")
    kept = gr.State()

    def read(path: str, picked: str) -> list[Any]:
        try:
            with tempfile.TemporaryDirectory() as folder:
                rows, found = rows_of(Path(path), Path(folder), picked)
                value, notes = _fitting(rows)
        except TourError as error:
            return [gr.skip(), gr.Dropdown(visible=False), str(status.problem(error.message))]
        several = found is not None and len(found.sheets) > 1
        names = list(found.sheets) if found else []
        shown = gr.Dropdown(names, value=found.sheet if found else None, visible=several)
        told = [*(found.notes if found else ()), *notes]
        return [show(value), shown, str(status.notes(told) or status.hint("This is the file's table."))]

    def take(path: str | None) -> list[Any]:
        return [gr.skip()] * 4 if path is None else [path, *read(path, FIRST)]

    def again(path: str | None, picked: str) -> list[Any]:
        return [gr.skip()] * 3 if path is None else read(path, picked)

    button.upload(take, button, [kept, box, sheet, said], **READING)
    sheet.input(again, [kept, sheet], [box, sheet, said], **READING)


def rows_of(path: Path, folder: Path, sheet: str) -> tuple[Path, extract.Extracted | None]:
    """A file of rows as it is, or a spreadsheet's as a CSV file in `folder` with what to know of it."""
    if not extract.is_sheet(path):
        return path, None
    rows = folder / f"{path.stem}.csv"
    return rows, extract.sheet_as_csv(path, rows, sheet)


def _fitting(rows: Path) -> tuple[dict[str, Any], list[str]]:
    """As much of a file of rows as a table may have, and what was left out."""
    read = [
        {name: str(cell) for name, cell in row.items()} for row in islice(batch.read(rows), MOST_ROWS + 1)
    ]
    names = list(dict.fromkeys(name for row in read for name in row))
    notes = []
    if len(names) > MOST_COLUMNS:
        notes.append(f"The first {MOST_COLUMNS} of {len(names):,} columns were taken: no more are allowed.")
    columns = [name[:LONGEST_CELL] for name in names[:MOST_COLUMNS]]
    room, kept, cut = LARGEST_TABLE - sum(map(len, columns)), [], False
    for row in read[:MOST_ROWS]:
        cells = [row.get(name, "") for name in names[:MOST_COLUMNS]]
        cut = cut or any(len(cell) > LONGEST_CELL for cell in cells)
        cells = [cell[:LONGEST_CELL] for cell in cells]
        if (room := room - sum(map(len, cells))) < 0:
            break
        kept.append(cells)
    if len(kept) < len(read):
        notes.append(TEXTS["table_cut"].format(kept=len(kept), rows=MOST_ROWS, characters=LARGEST_TABLE))
    if cut:
        notes.append(f"Cells were cut after {LONGEST_CELL:,} characters.")
    return {"columns": columns, "rows": kept}, notes
