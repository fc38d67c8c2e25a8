"""A text with spans marked in it, which may overlap or lie inside each other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from components import templates
from components.figures.markup import Markup, escape, join, percent

# Colours and line styles, `kind-0` to `kind-7` in the stylesheet; the last is for all labels beyond them.
FILL = templates.beside(__file__, percent=percent)
KINDS = 8
_USUAL = {"PER": 0, "PERSON": 0, "ORG": 1, "ORGANIZATION": 1, "LOC": 2, "LOCATION": 2, "MISC": 3}
LONGEST_TABLE = 500


@dataclass(frozen=True, kw_only=True)
class Mark:
    """`text[start:end]` under a label; `score` in [0, 1]."""

    start: int
    end: int
    label: str
    score: float

    @property
    def title(self) -> str:
        return f"{self.label}, {percent(self.score)}, characters {self.start:,} to {self.end:,}"


def marked(text: str, marks: Sequence[Mark], *, nothing: str, table: str) -> Markup:
    """The text with its marks, switches for the labels, and a table of all marks under the title `table`.

    `nothing` is said where there are no marks. Label and score stand behind each mark as text, so that
    nothing hangs on colour or on a pointer. The elements depend on the marks' places alone, not on the text.
    """
    if not marks:
        return Markup('<p class="hint">{}</p><p class="marked" dir="auto">{}</p>').format(nothing, text)
    kinds = _kinds({mark.label for mark in marks})
    lanes = _lanes(marks)
    return Markup(
        '<div class="spans">{switches}<p class="marked" dir="auto" style="--lanes:{lanes}">{body}</p>'
        "{table}</div>"
    ).format(
        switches=_switches(marks, kinds),
        lanes=max(lanes) + 1,
        body=_body(text, marks, lanes, kinds),
        table=_table(text, marks, kinds, table),
    )


def _kinds(labels: set[str]) -> dict[str, int]:
    """The kind of each label: the same for the usual ones in every text, "B-PER" as "PER"."""
    bare = {label: re.sub("^[BI]-", "", label) for label in labels}
    usual = {name: _USUAL[name.upper()] for name in bare.values() if name.upper() in _USUAL}
    free = [kind for kind in range(KINDS - 1) if kind not in usual.values()]
    others = sorted(set(bare.values()) - set(usual))
    known = usual | {
        name: free[place] if place < len(free) else KINDS - 1 for place, name in enumerate(others)
    }
    return {label: known[name] for label, name in bare.items()}


def _lanes(marks: Sequence[Mark]) -> list[int]:
    """For each mark the lowest line under the text that no mark overlapping it has."""
    lanes = [0] * len(marks)
    ends: list[int] = []
    for index in sorted(range(len(marks)), key=lambda index: (marks[index].start, -marks[index].end)):
        lane = next((lane for lane, end in enumerate(ends) if end <= marks[index].start), len(ends))
        ends[lane : lane + 1] = [marks[index].end]
        lanes[index] = lane
    return lanes


def _body(text: str, marks: Sequence[Mark], lanes: Sequence[int], kinds: dict[str, int]) -> Markup:
    """The text cut wherever a mark begins or ends; each piece inside one element per mark over it."""
    starting: dict[int, list[int]] = {}
    ending: dict[int, list[int]] = {}
    for index, mark in enumerate(marks):
        starting.setdefault(mark.start, []).append(index)
        ending.setdefault(mark.end, []).append(index)
    parts: list[Markup] = []
    over: list[int] = []
    place = 0
    for cut in sorted({*starting, *ending}):
        parts.append(_piece(text[place:cut], [(marks[index], lanes[index]) for index in over], kinds))
        place = cut
        parts += [_tag(marks[index], kinds) for index in ending.get(cut, ()) if index in over]
        over = [index for index in over if marks[index].end > cut]
        over += [index for index in starting.get(cut, ()) if marks[index].end > cut]
        over.sort(key=lanes.__getitem__, reverse=True)
    parts.append(escape(text[place:]))
    return join(parts)


def _piece(piece: str, over: Sequence[tuple[Mark, int]], kinds: dict[str, int]) -> Markup:
    drawn = escape(piece)
    for mark, lane in reversed(over):
        drawn = Markup('<mark class="kind-{}" style="--lane:{}" title="{}">{}</mark>').format(
            kinds[mark.label], lane, mark.title, drawn
        )
    return drawn


def _tag(mark: Mark, kinds: dict[str, int]) -> Markup:
    return Markup('<span class="tag kind-{}"> {} <span class="score">{}</span></span>').format(
        kinds[mark.label], mark.label, percent(mark.score, digits=0)
    )


def _switches(marks: Sequence[Mark], kinds: dict[str, int]) -> Markup:
    """One for each kind, with its labels and how many there are, unless each is there once; none for a lone
    mark."""
    if len(marks) == 1:
        return Markup()
    switches = []
    counts = Counter(kinds[mark.label] for mark in marks)
    counted = Markup(' <span class="score">{:,}</span>') if max(counts.values()) > 1 else Markup()
    for kind in sorted(counts):
        labels = sorted(label for label in kinds if kinds[label] == kind)
        switches.append(
            Markup(
                '<label class="tag kind-{kind}"><input type="checkbox" class="show-{kind}" checked> {labels}'
                "{count}</label>"
            ).format(kind=kind, labels=", ".join(labels), count=counted.format(counts[kind]))
        )
    return Markup(
        '<fieldset class="switches"><legend class="visually-hidden">Labels shown</legend>{}</fieldset>'
    ).format(join(switches))


def _table(text: str, marks: Sequence[Mark], kinds: dict[str, int], title: str) -> Markup:
    rows = [(mark, kinds[mark.label], text[mark.start : mark.end]) for mark in marks[:LONGEST_TABLE]]
    return FILL("table", title=title, rows=rows, count=len(marks))
