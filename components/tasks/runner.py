"""From a flat request to an answer: validation, the model, turns on the device, the time it took."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Generic, cast

from components.models import devices
from components.models.errors import Code, TourError
from components.models.status import State
from components.models.tokenizers import Tokenizers
from components.tasks.fields import input_fields, option_fields, shorten, validate
from components.tasks.task import Answer, Finding, I, O, Operation, Output, Progress, R, Task, Tool

if TYPE_CHECKING:
    from components.models.checkpoint import Checkpoint, LoadedModel
    from components.models.registry import Registry
    from components.models.settings import Profile


@dataclass(frozen=True, kw_only=True)
class Request(Generic[I, O]):
    """A valid request."""

    checkpoint: Checkpoint
    inputs: I
    options: O


class Runner:
    """Runs tasks on the registry's models.

    A request (`payload`) is flat: a task's inputs by name, "model" (a checkpoint's id; the
    profile's default if left out, null or empty), and options by name.
    """

    def __init__(self, registry: Registry, profile: Profile) -> None:
        self.registry = registry
        self.tokenizers = Tokenizers(registry)
        self.profile = profile

    def parse(self, task: Task[I, O, R], payload: Mapping[str, object]) -> Request[I, O]:
        """Raises `TourError`, with the field at fault, for anything but a valid request."""
        inputs = [field.name for field in input_fields(task.inputs)]
        options = [field.name for field in option_fields(task.options)]
        _refuse_strangers(task, payload, [*inputs, "model", *options])
        checkpoint = self._checkpoint(task, payload.get("model"))
        return Request(
            checkpoint=checkpoint,
            inputs=validate(task.inputs, {name: payload[name] for name in inputs if name in payload}),
            options=validate(task.options, {name: payload[name] for name in options if name in payload}),
        )

    def answer(
        self, operation: Operation, payload: Mapping[str, object]
    ) -> Generator[Progress | Answer[Any] | Finding[Any], None, None]:
        """What a door serves: `stream` for a task; for a tool progress and, last, what it found."""
        if isinstance(operation, Task):
            return self.stream(operation, payload)
        _refuse_strangers(operation, payload, [field.name for field in input_fields(operation.inputs)])
        return self._use(operation, validate(operation.inputs, payload))

    def _use(self, tool: Tool[I, R], inputs: I) -> Generator[Progress | Finding[R], None, None]:
        result = yield from tool.run(self.tokenizers, inputs)
        yield Finding(result=result)

    def stream(
        self, task: Task[I, O, R], payload: Mapping[str, object]
    ) -> Generator[Progress | Answer[R], None, None]:
        """Progress and answers as far as the work has come; the last answer is the whole one.

        A bad request raises here, before anything is iterated. Closing the generator ends the
        work and gives model and device back at once.
        """
        return self._stream(task, self.parse(task, payload))

    def call(self, task: Task[I, O, R], payload: Mapping[str, object]) -> Answer[R]:
        """The whole answer."""
        answer = None
        for step in self.stream(task, payload):
            if isinstance(step, Answer):
                answer = step
        if answer is None:
            raise AssertionError(f"{task.name} ended without an answer")
        return answer

    def _checkpoint(self, task: Task[I, O, R], model: object) -> Checkpoint:
        catalog = self.registry.catalog
        if model is None or model == "":
            return catalog.default(task.name, self.profile)
        if not isinstance(model, str):
            raise TourError(
                Code.INVALID_INPUT, f"Model must be a checkpoint's id; {shorten(model)} was given.", "model"
            )
        suitable = catalog.for_task(task.name)
        for checkpoint in suitable:
            if checkpoint.id == model:
                return checkpoint
        try:
            brought = self.registry.adopt(model)
        except TourError as error:
            if error.code is Code.UNREACHABLE:
                raise TourError(
                    error.code,
                    f"{error.message} The list has {', '.join(one.id for one in suitable)}.",
                    "model",
                ) from error
            if error.code is not Code.UNKNOWN_MODEL:
                raise
        else:
            if brought.can(task.name):
                return brought
        known = model in self.registry.catalog
        raise TourError(
            Code.UNSUITABLE_MODEL if known else Code.UNKNOWN_MODEL,
            (f"{model} cannot do {task.title.lower()}" if known else f"There is no model {shorten(model)}")
            + f"; pick one of {', '.join(checkpoint.id for checkpoint in suitable)}.",
            "model",
        )

    def _stream(
        self, task: Task[I, O, R], request: Request[I, O]
    ) -> Generator[Progress | Answer[R], None, None]:
        identity = request.checkpoint.id
        for status in self.registry.wait(identity):
            if status.state is not State.READY:
                yield Progress(status.stage, status.share)
        with self.registry.lease(identity) as model:
            work = task.run(model, request.inputs, request.options)
            # Generators close; an iterator that is none has nothing to give back.
            with closing(cast(Generator[Any, None, None], work)):
                seconds = 0.0
                while True:
                    with self.registry.turn():
                        begun = perf_counter()
                        step = _step(work, model)
                        seconds += perf_counter() - begun
                    if step is None:
                        return
                    yield _answer(step, model, seconds) if isinstance(step, Output) else step


def _refuse_strangers(operation: Operation, payload: Mapping[str, object], known: Sequence[str]) -> None:
    for name in payload:
        if name not in known:
            raise TourError(
                Code.INVALID_INPUT,
                f"{shorten(name)} is not a field of {operation.name}; its fields are {', '.join(known)}.",
            )


def _answer(output: Output[R], model: LoadedModel, seconds: float) -> Answer[R]:
    return Answer(
        result=output.result,
        model=model.checkpoint.id,
        device=str(model.device),
        seconds=seconds,
        tokens_used=output.tokens_used,
        token_limit=output.token_limit,
        notes=output.notes,
        share=output.share,
    )


def _step(work: Iterator[Progress | Output[R]], model: LoadedModel) -> Progress | Output[R] | None:
    """The next piece of work, None after the last."""
    try:
        return next(work, None)
    except (MemoryError, RuntimeError) as error:
        if not devices.out_of_memory(error):
            raise
        raise TourError(
            Code.OUT_OF_MEMORY,
            f"{model.checkpoint.id} ran out of memory on {model.device}. Shorten the input, or unload other "
            "models on the models page, and run it again.",
        ) from error
