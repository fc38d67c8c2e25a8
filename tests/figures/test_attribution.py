"""Attribution drawn: whatever stands in a text stays text, and nothing is lost in the picture."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest

from components.figures import attribution as figure
from components.figures.markup import escape
from components.insight.attribution import TASK, Method, compare
from components.tasks.explained import Unit
from demos import examples
from demos.attribution import EXAMPLES, facts

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title>",
    "{{7*7}}",
    "${x}",
    "&amp;",
]
NAMES = ("occlusion", "gradient_x_input", "integrated_gradients", "attention_rollout")


def attributed(units: list[str], **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A request and an answer to it, with as many units as there are words."""
    text, placed = "", []
    for unit in units:
        placed.append(Unit(text=unit, start=len(text), end=len(text) + len(unit), source="text"))
        text += unit + " "
    methods = [
        Method(
            name=name,
            values=[(-1.0) ** (row + column) * (row + 1) / 7 for row in range(len(units))],
            sum=0.5,
            note="",
        )
        for column, name in enumerate(NAMES)
    ]
    answer = {
        "task": "text_classification",
        "target": units[0],
        "against": units[-1],
        "score": 1.25,
        "change": -0.5,
        "means": f"the raw score of “{units[0]}”",
        "units": [vars(unit) for unit in placed],
        "methods": [vars(method) for method in methods],
        "completeness_error": 0.0123,
        "steps": 32,
        "agreement": {
            "pairs": [vars(pair) for pair in compare(units, methods).pairs],
            "unit": 0,
            "sentence": f"They disagree about “{units[0]}”.",
        },
        "choices": [{"text": unit, "score": 0.5} for unit in units],
        **more,
    }
    return {"text": text, "text_pair": ""}, answer


def drawn(request: dict[str, Any], answer: dict[str, Any]) -> str:
    edit = {
        "unit": answer["units"][0],
        "target": answer["target"],
        "means": answer["means"],
        "replacement": HOSTILE[1],
        "before": {"text": request["text"], "text_pair": "", "score": 1.0, "choices": answer["choices"]},
        "after": {"text": HOSTILE[0], "text_pair": "", "score": None, "choices": answer["choices"]},
    }
    parts = (
        figure.head(answer),
        figure.tinted(request, answer, 1),
        figure.grid(answer),
        figure.teaser(request, answer),
        figure.edited(edit),
    )
    return "".join(map(str, parts))


def test_hostile_tokens_stay_text() -> None:
    page = drawn(*attributed(HOSTILE))
    for text in HOSTILE[:2]:
        assert text not in page
    for text in HOSTILE:
        assert str(escape(text)) in page
    assert not re.search(r"<(script|img)\b", page)
    assert page.count("<button") == len(HOSTILE) * len(NAMES) + 4  # and those that save the grid


def test_every_part_is_a_button_that_says_its_value() -> None:
    request, answer = attributed(["good", "bad", "ugly"])
    page = str(figure.tinted(request, answer))
    heard = [html.unescape(re.sub("<[^>]+>", "", one)) for one in re.findall(r"<button.*?</button>", page)]
    values = [value for method in answer["methods"] for value in method["values"]]
    assert len(heard) == len(values) == 12
    for text, value, index in zip(heard, values, list(range(3)) * 4, strict=True):
        assert text.startswith(answer["units"][index]["text"])
        assert f"{abs(value):.3f}"[:5] in text
        assert ("−" in text) == (value < 0)
    assert 'class="part against"' in page
    assert 'class="part for"' in page


def test_the_text_between_the_parts_is_kept() -> None:
    request, answer = attributed(["good", "bad"])
    page = re.sub(r"<span class=\"visually-hidden\">.*?</span>", "", str(figure.tinted(request, answer)))
    shown = re.search(r'<div class="parts".*?>(.*?)</div>', page)
    assert shown is not None
    assert re.sub("<[^>]+>", "", shown[1]) == request["text"]


def test_the_grid_draws_forty_parts_and_saves_all() -> None:
    words = [f"w{index}" for index in range(55)]
    page = str(figure.grid(attributed(words)[1]))
    assert page.count('class="cell ') == figure.MOST_ROWS * len(NAMES)
    assert "The other 15 are in the JSON" in page
    assert ">w54<" in page  # the largest
    assert ">w0<" not in page
    saved = re.search(r'data-numbers="([^"]*)"', page)
    assert saved is not None
    numbers = json.loads(html.unescape(saved[1]))
    assert numbers["rows"] == words
    assert len(numbers["values"]) == 55
    assert {len(row) for row in numbers["values"]} == {4}
    assert 'data-export="npy"' in page


@pytest.mark.parametrize(
    ("value", "said"),
    [(2.4612, "+2.46"), (-0.3941, "−0.394"), (0.0, "0.000"), (0.00012, "+0.00012"), (-12.0, "−12.00")],
)
def test_numbers_have_a_sign_and_digits_that_matter(value: float, said: str) -> None:
    assert figure.number(value, signed=True) == said


def test_the_worked_examples_are_the_stored_answers() -> None:
    [stored] = examples.load(TASK)
    first = next(iter(EXAMPLES.values()))
    assert [stored.payload[name] for name in ("task", "text", "text_pair", "model", "target", "against")] == [
        *first
    ]
    told = facts(stored.answer)
    values = {method["name"]: method["values"] for method in stored.answer["methods"]}
    words = [unit["text"] for unit in stored.answer["units"]]
    place = words.index("wonderful")
    assert told["wonderful"] == f"+{values['integrated_gradients'][place]:.2f}"
    assert told["occluded"] == f"+{values['occlusion'][place]:.2f}"
    # What the page concludes from them.
    assert values["integrated_gradients"][place] > abs(values["integrated_gradients"][words.index("loud")])
    assert values["integrated_gradients"][words.index("loud")] < 0
    assert abs(values["gradient_x_input"][place]) < values["occlusion"][place] / 5
    assert stored.answer["target"] == "positive"
    assert stored.answer["completeness_error"] <= 0.05
