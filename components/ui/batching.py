"""The panel that answers a file's rows with the page's model and options."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from components import texts
from components.figures import rows, status
from components.models.errors import TourError
from components.tasks import batch, files
from components.tasks.fields import input_fields
from components.ui import uploads
from components.ui.answering import PageController
from components.ui.line import QUEUED, in_line
from components.ui.streaming import Wiring

TEXTS = texts.beside(__file__)

TYPED = "as form_values above"
# Rows that are drawn, and how often.
DRAWN, EVERY = 8, 10


@dataclass(frozen=True, kw_only=True)
class Panel:
    """`columns` has a list for each of the page's inputs; `source` holds the path of the rows, `target` that
    of the answers."""

    file: gr.File
    sheet: gr.Dropdown
    source: gr.State
    columns: list[gr.Dropdown]
    start: gr.Button
    progress: gr.HTML
    rows: gr.HTML
    download: gr.DownloadButton
    target: gr.State


def build(controller: PageController) -> Panel:
    slug = controller.page.slug
    with gr.Accordion("Run on a file", open=False, elem_id=f"{slug}-batch"):
        file = gr.File(
            label=TEXTS["file"],
            file_types=[*batch.SUFFIXES, *files.SHEET_SUFFIXES],
            elem_id=f"{slug}-batch-file",
        )
        sheet = gr.Dropdown([], label="Sheet", visible=False, elem_id=f"{slug}-batch-sheet")
        columns = [
            gr.Dropdown(
                [TYPED], value=TYPED, label=f"{field.title} from", elem_id=f"{slug}-batch-{field.name}"
            )
            for field in input_fields(controller.page.task.inputs)
        ]
        start = gr.Button("Answer all rows", interactive=False, elem_id=f"{slug}-batch-start")
        progress = gr.HTML(elem_id=f"{slug}-batch-progress", elem_classes="status")
        drawn = gr.HTML(elem_id=f"{slug}-batch-rows", elem_classes="compared")
        download = gr.DownloadButton("Download the answers", visible=False, elem_id=f"{slug}-batch-download")
    return Panel(
        file=file,
        sheet=sheet,
        source=gr.State(),
        columns=columns,
        start=start,
        progress=progress,
        rows=drawn,
        download=download,
        target=gr.State(),
    )


def wire(controller: PageController, panel: Panel, wiring: Wiring) -> list[Any]:
    """Returns the events that run."""
    names = [field.name for field in input_fields(controller.page.task.inputs)]

    def picked(path: str | None, sheet: str = uploads.FIRST) -> list[Any]:
        """The file's columns to choose from; one called like an input is it, else the first is the first."""
        unset = [gr.Dropdown([TYPED], value=TYPED) for _ in names]
        hidden = gr.Dropdown([], visible=False)
        if path is None:
            return [None, hidden, *unset, gr.Button(interactive=False), ""]
        try:
            source, sheets = uploads.rows_of(Path(path), Path(path).parent, sheet)
            found = batch.columns(source)
        except TourError as error:
            problem = str(status.problem(error.message))
            return [None, hidden, *unset, gr.Button(interactive=False), problem]
        chosen = {name: name for name in names if name in found} or {names[0]: found[0]}
        lists = [gr.Dropdown([TYPED, *found], value=chosen.get(name, TYPED)) for name in names]
        told = ""
        if sheets is not None:
            hidden = gr.Dropdown(list(sheets.sheets), value=sheets.sheet, visible=len(sheets.sheets) > 1)
            told = str(status.notes([*sheets.notes, "The answers come as CSV."]))
        return [str(source), hidden, *lists, gr.Button(interactive=True), told]

    chosen = [panel.source, panel.sheet, *panel.columns, panel.start, panel.progress]
    panel.file.change(picked, panel.file, chosen, **uploads.READING)
    panel.sheet.input(picked, [panel.file, panel.sheet], chosen, **uploads.READING)

    def start(path: str | None, *values: Any) -> Iterator[list[Any]]:
        columns = {
            name: column for name, column in zip(names, values, strict=False) if column and column != TYPED
        }
        form_values = values[len(names) :]
        if path is None or not columns:
            words = TEXTS["missing"]
            yield [
                str(status.problem(words)),
                gr.skip(),
                gr.skip(),
                gr.skip(),
                *wiring.switches(running=False),
            ]
            return
        source = Path(path)
        try:
            target = controller.tour.files.new(batch.answers_name(source))
        except TourError as error:
            stopped = wiring.switches(running=False)
            yield [str(status.problem(error.message)), gr.skip(), gr.skip(), gr.skip(), *stopped]
            return
        yield [
            str(status.progress("Starting", None)),
            "",
            gr.skip(),
            str(target),
            *wiring.switches(running=True),
        ]
        last: deque[batch.Row] = deque(maxlen=DRAWN)
        done = batch.Done(rows=0, errors=0, share=0.0)
        said = ""
        try:
            for done in controller.batch(form_values, columns, source, target):
                if done.row is not None:
                    last.append(done.row)
                if done.rows % EVERY == 1 or done.rows < EVERY:
                    bar = status.progress(_words(done), done.share)
                    drawn = rows.answered(list(last), [*columns.values()], total=done.rows)
                    yield [str(bar), str(drawn), gr.skip(), gr.skip(), gr.skip(), gr.skip()]
        except TourError as error:
            said = str(status.problem(error.message))
        drawn = rows.answered(list(last), [*columns.values()], total=done.rows)
        yield [
            said + str(status.hint(f"{_words(done)}.")),
            str(drawn),
            _ready(target),
            str(target),
            *wiring.switches(running=False),
        ]

    outputs = [panel.progress, panel.rows, panel.download, panel.target, *wiring.buttons]

    def waiting(progress: str) -> list[Any]:
        return [progress, *[gr.skip()] * 3, *wiring.switches(running=True)]

    asked = [panel.source, *panel.columns, *wiring.asked]
    return [panel.start.click(in_line(wiring.line, start, waiting), asked, outputs, **QUEUED)]


def kept(target: str | None) -> Any:
    """The button for what was answered before a stop."""
    return _ready(Path(target)) if target else gr.skip()


def _ready(target: Path) -> gr.DownloadButton:
    there = target.is_file() and target.stat().st_size > 0
    return gr.DownloadButton(value=str(target) if there else None, visible=there)


def _words(done: batch.Done) -> str:
    wrong = f", {done.errors:,} of them without an answer" if done.errors else ""
    return f"{done.rows:,} rows answered{wrong}"
