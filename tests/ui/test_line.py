"""The line in which runs of all pages wait for one another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from components.address import Published
from components.lab.lab import Lab
from components.models.settings import Settings
from components.temporary import TemporaryFiles
from components.ui.line import QUEUED, Line, in_line
from demos import TASKS, build


def answer(*typed: Any) -> Iterator[list[Any]]:
    yield ["begun", *typed]
    yield ["done", *typed]


def shown(progress: str) -> list[Any]:
    return [progress]


def test_a_run_that_nobody_is_before_begins_at_once() -> None:
    assert list(in_line(Line(2), answer, shown)("text")) == [["begun", "text"], ["done", "text"]]


def test_a_run_tells_its_place_until_its_turn_has_come() -> None:
    line = Line(2)
    with ExitStack() as first:
        first.enter_context(line.ticket())
        with line.ticket(), line.ticket():
            waiting = in_line(line, answer, shown)("text")
            assert "2 runs are before yours" in next(waiting)[0]
            later = in_line(line, answer, shown)("other")
            assert "3 runs are before yours" in next(later)[0]
        assert next(waiting) == ["begun", "text"]
        # The first and the one that was begun are at work now.
        assert "1 run is before yours" in next(later)[0]
        assert list(waiting) == [["done", "text"]]
        assert next(later) == ["begun", "other"]


def test_somebody_who_leaves_gives_their_place_back() -> None:
    line = Line(1)
    with line.ticket():
        leaving = in_line(line, answer, shown)()
        next(leaving)
        behind = in_line(line, answer, shown)()
        assert "2 runs are before yours" in next(behind)[0]
        leaving.close()  # type: ignore[attr-defined]
        assert "1 run is before yours" in next(behind)[0]
    begun = next(behind)
    assert begun == ["begun"]
    behind.close()  # type: ignore[attr-defined]
    with line.ticket() as ticket:
        assert line.before(ticket) == 0


def test_a_run_that_breaks_gives_its_place_back() -> None:
    line = Line(1)

    def breaks(*typed: Any) -> Iterator[list[Any]]:
        if typed:
            raise ValueError(typed)
        yield []

    with pytest.raises(ValueError, match="text"):
        next(in_line(line, breaks, shown)("text"))
    with line.ticket() as ticket:
        assert line.before(ticket) == 0


def test_every_run_on_the_device_waits_in_line(runner: Any, tmp_path: Path) -> None:
    lab = Lab(runner.registry, Settings(cache_dir=tmp_path))
    files = TemporaryFiles(tmp_path / "files", budget=10**9)
    published = Published(local="http://127.0.0.1:7860")
    blocks = build(
        runner.registry, runner, lab, published, files, most_waiting=1, register=lambda blocks: None
    )
    runs = [one for one in blocks.fns.values() if one.concurrency_id == QUEUED["concurrency_id"]]
    assert len(runs) > len(TASKS)
    made_by = {getattr(one.fn, "__qualname__", "").partition(".")[0] for one in runs}
    assert made_by == {in_line.__name__}


def test_who_waits_hears_at_once_that_somebody_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.ui.line.EVERY", 60)
    line = Line(1)
    done = threading.Event()
    with ExitStack() as first:
        first.enter_context(line.ticket())
        waiting = in_line(line, answer, shown)()
        next(waiting)

        def hears() -> None:
            next(waiting)
            done.set()

        thread = threading.Thread(target=hears)
        thread.start()
    assert done.wait(50)
    thread.join()
