"""What tabs of the anatomy page ask of a model beside its structure."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from components.insight import anatomy
from components.insight.inputs import Inputs
from components.tasks.task import Output, Progress, Task

if TYPE_CHECKING:
    from components.models.checkpoint import Checkpoint, LoadedModel


class Read(Protocol):
    """What was found out about a text, and how much of it was read."""

    @property
    def tokens_used(self) -> int: ...

    @property
    def notes(self) -> tuple[str, ...]: ...


O = TypeVar("O")  # noqa: E741 - as in components/tasks/task.py
R = TypeVar("R", bound=Read)


def tab(
    title: str,
    about: str,
    options: type[O],
    result: type[R],
    look: Callable[[LoadedModel, Inputs, O], Generator[Progress, None, R]],
) -> Task[Inputs, O, R]:
    """Under the name by which checkpoints say that they can be opened, with the program that opens them."""

    def run(model: LoadedModel, inputs: Inputs, options: O) -> Iterator[Progress | Output[R]]:
        from components.insight import reading

        found = yield from look(model, inputs, options)
        yield Output(
            result=found,
            tokens_used=found.tokens_used,
            token_limit=reading.reads(model),
            notes=found.notes,
        )

    def code(checkpoint: Checkpoint, inputs: Inputs, options: Any) -> str:
        return anatomy.TASK.snippet(checkpoint, inputs, anatomy.Options())

    return Task(
        name=anatomy.TASK.name,
        title=title,
        about=about,
        inputs=Inputs,
        options=options,
        result=result,
        heads=anatomy.TASK.heads,
        run=run,
        snippet=code,
        stored=anatomy.TASK.stored,
        example=anatomy.TASK.example,
    )
