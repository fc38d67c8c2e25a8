"""The data of the guided tours: what each stop names is there. That it works is walked in a browser."""

from __future__ import annotations

import re

import pytest

from components.insight.overview import LETTER
from components.models.catalog import load_catalog
from components.tasks.fields import input_fields, option_fields
from components.ui.guides import Guide, Guides, Stop, panel
from components.ui.page import TaskPage
from demos import PAGES, documents, tours

TOURS = tours.tours()
STOPS = [
    pytest.param(guide, number, id=f"{guide.name}-{number}")
    for guide in TOURS
    for number in range(1, len(guide.stops) + 1)
]


def test_there_is_a_tour_for_each_visitor() -> None:
    assert [guide.name for guide in TOURS] == ["main", "stakeholder", "class", "developer"]
    assert len(TOURS[0].stops) == 12
    assert all(stop.question and stop.answer for stop in TOURS[2].stops)
    assert not any(stop.question for guide in TOURS if guide.name != "class" for stop in guide.stops)


@pytest.mark.parametrize(("guide", "number"), STOPS)
def test_a_stop_names_what_there_is(guide: Guide, number: int) -> None:
    stop = guide.stops[number - 1]
    assert stop.page in {"", *documents(), *(page.slug for page in PAGES)}
    page = next((page for page in PAGES if page.slug == stop.page), None)
    if isinstance(page, TaskPage):
        options = (field.name for field in option_fields(page.task.options))
        known = {"model", "run", *(field.name for field in input_fields(page.task.inputs)), *options}
        assert known.issuperset(stop.query)
    if "model" in stop.query:  # whatever a stop runs needs no Hub
        assert load_catalog()[stop.query["model"]].embedded
    assert "{" not in "".join(stop.query.values())
    assert 1 <= len(re.findall(r"[.?!](?:\s|$)", stop.text)) <= 3
    assert len(stop.text) <= 330  # or the panel hides too much of a phone


def test_the_letter_is_the_home_pages() -> None:
    assert sum(LETTER in stop.query.values() for guide in TOURS for stop in guide.stops) > 4


def test_an_address_leads_to_its_stop_once() -> None:
    guides = Guides(TOURS)
    here = guides.aside("attention", {"tour": "main", "stop": "1", "embed": "1", "other": "x"})
    assert here
    assert here.elsewhere.startswith("./tokenizers?text=Last+month")
    assert here.elsewhere.endswith("&embed=1&tour=main&stop=1")
    # The visitor's own text stays.
    own = guides.aside("tokenizers", {"tour": "main", "stop": "1", "text": "mine"})
    assert own
    assert (own.elsewhere, own.html != "") == ("", True)
    assert guides.aside("attention", {"tour": "nothing", "stop": "1"}) is None
    assert guides.aside("attention", {}) is None


@pytest.mark.parametrize(
    ("asked", "number"),
    [("", 1), ("x", 1), ("0", 1), ("-3", 1), ("4", 4), ("99", 12), ("9" * 9, 1), ("²", 1)],
)
def test_any_number_is_some_stop(asked: str, number: int) -> None:
    found = Guides(TOURS).aside("", {"tour": "main", "stop": asked})
    assert found
    assert found.elsewhere.endswith(f"&stop={number}")


def test_texts_of_a_stop_stay_text() -> None:
    hostile = '"><img src=x onerror=alert(1)>'
    stop = Stop.__pydantic_validator__.validate_python(  # type: ignore[attr-defined]
        {
            "page": "attention",
            "anchor": hostile,
            "title": hostile,
            "text": hostile,
            "question": hostile,
            "answer": hostile,
            "try": {"text": hostile, "changes": hostile, "fill": {hostile: hostile}, "press": [hostile]},
        }
    )
    guide = Guide(name="bad", title=hostile, sentence="s", minutes=1, stops=(stop,))
    html = panel(guide, 1, {"embed": hostile})
    assert "<img" not in html
    assert html.count("&gt;") > 8
