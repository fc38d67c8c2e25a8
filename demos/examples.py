"""Examples that answer at once: requests with the answers that real models gave, stored as data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.tasks.runner import Runner
from components.tasks.task import Operation, Task
from components.ui.page import Example

FOLDER = Path(__file__).parent / "examples"


def load(task: Operation) -> tuple[Example, ...]:
    """The examples of a task; the first is the one its page opens with."""
    return tuple(Example(**entry) for entry in read(task))


def read(task: Operation) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(path(task).read_text("utf-8"))
    return entries


def write(tasks: Sequence[Task[Any, Any, Any]], runner: Runner) -> None:
    """Answers every stored request anew with the embedded checkpoints."""
    for task in tasks:
        entries: list[Mapping[str, Any]] = [
            {**entry, "answer": runner.call(task, entry["payload"]).as_json()} for entry in read(task)
        ]
        path(task).write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", "utf-8")


def path(task: Operation) -> Path:
    return FOLDER / f"{task.name}.json"
