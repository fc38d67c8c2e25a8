"""Figures with exports, and the layers' own: whatever a text holds, it stays text."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest

from components.figures import layers, svg
from components.figures.markup import Markup
from components.insight.layers import TASK
from demos import examples
from tests.figures.test_charts import sent
from tests.figures.test_escaping import HOSTILE, Skeleton


def framed(text: str) -> str:
    drawn = svg.drawing(
        80,
        40,
        [
            svg.text(1, 10, text, title=text),
            svg.rect(0, 0, 9, 9, title=text),
            svg.line([(0, 0), (1, 1)], title=text),
        ],
        cls=text,
    )
    return str(svg.figure(drawn, name=text, label=text, numbers={"tokens": [text], "values": [[1, 2]]}))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_changes_no_element_of_a_figure(text: str) -> None:
    assert Skeleton(framed(text)).elements == Skeleton(framed("harmless")).elements


@pytest.mark.parametrize("text", HOSTILE)
def test_a_drawing_is_well_formed_and_its_numbers_are_json(text: str) -> None:
    figure = ElementTree.fromstring(framed(text))  # noqa: S314 - our own
    assert json.loads(figure.attrib["data-numbers"]) == {"tokens": [text], "values": [[1, 2]]}
    assert figure.attrib["data-name"] == text
    [drawn] = figure.iter("{http://www.w3.org/2000/svg}svg")
    assert drawn.attrib["aria-label"] == text
    assert drawn.attrib["role"] == "img"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[1, 2.5], [3, 4]], (2, 2)),
        ([1, 2, 3], (3,)),
        ([[[1]], [[2]]], (2, 1, 1)),
        ([[1], [2, 3]], None),
        ([[1], 2], None),
        (["a"], None),
        ([], None),
        ("ab", None),
        (None, None),
    ],
)
def test_what_is_rectangular_can_be_an_array(values: object, expected: tuple[int, ...] | None) -> None:
    assert svg.shape(values) == expected
    offered = svg.figure(svg.drawing(1, 1, []), name="n", label="l", numbers={"values": values})
    assert ('data-export="npy"' in offered) is (expected is not None)


def test_a_figure_needs_a_drawing() -> None:
    with pytest.raises(ValueError, match="<svg>"):
        svg.figure(Markup("<p></p>"), name="n", label="l", numbers={})


STORED = [entry.answer for entry in examples.load(TASK)]


def told(answer: Any, text: str) -> Any:
    """An answer whose every token is `text`."""
    return {
        **answer,
        "tokens": [text] * len(answer["tokens"]),
        "lens": [[[text] * len(place) for place in row] for row in answer["lens"]],
        "no_lens": text if answer["no_lens"] else "",
    }


@pytest.mark.parametrize("text", [*HOSTILE, "\n", "", "漢字漢字漢字漢字漢字", "a" * 300])
@pytest.mark.parametrize("answer", STORED, ids=lambda answer: answer["model"])
def test_tokens_change_no_element_of_the_layers(answer: Any, text: str) -> None:
    drawn = Skeleton(str(layers.layers({}, told(answer, text))))
    assert drawn.elements == Skeleton(str(layers.layers({}, told(answer, "harmless")))).elements


def figures(html: Markup) -> dict[str, Any]:
    """The numbers of each figure, by its name."""
    found: dict[str, Any] = {}

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = dict(attrs)
            if tag == "figure":
                found[str(given["data-name"])] = json.loads(given["data-numbers"] or "")

    Reader().feed(str(html))
    return found


@pytest.mark.parametrize("answer", STORED, ids=lambda answer: answer["model"])
def test_figures_hold_the_answers_numbers(answer: Any) -> None:
    found = figures(layers.layers({}, answer))
    assert found["layers-kept"]["values"] == answer["kept"]
    assert ("layers-as-words" in found) is bool(answer["lens"])
    if answer["lens"]:
        assert found["layers-as-words"]["lens"] == answer["lens"]
        assert svg.shape(found["layers-as-words"]["values"]) == (
            answer["layers"] + 1,
            len(answer["tokens"]),
        )


@pytest.mark.parametrize("answer", STORED, ids=lambda answer: answer["model"])
def test_charts_hold_the_answers_numbers(answer: Any) -> None:
    similarity, norms = sent(layers.similarity({}, answer)), sent(layers.norms({}, answer))
    assert similarity["data"][0]["z"] == answer["similarity"]
    drawn = [value for trace in norms["data"][:-1] for value in trace["y"] if value is not None]
    assert sorted(drawn) == sorted(value for row in answer["norms"] for value in row)
    assert norms["data"][-1]["y"][:-1] == answer["median_norms"]


def test_lengths_that_differ_much_are_on_a_logarithmic_scale() -> None:
    answer = STORED[0]
    even = {**answer, "norms": [[1.0] * 5, [19.0] * 5], "median_norms": [1.0, 19.0]}
    uneven = {**answer, "norms": [[0.0] * 5, [1.0] * 5, [21.0] * 5], "median_norms": [0.0, 1.0, 21.0]}
    assert sent(layers.norms({}, even))["layout"]["yaxis"].get("type") is None
    assert sent(layers.norms({}, uneven))["layout"]["yaxis"]["type"] == "log"


def test_a_long_text_is_drawn_in_part_and_says_so() -> None:
    answer = STORED[0]
    times = 20
    long = {
        **answer,
        "tokens": answer["tokens"] * times,
        "lens": [row * times for row in answer["lens"]],
        "probabilities": [row * times for row in answer["probabilities"]],
        "kept": [row * times for row in answer["kept"]],
        "norms": [row * times for row in answer["norms"]],
    }
    html = layers.layers({}, long)
    assert len(sent(layers.norms({}, long))["data"][0]["x"]) == (layers.MOST_DRAWN - 1) * (
        len(long["norms"]) + 1
    )
    assert "36 of 100 tokens are not drawn" in layers.norms({}, long).below()
    assert html.count(f"The first {layers.MOST_DRAWN} of 100 positions are drawn") == 2
    assert len(figures(html)["layers-as-words"]["tokens"]) == layers.MOST_DRAWN


@pytest.mark.parametrize("value", [0.0, 1.0, 1e-9, 1e9])
def test_lengths_of_any_size_are_drawn(value: float) -> None:
    answer = STORED[1]
    norms = [[value * (1 + layer)] * len(answer["tokens"]) for layer in range(answer["layers"] + 1)]
    drawn = layers.norms({}, {**answer, "norms": norms, "median_norms": [row[0] for row in norms]})
    median = sent(drawn)["data"][-1]["y"][:-1]
    assert median == [row[0] for row in norms]
    assert ">median</td>" in drawn.numbers


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        (" Paris", "Paris"),
        (" ", "␣"),
        ("\n", "↵"),
        ("internationalization", "internation…"),
        ("漢" * 9, "漢漢漢漢漢…"),
    ],
)
def test_a_cell_shows_what_it_has_room_for(token: str, shown: str) -> None:
    assert layers.short(token) == shown
