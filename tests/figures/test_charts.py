"""Every chart: Plotly takes it, its numbers stand in a table, and no text in it becomes markup."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from components.figures import chart, lab_data, layers, reliability
from components.figures.chart import Chart
from components.figures.curves import curves
from components.figures.markup import Markup
from components.lab.explore import Box
from tests.figures.test_escaping import HOSTILE, Skeleton


def box(label: str, *, beyond: int = 0) -> Box:
    return Box(
        label=label,
        count=9,
        low=1,
        first=2,
        median=3,
        third=4,
        high=5,
        beyond=beyond,
        most=30 if beyond else 5,
    )


def trained(word: str) -> Chart:
    events: list[dict[str, Any]] = [
        {"event": "train", "at": 0.0, "step": at, "steps": 9, "loss": 1 / at} for at in range(1, 9)
    ]
    drawn = curves([*events, {"event": "validation", "at": 0.0, "step": 8, word: 0.5}])
    assert drawn
    return drawn


def layers_of(word: str) -> dict[str, Any]:
    """What the layers of a model do to three tokens."""
    return {
        "tokens": [word] * 3,
        "similarity": [[1.0, 0.5], [0.5, 1.0]],
        "norms": [[1.0, 2.0, 3.0], [40.0, 5.0, 6.0]],
        "median_norms": [2.0, 6.0],
    }


BIN = {"low": 0.5, "high": 0.6, "count": 9, "score": 0.55, "right": 0.4}
# Each of a word that a visitor or a model may have written.
CHARTS: dict[str, Callable[[str], Chart]] = {
    "classes": lambda word: lab_data.classes([word, word], [[3, 4], [1, 1], [0, 2]]),
    "curves": trained,
    "reliability": lambda word: reliability.diagram({word: [BIN, BIN]}, Markup()),
    "similarity": lambda word: layers.similarity({"text": word}, layers_of(word)),
    "norms": lambda word: layers.norms({"text": word}, layers_of(word)),
    "lengths": lambda word: lab_data.lengths([box(word), box(word, beyond=2)], "words", 20, word),
}
each = pytest.mark.parametrize("draw", CHARTS.values(), ids=CHARTS)


def sent(drawn: Chart) -> dict[str, Any]:
    """What the browser is sent of a chart."""
    read: dict[str, Any] = json.loads(drawn.json())
    return read


def texts(value: Any, key: str = "") -> Iterator[str]:
    """Every string of a figure but the templates, which are ours."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from texts(one, name)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one, key)
    elif isinstance(value, str) and not key.endswith("template"):
        yield value


@each
@pytest.mark.parametrize("text", HOSTILE)
def test_plotly_and_the_page_show_a_text_as_it_is(draw: Callable[[str], Chart], text: str) -> None:
    drawn, plain = draw(text), draw("harmless")
    assert not [shown for shown in texts(sent(drawn)) if "<" in shown]
    templates = [one.get("hovertemplate") for one in sent(drawn)["data"]]
    assert templates == [one.get("hovertemplate") for one in sent(plain)["data"]]
    assert Skeleton(drawn.below()).elements == Skeleton(plain.below()).elements


@each
def test_a_chart_has_a_name_a_description_and_its_numbers(draw: Callable[[str], Chart]) -> None:
    drawn = draw("joy")
    config = sent(drawn)["config"]
    assert config["toImageButtonOptions"]["filename"] == drawn.name
    assert config["modeBarButtons"][0][-1] == "toImage"
    assert f'data-label="{drawn.label}"' in drawn.below()
    assert drawn.below().count("<td") >= 6


@each
def test_a_chart_is_as_wide_as_its_place(draw: Callable[[str], Chart]) -> None:
    layout = sent(draw("joy"))["layout"]
    assert "width" not in layout
    assert layout["height"] > 100


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("paper", ["#ffffff", "#131c2d"])
@pytest.mark.parametrize("colour", chart.COLOURS)
def test_colours_are_seen_on_light_and_dark(colour: str, paper: str) -> None:
    dark, light = sorted((luminance(colour), luminance(paper)))
    assert (light + 0.05) / (dark + 0.05) >= 3


def test_equal_names_and_names_that_are_numbers_keep_their_places() -> None:
    drawn = sent(lab_data.classes(["1", "1", "a" * 50], [[3, 4, 5], [1, 1, 1], [0, 2, 0]]))
    assert drawn["data"][0]["y"] == [0, 1, 2]
    assert drawn["layout"]["yaxis"]["ticktext"] == ["1", "1", "a" * (chart.LETTERS - 1) + "…"]
    assert drawn["data"][3]["x"] == [4, 7, 6]


def test_a_limit_far_beyond_every_text_is_told_but_not_drawn() -> None:
    near = lab_data.lengths([box("joy")], "tokens", 4, "Tokens")
    far = lab_data.lengths([box("joy")], "tokens", 512, "Tokens")
    assert sent(near)["layout"]["shapes"][0]["x0"] == 4
    assert "shapes" not in sent(far)["layout"] or not sent(far)["layout"]["shapes"]
    assert "no text is cut off" in far.below()
    assert "cut off in training" in near.below()
