"""An input that is a table: pasted as text, or edited cell by cell."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from components.ui.page import TextInput

if TYPE_CHECKING:
    import pandas

MOST_DRAWN = 200_000  # characters


@dataclass(frozen=True, kw_only=True)
class TableInput(TextInput):
    """A table as text: its first line names the columns; commas, semicolons, tabs or bars between cells.

    Below it is the same table as a grid. Either follows the other; what is asked is the text.
    """

    @property
    def hint(self) -> str:
        return "Paste CSV or a spreadsheet; the first line names the columns."

    def beside(self, box: Any, value: str, elem_id: str) -> None:
        with gr.Accordion("Edit as a grid", open=False, elem_id=f"{elem_id}-fold"):
            grid: Any = gr.Dataframe(
                self._framed(value),
                interactive=True,
                show_label=False,
                label="The table as a grid",
                max_height=360,
                elem_id=elem_id,
            )
        quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}

        def follow(typed: str, frame: pandas.DataFrame) -> Any:
            # The grid's own edit comes back by way of the text; drawing it anew would end the editing.
            return gr.skip() if self.parse(typed) == _table(frame) else self._framed(typed)

        grid.input(lambda frame: self.show(_table(frame)), grid, box, **quiet)
        # More than that, or half a character, is refused when it is asked, and no answer to it can be sent.
        drawable = f"(typed, grid) => [typed.slice(0, {MOST_DRAWN}).toWellFormed(), grid]"
        box.change(follow, [box, grid], grid, js=drawable, **quiet)

    def parse(self, typed: str) -> Mapping[str, Any]:
        header = typed.strip("\n").partition("\n")[0]
        delimiter = max(("\t", ",", ";", "|"), key=header.count)
        try:
            lines = list(csv.reader(io.StringIO(typed.strip("\n"), newline=""), delimiter=delimiter))
        except csv.Error:  # a quotation mark that is never closed makes one cell of all that follows
            lines = [line.split(delimiter) for line in typed.splitlines()]
        columns, *rows = [[cell.strip() for cell in line] for line in lines if any(map(str.strip, line))] or [
            []
        ]
        return {"columns": columns, "rows": rows}

    def show(self, value: Any) -> str:
        written = io.StringIO()
        csv.writer(written, lineterminator="\n").writerows([value["columns"], *value["rows"]])
        return written.getvalue().removesuffix("\n")

    def _framed(self, typed: str) -> dict[str, Any]:
        """For the grid, whose rows are all as long as the longest."""
        table = self.parse(typed)
        width = max(map(len, [table["columns"], *table["rows"]]))
        columns, *rows = [[*line, *[""] * (width - len(line))] for line in [table["columns"], *table["rows"]]]
        return {"headers": columns, "data": rows}


def _table(frame: pandas.DataFrame) -> Mapping[str, Any]:
    """A grid's content as the API has a table."""
    cells = frame.fillna("").astype(str)
    return {"columns": [str(name) for name in cells.columns], "rows": cells.to_numpy().tolist()}
