"""How the generation page shows what the model weighed, and lets a visitor choose otherwise."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, expect

from components.tasks.fields import option_fields
from demos import examples, text_generation
from tests.browser.tour import Visit

SPEC = text_generation.PAGE


# What each sampling option is where it changes nothing.
OFF = {"temperature": 1, "top_k": 0, "top_p": 1, "min_p": 0}


@pytest.fixture(scope="module")
def opened(keep_open: Callable[[str], Page]) -> Visit:
    """The page with its stored answer."""
    return Visit(keep_open("about:blank"), SPEC).open()


@pytest.fixture(scope="module")
def weather(keep_open: Callable[[str], Page]) -> Visit:
    """The page with an answer whose every token has alternatives."""
    visit = Visit(keep_open("about:blank"), SPEC).open(
        prompt="The weather today is", mode="plain", temperature=0, alternatives=3, max_new_tokens=6
    )
    visit.run()
    return visit


def percent(text: str) -> float:
    return 0.0 if text.startswith("out") else float(text.removeprefix("< ").removesuffix(" %")) / 100


@pytest.mark.parametrize(
    ("name", "value"),
    [("temperature", 0.5), ("temperature", 2), ("top_k", 3), ("top_p", 0.9), ("min_p", 0.1)],
)
def test_the_chart_follows_the_options_without_the_model(opened: Visit, name: str, value: float) -> None:
    visit, page = opened, opened.page
    expect(page.locator(".next-token input")).to_have_count(0)  # one set of controls, not two
    data = examples.load(SPEC.task)[0].answer["next_token"]
    temperature = value if name == "temperature" else 1.0
    logits = [one["logit"] for one in data["tokens"]]
    weights = [math.exp((logit - logits[0]) / temperature) for logit in logits]
    rest = [one["count"] * math.exp((one["logit"] - logits[0]) / temperature) for one in data["rest"]]
    shares = [weight / (sum(weights) + sum(rest)) for weight in weights]
    match name:
        case "top_k":
            kept = shares[: int(value)]
        case "top_p":
            kept = [share for place, share in enumerate(shares) if sum(shares[:place]) < value]
        case "min_p":
            kept = [share for share in shares if share >= value * shares[0]]
        case _:
            kept = [*shares, 1 - sum(shares)]
    expected = [share / sum(kept) if place < len(kept) else 0.0 for place, share in enumerate(shares)][:12]
    requests: list[str] = []

    def note(request: Request) -> None:
        requests.append(request.url)

    page.on("request", note)
    for field in visit.options:
        if field.name in OFF:
            visit.set_option(field, value if field.name == name else OFF[field.name])
    said = page.locator(".next-token .sampling")
    for other, off in OFF.items():
        words = other.replace("_", "-")
        expected_words = (
            f"{words} {value:g}" if other == name else f"{words} {'off' if other != 'temperature' else off}"
        )
        expect(said).to_contain_text(expected_words)
    drawn = page.locator(".next-token tbody .value").all_inner_texts()[:12]
    page.remove_listener("request", note)
    assert [percent(text) for text in drawn] == pytest.approx(expected, abs=1.1e-3)
    assert not [url for url in requests if "queue" in url]


def test_the_chart_shows_the_token_that_is_open(weather: Visit) -> None:
    visit, page = weather, weather.page
    step = visit.answer()["steps"][3]
    visit.part("result").locator(".step summary").nth(3).click()
    expect(page.locator(".next-token .where")).to_contain_text("after", timeout=60_000)
    best = page.locator(".next-token tbody tr").first
    expect(best.locator("th")).to_have_text(step["alternatives"][0]["text"].replace(" ", "·", 1))


def test_another_token_is_gone_on_from_by_a_click(weather: Visit) -> None:
    visit = weather
    answer = visit.answer()
    index, step = next(
        (index, step) for index, step in enumerate(answer["steps"]) if index and not step["special"]
    )
    place = next(
        place
        for place, one in enumerate(step["alternatives"])
        if one["text"] != step["text"] and not one["special"]
    )
    begun = answer["text"][: step["start"]] + step["alternatives"][place]["text"]
    visit.part("result").locator(".step summary").nth(index).click()
    visit.run(visit.part("result").locator(f'[data-pick="[{index},{place}]"]').click)
    assert visit.option(next(one for one in option_fields(SPEC.task.options) if one.name == "begin")) == begun
    assert visit.answer()["text"].startswith(begun)
    expect(visit.part("result").locator(".steps")).to_contain_text(re.compile(r"\w"))


def test_a_reply_goes_on_with_the_conversation_and_its_turns_can_be_edited(page: Page) -> None:
    visit = Visit(page, SPEC).open(prompt="My name is Ada.", temperature=0, max_new_tokens=12)
    visit.run()
    first = visit.answer()["text"]
    result = visit.part("result")
    result.get_by_label("Your reply").fill("User: <b>What</b> is my name?")
    visit.run(result.get_by_role("button", name="Reply").click)
    expect(visit.box("prompt")).to_have_value("User: <b>What</b> is my name?")
    expect(visit.box("messages")).to_have_value(f"User: My name is Ada.\nAssistant: {first}")
    expect(result.locator(".turn")).to_have_count(4)
    request = visit.drawer("API")
    assert '"messages"' in request
    visit.fill("messages", [{"role": "user", "content": "My name is Grace."}])
    visit.run()
    expect(result.locator(".turn").first).to_have_text("My name is Grace.")
    expect(result.locator(".turn")).to_have_count(3)
