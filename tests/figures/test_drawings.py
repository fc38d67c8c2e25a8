"""The story's drawings: what they claim is what is drawn."""

from __future__ import annotations

import re

from components.figures import drawings

HOSTILE = '<img src=x onerror="alert(1)">'


def test_less_and_less_is_left_of_the_first_word() -> None:
    drawn = drawings.recurrent(["The", "cat", "sat", HOSTILE], "label")
    heights = [float(high) for high in re.findall(r'height="([\d.]+)" class="filling"', drawn)]
    assert len(heights) == 4
    assert heights == sorted(heights, reverse=True)
    assert "<img" not in drawn


def test_a_line_is_as_strong_as_its_weight() -> None:
    drawn = drawings.over_all_states(["a", "b"], ["c", "d"], [[0.9, 0.1], [0.2, 0.8]], "label")
    wide = [float(width) for width in re.findall(r'class="weight" stroke-width="([\d.]+)"', drawn)]
    assert len(wide) == 4
    assert wide[0] > wide[3] > wide[2] > wide[1]
    assert "a single vector" not in drawn
    assert "a single vector" in drawings.bottleneck(["a", "b"], ["c", "d"], "label")


def test_layers_are_unfrozen_from_the_top() -> None:
    drawn = drawings.ulmfit(["1", "2", "3"], 3, "label")
    thawed = re.findall(r'--at:(\d+)"><rect x="[\d.]+" y="([\d.]+)" [^>]*class="thawed"', drawn)
    steps, heights = [int(at) for at, _ in thawed], [float(y) for _, y in thawed]
    assert len(thawed) == 3
    assert steps == sorted(steps)
    assert heights == sorted(heights)  # down the page


def test_steps_follow_each_other_from_the_first() -> None:
    for drawn in (
        drawings.recurrent(["a", "b"], "label"),
        drawings.bottleneck(["a", "b"], ["c", "d"], "label"),
        drawings.ecosystem(list("abcde"), "label"),
    ):
        steps = {int(at) for at in re.findall(r"--at:(\d+)", drawn)}
        assert steps == set(range(len(steps)))
