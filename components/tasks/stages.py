"""A task's work on a model as three functions, and the generator that they make together.

Each module that a task names in `stages` has them: `preprocess` turns a request into rows for the network,
`forward` runs the network over rows, which may be those of several requests, and `postprocess` turns what
came out into the task's result.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from components.models.errors import TourError
from components.tasks.explained import Explained
from components.tasks.snippet import snippet
from components.tasks.task import I, O, Output, Progress, R, Task, every_language, map_progress

if TYPE_CHECKING:
    from components.models.checkpoint import Checkpoint, Head, LoadedModel

T = TypeVar("T")


class Prepared(Protocol):
    """A request as `preprocess` leaves it; what else `postprocess` needs is up to the task."""

    @property
    def rows(self) -> Sequence[Any]: ...


@dataclass(frozen=True)
class Partial(Generic[T]):
    """What a forward pass that takes many steps has come to; `outputs` are those of the first rows."""

    outputs: Sequence[T]


Forward = Generator[Progress | Partial[T], None, Sequence[T]]
"""Yields after each bounded piece of work; returns one output per row, in the rows' order."""


class Stages(Protocol):
    """What a module of a task's folder has, for the architectures that the task names it for."""

    def preprocess(self, model: LoadedModel, inputs: Any, options: Any) -> Prepared:
        """Raises `TourError` for a request that the checkpoint cannot serve."""

    def forward(self, model: LoadedModel, rows: Sequence[Any]) -> Forward[Any]:
        """A row's output does not depend on the rows beside it."""

    def postprocess(
        self, model: LoadedModel, inputs: Any, options: Any, prepared: Any, outputs: Sequence[Any]
    ) -> Output[Any]:
        """The result as far as there are outputs."""


@dataclass(frozen=True)
class Batch:
    """The outputs of several requests, in their order; an error where the checkpoint cannot serve one."""

    outputs: Sequence[Output[Any] | TourError]


@dataclass(frozen=True, kw_only=True)
class Staged:
    """What a task does: the stages in a module of its package. Another process can be handed it."""

    package: str
    modules: Mapping[Head, str]

    def __call__(self, model: LoadedModel, inputs: Any, options: Any) -> Iterator[Progress | Output[Any]]:
        import torch

        module = import_module(f"{self.package}.{self.modules[model.checkpoint.head]}")
        return torch.inference_mode()(answer)(cast(Stages, module), model, inputs, options)

    def together(self, model: LoadedModel, requests: Sequence[tuple[Any, Any]]) -> Iterator[Progress | Batch]:
        """Inputs and options of several requests in shared forward passes; the last step has all outputs."""
        import torch

        module = import_module(f"{self.package}.{self.modules[model.checkpoint.head]}")
        return torch.inference_mode()(together)(cast(Stages, module), model, requests)


def task(
    file: str,
    *,
    title: str,
    about: str,
    inputs: type[I],
    options: type[O],
    result: type[R],
    stages: Mapping[Head, str],
    example: Mapping[str, object],
    reads: Callable[[LoadedModel, I, O], Collection[str]] = every_language,
    write_snippet: Callable[[Checkpoint, I, O], str] | None = None,
    explained: Explained | None = None,
) -> Task[I, O, R]:
    """The task whose contract stands in `file`, the `__init__.py` of its folder; the folder is its name.

    `stages` names the module of the folder that does the work, by architecture. Nothing of it is imported
    before the first request, since it imports torch.
    """
    folder = Path(file).parent

    return Task(
        name=folder.name,
        title=title,
        about=about,
        inputs=inputs,
        options=options,
        result=result,
        heads=frozenset(stages),
        run=Staged(package=f"{__package__}.{folder.name}", modules=stages),
        snippet=write_snippet or snippet(folder / "snippets"),
        example=example,
        stored=folder / "examples.json",
        reads=reads,
        explained=explained,
    )


def together(
    stages: Stages, model: LoadedModel, requests: Sequence[tuple[Any, Any]]
) -> Iterator[Progress | Batch]:
    """The rows of all requests go through the network in one `forward`."""
    prepared: list[Prepared | TourError] = []
    for inputs, options in requests:
        try:
            prepared.append(stages.preprocess(model, inputs, options))
        except TourError as error:
            prepared.append(error)
    rows = [row for one in prepared if not isinstance(one, TourError) for row in one.rows]
    outputs = (yield from _outputs(stages, model, rows)) if rows else ()
    found: list[Output[Any] | TourError] = []
    start = 0
    for (inputs, options), one in zip(requests, prepared, strict=True):
        if isinstance(one, TourError):
            found.append(one)
            continue
        own = outputs[start : start + len(one.rows)]
        start += len(own)
        try:
            found.append(stages.postprocess(model, inputs, options, one, own))
        except TourError as error:
            found.append(error)
    yield Batch(found)


def answer(stages: Stages, model: LoadedModel, inputs: Any, options: Any) -> Iterator[Progress | Output[Any]]:
    """The three stages one after the other; what is partly done is shown as far as it has come."""
    prepared = stages.preprocess(model, inputs, options)

    def shown(step: Progress | Partial[Any]) -> Progress | Output[Any]:
        if isinstance(step, Progress):
            return step
        return stages.postprocess(model, inputs, options, prepared, step.outputs)

    outputs = yield from map_progress(stages.forward(model, prepared.rows), shown)
    yield stages.postprocess(model, inputs, options, prepared, outputs)


def whole_answer(
    stages: Any, model: LoadedModel, inputs: Any, options: Any
) -> Generator[Progress, None, Output[Any]]:
    """What a module's stages make of a request, without what is partly done; `stages` is the module."""
    prepared = stages.preprocess(model, inputs, options)
    outputs = yield from _outputs(stages, model, prepared.rows)
    output: Output[Any] = stages.postprocess(model, inputs, options, prepared, outputs)
    return output


def _outputs(
    stages: Stages, model: LoadedModel, rows: Sequence[Any]
) -> Generator[Progress, None, Sequence[Any]]:
    """Those of all rows, with progress on the way."""

    def progress(step: Progress | Partial[Any]) -> Progress:
        return step if isinstance(step, Progress) else Progress("Working", len(step.outputs) / len(rows))

    return map_progress(stages.forward(model, rows), progress)
