"""The curves of a run, from its events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from components.figures import svg
from components.figures.curves import MOST_POINTS, curves
from components.figures.lab_language import written_so_far


def step(step: int, loss: float) -> Mapping[str, Any]:
    return {"event": "train", "at": 0.0, "step": step, "steps": 10, "loss": loss, "learning_rate": 0.1}


def points(drawn: str, cls: str) -> list[tuple[float, float]]:
    [line] = re.findall(rf'<polyline points="([^"]*)" class="{cls}"', drawn)
    return [(float(x), float(y)) for x, y in (point.split(",") for point in line.split())]


def test_nothing_is_drawn_before_the_first_step() -> None:
    assert curves([{"event": "progress", "at": 0.0, "stage": "Starting", "share": None}]) == ""


def test_a_falling_loss_falls() -> None:
    drawn = points(curves([step(number, 2.0 / number) for number in range(1, 11)]), "curve-0")
    assert [x for x, _ in drawn] == sorted(x for x, _ in drawn)
    assert [y for _, y in drawn] == sorted(y for _, y in drawn)  # y goes down the page
    assert len(drawn) == 10


def test_steps_that_were_taken_again_are_drawn_once() -> None:
    again = [*(step(number, 1.0) for number in range(1, 9)), *(step(number, 0.5) for number in range(5, 10))]
    once = [*(step(number, 1.0) for number in range(1, 5)), *(step(number, 0.5) for number in range(5, 10))]
    assert curves(again) == curves(once)


def test_validation_has_lines_of_its_own_and_names_are_escaped() -> None:
    checked = {"event": "validation", "at": 0.0, "step": 5, "loss": 0.7, "macro_f1": 0.5, "<b>": 0.25}
    drawn = curves([step(1, 1.0), checked])
    assert "validation 0.700" in drawn
    assert "macro F1 0.500" in drawn
    assert "&lt;b&gt;" in drawn
    assert "<b>" not in drawn


@pytest.mark.parametrize("reach", [2.06, 0.0031, 1, 118, 318, 4999, 7e6])
def test_ticks_are_round_and_reach_far_enough(reach: float) -> None:
    found = svg.ticks(reach)
    assert found[0] == 0
    assert 3 <= len(found) <= 7
    assert found[-2] < reach <= found[-1] * (1 + 1e-9)
    for tick in found[1:]:
        assert len(f"{tick:.12g}".replace(".", "").strip("0")) <= 2, found


def test_samples_are_shown_as_they_come() -> None:
    told = [step(1, 3.0), {"event": "sample", "at": 0.0, "step": 1, "text": "qx<b>"}]
    assert written_so_far([step(1, 3.0)]) == ""
    drawn = written_so_far([*told, {"event": "sample", "at": 1.0, "step": 60, "text": "the cat"}])
    assert "qx&lt;b&gt;" in drawn
    assert drawn.index("the cat") < drawn.index("qx")


def test_a_long_run_is_thinned() -> None:
    drawn = points(curves([step(number, 1.0) for number in range(1, 5001)]), "curve-0")
    assert MOST_POINTS / 2 < len(drawn) <= MOST_POINTS
