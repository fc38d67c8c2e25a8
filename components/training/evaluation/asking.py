"""What an evaluation asks: the runner in this process, or an app over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol

import httpx
from pydantic import TypeAdapter

from components.models.errors import Code, TourError
from components.tasks.task import Answer

if TYPE_CHECKING:
    from components.tasks.task import I, O, R, Task

PATIENCE = 600.0  # seconds for one answer; the first loads the model


class App(Protocol):
    """Answers a request; `Runner` is one."""

    def call(self, task: Task[I, O, R], payload: Mapping[str, object]) -> Answer[R]: ...


@dataclass(frozen=True)
class Served:
    """An app at `address`, asked through `POST /v1/<task>` as any client would."""

    address: str

    def call(self, task: Task[I, O, R], payload: Mapping[str, object]) -> Answer[R]:
        response = httpx.post(f"{self.address.rstrip('/')}/v1/{task.name}", json=payload, timeout=PATIENCE)
        content: dict[str, Any] = response.json()
        if response.is_error:
            raise TourError(Code(content["error"]["code"]), content["error"]["message"])
        return answer_of(task, content)


def answer_of(task: Task[I, O, R], content: Mapping[str, Any]) -> Answer[R]:
    """The answer that `Answer.as_json` made `content` of."""
    run = {field.name: content[field.name] for field in fields(Answer) if field.name in content}
    result = TypeAdapter(task.result).validate_python(
        {name: value for name, value in content.items() if name not in run}
    )
    return Answer(result=result, **{**run, "notes": tuple(run["notes"])})
