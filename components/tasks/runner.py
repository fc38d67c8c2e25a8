"""From a flat request to an answer: validation, the model, turns on the device, the time it took."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any, Generic, Protocol, cast

from components.models import devices
from components.models.errors import Code, TourError
from components.models.status import State
from components.models.tokenizers import Tokenizers
from components.tasks import answer_cache, legibility
from components.tasks.answer_cache import AnswerCache
from components.tasks.fields import input_fields, option_fields, shorten, validate
from components.tasks.stages import Staged
from components.tasks.task import Answer, Finding, I, O, Operation, Output, Progress, R, S, Task, Tool
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import Checkpoint, LoadedModel
    from components.models.registry import Registry
    from components.models.settings import Profile

TEXTS = in_folder(__file__)


TIME_LIMIT = 900.0  # seconds
LIGHT = 400  # characters: few enough to be read beside a long pass


@dataclass(frozen=True, kw_only=True)
class Request(Generic[I, O]):
    """A valid request."""

    checkpoint: Checkpoint
    inputs: I
    options: O


class Executor(Protocol):
    """Where the work on a loaded model is done: here, or in a worker that has been lent a device."""

    def __call__(
        self, model: LoadedModel, work: Callable[..., Iterator[S]], /, *arguments: Any
    ) -> Generator[tuple[S, float], None, None]:
        """The steps of `work(model, *arguments)`, each with the seconds of computing until then.

        Raises `TourError`; closing it ends the work.
        """

    def device(self, model: LoadedModel) -> str:
        """Where the work on this model is done."""


@dataclass(frozen=True)
class OnDevice:
    """Runs on the registry's device, where each step waits for its turn."""

    registry: Registry

    def __call__(
        self, model: LoadedModel, work: Callable[..., Iterator[S]], /, *arguments: Any
    ) -> Generator[tuple[S, float], None, None]:
        """Where memory runs out, idle models make way. Work that has come to nothing yet begins once more."""
        begun = False
        try:
            with closing(self._steps(model, work, *arguments)) as steps:
                for step, seconds in steps:
                    begun = begun or not isinstance(step, Progress)
                    yield step, seconds
            return
        except TourError as error:
            if error.code is not Code.OUT_OF_MEMORY:
                raise
            self.registry.make_room()
            if begun:
                raise
        yield from self._steps(model, work, *arguments)

    def _steps(
        self, model: LoadedModel, work: Callable[..., Iterator[S]], *arguments: Any
    ) -> Generator[tuple[S, float], None, None]:
        steps = work(model, *arguments)
        light = is_light(work, arguments[0])
        # Generators close; an iterator that is none has nothing to give back.
        with closing(cast(Generator[S, None, None], steps)):
            seconds = 0.0
            while True:
                with self.registry.device_slot(seconds, light=light):
                    model.passes.seconds = 0.0
                    begun = perf_counter()
                    step = next_step(steps, model)
                    seconds += perf_counter() - begun + model.passes.seconds
                if step is None:
                    return
                yield step, seconds

    def device(self, model: LoadedModel) -> str:
        return str(model.device)


class Runner:
    """Runs tasks on the registry's models.

    A request (`payload`) is flat: a task's inputs by name, "model" (a checkpoint's id; the
    profile's default if left out or empty), and options by name. Null stands for what is left out.

    `time_limit` is how many seconds a request may take, loading included; `answer_room` how many bytes of
    answers are kept, for whoever asks the same again.
    """

    def __init__(
        self,
        registry: Registry,
        profile: Profile,
        *,
        execute: Executor | None = None,
        time_limit: float = TIME_LIMIT,
        answer_room: int = 0,
    ) -> None:
        self.registry = registry
        self.tokenizers = Tokenizers(registry)
        self.profile = profile
        self.execute: Executor = execute or OnDevice(registry)
        self._time_limit = time_limit
        self._answers: AnswerCache[Any] | None = AnswerCache(answer_room) if answer_room else None

    def parse(self, task: Task[I, O, R], payload: Mapping[str, object]) -> Request[I, O]:
        """Raises `TourError`, with the field at fault, for anything but a valid request."""
        inputs = [field.name for field in input_fields(task.inputs)]
        options = [field.name for field in option_fields(task.options)]
        _refuse_unknown_fields(task, payload, [*inputs, "model", *options])
        payload = _given(payload)
        checkpoint = self.checkpoint(task, payload.get("model"))
        return Request(
            checkpoint=checkpoint,
            inputs=validate(task.inputs, {name: payload[name] for name in inputs if name in payload}),
            options=validate(task.options, {name: payload[name] for name in options if name in payload}),
        )

    def answer(
        self, operation: Operation, payload: Mapping[str, object]
    ) -> Generator[Progress | Answer[Any] | Finding[Any], None, None]:
        """What an interface serves: `stream` for a task; for a tool progress and, last, what it found."""
        if isinstance(operation, Task):
            return self.stream(operation, payload)
        _refuse_unknown_fields(operation, payload, [field.name for field in input_fields(operation.inputs)])
        return self._use(operation, validate(operation.inputs, _given(payload)))

    def _use(self, tool: Tool[I, R], inputs: I) -> Generator[Progress | Finding[R], None, None]:
        result = yield from tool.run(self, inputs)
        yield Finding(result=result)

    def stream(
        self, task: Task[I, O, R], payload: Mapping[str, object]
    ) -> Generator[Progress | Answer[R], None, None]:
        """Progress and answers as far as the work has come; the last answer is the whole one.

        A bad request raises here, before anything is iterated. Closing the generator ends the
        work and gives model and device back at once.
        """
        request = self.parse(task, payload)
        # What looks inside keeps its records itself; what a visitor trained is nobody else's to know of.
        if self._answers and isinstance(task.run, Staged) and request.checkpoint.listed:
            return self._asked_before(task, request, self._answers)
        return self._stream(task, request)

    def _asked_before(
        self, task: Task[I, O, R], request: Request[I, O], answers: AnswerCache[R]
    ) -> Generator[Progress | Answer[R], None, None]:
        """As `_stream`, with the answer to a request that asked the same, if there was one."""
        asked = (request.checkpoint, request.inputs, request.options)
        key = answer_cache.key(task.name, *map(repr, asked))
        if found := answers.get(key):
            yield replace(found, seconds=0.0, cached=True)
            return
        with closing(self._stream(task, request)) as steps:
            for step in steps:
                if isinstance(step, Answer):
                    found = step
                yield step
        if found:
            answers.put(key, found)

    def call(self, task: Task[I, O, R], payload: Mapping[str, object]) -> Answer[R]:
        """The whole answer."""
        answer = None
        for step in self.stream(task, payload):
            if isinstance(step, Answer):
                answer = step
        if answer is None:
            raise AssertionError(f"{task.name} ended without an answer")
        return answer

    def together(
        self, task: Task[I, O, R], payloads: Sequence[Mapping[str, object]]
    ) -> list[Answer[R] | TourError]:
        """The whole answer to each request, or why there is none."""
        steps = self.batch(task, payloads)
        while True:
            try:
                next(steps)
            except StopIteration as done:
                found: list[Answer[R] | TourError] = done.value
                return found

    def batch(
        self, task: Task[I, O, R], payloads: Sequence[Mapping[str, object]]
    ) -> Generator[Progress, None, list[Answer[R] | TourError]]:
        """As `together`, with progress on the way. Closing it ends the work.

        Requests for one checkpoint share forward passes, and `seconds` is what each has of the computing. All
        have the time together that one may take.
        """
        found: dict[int, Answer[R] | TourError] = {}
        groups: dict[str, dict[int, Request[I, O]]] = {}
        for place, payload in enumerate(payloads):
            try:
                request = self.parse(task, payload)
            except TourError as error:
                found[place] = error
            else:
                groups.setdefault(request.checkpoint.id, {})[place] = request
        deadline = self.deadline()
        for requests in groups.values():
            answers = yield from self._group(task, [*requests.values()], deadline)
            found |= dict(zip(requests, answers, strict=True))
        return [found[place] for place in range(len(payloads))]

    def _group(
        self, task: Task[I, O, R], requests: Sequence[Request[I, O]], deadline: float
    ) -> Generator[Progress, None, Sequence[Answer[R] | TourError]]:
        """The answers to requests for one checkpoint."""
        alone = not isinstance(task.run, Staged)
        if isinstance(task.run, Staged):
            try:
                return (yield from self._together(task, task.run, requests, deadline))
            except TourError as error:
                alone = error.code is Code.OUT_OF_MEMORY and len(requests) > 1
                if not alone:
                    return [error] * len(requests)
        found: list[Answer[R] | TourError] = []
        for request in requests:
            try:
                with closing(self._stream(task, request, deadline)) as steps:
                    for step in steps:
                        if isinstance(step, Progress):
                            yield step
                        else:
                            answer = step
                found.append(answer)
            except TourError as error:
                found.append(error)
        return found

    def _together(
        self, task: Task[I, O, R], run: Staged, requests: Sequence[Request[I, O]], deadline: float
    ) -> Generator[Progress, None, Sequence[Answer[R] | TourError]]:
        found: Sequence[Answer[R] | TourError] = ()
        identity = requests[0].checkpoint.id
        yield from self._loaded(identity, deadline)
        with self.registry.lease(identity) as model:
            given = [(request.inputs, request.options) for request in requests]
            with closing(self.execute(model, run.together, given)) as steps:
                for step, seconds in steps:
                    if isinstance(step, Progress):
                        yield step
                    else:
                        share = seconds / len(requests)
                        found = [
                            output
                            if isinstance(output, TourError)
                            else self._answer(output, model, share, self._unread(task, request, model))
                            for request, output in zip(requests, step.outputs, strict=True)
                        ]
                    self._refuse_after(deadline)
        return found

    def _loaded(self, identity: str, deadline: float) -> Generator[Progress, None, None]:
        """Waits until a checkpoint is loaded."""
        for status in self.registry.wait(identity):
            if status.state is not State.READY:
                yield Progress(status.stage, status.share)
            self._refuse_after(deadline)

    def _unread(self, task: Task[I, O, R], request: Request[I, O], model: LoadedModel) -> tuple[str, ...]:
        reads = task.reads(model, request.inputs, request.options)
        # Tokenizers are for one thread at a time.
        with self.registry.device_slot(light=is_light(task.run, request.inputs)):
            return legibility.notes(model, request.inputs, reads)

    def checkpoint(self, task: Task[Any, Any, Any], model: object) -> Checkpoint:
        """What a request names as its model; raises `TourError` where it cannot do the task."""
        catalog = self.registry.catalog
        if model is None or model == "":
            return catalog.default(task.name, self.profile)
        if not isinstance(model, str):
            raise TourError(
                Code.INVALID_INPUT,
                TEXTS["no_id"].format(model=shorten(model)),
                "model",
            )
        found = self.describe(task, model)
        return found if found.id in catalog else self.registry.adopt(found.id)

    def describe(self, task: Task[Any, Any, Any], model: str) -> Checkpoint:
        """The checkpoint of that name, which may be a repository on the Hub, if it can do the task.

        Raises `TourError`, in the words that a request for it is refused with. Downloads nothing.
        """
        registry = self.registry
        suitable = ", ".join(checkpoint.id for checkpoint in registry.catalog.for_task(task.name))
        try:
            found = registry.describe(model)
        except TourError as error:
            if error.code is Code.UNREACHABLE:
                raise TourError(error.code, f"{error.message} The list has {suitable}.", "model") from error
            if error.code is not Code.UNKNOWN_MODEL:
                raise
            wrong = f"There is no model {shorten(model)}"
            if registry.may_be_named(model):
                wrong += ": it does not exist on the Hub, or is private"
            raise TourError(Code.UNKNOWN_MODEL, f"{wrong}; pick one of {suitable}.", "model") from error
        if not found.can(task.name):
            raise TourError(
                Code.UNSUITABLE_MODEL,
                f"{model} cannot do {task.title.lower()}; pick one of {suitable}.",
                "model",
            )
        return found

    def _stream(
        self, task: Task[I, O, R], request: Request[I, O], deadline: float | None = None
    ) -> Generator[Progress | Answer[R], None, None]:
        identity = request.checkpoint.id
        deadline = deadline or self.deadline()
        yield from self._loaded(identity, deadline)
        with self.registry.lease(identity) as model:
            unread = self._unread(task, request, model)
            with closing(self.execute(model, task.run, request.inputs, request.options)) as steps:
                for step, seconds in steps:
                    if not isinstance(step, Output):
                        yield step
                    else:
                        yield self._answer(step, model, seconds, unread)
                        if step.share >= 1:
                            continue
                    self._refuse_after(deadline)

    def _answer(
        self, output: Output[R], model: LoadedModel, seconds: float, unread: tuple[str, ...]
    ) -> Answer[R]:
        return Answer(
            result=output.result,
            model=model.checkpoint.id,
            device=self.execute.device(model),
            seconds=seconds,
            tokens_used=output.tokens_used,
            token_limit=output.token_limit,
            notes=unread + output.notes,
            share=output.share,
        )

    def deadline(self) -> float:
        """Of a request that begins now."""
        return monotonic() + self._time_limit

    def _refuse_after(self, deadline: float) -> None:
        if monotonic() > deadline:
            raise TourError(
                Code.TIMEOUT,
                TEXTS["too_slow"].format(limit=self._time_limit),
            )


def _given(payload: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in payload.items() if value is not None}


def _refuse_unknown_fields(operation: Operation, payload: Mapping[str, object], known: Sequence[str]) -> None:
    for name in payload:
        if name not in known:
            raise TourError(
                Code.INVALID_INPUT,
                f"{shorten(name)} is not a field of {operation.name}; its fields are {', '.join(known)}.",
            )


def is_light(work: object, inputs: object) -> bool:
    """Whether all steps of the work on these inputs are short, so that they may run beside a long pass.

    What looks inside a network changes it for as long as it does, and is stages of no task.
    """
    return isinstance(work, Staged) and sum(map(len, legibility.all_texts(inputs))) <= LIGHT


def next_step(work: Iterator[S], model: LoadedModel) -> S | None:
    """The next piece of work, None after the last; raises `TourError` when memory runs out."""
    try:
        return next(work, None)
    except (MemoryError, RuntimeError) as error:
        if not devices.out_of_memory(error):
            raise
    # Here that error is gone, and with it the tensors that its frames held.
    raise TourError(
        Code.OUT_OF_MEMORY,
        TEXTS["out_of_memory"].format(model=model.checkpoint.id, device=model.device),
    )
