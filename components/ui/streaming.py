"""How a panel shows work under way: what it draws, a line of progress, and which buttons can be pressed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from components.figures import status
from components.figures.markup import Markup
from components.ui.line import Line


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """What a panel's runs have in common with those of the page.

    `asked` are the inputs, the model and the options; `buttons` are Run and Stop, which
    `switches(running=...)` sets; `line` is where it waits for other runs.
    """

    asked: list[gr.components.Component]
    buttons: list[gr.components.Component]
    switches: Callable[..., tuple[gr.Button, gr.Button]]
    line: Line

    def waiting(self, progress: str, *unchanged: Any) -> list[Any]:
        """A line of progress between what stays as it is before it and the page's buttons."""
        return [*unchanged, progress, *self.switches(running=True)]


def streamed(steps: Iterator[tuple[Markup, Markup]], switches: Any) -> Iterator[list[Any]]:
    """Each figure with its line of progress, between Run being switched off and on again.

    For the outputs figure, progress, Run and Stop; `switches(running=...)` sets the last two.
    """
    yield [gr.skip(), str(status.progress("Starting", None)), *switches(running=True)]
    for figure, progress in steps:
        yield [str(figure), str(progress), gr.skip(), gr.skip()]
    yield [gr.skip(), "", *switches(running=False)]
