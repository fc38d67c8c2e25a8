"""Who asks the same again is given the answer to the first request, and is told so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.models.catalog import Catalog
from components.models.registry import Registry
from components.models.settings import Settings
from components.tasks.catalog import TASKS
from components.tasks.runner import Runner
from demos import OPERATIONS
from tests.fakes.checkpoints import tiny_catalog

TASK = TASKS["sentence_similarity"]
ASKED: dict[str, object] = {**TASK.example, "model": "tiny-encoder"}
ATTRIBUTION: Any = next(one for one in OPERATIONS if one.name == "attribution")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Registry]:
    tiny = [*tiny_catalog(tmp_path)]
    encoder = next(one for one in tiny if one.id == "tiny-encoder")
    private = replace(encoder, id="private-encoder", listed=False)
    registry = Registry(Catalog(tiny), Settings(cache_dir=tmp_path, device="cpu"))
    registry.add(private)
    yield registry
    registry.close()


@contextmanager
def passes(registry: Registry, id: str) -> Iterator[list[int]]:
    """The rows of each pass of the checkpoint's network."""
    rows: list[int] = []
    with registry.lease(id) as model:
        network: Any = model.network
        handle = network.register_forward_pre_hook(
            lambda _, args, kwargs: rows.append(len(kwargs["input_ids"])), with_kwargs=True
        )
        try:
            yield rows
        finally:
            handle.remove()


def test_the_same_request_costs_no_pass_and_another_does(own: Registry) -> None:
    runner = Runner(own, "embedded", answer_room=1_000_000)
    with passes(own, "tiny-encoder") as rows:
        first = runner.call(TASK, ASKED)
        assert rows
        rows.clear()
        again = runner.call(TASK, {**ASKED, "measure": None})
        assert not rows
        assert again == replace(first, seconds=0.0, cached=True)
        assert again.as_json()["cached"] is True
        assert "cached" not in first.as_json()
        for other in ({"source": "Another."}, {"sentences": ["Another."]}, {"measure": "dot"}):
            assert not runner.call(TASK, {**ASKED, **other}).cached
            assert rows
            rows.clear()


def test_what_there_is_no_room_for_is_forgotten(own: Registry) -> None:
    runner = Runner(own, "embedded", answer_room=1)
    other = {**ASKED, "source": "Another."}
    found = [runner.call(TASK, asked).cached for asked in (ASKED, ASKED, other, ASKED)]
    assert found == [False, True, False, False]


def test_nothing_is_kept_unless_asked_for(own: Registry) -> None:
    runner = Runner(own, "embedded")
    assert not any(runner.call(TASK, ASKED).cached for _ in range(2))


def test_what_a_visitor_trained_answers_anew(own: Registry) -> None:
    runner = Runner(own, "embedded", answer_room=1_000_000)
    asked = {**ASKED, "model": "private-encoder"}
    with passes(own, "private-encoder") as rows:
        for _ in range(2):
            assert not runner.call(TASK, asked).cached
            assert rows
            rows.clear()


def test_an_answer_that_nobody_waited_for_is_not_kept(own: Registry) -> None:
    runner = Runner(own, "embedded", answer_room=1_000_000)
    left = runner.stream(TASK, ASKED)
    next(left)
    left.close()
    assert not runner.call(TASK, ASKED).cached


def test_a_look_inside_is_had_anew(runner: Runner) -> None:
    keeping = Runner(runner.registry, "embedded", answer_room=1_000_000)
    asked = {**ATTRIBUTION.example, "model": "sentiment"}
    assert not any(keeping.call(ATTRIBUTION, asked).cached for _ in range(2))
