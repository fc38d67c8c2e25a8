"""ZeroGPU: a Space that is lent a GPU for the length of a call.

The `spaces` package forks a worker for each call, in which CUDA works; in the app's own process it only seems
to. Three things follow. `spaces` must be imported before torch. Weights must be placed before the app starts,
by the main thread, since only there `spaces` follows what torch does. And what a worker changes is lost with
it: arguments and results travel pickled, and the registry stays in the app's process.

Checkpoints that were not placed (a visitor may pick any) run on the CPU, as the lab's training does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar, cast

from components.models.errors import Code, TourError
from components.tasks.runner import OnDevice, next_step

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel
    from components.models.registry import Registry

S = TypeVar("S")

DURATION = 40  # seconds that a call reserves; a visitor without an account has 120 a day


@dataclass(frozen=True)
class Refusal:
    """A `TourError` on its way out of a worker, from which only Gradio's own errors would arrive."""

    code: Code
    message: str
    field: str | None


def asked_for(environ: Mapping[str, str] = os.environ) -> bool:
    return environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def decorator() -> Callable[[Any], Any]:
    """`spaces.GPU`, set up for our calls. Importing it changes torch, so do it before torch is imported."""
    import spaces

    return cast(Callable[[Any], Any], spaces.GPU(duration=DURATION))


class ZeroGpu:
    """An `Executor` whose work on placed models runs in a worker with a GPU.

    Make it in the main thread, after `spaces` was imported and before the app is launched: it loads the
    checkpoints called `ids`, keeps them, and places them on `device`. `gpu` decorates the one function that
    workers run.
    """

    def __init__(
        self, registry: Registry, ids: Iterable[str], gpu: Callable[[Any], Any], device: str = "cuda"
    ) -> None:
        import torch

        self._here = OnDevice(registry)
        self._leases = ExitStack()
        self._placed: dict[str, LoadedModel] = {}
        for id in ids:
            model = self._leases.enter_context(registry.lease(id))
            cast(Any, model.network).to(device)
            self._placed[id] = replace(model, device=torch.device(device))
        self._dispatch = gpu(_dispatcher(self._placed))

    def __call__(
        self, model: LoadedModel, work: Callable[..., Iterator[S]], /, *arguments: Any
    ) -> Generator[tuple[S, float], None, None]:
        id = model.checkpoint.id
        if id not in self._placed:
            yield from self._here(model, work, *arguments)
            return
        import gradio as gr

        try:
            with closing(self._dispatch(id, work, arguments)) as steps:
                for step in steps:
                    if isinstance(step, Refusal):
                        raise TourError(step.code, step.message, step.field)
                    yield step
        except gr.Error as error:  # no GPU was free, or the visitor's share of it is used up
            raise TourError(Code.BUSY, f"No GPU for this call: {error.message!s}") from error

    def device(self, model: LoadedModel) -> str:
        return str(self._placed.get(model.checkpoint.id, model).device)

    def close(self) -> None:
        self._leases.close()


def _dispatcher(placed: Mapping[str, LoadedModel]) -> Callable[..., Iterator[Any]]:
    def dispatch(
        id: str, work: Callable[..., Iterator[Any]], arguments: tuple[Any, ...]
    ) -> Iterator[tuple[Any, float] | Refusal]:
        """Runs in a worker; what it yields is pickled."""
        model = placed[id]
        try:
            with closing(cast(Generator[Any, None, None], work(model, *arguments))) as steps:
                begun = perf_counter()
                seconds = 0.0
                while (step := next_step(steps, model)) is not None:
                    seconds += perf_counter() - begun
                    yield step, seconds
                    begun = perf_counter()
        except TourError as error:
            yield Refusal(error.code, error.message, error.field)

    return dispatch
