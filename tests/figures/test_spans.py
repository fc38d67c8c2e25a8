"""Spans in a text: what is drawn is the text, whole and in order, whatever overlaps."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from components.figures import spans
from components.figures.markup import escape
from components.figures.spans import Mark

TEXT = "The Bank of England's governor <b>met</b> Marie Curie & Paul in Paris."
NOTHING = "No names found."


class Drawn(HTMLParser):
    """The text that the figure marks, and which characters of it lie in how many marks of each title."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.over: list[set[str]] = []
        self._open: list[str | None] = []
        self._tags = 0
        self._inside = False
        self.feed(str.__str__(html))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._inside |= tag == "p" and "marked" in str(given.get("class"))
        if tag == "mark":
            self._open.append(given["title"])
        elif tag == "span" and self._inside:
            self._tags += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "p":
            self._inside = False
        elif tag == "mark":
            self._open.pop()
        elif tag == "span" and self._inside:
            self._tags -= 1

    def handle_data(self, data: str) -> None:
        if self._inside and not self._tags:
            self.text += data
            self.over += [{str(title) for title in self._open}] * len(data)


def draw(text: str, marks: list[Mark]) -> str:
    return str(spans.marked(text, marks, nothing=NOTHING, table="All names"))


def mark(words: str, label: str, score: float = 0.5) -> Mark:
    start = TEXT.index(words)
    return Mark(start=start, end=start + len(words), label=label, score=score)


@st.composite
def texts_with_marks(draw: st.DrawFn) -> tuple[str, list[Mark]]:
    text = draw(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=1))
    places = st.integers(0, len(text))
    marks = [
        Mark(
            start=min(a, b),
            end=max(a, b),
            label=draw(st.sampled_from(["PER", "ORG", "B-LOC", "X", "<i>", "&"])),
            score=s,
        )
        for a, b, s in draw(st.lists(st.tuples(places, places, st.floats(0, 1)), max_size=8))
        if a != b
    ]
    return text, marks


@given(texts_with_marks())
def test_every_character_is_shown_once_under_the_marks_that_cover_it(case: tuple[str, list[Mark]]) -> None:
    text, marks = case
    drawn = Drawn(draw(text, marks))
    assert drawn.text == text
    for place, over in enumerate(drawn.over):
        assert over == {one.title for one in marks if one.start <= place < one.end}


def test_label_and_score_are_text_and_shown_on_hover() -> None:
    html = draw(TEXT, [mark("Marie Curie", "PER", 0.973)])
    assert re.search(r'title="PER, 97\.3 %, characters [\d]+ to [\d]+">Marie Curie</mark>', html)
    assert '> PER <span class="score">97 %</span></span>' in html


def test_nested_and_overlapping_marks_have_lines_of_their_own() -> None:
    marks = [
        mark("Bank of England", "ORG"),
        mark("England's governor", "TITLE"),
        mark("England", "LOC"),
        mark("Paris", "LOC"),
    ]
    html = draw(TEXT, marks)
    lanes = {
        one.title: int(lane)
        for one in marks
        for lane in re.findall(rf'--lane:(\d)" title="{re.escape(str(escape(one.title)))}"', html)
    }
    assert list(lanes.values()) == [0, 1, 2, 0]
    assert "--lanes:3" in html


def test_a_label_looks_the_same_in_every_text() -> None:
    alone = draw(TEXT, [mark("Paris", "LOC")])
    among = draw(
        TEXT, [mark("Paris", "B-LOC"), mark("Marie Curie", "PER"), mark("Bank", "ZOO"), mark("met", "ANT")]
    )
    kind = re.search(r'<mark class="(kind-\d)"[^>]*>Paris', alone)
    assert kind is not None
    assert re.search(rf'<mark class="{kind[1]}"[^>]*>Paris', among)
    classes = re.findall(r'<mark class="(kind-\d)"', among)
    assert len(set(classes)) == 4


def test_more_labels_than_colours_share_one_switch() -> None:
    letters = TEXT[:20]
    marks = [Mark(start=i, end=i + 1, label=f"L{i:02}", score=1.0) for i in range(len(letters))]
    html = draw(letters, marks)
    assert html.count('type="checkbox"') == spans.KINDS
    assert "L18, L19 " in html


def test_nothing_found_is_said_beside_the_text() -> None:
    drawn = draw(TEXT, [])
    assert NOTHING in drawn
    assert Drawn(drawn).text == TEXT


def test_a_long_table_says_what_it_leaves_out() -> None:
    text = "ab " * 700
    marks = [Mark(start=3 * i, end=3 * i + 2, label="PER", score=0.9) for i in range(700)]
    html = draw(text, marks)
    assert html.count("<tr ") == spans.LONGEST_TABLE
    assert "200 more are in the JSON below." in html
