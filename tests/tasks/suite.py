"""What the suites run over: every task, and every checkpoint that can do it without the Hub."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

import pytest

from components.insight import anatomy, attention, attribution, layers
from components.models.catalog import load_catalog
from components.models.checkpoint import INSPECTIONS
from components.tasks import catalog
from components.tasks.fields import InputField, option_fields
from components.tasks.task import Task, Tool
from tests.fakes import checkpoints

AnyTask = Task[Any, Any, Any]
T = TypeVar("T")

TASKS: list[AnyTask] = [*catalog.TASKS.values(), attention.TASK, attribution.TASK, layers.TASK, anatomy.TASK]
EMBEDDED = [(task, one.id) for task in TASKS for one in load_catalog() if one.embedded and one.can(task.name)]
TINY = [
    (task, f"tiny-{name}")
    for task in TASKS
    for name, tiny in checkpoints.TINY.items()
    if task.name in tiny.tasks
    or (tiny.head in INSPECTIONS.get(task.name, ()) and "table_question_answering" not in tiny.tasks)
]


def name(value: object) -> str:
    """A parameter's name in a test's id."""
    return value.name if isinstance(value, Task | Tool) else str(value)


def example(task: AnyTask, model: str | None = None, **changes: object) -> dict[str, Any]:
    """The task's example, short enough for a tiny checkpoint; what is explained is what the model does."""
    brief = {"max_new_tokens": 8, "steps": 4}
    short = {one.name: brief[one.name] for one in option_fields(task.options) if one.name in brief}
    given = {**task.example, **(explained(model) if model and task.name == "attribution" else {})}
    return {**given, **short, **({"model": model} if model else {}), **changes}


def explained(model: str) -> dict[str, Any]:
    """The inputs of an attribution, for the first thing that a model can do."""
    done = (
        checkpoints.TINY[model.removeprefix("tiny-")] if model.startswith("tiny-") else load_catalog()[model]
    )
    given: dict[str, Any] = dict(next(task.example for task in TASKS if task.name == done.tasks[0]))
    beside = next(
        (given[name] for name in ("labels", "sentences", "question", "target") if name in given), ""
    )
    joined = ", ".join(beside) if "labels" in given else beside
    return {
        "text": next(given[name] for name in ("context", "text", "source", "prompt") if name in given),
        "text_pair": joined if isinstance(joined, str) else joined[0],
    }


def takes_any_text(task: AnyTask, field: InputField) -> bool:
    """What stands beside an explained text may be labels, or a language."""
    return field.kind == "text" and (task.name, field.name) != ("attribution", "text_pair")


def typed(task: AnyTask, field: InputField, text: str) -> object:
    """An input with `text` in it: as the text itself, one more of a list, or one more row of a table."""
    given: Any = task.example.get(field.name, "")
    match field.kind:
        case "texts":
            return [*given, text]
        case "table":
            return {**given, "rows": [*given["rows"], [text] * len(given["columns"])]}
    return text


def finish(work: Generator[Any, None, T]) -> T:
    """What a generator returns at its end."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result


# Processors add up in different orders; a text may then take another turn far behind its beginning.
SAME_BEGINNING = 40
CLOSE = 0.02
# For the same reason two tokens of nearly the same logit may change places.
LOOSE = {"generated_tokens", "tokens_used", "steps", "next_token", "beams"}


def assert_alike(fresh: Any, stored: Any, within: float = CLOSE) -> None:
    match stored:
        case dict():
            assert fresh.keys() == stored.keys()
            for key in stored.keys() - LOOSE:
                assert_alike(fresh[key], stored[key], within)
        case list():
            assert len(fresh) == len(stored)
            for one, other in zip(fresh, stored, strict=True):
                assert_alike(one, other, within)
        case float():
            assert fresh == pytest.approx(stored, abs=within)
        case str():
            assert fresh[:SAME_BEGINNING] == stored[:SAME_BEGINNING]
        case _:
            assert fresh == stored
