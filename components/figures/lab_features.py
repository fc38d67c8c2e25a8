"""A data set's texts as points in a plane, for `lab-features.js` to draw."""

from __future__ import annotations

from typing import Any

import numpy as np

from components.figures.markup import Markup, join
from components.figures.svg import FORMATS
from components.lab.data import SPLITS, UNUSED, Data
from components.lab.methods.features import Points

MOST_CHARACTERS = 2_000_000  # of all texts together that a page is sent
SHORTEST = 200  # characters of each text that it is sent at least

# What there is to see is put in by the script, as text. The buttons are those of every figure (`svg.figure`).
TEMPLATE = Markup(
    '<div class="scatter" hidden><p class="scatter-said hint"></p><p class="scatter-help hint">'
    "Draw around points to list their texts below, with Shift to add to those selected. Or go to the figure "
    "by Tab: arrow keys go from text to text, Shift and an arrow select a rectangle, Enter selects one text, "
    "Escape none.</p>"
    '<div class="scatter-keys"></div>'
    '<figure class="drawn" data-name="lab-features"><div class="scatter-stage" tabindex="0" '
    'role="application" aria-label="Texts as points; arrow keys go from one to the next">'
    '<svg class="scatter-points" xmlns="http://www.w3.org/2000/svg"></svg>'
    '<svg class="scatter-over" xmlns="http://www.w3.org/2000/svg" aria-hidden="true"></svg></div>'
    '<p class="scatter-tip" dir="auto" aria-live="polite"></p>'
    '<div class="drawn-exports" role="group" aria-label="Download"><span>Download</span>{}</div></figure>'
    '<div class="scatter-selected"></div></div>'
).format(
    join(
        Markup('<button type="button" data-export="{}">{}</button>').format(
            each, each if each == "npy" else each.upper()
        )
        for each in FORMATS
    )
)


def scatter(data: Data, found: Points, said: str) -> dict[str, Any]:
    """What the script draws of points and their texts; `said` tells how they came about.

    Texts are cut where all together are too long for a page, which is said.
    """
    texts = data.texts(found.rows)
    longest = max(SHORTEST, MOST_CHARACTERS // max(1, len(texts)))
    if any(len(text) > longest for text in texts):
        said += f" Texts are cut after {longest:,} characters here and in the CSV file."
    unlabelled = len(data.about.labels)
    return {
        "said": said,
        "labels": [*data.about.labels, "no label"],
        "splits": [*SPLITS, "no split"],
        "rows": found.rows.tolist(),
        "points": found.points.astype(float).round(4).tolist(),
        "classes": np.where(found.classes == UNUSED, unlabelled, found.classes).tolist(),
        "split": np.where(found.splits == UNUSED, len(SPLITS), found.splits).tolist(),
        "texts": [text if len(text) <= longest else f"{text[:longest]} …" for text in texts],
    }
