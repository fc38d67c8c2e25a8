"""A projection as a chart, and the texts that are selected of it."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.figures import lab_features
from components.figures.chart import Chart
from components.lab.data import UNUSED, Data
from components.lab.methods.features import Points
from tests.fakes.labelled import labelled
from tests.figures.test_charts import texts
from tests.figures.test_escaping import HOSTILE, Skeleton

SPLITS = np.array([0, 1, 2, 0, 1, UNUSED])
CODES = np.array([0, 1, UNUSED, 1, 0, 0])


def projected(folder: Path, texts: list[str], rows: list[int]) -> tuple[Data, Points]:
    folder.mkdir(exist_ok=True)
    data = labelled(folder, CODES, SPLITS, ["joy", HOSTILE[0]], texts)
    at = np.array(rows)
    places = np.stack([at, -at], axis=1).astype(np.float32) / 3
    return data, Points(points=places, rows=at, classes=CODES[at], splits=SPLITS[at])


def traces(drawn: Chart) -> dict[str, Any]:
    return {one["name"]: one for one in json.loads(drawn.json())["data"]}


def values(numbers: Any) -> list[float]:
    """As Plotly writes arrays."""
    if isinstance(numbers, dict):
        return np.frombuffer(base64.b64decode(numbers["bdata"]), numbers["dtype"]).tolist()
    return list(numbers)


def test_points_keep_their_texts_classes_and_splits(tmp_path: Path) -> None:
    data, found = projected(tmp_path, HOSTILE, [4, 2, 1])
    drawn = lab_features.scatter(data, found, "Said.")
    parts = traces(drawn)
    assert list(parts) == ["no label", "joy", "&lt;script&gt;window.__pwn=1&lt;/scrip…"]
    assert values(parts["joy"]["x"]) == [1.3333]
    assert values(parts["joy"]["y"]) == [-1.3333]
    assert [parts[name]["customdata"] for name in parts] == [[[1]], [[0]], [[2]]]
    assert parts["joy"]["text"] == ["<b>joy, validation</b><br>${alert(1)} {{alert(1)}} `"]
    assert "Said." in drawn.below()


def test_no_text_and_no_class_becomes_markup_in_the_figure(tmp_path: Path) -> None:
    data, found = projected(tmp_path, HOSTILE, [0, 1, 2, 3, 4])
    for shown in texts(json.loads(lab_features.scatter(data, found, "").json())):
        assert "<" not in re.sub("</?b>|<br>", "", shown)


def test_what_is_chosen_stands_out(tmp_path: Path) -> None:
    data, found = projected(tmp_path, HOSTILE, [0, 4, 5, 1])
    parts = traces(lab_features.scatter(data, found, "", {1, 3}))
    assert [values(one["selectedpoints"]) for one in parts.values()] == [[1], [0]]


@pytest.mark.parametrize("text", HOSTILE)
def test_selected_texts_are_listed_and_saved_as_they_are(tmp_path: Path, text: str) -> None:
    data, found = projected(tmp_path, [text] * 6, [5, 3, 2])
    drawn = str(lab_features.listed(data, found, [0, 1]))
    other, same = projected(tmp_path / "x", ["x"] * 6, [5, 3, 2])
    assert Skeleton(drawn).elements == Skeleton(str(lab_features.listed(other, same, [0, 1]))).elements
    [file] = re.findall('base64,([^"]*)"', drawn)
    rows = list(csv.reader(io.StringIO(base64.b64decode(file).decode(), newline="")))
    assert rows == [
        ["row", "text", "class", "split"],
        ["5", text, "joy", "no split"],
        ["3", text, HOSTILE[0], "train"],
    ]


def test_a_long_list_and_a_long_text_say_what_is_left_out(tmp_path: Path) -> None:
    data, found = projected(tmp_path, ["w" * 5000] * 6, [0] * 250)
    drawn = str(lab_features.listed(data, found, range(250)))
    assert f"The first {lab_features.MOST_LISTED} are listed" in drawn
    assert drawn.count("<tr>") == lab_features.MOST_LISTED + 1
    assert "w…" in drawn
    sent = lab_features.scatter(data, found, "").json()
    assert len(sent) < 250 * 400
