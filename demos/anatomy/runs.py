"""How a tab of the anatomy page asks a model for something of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from components.figures import status
from components.figures.markup import Markup
from components.tasks.task import Answer, Progress, Task
from components.ui.driver import Problem, driven
from components.ui.page import Tour


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
