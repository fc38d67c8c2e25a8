"""Whatever a visitor or a model wrote, a figure's elements stay those of one with harmless text."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.figures import status
from components.ui.page import TaskPage
from demos import PAGES, examples

TASK_PAGES = [page for page in PAGES if isinstance(page, TaskPage)]

HOSTILE = [
    "<script>window.__pwn=1</script>",
    "</script></td></table>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "${alert(1)} {{alert(1)}} `",
    "&lt;b&gt; &amp; &#x3c;",
]


class Skeleton(HTMLParser):
    """Elements and attribute names in order, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.text = ""
        self.feed(str.__str__(html))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.elements.append((f"/{tag}", ()))

    def handle_data(self, data: str) -> None:
        self.text += data


def with_texts(value: Any, text: str) -> Any:
    """`value` with every string in it replaced."""
    match value:
        case str():
            return text
        case dict():
            return {key: with_texts(item, text) for key, item in value.items()}
        case list():
            return [with_texts(item, text) for item in value]
    return value


@pytest.mark.parametrize("figure", ["draw", "teaser"])
@pytest.mark.parametrize("page", TASK_PAGES, ids=lambda page: page.slug)
def test_no_text_becomes_an_element(page: TaskPage, figure: str) -> None:
    draw: Callable[..., str] = getattr(page, figure)
    for entry in examples.load(page.task):
        harmless = Skeleton(draw(with_texts(entry.payload, "x"), with_texts(entry.answer, "x")))
        for text in HOSTILE:
            drawn = Skeleton(draw(with_texts(entry.payload, text), with_texts(entry.answer, text)))
            assert drawn.elements == harmless.elements
            assert text.split()[0] in str(drawn.text)


@given(st.text())
@example("<script>")
@example('"><img src=x onerror=alert(1)>')
def test_status_figures_escape(text: str) -> None:
    drawers: list[Callable[[str], str]] = [
        lambda words: status.progress(words, None),
        lambda words: status.notes([words]),
        status.problem,
        status.hint,
    ]
    for draw in drawers:
        assert Skeleton(draw(text)).elements == Skeleton(draw("x")).elements
