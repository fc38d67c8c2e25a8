"""Model cards: their Markdown is drawn, and nothing in them becomes an element of ours by other means."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.figures.card import model_card
from tests.figures.test_escaping import HOSTILE, Skeleton

HARMLESS = {
    *("div", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "a", "i", "em", "strong", "code", "pre"),
    *("blockquote", "hr", "br", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"class", "href", "title", "target", "rel", "start", "style"}


def test_markdown_is_drawn_below_the_headings_of_the_page() -> None:
    drawn = model_card("---\nlicense: mit\n---\n# Name\n\n| a | b |\n|---|---|\n| 1 | *2* |\n")
    assert "license" not in drawn
    assert "<h3>Name</h3>" in drawn
    assert "<td><em>2</em></td>" in drawn


@pytest.mark.parametrize("front", ["---\na: [b\n---\n", "---\n---\n", ""])
def test_metadata_that_cannot_be_read_is_no_obstacle(front: str) -> None:
    assert "<h3>Name</h3>" in model_card(f"{front}# Name\n")


def test_pictures_are_named_not_fetched() -> None:
    drawn = model_card("![A <b>chart</b>](https://example.org/x.png) <img src='https://example.org/y.png'>")
    assert "img" not in {name for name, _ in Skeleton(drawn).elements}
    assert "chart" in Skeleton(drawn).text


def test_links_lead_to_a_new_tab_and_never_to_a_script() -> None:
    drawn = model_card("[a](https://example.org) [b](javascript:alert(1)) [c](data:text/html,x) <vbscript:x>")
    links = [attributes for name, attributes in Skeleton(drawn).elements if name == "a"]
    assert links == [("href", "target", "rel")]
    assert 'rel="noopener nofollow"' in drawn


@given(st.text())
@example("".join(HOSTILE))
@example("\n\n".join(HOSTILE))
@example("```" + HOSTILE[0] + "\n" + HOSTILE[2])
@example(f"[x](<{HOSTILE[2]}> '{HOSTILE[3]}')\n\n![{HOSTILE[0]}]({HOSTILE[2]})")
def test_whatever_is_written_only_harmless_elements_come_out(text: str) -> None:
    for name, attributes in Skeleton(model_card(text)).elements:
        assert name.removeprefix("/") in HARMLESS
        assert set(attributes) <= ATTRIBUTES
