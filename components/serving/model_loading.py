"""Loads a model when it is asked for and tells how far that is: `POST /load_model`.

`transformers chat` calls it before the first message, as `transformers serve` answers it: server-sent events
without names, `{"status": "loading" | "ready" | "error", ...}`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from anyio import CapacityLimiter, sleep, to_thread
from starlette.requests import Request
from starlette.responses import Response

from components.models.registry import Registry
from components.models.status import State, Status
from components.serving.events import Events
from components.serving.inference import Inference
from components.tasks.task import Task

EVERY = 0.25  # seconds between two looks at a load

Handler = Callable[[Request], Awaitable[Response]]
PayloadOf = Callable[[Request], Awaitable[dict[str, object]]]


def endpoint(
    inference: Inference, registry: Registry, payload_of: PayloadOf, task: Task[Any, Any, Any]
) -> tuple[str, str, Handler]:
    """Path, method and handler; the model must be able to do `task`."""
    threads = CapacityLimiter(4)

    async def load(request: Request) -> Response:
        model = (await payload_of(request)).get("model")
        checkpoint = await to_thread.run_sync(inference.checkpoint, task, model, limiter=threads)
        return Events(steps(checkpoint.id))

    async def steps(id: str) -> AsyncIterator[tuple[None, object]]:
        status = await to_thread.run_sync(registry.status, id, limiter=threads)
        cached = status.state is State.READY
        told: object = None
        registry.load(id)
        while True:
            status = await to_thread.run_sync(registry.status, id, limiter=threads)
            if status.state is State.READY:
                yield None, {"status": "ready", "model": id, "cached": cached}
                return
            if status.state is State.FAILED:
                yield None, {"status": "error", "model": id, "message": status.error}
                return
            if status.state is State.ABSENT:  # evicted as soon as it was there
                registry.load(id)
            if (step := _loading(status)) != told:
                yield None, step
                told = step
            await sleep(EVERY)

    return "/load_model", "POST", load


def _loading(status: Status) -> dict[str, object]:
    """The client knows stages called "download", in bytes, and "weights"."""
    step = {"status": "loading", "model": status.checkpoint.id}
    if status.state is not State.FETCHING or status.share is None:
        return {**step, "stage": "weights"}
    total = status.checkpoint.download_bytes
    return {**step, "stage": "download", "progress": {"current": int(status.share * total), "total": total}}
