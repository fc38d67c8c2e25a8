"""What the explorer says of a data set, held to what can be counted by hand."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from components.lab import explore, intake, roles
from components.lab.data import Data
from components.lab.explore import LENGTH, PAGE, Query
from components.lab.roles import Roles
from components.lab.workspace import Workspaces, new_key
from tests.memory import Peak

Make = Callable[..., Data]

ROWS = [
    ("I love it", "joy", "train", 3),
    ("i  LOVE\tit ", "joy", "test", 1),
    ("I love it", "anger", "validation", 2),
    ("Alone again", "sadness", "train", None),
    ("alone again", "sadness", "train", 9),
    ("50% off_now", "joy", "train", 7),
    ("Ärger im Büro", "anger", "train", 4),
    ("Fine", "joy", "train", 5),
    ("", "joy", "train", 6),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return made(tmp_path_factory.mktemp("explore"), ROWS)


def made(folder: Path, rows: list[tuple[Any, ...]], label: str | None = "label") -> Data:
    table = pa.table(dict(zip(("text", "label", "split", "n"), zip(*rows, strict=True), strict=True)))
    path = folder / "made.arrow"
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table, max_chunksize=4)  # several batches
    chosen = Roles(text="text", label=label, split="split")
    return roles.make(path, chosen, folder / "data", title="t", source="s", licence="l", notes=())


def numbers(data: Data, **query: Any) -> list[int]:
    return list(explore.page(data, Query(**query)).numbers)


def test_features_have_types_and_roles(data):
    assert [(one.name, one.type, one.role) for one in explore.features(data)] == [
        ("text", "string", "text"),
        ("label", "string", "label"),
        ("split", "string", "split"),
        ("n", "int64", ""),
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, list(range(9))),
        ({"words": "LOVE it"}, [0, 2]),
        ({"words": "%"}, [5]),
        ({"words": "."}, []),  # a full stop, no pattern
        ({"words": "_"}, [5]),
        ({"words": "ärger"}, [6]),
        ({"words": "(*"}, []),
        ({"label": 0}, [2, 6]),
        ({"split": "test"}, [1]),
        ({"split": ""}, [8]),
        ({"label": 1, "split": "train"}, [0, 5, 7]),
        ({"sort": "n"}, [1, 2, 0, 6, 7, 8, 5, 4, 3]),
        ({"sort": "n", "descending": True}, [4, 5, 8, 7, 6, 0, 2, 1, 3]),
        ({"sort": LENGTH, "split": "train"}, [7, 0, 3, 4, 5, 6]),
        ({"sort": "text", "label": 2}, [3, 4]),
        ({"sort": "no such column"}, list(range(9))),
    ],
)
def test_rows_are_searched_filtered_and_sorted(data, query, expected):
    assert numbers(data, **query) == expected


def test_pages_end_where_the_rows_do(tmp_path):
    data = made(tmp_path, [(f"text {at}", "ab"[at % 2], "train", at) for at in range(PAGE * 2 + 1)])
    last = explore.page(data, Query(page=99, sort="n", descending=True))
    train = data.split_codes == 0
    assert (last.page, last.pages, last.found) == (2, 3, PAGE * 2 + 1)
    assert last.rows[0][3] == 0
    assert train.sum() < len(data)  # the others were cut from them


def test_counts_by_split_and_class(data):
    assert data.about.labels == ("anger", "joy", "sadness")
    assert explore.counts(data).tolist() == [[1, 3, 2], [1, 0, 0], [0, 1, 0]]


def test_words_and_characters_are_counted(data):
    assert explore.words(data).tolist() == [3, 3, 3, 2, 2, 2, 3, 1, 0]
    assert explore.lengths(data).tolist() == [len(row[0]) for row in ROWS]


def test_boxes_are_tukeys(tmp_path):
    values = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 100])
    data = made(tmp_path, [(f"text {at}", "same", "train", at) for at in range(len(values))])
    [box] = explore.boxes(data, np.arange(len(values)), values)
    assert (box.low, box.median, box.high, box.beyond, box.most) == (1, 5.5, 9, 1, 100)
    assert (box.first, box.third) == tuple(np.percentile(values, (25, 75)))


def test_tokens_are_those_of_the_tokenizer_from_rows_at_even_distances(tmp_path, tokenizers, monkeypatch):
    monkeypatch.setattr(explore, "MOST_TOKENIZED", 5)
    data = made(tmp_path, [("word " * (at % 7 + 1), "ab"[at % 2], "train", at) for at in range(101)])
    rows, counts = explore.tokens(data, tokenizers.get("all-MiniLM-L6-v2"))
    assert rows.tolist() == [0, 25, 50, 75, 100]
    assert counts.tolist() == [row % 7 + 1 + 2 for row in rows]  # [CLS] and [SEP]


def test_duplicates_within_and_across_splits(data):
    found = explore.duplicates(data)
    assert found.within == {"train": 1, "validation": 0, "test": 0}
    assert found.across == {("validation", "train"): 1, ("test", "train"): 1, ("test", "validation"): 1}
    assert found.contradictory == 1
    love, alone = found.groups
    assert love.contradictory
    assert {(copy.split, copy.label) for copy in love.copies} == {
        ("train", "joy"),
        ("test", "joy"),
        ("validation", "anger"),
    }
    assert [copy.row for copy in alone.copies] == [3, 4]
    assert not alone.contradictory


def test_no_duplicates_among_texts_that_differ(tmp_path):
    found = explore.duplicates(made(tmp_path, [(f"text {at}", "a", "train", at) for at in range(50)]))
    assert set(found.within.values()) | set(found.across.values()) == {0}
    assert found.groups == ()


def test_sampling_changes_the_training_rows_alone(data):
    found = explore.imbalance(data)
    assert found is not None
    assert found.labels == ("anger", "joy", "sadness")
    assert (found.counts, found.ratio, found.over, found.under) == ((1, 3, 2), 3.0, 3, 1)


def test_texts_without_labels_can_be_explored(tmp_path):
    data = made(tmp_path, ROWS, label=None)
    assert explore.counts(data).tolist() == [[6], [1], [1]]
    assert explore.imbalance(data) is None
    assert explore.duplicates(data).contradictory == 0
    [box] = explore.boxes(data, np.arange(len(data)), explore.words(data))
    assert (box.count, box.median) == (len(data), 2)


def test_many_rows_are_explored_without_filling_memory(tmp_path):
    """A tenth of two million rows, and so a tenth of what these may take."""
    workspaces = Workspaces(tmp_path / "lab", budget=10**10, each=10**10, removing=lambda folder: True)
    workspace = workspaces.open(new_key())
    file = tmp_path / "many.csv"
    many = 200_000
    with file.open("w") as out:
        out.write("id,text,label,split\n")
        for at in range(many):
            text = f"row {at % (many - 1)} is one of many that say much the same"
            out.write(f"{at},{text},{'ab'[at % 2]},train\n")
    intake.upload(workspaces, workspace, file, "many.csv")
    with Peak() as peak:
        for _ in intake.read(workspace, {}):
            pass
    assert 0 < peak.nbytes < 1_000_000_000
    data = intake.finalize(workspace, Roles(text="text", label="label", split="split"))
    assert explore.page(data, Query(words="nothing")).found == 0  # libraries are loaded
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert explore.page(data, Query(words="ROW 77 ", sort="text")).found == 1
    assert explore.page(data, Query(sort=LENGTH, descending=True)).numbers[0] >= 100_000
    assert int(explore.words(data).sum()) == 11 * many
    assert explore.duplicates(data).groups[0].count == 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # kB
