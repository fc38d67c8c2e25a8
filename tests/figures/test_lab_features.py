"""What a page is sent of a projection."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from components.figures import lab_features
from components.lab.data import UNUSED
from components.lab.methods.features import Points
from tests.fakes.labelled import labelled
from tests.figures.test_escaping import HOSTILE

SPLITS = np.array([0, 1, 2, 0, 1, UNUSED])
CODES = np.array([0, 1, UNUSED, 1, 0, 0])


def drawn(folder: Path, texts: list[str], rows: list[int]) -> dict[str, Any]:
    data = labelled(folder, CODES, SPLITS, ["joy", HOSTILE[0]], texts)
    at = np.array(rows)
    places = np.stack([at, -at], axis=1).astype(np.float32) / 3
    return lab_features.scatter(
        data, Points(points=places, rows=at, classes=CODES[at], splits=SPLITS[at]), "Said."
    )


def named(sent: dict[str, Any], names: str, codes: str) -> list[str]:
    """As the page will read it."""
    read = json.loads(json.dumps(sent))
    return [read[names][code] for code in read[codes]]


def test_points_keep_their_texts_classes_and_splits(tmp_path: Path) -> None:
    sent = drawn(tmp_path, HOSTILE, [4, 2, 1])
    assert sent["texts"] == [HOSTILE[4], HOSTILE[2], HOSTILE[1]]
    assert sent["rows"] == [4, 2, 1]
    assert sent["points"] == [[1.3333, -1.3333], [0.6667, -0.6667], [0.3333, -0.3333]]
    assert named(sent, "labels", "classes") == ["joy", "no label", HOSTILE[0]]
    assert named(sent, "splits", "split") == ["validation", "test", "validation"]
    assert sent["said"] == "Said."


def test_texts_too_long_for_a_page_are_cut_and_that_is_said(tmp_path: Path) -> None:
    most = lab_features.MOST_CHARACTERS
    sent = drawn(tmp_path, ["w" * most] * 6, [0, 1, 2, 3])
    texts = sent["texts"]
    assert sum(map(len, texts)) <= most + 4 * len(" …")
    assert f"cut after {most // 4:,} characters" in str(sent["said"])


def test_the_template_has_nothing_of_a_visitor_in_it() -> None:
    """Gradio runs what it finds in a template."""
    assert "${" not in lab_features.TEMPLATE
    assert "{{" not in lab_features.TEMPLATE
