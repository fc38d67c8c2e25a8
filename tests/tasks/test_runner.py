"""The runner, with small tasks of its own on a tiny checkpoint."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from components.models.checkpoint import LoadedModel
from components.models.errors import Code, TourError
from components.models.registry import Registry
from components.models.settings import Settings
from components.tasks.runner import Runner
from components.tasks.sentence_similarity import TASK as SIMILARITY
from components.tasks.sentence_similarity import Inputs, Options
from components.tasks.task import Answer, Output, Progress, Task
from tests.fakes.checkpoints import tiny_catalog

MODEL = "tiny-encoder"


@dataclass(frozen=True, kw_only=True)
class Count:
    count: int


Steps = Iterator[Progress | Output[Count]]
CountTask = Task[Inputs, Options, Count]


def task(run: Callable[[LoadedModel, Inputs, Options], Steps]) -> CountTask:
    return replace(SIMILARITY, result=Count, run=run)  # type: ignore[arg-type, return-value]


def output(count: int, share: float = 1.0) -> Output[Count]:
    return Output(result=Count(count=count), tokens_used=1, token_limit=2, notes=("a note",), share=share)


def start(runner: Runner, run: Callable[[LoadedModel, Inputs, Options], Steps]) -> Any:
    return runner.stream(task(run), {**SIMILARITY.example, "model": MODEL})


def test_an_answer_says_what_gave_it(runner: Runner) -> None:
    def run(model: LoadedModel, inputs: Inputs, options: Options) -> Steps:
        yield Progress("first", 0.5)
        yield output(1, 0.5)
        yield output(2)

    *_, progress, half, whole = start(runner, run)  # loading comes first
    assert progress == Progress("first", 0.5)
    assert isinstance(half, Answer)
    assert half.share == 0.5
    body = whole.as_json()
    assert 0 <= body.pop("seconds") < 5
    assert body == {
        "count": 2,
        "model": MODEL,
        "device": "cpu",
        "tokens_used": 1,
        "token_limit": 2,
        "notes": ["a note"],
    }


def test_only_the_tasks_own_work_counts_as_time(runner: Runner) -> None:
    def run(model: LoadedModel, inputs: Inputs, options: Options) -> Steps:
        for count in range(3):
            yield output(count)

    stream = start(runner, run)
    last, spent = None, 0.0
    while True:
        began = time.perf_counter()
        step = next(stream, None)
        spent += time.perf_counter() - began
        if step is None:
            break
        last = step
        threading.Event().wait(0.05)  # a slow reader
    assert last is not None
    assert 0 < last.seconds <= spent


def test_closing_closes_the_work_and_frees_the_model(runner: Runner, registry: Registry) -> None:
    closed = []

    def run(model: LoadedModel, inputs: Inputs, options: Options) -> Steps:
        try:
            while True:
                yield Progress("working")
        finally:
            closed.append(model.checkpoint.id)

    stream = start(runner, run)
    for _ in range(3):
        next(stream)
    assert registry.status(MODEL).leases == 1
    assert not closed
    stream.close()
    assert closed == [MODEL]
    assert registry.status(MODEL).leases == 0


def test_an_error_in_the_work_frees_model_and_device(runner: Runner, registry: Registry) -> None:
    def run(model: LoadedModel, inputs: Inputs, options: Options) -> Steps:
        yield Progress("working")
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        list(start(runner, run))
    assert registry.status(MODEL).leases == 0
    with registry.device_slot():
        pass


def test_each_step_runs_in_a_turn_and_none_is_held_between(runner: Runner, registry: Registry) -> None:
    entered, leave = threading.Event(), threading.Event()

    def run(model: LoadedModel, inputs: Inputs, options: Options) -> Steps:
        yield Progress("first")
        entered.set()
        assert leave.wait(120)
        yield output(1)

    stream = start(runner, run)
    next(stream)
    with registry.device_slot():  # free between steps
        pass
    worker = threading.Thread(target=lambda: list(stream))
    worker.start()
    assert entered.wait(120)
    order: list[str] = []

    def other() -> None:
        with registry.device_slot():
            order.append("other")

    waiting = threading.Thread(target=other)
    waiting.start()
    waiting.join(0.2)
    assert order == []  # taken while a step runs
    leave.set()
    waiting.join(120)
    worker.join(120)
    assert order == ["other"]


def accelerator() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory.")


@pytest.mark.parametrize(
    "failure",
    [
        lambda: torch.empty(1 << 60, dtype=torch.uint8),  # the CPU's allocator: a plain RuntimeError
        accelerator,
        lambda: bytearray(1 << 60),
    ],
    ids=["cpu", "accelerator", "python"],
)
def test_out_of_memory_says_what_to_do(failure: Callable[[], object], tmp_path: Path) -> None:
    registry = Registry(tiny_catalog(tmp_path), Settings(cache_dir=tmp_path / "cache", device="cpu"))
    begun: list[str] = []

    def run(model: LoadedModel, inputs: Inputs, options: Options) -> Steps:
        begun.append(model.checkpoint.id)
        yield Progress("working")
        failure()
        yield output(1)

    with pytest.raises(TourError) as caught:
        list(start(Runner(registry, "embedded"), run))
    assert caught.value.code is Code.OUT_OF_MEMORY
    assert MODEL in caught.value.message
    assert "unload" in caught.value.message
    assert begun == [MODEL, MODEL], "it is tried once more"
    assert registry.status(MODEL).leases == 0
    registry.close()


def test_progress_while_the_model_loads(tmp_path: Any) -> None:
    registry = Registry(tiny_catalog(tmp_path), Settings(cache_dir=tmp_path / "cache", device="cpu"))
    runner = Runner(registry, "embedded")
    steps = list(runner.stream(SIMILARITY, {**SIMILARITY.example, "model": MODEL}))
    assert isinstance(steps[0], Progress)
    assert isinstance(steps[-1], Answer)
    assert registry.status(MODEL).state.value == "ready"
    registry.close()


def test_a_bad_request_raises_before_anything_is_iterated(runner: Runner, registry: Registry) -> None:
    with pytest.raises(TourError):
        runner.stream(SIMILARITY, {})
    assert registry.status(MODEL).leases == 0
