"""Serves the pages here and runs the models in replicas of Ray Serve: `python serve_ray.py --replicas 1:4`.

It takes the flags of `app.py` too. Pages, lab and what is kept of a visitor stay in this process. Each
request for a model goes to a replica, those for one checkpoint to the same ones as far as these have room.
Replicas come and go with the requests under way. One that dies costs no answer: its requests are sent to
another. Needs requirements-ray.txt; docs/scaling.md says when it pays.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import secrets
import sys
import threading
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from contextlib import closing
from typing import Any, cast

import app
from components.models.catalog import load_catalog
from components.models.checkpoint import Checkpoint
from components.models.errors import Code, TourError
from components.models.registry import Registry
from components.models.settings import Settings
from components.tasks.runner import Request, Runner
from components.tasks.stages import Staged
from components.tasks.task import Answer, Progress, Task

NAME = "models"  # of the deployment, and of the application that it makes up
AT_ONCE = 64  # requests that one replica works on; what is more goes to another, or waits
BUSY = 16  # requests under way in each replica from which on there are more replicas
TRIES = 4  # of a request whose replica dies
CHECKPOINTS = 64  # that a replica is known to hold; its registry says how many fit

Step = Progress | Answer[Any]


class Models:
    """One replica: a registry and a runner of its own."""

    def __init__(self, settings: Settings, time_limit: float) -> None:
        app._prepare_environment()
        self.registry = Registry(load_catalog(), settings)
        self.runner = Runner(self.registry, settings.profile, time_limit=time_limit)

    def know(self, checkpoint: Checkpoint) -> None:
        """A visitor may have brought it to a page server: by name from the Hub, or trained it."""
        if checkpoint.id not in self.registry.catalog:
            if checkpoint.body is not None:
                self.know(checkpoint.body)
            self.registry.add(checkpoint)

    async def stream(self, task: Task[Any, Any, Any], request: Request[Any, Any]) -> AsyncIterator[Any]:
        """Progress and answers of one request."""
        async for step in self._steps(request.checkpoint, lambda: self.runner._stream(task, request)):
            yield step

    async def together(
        self, task: Task[Any, Any, Any], requests: Sequence[Request[Any, Any]]
    ) -> AsyncIterator[Any]:
        """Progress, and last the answers to several requests for one checkpoint."""

        def work() -> Generator[Any, None, None]:
            run = cast(Staged, task.run)
            yield (yield from self.runner._together(task, run, requests, self.runner.deadline()))

        async for step in self._steps(requests[0].checkpoint, work):
            yield step

    async def _steps(
        self, checkpoint: Checkpoint, work: Callable[[], Generator[Any, None, None]]
    ) -> AsyncIterator[Any]:
        """Runs in a thread of its own; ends when nobody reads on. A `TourError` is the last step."""
        await self.held()
        loop = asyncio.get_running_loop()
        steps: asyncio.Queue[Any] = asyncio.Queue()
        left = threading.Event()
        end = object()

        def run() -> None:
            try:
                self.know(checkpoint)
                with closing(work()) as found:
                    for step in found:
                        if left.is_set():
                            return
                        loop.call_soon_threadsafe(steps.put_nowait, step)
            except TourError as error:
                loop.call_soon_threadsafe(steps.put_nowait, error)
            except Exception as error:  # noqa: BLE001 - told to the page server, which logs it
                loop.call_soon_threadsafe(steps.put_nowait, RuntimeError(f"{type(error).__name__}: {error}"))
            finally:
                loop.call_soon_threadsafe(steps.put_nowait, end)

        threading.Thread(target=run, daemon=True).start()
        try:
            while (step := await steps.get()) is not end:
                yield step
        finally:
            left.set()

    async def held(self) -> None:
        """Replaced where it is deployed, so that Serve knows which checkpoints this replica has."""


class RemoteRunner(Runner):
    """Checks requests here and has them answered by replicas."""

    handle: Any = None  # of the deployment
    homes = 1  # replicas that a checkpoint is meant to be on

    def _stream(
        self, task: Task[Any, Any, Any], request: Request[Any, Any], deadline: float | None = None
    ) -> Generator[Step, None, None]:
        yield from self._asked("stream", request.checkpoint.id, task, request)

    def _together(
        self,
        task: Task[Any, Any, Any],
        run: Staged,
        requests: Sequence[Request[Any, Any]],
        deadline: float,
    ) -> Generator[Progress, None, Sequence[Answer[Any] | TourError]]:
        for step in self._asked("together", requests[0].checkpoint.id, task, requests):
            if isinstance(step, Progress):
                yield step
            else:
                found: Sequence[Answer[Any] | TourError] = step
        return found

    def _asked(self, method: str, id: str, *given: Any) -> Generator[Any, None, None]:
        from ray.exceptions import ActorDiedError, ActorUnavailableError, RayActorError

        home = f"{id} {secrets.randbelow(self.homes)}"
        handle = self.handle.options(stream=True, multiplexed_model_id=home)
        for tried in range(1, TRIES + 1):
            steps = getattr(handle, method).remote(*given)
            try:
                for step in steps:
                    if isinstance(step, Exception):
                        raise step
                    yield step
                return
            except (ActorDiedError, ActorUnavailableError, RayActorError):
                yield Progress("Sent to another replica")
                if tried == TRIES:
                    raise TourError(
                        Code.BUSY, "The replicas that work on models are gone. Try again in a minute."
                    ) from None
            finally:
                with contextlib.suppress(Exception):
                    steps.cancel()


def deployed(
    settings: Settings, time_limit: float, replicas: tuple[int, int], cpus: float, gpus: float
) -> Any:
    """The deployment's handle; it is made or brought up to date."""
    from ray import serve

    class Held(Models):
        @serve.multiplexed(max_num_models_per_replica=CHECKPOINTS)  # type: ignore[untyped-decorator]
        async def home(self, name: str) -> str:
            return name

        async def held(self) -> None:
            await self.home(serve.get_multiplexed_model_id())

    least, most = replicas
    scaling = {"min_replicas": least, "max_replicas": most, "target_ongoing_requests": BUSY}
    deployment = serve.deployment(
        name=NAME,
        autoscaling_config=scaling,
        max_ongoing_requests=AT_ONCE,
        ray_actor_options={"num_cpus": cpus, "num_gpus": gpus},
        health_check_period_s=5,
        graceful_shutdown_timeout_s=20,
    )(Held)
    return serve.run(deployment.bind(settings, time_limit), name=NAME, route_prefix=None)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = app._parser()
    parser.description = "Serves the app with its models in replicas of Ray Serve."
    parser.add_argument("--address", help="of a Ray cluster; without it one is started on this host")
    parser.add_argument("--replicas", type=_range, default=(1, 2), help="least:most, such as 1:4 (1:2)")
    parser.add_argument("--replica-cpus", type=float, default=1.0, help="that each replica has (1)")
    parser.add_argument("--replica-gpus", type=float, default=0.0, help="that each replica has (0)")
    options = parser.parse_args(arguments)
    import ray
    from ray import serve

    ray.init(address=options.address, include_dashboard=False, log_to_driver=False)
    RemoteRunner.handle = deployed(
        app._settings(options),
        options.time_limit,
        options.replicas,
        options.replica_cpus,
        options.replica_gpus,
    )
    RemoteRunner.homes = options.replicas[0]
    try:
        return app.serve(options, RemoteRunner)
    finally:
        if not options.address:
            serve.shutdown()
        ray.shutdown()


def _range(text: str) -> tuple[int, int]:
    least, _, most = text.partition(":")
    try:
        found = int(least), int(most or least)
    except ValueError:
        found = 0, 0
    if not 1 <= found[0] <= found[1]:
        raise argparse.ArgumentTypeError("must be two counts, such as 1:4; the second is not the smaller")
    return found


if __name__ == "__main__":
    sys.exit(main())
