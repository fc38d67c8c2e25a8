"""The timeline: whatever is told stays text, and no two milestones share a place."""

from __future__ import annotations

import re

import pytest

from components.figures.timeline import Link, Milestone, links_list, timeline
from tests.figures.test_escaping import HOSTILE, Skeleton


def milestone(id: str, year: int, family: str, text: str = "plain") -> Milestone:
    link = Link(label=text, href=f"./page?text={text}", note=text)
    return Milestone(
        id=id,
        year=year,
        name=text,
        title=text,
        family=family,
        text=text,
        source=text,
        arxiv=text,
        links=(link,),
    )


def drawn(text: str) -> str:
    told = [milestone("one", 1990, "first", text), milestone(text, 2000, text, text)]
    return str(timeline(told, {"first": text, text: text}, "one"))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_changes_no_element(text: str) -> None:
    assert Skeleton(drawn(text)).elements == Skeleton(drawn("harmless")).elements
    assert text in Skeleton(drawn(text)).text


def test_milestones_of_one_year_and_family_stand_below_each_other() -> None:
    told = [milestone(str(place), 2000 + place % 2, "ab"[place % 3 == 0]) for place in range(12)]
    html = str(timeline(told, {"a": "A", "b": "B"}, "0"))
    cells = re.findall(r"<button[^>]*grid-column:(\d+);grid-row:(\d+)", html)
    assert len(cells) == len(set(cells)) == len(told)
    lanes = [range(*map(int, span)) for span in re.findall(r"grid-row:(\d+)/(\d+)", html)]
    assert lanes[0].stop == lanes[1].start
    for one, (column, row) in zip(told, cells, strict=True):
        assert int(column) == one.year - 2000 + 2
        assert int(row) in lanes["ab".index(one.family)]


def test_only_the_chosen_one_is_open_and_reached_by_tab() -> None:
    html = str(timeline([milestone(id, 2000, "a") for id in ("x", "y", "z")], {"a": "A"}, "y"))
    assert re.findall(r'aria-controls="milestone-(.)" tabindex="0"', html) == ["y"]
    assert re.findall(r'<article id="milestone-(.)">', html) == ["y"]


def test_no_links_no_list() -> None:
    assert links_list([]) == ""
