"""What the experiments of the story measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components import texts
from components.figures import attribution, counterfactuals, status
from components.figures.markup import Markup, bar_rows, byte_size, percent
from components.tasks import identities

TEXTS = texts.beside(__file__)

Json = Mapping[str, Any]


def languages(result: Json) -> Markup:
    """How positive each line is to the classifier, and the tokens that it becomes."""
    return bar_rows(
        [
            (
                Markup('{}<span class="sequence">{}</span>').format(
                    row["text"], TEXTS["tokens"].format(tokens=row["tokens"], words=row["words"])
                ),
                row["positive"],
                percent(row["positive"]),
            )
            for row in result["rows"]
        ],
        caption="Score of “positive” for each line",
        columns=("Text", "Score of “positive”"),
        best=(),
    )


def length(result: Json) -> Markup:
    """Time and memory of attention by the number of tokens."""
    rows: Sequence[Json] = result["rows"]
    if not rows:
        return Markup()
    longest = max(row["seconds"] for row in rows)
    drawn = bar_rows(
        [
            (
                Markup('{}<span class="sequence">{}</span>').format(
                    f"{row['tokens']:,} tokens", TEXTS["weights"].format(size=byte_size(row["nbytes"]))
                ),
                row["seconds"] / longest,
                status.duration(row["seconds"]),
            )
            for row in rows
        ],
        caption="Time of attention by length of the text",
        columns=("Tokens", "Time"),
        best=(),
    )
    if len(rows) < 2:
        return drawn
    last, before = rows[-1], rows[-2]
    return drawn + TEXTS.html(
        "growth",
        length=last["tokens"] / before["tokens"],
        time=last["seconds"] / before["seconds"],
        memory=last["nbytes"] / before["nbytes"],
    )


def explanations(result: Json) -> Markup:
    """All methods side by side, and where they disagree most."""
    answer = result["answer"]
    said = Markup('<p class="verdict">{}</p>').format(answer["agreement"]["sentence"])
    return said + attribution.grid(answer)


def bias(result: Json) -> Markup:
    """How the score moves with each swap."""
    swaps = identities.swaps(result["text"])
    if not swaps:
        return status.hint(TEXTS["nobody"].format(examples=identities.examples()))
    return counterfactuals.moves(swaps, result["scores"])
