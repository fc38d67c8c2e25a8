"""Many requests for one task in one call: the same task, asked and answered in lists."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.models.errors import Code, TourError
from components.tasks.fields import STRICT, shorten
from components.tasks.stages import Staged
from components.tasks.task import Operation, Progress, Task, Tool
from components.texts import in_folder

if TYPE_CHECKING:
    from components.tasks.runner import Runner

TEXTS = in_folder(__file__)

MOST = 64  # requests in one call


@dataclass(frozen=True, config=STRICT)
class Requests:
    requests: Annotated[
        list[Any],
        Field(
            min_length=1,
            max_length=MOST,
            title="Requests",
            description=TEXTS["requests"],
        ),
    ]


@dataclass(frozen=True)
class Answers:
    """In the order of the requests: each as it would come alone, or `{"error": {"code", "message", "field"}}`
    where that request cannot be served."""

    answers: list[dict[str, Any]]


def batches(operations: Sequence[Operation]) -> dict[str, Tool[Requests, Answers]]:
    """For the name of each task whose requests can share passes: the tool that answers many of them."""
    return {
        task.name: _batch(task)
        for task in operations
        if isinstance(task, Task) and isinstance(task.run, Staged)
    }


def _batch(task: Task[Any, Any, Any]) -> Tool[Requests, Answers]:
    def run(runner: Runner, inputs: Requests) -> Generator[Progress, None, Answers]:
        objects = {place: one for place, one in enumerate(inputs.requests) if isinstance(one, Mapping)}
        answers = yield from runner.batch(task, [*objects.values()])
        found = dict(zip(objects, answers, strict=True))
        whole = [found.get(place) or _no_object(one) for place, one in enumerate(inputs.requests)]
        return Answers([one.as_json() for one in whole])

    return Tool(
        name=f"{task.name}_batch",
        title=f"{task.title}, many requests",
        about=f"Answers up to {MOST} requests for {task.name} in one call.",
        inputs=Requests,
        result=Answers,
        run=run,
        example={"requests": [dict(task.example)]},
        stored=task.stored,
    )


def _no_object(given: object) -> TourError:
    return TourError(
        Code.INVALID_INPUT,
        TEXTS["no_object"].format(given=shorten(given)),
    )
