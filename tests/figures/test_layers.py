"""Figures with exports, and the layers' own: whatever a text holds, it stays text."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from components.figures import svg
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
        svg.figure(svg.Markup("<p></p>"), name="n", label="l", numbers={})
