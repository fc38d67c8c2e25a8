"""The curves of a run, from its events."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from components.figures.curves import MOST_POINTS, curves
from components.figures.lab_language import written_so_far


def step(step: int, loss: float) -> Mapping[str, Any]:
    return {"event": "train", "at": 0.0, "step": step, "steps": 10, "loss": loss, "learning_rate": 0.1}


def lines(events: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    """The points of each curve, by its name in the legend."""
    drawn = curves(events)
    assert drawn
    return {
        one["name"]: list(zip(one["x"], one["y"], strict=True)) for one in json.loads(drawn.json())["data"]
    }


def test_nothing_is_drawn_before_the_first_step() -> None:
    assert curves([{"event": "progress", "at": 0.0, "stage": "Starting", "share": None}]) is None


def test_a_curve_has_the_steps_and_their_losses() -> None:
    told = [step(number, 2.0 / number) for number in range(1, 11)]
    assert lines(told) == {"training loss 0.200": [(one["step"], one["loss"]) for one in told]}


def test_steps_that_were_taken_again_are_drawn_once() -> None:
    again = [*(step(number, 1.0) for number in range(1, 9)), *(step(number, 0.5) for number in range(5, 10))]
    once = [*(step(number, 1.0) for number in range(1, 5)), *(step(number, 0.5) for number in range(5, 10))]
    assert lines(again) == lines(once)


def test_loss_scores_and_perplexity_have_panels_of_their_own() -> None:
    checked = {
        "event": "validation",
        "at": 0.0,
        "step": 5,
        "loss": 0.7,
        "macro_f1": 0.5,
        "<b>": 0.25,
        "perplexity": 90.0,
    }
    drawn = curves([step(1, 1.0), checked])
    assert drawn
    data = json.loads(drawn.json())
    places = {one["name"]: one["yaxis"] for one in data["data"]}
    assert places == {
        "training loss 1.000": "y",
        "validation loss 0.700": "y",
        "macro F1 0.500": "y2",
        "&lt;b&gt; 0.250": "y2",
        "perplexity of held-out text 90.000": "y3",
    }
    tops = [data["layout"][name]["domain"] for name in ("yaxis", "yaxis2", "yaxis3")]
    assert all(above[0] > below[1] for above, below in pairwise(tops))
    assert "perplexity of held-out text 90.000 to 90.000" in drawn.label


def test_samples_are_shown_as_they_come() -> None:
    told = [step(1, 3.0), {"event": "sample", "at": 0.0, "step": 1, "text": "qx<b>"}]
    assert written_so_far([step(1, 3.0)]) == ""
    drawn = written_so_far([*told, {"event": "sample", "at": 1.0, "step": 60, "text": "the cat"}])
    assert "qx&lt;b&gt;" in drawn
    assert drawn.index("the cat") < drawn.index("qx")


def test_a_long_run_is_thinned() -> None:
    [drawn] = lines([step(number, 1.0) for number in range(1, 5001)]).values()
    assert MOST_POINTS / 2 < len(drawn) <= MOST_POINTS
