"""A device without memory left: others make way, a batch is split, and what fails, fails alone."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from components.models.errors import Code, TourError
from components.models.registry import Registry
from components.models.settings import Settings
from components.models.status import State
from components.tasks.catalog import TASKS
from components.tasks.runner import Runner
from components.tasks.task import Answer
from tests.fakes.checkpoints import TOKEN_LIMIT, tiny_catalog

CLASSIFIER, WRITER, OTHER = "tiny-classifier", "tiny-causal-lm", "tiny-encoder"
CLASSIFY, WRITE = TASKS["text_classification"], TASKS["text_generation"]
SHORT, LONG = "The bread was warm.", "The bread was warm. " * 12
WRITING = {"prompt": "one two", "model": WRITER, "max_new_tokens": 8, "temperature": 0.0}


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tiny_catalog(tmp_path), Settings(cache_dir=tmp_path / "cache", device="cpu"))
    yield registry
    registry.close()


@pytest.fixture
def runner(registry: Registry) -> Runner:
    return Runner(registry, "embedded")


@contextmanager
def small_device(
    registry: Registry, id: str, fits: Callable[[torch.Tensor], bool], layer: str = ""
) -> Iterator[list[int]]:
    """A checkpoint whose network, or a layer of it, finds room for such inputs alone [rows, ...]; notes the
    rows of each pass.
    """
    rows: list[int] = []

    def look(module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = kwargs["input_ids"] if "input_ids" in kwargs else args[0]
        rows.append(len(given))
        if not fits(given):
            raise torch.OutOfMemoryError("CUDA out of memory.")

    with registry.lease(id) as model:
        handle = model.network.get_submodule(layer).register_forward_pre_hook(look, with_kwargs=True)
    try:
        yield rows
    finally:
        handle.remove()


def asked(text: str) -> dict[str, object]:
    return {"text": text, "model": CLASSIFIER}


def test_idle_models_make_way_and_the_request_is_answered(registry: Registry, runner: Runner) -> None:
    def alone(ids: torch.Tensor) -> bool:
        return registry.status(OTHER).state is not State.READY

    with small_device(registry, CLASSIFIER, alone) as rows:
        with registry.lease(OTHER):
            pass
        answer = runner.call(CLASSIFY, asked(SHORT))
    assert answer.result.labels
    assert len(rows) == 2
    assert registry.status(OTHER).state is State.ABSENT
    assert registry.status(CLASSIFIER).state is State.READY


def test_many_rows_are_run_a_few_at_a_time(registry: Registry, runner: Runner) -> None:
    payloads = [asked(f"{SHORT} {number}") for number in range(9)]
    expected = runner.together(CLASSIFY, payloads)
    with small_device(registry, CLASSIFIER, lambda ids: len(ids) <= 2) as rows:
        found = runner.together(CLASSIFY, payloads)
    assert max(rows) > 2
    for one, other in zip(expected, found, strict=True):
        assert isinstance(one, Answer)
        assert isinstance(other, Answer)
        assert other.result.labels[0].score == pytest.approx(one.result.labels[0].score, abs=1e-5)


def test_one_that_does_not_fit_fails_alone(registry: Registry, runner: Runner) -> None:
    with small_device(registry, CLASSIFIER, lambda ids: ids.shape[1] < TOKEN_LIMIT / 2):
        found = runner.together(CLASSIFY, [asked(SHORT), asked(LONG), asked(SHORT)])
    fine, failed, as_well = found
    assert isinstance(fine, Answer)
    assert isinstance(as_well, Answer)
    assert isinstance(failed, TourError)
    assert failed.code is Code.OUT_OF_MEMORY
    assert isinstance(runner.together(CLASSIFY, [asked(LONG)])[0], Answer)


def test_a_text_that_is_cut_short_is_told_and_the_next_try_succeeds(
    registry: Registry, runner: Runner
) -> None:
    def room(ids: torch.Tensor) -> bool:
        return len(rows) < 5 or registry.status(OTHER).state is not State.READY

    with small_device(registry, WRITER, room, "lm_head") as rows:
        with registry.lease(OTHER):
            pass
        steps: list[Any] = []
        with pytest.raises(TourError) as error:
            steps.extend(runner.stream(WRITE, WRITING))
        assert error.value.code is Code.OUT_OF_MEMORY
        assert registry.status(WRITER).leases == 0
        assert runner.call(WRITE, WRITING).result.generated_tokens > 0
    assert isinstance(steps[-1], Answer), "what was written by then was shown"


def test_what_failed_holds_no_memory(registry: Registry, runner: Runner) -> None:
    kept: list[weakref.ref[torch.Tensor]] = []

    def fits(ids: torch.Tensor) -> bool:
        kept.append(weakref.ref(ids))
        return False

    errors = []
    with small_device(registry, CLASSIFIER, fits):
        try:
            runner.call(CLASSIFY, asked(SHORT))
        except TourError as error:
            errors.append(error)
    gc.collect()
    assert errors[0].code is Code.OUT_OF_MEMORY
    assert kept
    assert not [one for one in kept if one() is not None]


def test_the_next_load_succeeds(registry: Registry, runner: Runner) -> None:
    with (
        small_device(registry, CLASSIFIER, lambda ids: False),
        suppress(TourError),
    ):
        runner.call(CLASSIFY, asked(SHORT))
    with registry.lease(OTHER) as model:
        assert model.nbytes
