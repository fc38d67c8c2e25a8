"""Files of rows: each format there and back, what is wrong in them, what is kept when one stops."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from components.models.errors import TourError
from components.tasks import batch
from components.tasks.batch import Done
from components.tasks.question_answering import TASK as ANSWERS
from components.tasks.runner import Runner
from components.tasks.text_classification import TASK
from components.ui import uploads
from tests.fakes.documents import spreadsheet

MODEL = "tiny-classifier"
TEXTS = ["The quick fox", 'She said: "one, two"\nand left', "東京 👩‍🚀 <b>"]


def summary(answer: Any) -> list[str]:
    return [answer["labels"][0]["label"]]


def run(runner: Runner, source: Path, column: str = "text", **payload: Any) -> tuple[Iterator[Done], Path]:
    target = source.with_name(batch.answers_name(source))
    given = {"text": (column, str)}
    return batch.run(runner, TASK, {"model": MODEL, **payload}, given, source, target, summary), target


def written(target: Path, separator: str = ",") -> list[dict[str, Any]]:
    if target.suffix == ".jsonl":
        return [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    with target.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=separator))


def source(folder: Path, suffix: str, texts: list[str]) -> Path:
    path = folder / f"rows{suffix}"
    if suffix == ".jsonl":
        lines = [json.dumps({"id": index, "text": text}) for index, text in enumerate(texts)]
        path.write_text("\n".join(lines) + "\n\n", "utf-8")
    elif suffix == ".txt":
        path.write_text("\n\n".join(text.replace("\n", " ") for text in texts), "utf-8")
    else:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, delimiter="\t" if suffix == ".tsv" else ";")
            writer.writerows([["id", "text"], *enumerate(texts)])
    return path


@pytest.mark.parametrize("suffix", batch.SUFFIXES)
def test_every_row_is_answered_as_it_would_be_alone(suffix: str, runner: Runner, tmp_path: Path) -> None:
    work, target = run(runner, source(tmp_path, suffix, TEXTS))
    *_, last = work
    assert (last.rows, last.errors) == (3, 0)
    rows = written(target, {".csv": ";", ".tsv": "\t"}.get(suffix, ","))
    texts = [text.replace("\n", " ") for text in TEXTS] if suffix == ".txt" else TEXTS
    assert [row["text"] for row in rows] == texts
    for row, text in zip(rows, texts, strict=True):
        alone = runner.call(TASK, {"text": text, "model": MODEL}).as_json()
        assert row["answer"] == alone["labels"][0]["label"]
        assert json.loads(row["answer_json"])["labels"] == alone["labels"]


def test_a_row_that_cannot_be_answered_says_why_and_the_rest_goes_on(runner: Runner, tmp_path: Path) -> None:
    work, target = run(runner, source(tmp_path, ".csv", ["one", "  ", "three"]))
    *_, last = work
    assert (last.rows, last.errors) == (3, 1)
    rows = written(target, ";")
    assert [bool(row["error"]) for row in rows] == [False, True, False]
    assert "is blank" in rows[1]["error"]
    assert not rows[1]["answer"]


def test_several_columns_make_a_request(runner: Runner, tmp_path: Path) -> None:
    path = tmp_path / "asked.csv"
    path.write_text("context,question\nThe quick brown fox jumps.,Who jumps?\n", "utf-8")
    target = tmp_path / "out.csv"
    given = {"question": ("question", str), "context": ("context", str)}
    list(
        batch.run(runner, ANSWERS, {"model": "tiny-question-answering"}, given, path, target, lambda _: ["x"])
    )
    (row,) = written(target)
    assert row["answer"] == "x"
    assert not row["error"]


def test_what_is_done_is_kept_when_it_is_stopped(runner: Runner, tmp_path: Path) -> None:
    work, target = run(runner, source(tmp_path, ".csv", ["one"] * 100))
    for done in work:
        if done.rows == 40:
            break
    work.close()  # type: ignore[attr-defined]
    assert len(written(target)) == 40


def test_a_wrong_option_is_said_before_the_first_row(runner: Runner, tmp_path: Path) -> None:
    work, target = run(runner, source(tmp_path, ".csv", TEXTS), top_k=-1)
    with pytest.raises(TourError, match="must be"):
        next(work)
    assert not target.exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"text,id\n", "no rows below"),
        ("a.csv", b"text,text\nx,y\n", "twice"),
        ("a.csv", b"PK\x03\x04", "ZIP"),
        ("a.jsonl", b'{"text": "x"\n', "Line 1 of the file is not JSON"),
        ("a.jsonl", b"[1]\n", "no object"),
        ("a.txt", b"\n \n", "no rows"),
        ("a.pkl", b"\x80\x04", "not a file of rows"),
        ("a.zip", b"PK", "not a file of rows"),
        ("a.csv", b"x" * (batch.LARGEST + 1), "up to 20 MB"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TourError, match=words):
        batch.columns(path)


def answered(runner: Runner, folder: Path, name: str, content: str | bytes, column: str = "text") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    work, target = run(runner, path, column)
    *_, last = work
    assert last.rows
    return target


@pytest.mark.parametrize("own", ["answer", "error", "answer_json", "answer_2"])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_columns_of_the_file_stay(runner: Runner, own: str, suffix: str, tmp_path: Path) -> None:
    records = [{"text": "The fox", own: f"mine {at}", "answer": "gold"} for at in range(3)]
    if suffix == ".csv":
        head = list(records[0])
        content = "\n".join(",".join(row) for row in [head, *(one.values() for one in records)]) + "\n"
    else:
        content = "\n".join(map(json.dumps, [{"text": "The fox"}, *records]))
    rows = written(answered(runner, tmp_path, f"a{suffix}", content))[-3:]
    assert [{name: row[name] for name in records[0]} for row in rows] == records
    added = [name for name in rows[0] if name not in records[0]]
    assert len(added) == 3
    assert all(rows[0][name] not in ("", "gold") for name in added if name.startswith("answer"))


@pytest.mark.parametrize("separator", [";", "\t", "|", ","])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_what_comes_back_has_the_separator_and_opens_in_the_same_program(
    runner: Runner, separator: str, encoding: str, tmp_path: Path
) -> None:
    names = ["text", "what? where; when, and so on" if separator == "|" else "Größe"]
    rows = [names, *([f"schön übel {at}", "größer"] for at in range(4))]
    quoted = [[f'"{cell}"' for cell in row] for row in rows]
    content = "\r\n".join(separator.join(row) for row in quoted).encode(encoding)
    target = answered(runner, tmp_path, "a.csv", content)
    assert target.read_bytes().startswith(b"\xef\xbb\xbf") == (encoding != "utf-8")
    back = written(target, separator)
    assert [[row[name] for name in names] for row in back] == rows[1:]
    assert all(row["answer"] for row in back)


@pytest.mark.parametrize(
    ("name", "content", "column"),
    [
        ("A.CSV", "text,id\nThe fox,1\nA dog,2\n", "text"),
        ("a.Jsonl", '{"text": "The fox"}\n{"text": "A dog"}\n', "text"),
        ("a.csv", 'sep=;\ntext;id\n"The fox";1\nA dog;2\n', "text"),
        ("a.csv", "sep=|\r\ntext|id\r\nThe fox|1\r\nA dog|2\r\n", "text"),
        ("a.csv", '"say, what; how",id\nThe fox,1\nA dog,2\n', "say, what; how"),
        ("a.csv", '"own\nwords";id\nThe fox;1\nA dog;2\n', "own\nwords"),
        ("a.csv", 'id, text\n1, "The fox, quick"\n2, "A dog, slow"\n', "text"),
        ("a.txt", "text\tid\nThe fox\t1\nA dog\t2\n", "text"),
        ("a.csv", "text\n" + "The fox " * 20_000 + "\nA dog\n", "text"),
        ("a.csv", "text,id\nДобрый день и спасибо,1\nПлохой фильм,2\n".encode("cp1251"), "text"),
        ("a.csv", "text,id\nとても美味しい料理,1\nひどい味でした,2\n".encode("cp932"), "text"),
    ],
)
def test_the_same_reader_as_the_labs(
    runner: Runner, name: str, content: str | bytes, column: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    assert column in batch.columns(path)
    work, target = run(runner, path, column)
    *_, last = work
    assert (last.rows, last.errors) == (2, 0)
    assert target.suffix == (".csv" if name == "a.txt" else path.suffix)


@pytest.mark.parametrize(
    ("name", "content", "errors"),
    [
        ("a.jsonl", '{"text": "x"}\n{"text": "y", "more": 1}\n{"text": "z"}\n', [0, 0, 0]),
        ("a.jsonl", '{"text": "x"}\n{"text": \n{"text": "z"}\n', [0, 1, 0]),
        ("a.jsonl", '{"text": "x"}\n[1, 2]\n{"other": "z"}\n', [0, 1, 1]),
        ("a.csv", "text,id\nx,1\ny\nz,3\n", [0, 1, 0]),
        ("a.csv", "text,id\nx,1\ny,2,3\nz,3\n", [0, 1, 0]),
    ],
)
def test_a_row_that_is_wrong_has_an_error_of_its_own(
    runner: Runner, name: str, content: str, errors: list[int], tmp_path: Path
) -> None:
    rows = written(answered(runner, tmp_path, name, content))
    assert [int(bool(row["error"])) for row in rows] == errors
    assert all(bool(row["answer"]) != bool(row["error"]) for row in rows)
    for row in rows:
        assert not row["error"] or "ine " in row["error"] or "no 'text'" in row["error"]
    if "2,3" in content:
        assert rows[1]["id"] == "2,3"


@pytest.mark.parametrize("value", [5, 2.5, True, None, ["a", 1], {"b": [None]}, "5"])
def test_json_comes_back_with_its_types(runner: Runner, value: Any, tmp_path: Path) -> None:
    (row,) = written(answered(runner, tmp_path, "a.jsonl", json.dumps({"text": "x", "own": value})))
    assert row["own"] == value
    assert type(row["own"]) is type(value)


def test_memory_does_not_grow_with_the_file(runner: Runner, tmp_path: Path) -> None:
    work, target = run(runner, source(tmp_path, ".csv", ["The fox jumps. " * 20] * 1500))
    process, first = psutil.Process(), 0
    for done in work:
        if done.rows == 300:
            first = process.memory_info().rss
    assert process.memory_info().rss < first + 30_000_000
    assert target.stat().st_size > 600_000


@pytest.mark.parametrize("sheet", ["", "Second"])
def test_a_spreadsheets_rows_are_answered_as_csv(sheet: str, runner: Runner, tmp_path: Path) -> None:
    book = tmp_path / "book.xlsx"
    book.write_bytes(
        spreadsheet(
            {
                "First": [["id", "text"], *enumerate(TEXTS)],
                "Second": [["id", "text"], [7, "Another"]],
            }
        )
    )
    rows, found = uploads.rows_of(book, tmp_path, sheet)
    assert found is not None
    assert found.sheets == ("First", "Second")
    assert batch.columns(rows) == ("id", "text")
    work, target = run(runner, rows)
    *_, last = work
    assert (last.rows, last.errors) == (1 if sheet else 3, 0)
    assert target.name == "book-answers.csv"
    assert [row["text"] for row in written(target)] == (["Another"] if sheet else TEXTS)
