"""Examples that answer at once: requests with the answers that real models gave, stored as data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from components.tasks.runner import Runner
from components.tasks.task import Answer, Finding, Operation
from components.ui.page import Example


def load(task: Operation) -> tuple[Example, ...]:
    """The first is the one that the task's page opens with. FileNotFoundError if none is stored."""
    if not task.stored.is_file():
        raise FileNotFoundError(f"{task.stored} is missing; make it: python app.py --examples all")
    return tuple(Example(**entry) for entry in read(task))


def read(task: Operation) -> list[dict[str, Any]]:
    """Requests with their answers; of a new task its own example, without one."""
    if not task.stored.is_file():
        return [{"label": task.title, "payload": dict(task.example)}]
    entries: list[dict[str, Any]] = json.loads(task.stored.read_text("utf-8"))
    return entries


def write(operations: Sequence[Operation], runner: Runner) -> None:
    """Answers every stored request anew with the embedded checkpoints."""
    for task in operations:
        entries: list[Mapping[str, Any]] = [
            {**entry, "answer": _answer(task, entry["payload"], runner)} for entry in read(task)
        ]
        task.stored.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _answer(task: Operation, payload: Mapping[str, Any], runner: Runner) -> dict[str, Any]:
    """The whole answer, as the API gives it."""
    *_, last = runner.answer(task, payload)
    return cast(Answer[Any] | Finding[Any], last).as_json()
