"""Runs tasks for the interfaces that Gradio's queue does not guard: `/v1` and MCP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from anyio import CancelScope, CapacityLimiter, to_thread

from components.models.errors import Code, TourError
from components.serving.errors import DisconnectedError
from components.tasks.runner import Runner
from components.tasks.task import Answer, Finding, Operation, Progress

END = object()


class Inference:
    """At most `limit` requests at once, each step by step in a thread.

    The threads are counted by a limiter of our own: Gradio serves pages with the 40
    that anyio hands out by default, and a load or a long text must not starve those.
    """

    def __init__(self, runner: Runner, limit: int = 16) -> None:
        self._runner = runner
        self._limit = limit
        self._threads = CapacityLimiter(limit)
        self._under_way = 0

    async def answer(
        self,
        task: Operation,
        payload: Mapping[str, object],
        gone: Callable[[], Awaitable[bool]] | None = None,
        tell: Callable[[Progress], Awaitable[None]] | None = None,
    ) -> Answer[Any] | Finding[Any]:
        """The whole answer. Between steps it asks whether the caller is `gone` and `tell`s what goes on.

        However it ends, the generator is closed, so the model and the device are free again.
        """
        if self._under_way >= self._limit:
            raise TourError(
                Code.BUSY, f"{self._limit} requests are being answered already. Try again in a moment."
            )
        self._under_way += 1
        steps: Iterator[object] = iter(())
        try:
            steps = await to_thread.run_sync(self._runner.answer, task, payload, limiter=self._threads)
            last: object = END
            while (step := await self._next(steps)) is not END:
                last = step
                if gone is not None and await gone():
                    raise DisconnectedError
                if tell is not None and isinstance(step, Progress):
                    await tell(step)
                elif tell is not None and isinstance(step, Answer) and step.share < 1:
                    await tell(Progress("answering", step.share))
            if not isinstance(last, Answer | Finding):
                raise RuntimeError(f"{task.name} ended without an answer")
            return last
        finally:
            try:
                with CancelScope(shield=True):
                    await to_thread.run_sync(_close, steps, limiter=self._threads)
            finally:
                self._under_way -= 1

    async def _next(self, steps: Iterator[object]) -> object:
        # A StopIteration cannot cross an await, hence the sentinel.
        return await to_thread.run_sync(next, steps, END, limiter=self._threads)


def _close(steps: Iterator[object]) -> None:
    if close := getattr(steps, "close", None):
        close()
