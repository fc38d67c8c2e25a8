"""How a tab of the anatomy page asks a model for something of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import gradio as gr

from components.figures import status
from components.figures.markup import Markup
from components.tasks.task import Answer, Progress, Task
from components.ui import two_texts
from components.ui.driver import Problem, driven
from components.ui.line import QUEUED, in_line
from components.ui.page import Tour
from demos.anatomy.context import PageContext


def asked(
    tour: Tour, task: Task[Any, Any, Any], payload: Mapping[str, object]
) -> Iterator[Markup | tuple[Markup, Any]]:
    """What to show meanwhile, and at the end the line about the run with its result, unless there is none."""
    for step in driven(task.title, lambda: tour.runner.stream(task, payload)):
        match step:
            case Problem():
                yield step.figure
            case Progress():
                yield status.progress(step.stage, step.share)
            case Answer():
                title = tour.registry.catalog[step.model].title
                yield status.run_line(vars(step), title=title), step.result


def opens(
    page: PageContext,
    run: Callable[..., Iterator[list[Any]]],
    waiting: Callable[[Any], list[Any]],
    options: Sequence[gr.components.Component],
    outputs: Sequence[gr.components.Component],
    shown: gr.HTML,
) -> Any:
    """Has the tab run when it is opened, as long as `shown` is empty; nothing is downloaded unasked."""

    def opened(shown: str, *form_values: Any) -> Iterator[list[Any]]:
        return run(*form_values)

    def needed(shown: str, *form_values: Any) -> bool:
        return not shown and two_texts.there(page.tour, form_values[2])

    return page.tab.select(
        in_line(page.tour.line, opened, waiting, needed),
        [shown, *page.asked, *options],
        list(outputs),
        **QUEUED,
    )
