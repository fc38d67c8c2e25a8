"""Several visitors' requests in one forward pass, on tiny checkpoints and real ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from components.models.checkpoint import LoadedModel
from components.models.errors import TourError
from components.models.passes import SHORT
from components.models.registry import Registry
from components.tasks.catalog import TASKS
from components.tasks.network import BATCH_TOKENS
from components.tasks.runner import Runner
from components.tasks.task import Answer

Lease = Callable[[str], LoadedModel]
TASK = TASKS["text_classification"]
MODEL = "sentiment"
TEXTS = [f"The {what} was {how}." for what in ("room", "view", "meal") for how in ("fine", "cold and dark")]
LONG = " ".join(f"On day {day} the staff were kind and the room was clean." for day in range(600))


@contextmanager
def passes(model: LoadedModel) -> Iterator[list[tuple[int, ...]]]:
    """The shapes of the network's inputs."""
    found: list[tuple[int, ...]] = []

    def note(module: torch.nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        found.append(tuple(kwargs["input_ids"].shape))

    handle = model.network.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield found
    finally:
        handle.remove()


@contextmanager
def asked_at_once(
    registry: Registry, runner: Runner, payloads: Sequence[dict[str, object]]
) -> Iterator[list[Future[Answer[Any]]]]:
    """The requests wait for the device together until the block ends."""
    with ThreadPoolExecutor(len(payloads)) as pool, registry.device_slot():
        found = [pool.submit(runner.call, TASK, payload) for payload in payloads]
        pause = threading.Event()
        while len(registry._turn._queue) < len(payloads):
            pause.wait(0.001)
        yield found


def scores(answer: Answer[Any]) -> dict[str, float]:
    return {one.label: one.score for one in answer.result.labels}


def test_requests_that_wait_together_share_a_pass_and_are_answered_as_alone(
    registry: Registry, runner: Runner, lease: Lease
) -> None:
    payloads: list[dict[str, object]] = [{"text": text, "model": MODEL} for text in TEXTS]
    alone = [runner.call(TASK, payload) for payload in payloads]
    with passes(lease(MODEL)) as shapes, asked_at_once(registry, runner, payloads) as waiting:
        pass
    together = [one.result() for one in waiting]
    assert [rows for rows, _ in shapes] == [len(TEXTS)]
    for one, other in zip(alone, together, strict=True):
        assert scores(one) == pytest.approx(scores(other), abs=1e-5)
        assert other.seconds > 0  # also of those whose rows another ran


def test_one_that_fails_or_leaves_disturbs_nobody(registry: Registry, runner: Runner, lease: Lease) -> None:
    model = lease(MODEL)
    leaving = runner.stream(TASK, {"text": TEXTS[0], "model": MODEL})
    while not model.passes.waiting:
        next(leaving)
    broken = runner.stream(TASK, {"text": TEXTS[1], "model": MODEL})
    while len(model.passes.waiting) < 2:
        next(broken)
    ids = model.passes.waiting[1].rows[0].row["input_ids"]
    ids[1] = len(model.tokenizer) + 1000  # no such token
    answer = runner.call(TASK, {"text": TEXTS[2], "model": MODEL})
    assert scores(answer) == pytest.approx(scores(runner.call(TASK, {"text": TEXTS[2], "model": MODEL})))
    with pytest.raises(IndexError):
        list(broken)
    leaving.close()
    assert not model.passes.waiting


def test_a_short_text_does_not_wait_for_long_ones(registry: Registry, runner: Runner, lease: Lease) -> None:
    model = lease(MODEL)
    long = [runner.stream(TASK, {"text": LONG, "model": MODEL}) for _ in range(3)]
    for place, one in enumerate(long):
        while len(model.passes.waiting) <= place:
            next(one)
        next(one)  # each has had a pass
    with passes(model) as shapes:
        runner.call(TASK, {"text": TEXTS[0], "model": MODEL})
    assert len(shapes) == 1
    assert shapes[0][1] < model.checkpoint.token_limit / 2
    for one in long:
        one.close()
    assert not model.passes.waiting


def test_a_short_text_is_answered_while_a_long_pass_runs(
    registry: Registry, runner: Runner, lease: Lease
) -> None:
    """The long pass ends only when the short text has its answer."""
    network = lease(MODEL).network
    usual = runner.call(TASK, {"text": TEXTS[0], "model": MODEL})
    running, answered = threading.Event(), threading.Event()

    def hold(module: torch.nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        if kwargs["input_ids"].shape[1] > SHORT * BATCH_TOKENS["cpu"]:
            running.set()
            assert answered.wait(120)

    handle = network.register_forward_pre_hook(hold, with_kwargs=True)
    try:
        with ThreadPoolExecutor(1) as pool:
            long = pool.submit(runner.call, TASK, {"text": LONG, "model": MODEL})
            assert running.wait(120)
            short = runner.call(TASK, {"text": TEXTS[0], "model": MODEL})
            answered.set()
            long.result()
    finally:
        answered.set()
        handle.remove()
    assert scores(short) == pytest.approx(scores(usual), abs=1e-5)


def test_texts_are_continued_together_and_as_alone(registry: Registry, runner: Runner, lease: Lease) -> None:
    task = TASKS["text_generation"]
    payloads: list[dict[str, object]] = [
        {"prompt": prompt, "model": "tiny-causal-lm", "max_new_tokens": 12, "seed": seed, "temperature": 0.9}
        for seed, prompt in enumerate(["a", "b c d e f g", "h i"])
    ]
    alone = [runner.call(task, payload).result.text for payload in payloads]
    network = lease("tiny-causal-lm").network
    rows: list[int] = []
    handle = network.lm_head.register_forward_pre_hook(lambda _, args: rows.append(len(args[0])))
    streams = [runner.stream(task, payload) for payload in payloads]
    texts = ["" for _ in streams]
    ended: set[int] = set()
    try:
        while len(ended) < len(streams):
            for place, stream in enumerate(streams):
                step = next(stream, None)
                if step is None:
                    ended.add(place)
                elif isinstance(step, Answer):
                    texts[place] = step.result.text
    finally:
        handle.remove()
    assert texts == alone
    assert max(rows) == len(streams)


@pytest.mark.parametrize("payload", [{"text": ""}, {"text": "a", "model": "nothing"}])
def test_what_cannot_be_served_never_gets_in_line(runner: Runner, payload: dict[str, object]) -> None:
    with pytest.raises(TourError):
        runner.call(TASK, payload)
