"""Runs tasks for the interfaces that Gradio's queue does not guard: `/v1` and MCP."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from threading import Event
from time import monotonic
from typing import Any

from anyio import (
    CapacityLimiter,
    create_memory_object_stream,
    create_task_group,
    from_thread,
    sleep,
    to_thread,
)

from components.models.checkpoint import Checkpoint
from components.models.errors import Code, TourError
from components.serving.errors import DisconnectedError
from components.tasks.runner import Runner
from components.tasks.task import Answer, Finding, Operation, Progress, Task
from components.texts import in_folder

TEXTS = in_folder(__file__)

Found = Answer[Any] | Finding[Any]
Tell = Callable[[Progress | Found], Coroutine[Any, Any, None]]

THREADS = 64  # requests that are worked on at once, each in a thread
SIDE_BY_SIDE = 32  # of them those of one line
LONGEST_LINE = 128  # further requests that wait in one line
POLL = 0.2  # seconds between questions whether the caller is still there
WINDOW = 16  # steps that may wait for a caller who reads slowly
RECENT = 0.1  # weight of the newest interval in a line's pace


@dataclass(eq=False)
class _Line:
    """Requests for one task and checkpoint: so many are worked on, the others wait in the order they came."""

    room: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(SIDE_BY_SIDE))
    length: int = 0  # worked on, and waiting
    pace: float = 1.0  # seconds between two answers while there is work
    answered: float = 0.0

    def enter(self) -> None:
        """Raises `TourError` BUSY where the line is full."""
        waiting = self.length - SIDE_BY_SIDE
        if waiting >= LONGEST_LINE:
            seconds = max(1.0, waiting * self.pace)
            raise TourError(
                Code.BUSY,
                TEXTS["busy"].format(waiting=waiting, seconds=seconds),
                retry_after=seconds,
            )
        if not self.length:
            self.answered = monotonic()
        self.length += 1

    def leave(self) -> None:
        self.length -= 1
        now = monotonic()
        self.pace += RECENT * (now - self.answered - self.pace)
        self.answered = now


class Inference:
    """Each request in a thread, from its first step to its last; what is too much at once waits in line.

    The threads are counted by a limiter of our own: Gradio serves pages with the 40
    that anyio hands out by default, and a load or a long text must not starve those.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._threads = CapacityLimiter(THREADS)
        self._lines: dict[tuple[str, str], _Line] = {}

    def checkpoint(self, task: Task[Any, Any, Any], model: object) -> Checkpoint:
        """The one that a request would name so; raises `TourError` where it cannot do the task."""
        return self._runner.checkpoint(task, model)

    async def answer(
        self,
        task: Operation,
        payload: Mapping[str, object],
        gone: Callable[[], Awaitable[bool]] | None = None,
        tell: Tell | None = None,
    ) -> Found:
        """The whole answer. Meanwhile it asks whether the caller is `gone`, and `tell`s how far it has come.

        However it ends, the generator is closed, so the model and the device are free again. Raises
        `TourError` BUSY, with the seconds to wait, where too many are waiting.
        """
        key = (task.name, str(payload.get("model") or "")[:200])
        line = self._lines.setdefault(key, _Line())
        line.enter()
        try:
            async with line.room:
                if gone is not None and await gone():
                    raise DisconnectedError
                return await self._work(task, payload, gone, tell)
        finally:
            line.leave()
            if not line.length:
                self._lines.pop(key, None)

    async def steps(
        self,
        task: Operation,
        payload: Mapping[str, object],
        gone: Callable[[], Awaitable[bool]] | None = None,
    ) -> AsyncGenerator[Progress | Found, None]:
        """As `answer`, with all that comes before the whole answer, which is last."""
        put, get = create_memory_object_stream[Progress | Found](WINDOW)
        found: list[Found | Exception] = []

        async def work() -> None:
            async with put:
                try:
                    found.append(await self.answer(task, payload, gone, put.send))
                except Exception as error:  # noqa: BLE001 - raised outside of the task group, which would wrap it
                    found.append(error)

        async with create_task_group() as group:
            group.start_soon(work)
            async with get:
                async for step in get:
                    yield step
        if isinstance(found[0], Exception):
            raise found[0]
        yield found[0]

    async def _work(
        self,
        task: Operation,
        payload: Mapping[str, object],
        gone: Callable[[], Awaitable[bool]] | None,
        tell: Tell | None,
    ) -> Found:
        stopped = Event()

        def work() -> Found | Exception:
            try:
                return self._drive(task, payload, tell, stopped)
            except Exception as error:  # noqa: BLE001 - raised outside of the task group, which would wrap it
                return error

        async def watch() -> None:
            try:
                while gone is not None:
                    await sleep(POLL)
                    if await gone():
                        return
                await sleep(float("inf"))
            finally:
                stopped.set()

        async with create_task_group() as group:
            group.start_soon(watch)
            found = await to_thread.run_sync(work, limiter=self._threads)
            group.cancel_scope.cancel()
        if isinstance(found, Exception):
            raise found
        return found

    def _drive(
        self,
        task: Operation,
        payload: Mapping[str, object],
        tell: Tell | None,
        stopped: Event,
    ) -> Found:
        last: object = None
        steps = self._runner.answer(task, payload)
        with closing(steps):
            for last in steps:
                if stopped.is_set():
                    raise DisconnectedError
                if tell is not None and (isinstance(last, Progress) or partial(last)):
                    from_thread.run(tell, last)
        if not isinstance(last, Answer | Finding):
            raise RuntimeError(f"{task.name} ended without an answer")
        return last


def partial(step: object) -> bool:
    """Whether more of the answer is to come."""
    return isinstance(step, Answer) and step.share < 1
