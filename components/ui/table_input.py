"""An input that is a table: pasted as text, or edited cell by cell."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from components import javascript, texts
from components.tasks import files
from components.ui import uploads
from components.ui.page import TextInput

TEXTS = texts.beside(__file__)

if TYPE_CHECKING:
    import pandas

    from components.tasks.fields import InputField

_RULE = re.compile(r"\|?(?:\s*:?-+:?\s*\|)*\s*:?-+:?\s*\|?")
_BAR = re.compile(r"(?<!\\)\|")
MOST_DRAWN = 200_000  # characters


@dataclass(frozen=True, kw_only=True)
class TableInput(TextInput):
    """A table as text: its first line names the columns; commas, semicolons, tabs or bars between cells, as
    the files of many requests are read; or a Markdown table.

    Below it is the same table as a grid. Either follows the other; what is asked is the text.
    """

    @property
    def hint(self) -> str:
        return TEXTS["hint"]

    def beside(self, box: Any, field: InputField, value: str, elem_id: str) -> None:
        uploads.table(box, self.show, elem_id)
        with gr.Accordion("Edit as a grid", open=False, elem_id=f"{elem_id}-grid-fold"):
            grid: Any = gr.Dataframe(
                self._framed(value),
                interactive=True,
                show_label=False,
                label="The table as a grid",
                max_height=360,
                elem_id=f"{elem_id}-grid",
            )
        quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}

        def follow(form_values: str, frame: pandas.DataFrame) -> Any:
            # The grid's own edit comes back by way of the text; drawing it anew would end the editing.
            return gr.skip() if self.parse(form_values) == _table(frame) else self._framed(form_values)

        grid.input(lambda frame: self.show(_table(frame)), grid, box, **quiet)
        # More than that, or half a character, is refused when it is asked, and no answer to it can be sent.
        drawable = javascript.call("typing", "drawable", MOST_DRAWN)
        box.change(follow, [box, grid], grid, js=drawable, **quiet)

    def parse(self, form_values: str) -> Mapping[str, Any]:
        text = form_values.lstrip("\ufeff").strip("\n")
        lines = _markdown(text)
        if lines is None:
            shape = files.table_of(f"{text}\n")
            try:
                lines = list(shape.reader(io.StringIO(text, newline="")))
            except csv.Error:
                lines = [line.split(shape.separator or None) for line in text.splitlines()]
            if not shape.separator:
                lines = [[line] for line in text.splitlines()]
        columns, *rows = [[cell.strip() for cell in line] for line in lines if any(map(str.strip, line))] or [
            []
        ]
        return {"columns": columns, "rows": rows}

    def show(self, value: Any) -> str:
        written = io.StringIO()
        csv.writer(written, lineterminator="\n").writerows([value["columns"], *value["rows"]])
        return written.getvalue().removesuffix("\n")

    def _framed(self, form_values: str) -> dict[str, Any]:
        """For the grid, whose rows are all as long as the longest."""
        table = self.parse(form_values)
        width = max(map(len, [table["columns"], *table["rows"]]))
        columns, *rows = [[*line, *[""] * (width - len(line))] for line in [table["columns"], *table["rows"]]]
        return {"headers": columns, "data": rows}


def _markdown(text: str) -> list[list[str]] | None:
    """The cells of a Markdown table, None where there is no rule under the first line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) < 2 or "|" not in lines[0] or not _RULE.fullmatch(lines[1]):
        return None
    left, right = "|" * lines[0].startswith("|"), "|" * lines[0].endswith("|")
    cells = [_BAR.split(line.removeprefix(left).removesuffix(right)) for line in (lines[0], *lines[2:])]
    return [[cell.replace("\\|", "|") for cell in line] for line in cells]


def _table(frame: pandas.DataFrame) -> Mapping[str, Any]:
    """A grid's content as the API has a table."""
    cells = frame.fillna("").astype(str)
    return {"columns": [str(name) for name in cells.columns], "rows": cells.to_numpy().tolist()}
