"""How a panel shows work under way: what it draws, a line of progress, and which buttons can be pressed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from components.figures import status
from components.figures.markup import Markup


def streamed(steps: Iterator[tuple[Markup, Markup]], switches: Any) -> Iterator[list[Any]]:
    """Each figure with its line of progress, between Run being switched off and on again.

    For the outputs figure, progress, Run and Stop; `switches(running=...)` sets the last two.
    """
    yield [gr.skip(), str(status.progress("Starting", None)), *switches(running=True)]
    for figure, progress in steps:
        yield [str(figure), str(progress), gr.skip(), gr.skip()]
    yield [gr.skip(), "", *switches(running=False)]
