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

MODEL = "tiny-classifier"
TEXTS = ["The quick fox", 'She said: "one, two"\nand left', "東京 👩‍🚀 <b>"]


def said(answer: Any) -> list[str]:
    return [answer["labels"][0]["label"]]


def run(runner: Runner, source: Path, column: str = "text", **payload: Any) -> tuple[Iterator[Done], Path]:
    target = source.with_name(batch.answers_name(source))
    given = {"text": (column, str)}
    return batch.run(runner, TASK, {"model": MODEL, **payload}, given, source, target, said), target


def written(target: Path) -> list[dict[str, str]]:
    if target.suffix == ".jsonl":
        return [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    with target.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t" if target.suffix == ".tsv" else ","))


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
    rows = written(target)
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
    rows = written(target)
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
        ("a.csv", b"", "names no column"),
        ("a.csv", b"text,id\n", "no rows below"),
        ("a.csv", b"text,id\nx\n", "Line 2 of the file has 1 cells"),
        ("a.csv", b"text,text\nx,y\n", "twice"),
        ("a.csv", b"text\n\xff\xfe\n", "not UTF-8"),
        ("a.csv", b'text\n"' + b"x" * 140_000, "no table"),
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


def test_a_fault_further_down_keeps_what_is_above(runner: Runner, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "x"}\n{"text": "y", "more": 1}\n', "utf-8")
    work, target = run(runner, path)
    with pytest.raises(TourError, match="Line 2 of the file has a key that line 1 lacks"):
        list(work)
    assert len(written(target)) == 1


def test_memory_does_not_grow_with_the_file(runner: Runner, tmp_path: Path) -> None:
    work, target = run(runner, source(tmp_path, ".csv", ["The fox jumps. " * 20] * 1500))
    process, first = psutil.Process(), 0
    for done in work:
        if done.rows == 300:
            first = process.memory_info().rss
    assert process.memory_info().rss < first + 30_000_000
    assert target.stat().st_size > 600_000
