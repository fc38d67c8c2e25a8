"""Many requests from a file: one after another, so that a long file takes no more memory than a short one."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from components.models.errors import Code, TourError
from components.tasks.fields import shorten

if TYPE_CHECKING:
    from components.tasks.runner import Runner
    from components.tasks.task import Task

Row = dict[str, str]
Json = Mapping[str, Any]

LINES, LISTS = ".txt", ".jsonl"
SUFFIXES = (".csv", ".tsv", LISTS, LINES)
MOST_ROWS = 100_000
LARGEST = 20_000_000  # bytes
ANSWER, WHOLE, ERROR = "answer", "answer_json", "error"
_LINE = "text"  # what the lines of a text file are called
_FLUSH_EVERY = 25  # rows, so that what is done is on disk when a run is stopped


@dataclass(frozen=True, kw_only=True)
class Done:
    """How far a file is; `row` with its answer is the last one, None before the first.

    `share` is of the file's bytes, `errors` counts rows that could not be answered.
    """

    rows: int
    errors: int
    share: float
    row: Row | None = None


def columns(path: Path) -> tuple[str, ...]:
    """The columns of a file; raises `TourError` where it is none that can be read."""
    with _opened(path) as file:
        first = next(_rows(file, path.suffix), None)
    if first is None:
        raise TourError(Code.INVALID_INPUT, "The file has no rows below its header.", "file")
    return tuple(first)


def run(
    runner: Runner,
    task: Task[Any, Any, Any],
    payload: Json,
    given: Mapping[str, tuple[str, Callable[[str], object]]],
    source: Path,
    target: Path,
    said: Callable[[Json], Sequence[str]],
) -> Iterator[Done]:
    """Answers each row of `source` into `target`, in the same format with three columns more.

    `given` says for fields of the request which column they come from, and how that text becomes a value;
    all else is `payload`'s. A row that cannot be answered gets the reason in its column `error`. When the
    generator is closed, `target` keeps what is done.
    """
    runner.parse(task, {**payload, **{name: task.example[name] for name in given}})
    size = max(1, source.stat().st_size)
    rows = errors = 0
    with ExitStack() as stack:
        file = stack.enter_context(_opened(source))
        out = stack.enter_context(target.open("w", encoding="utf-8", newline=""))
        write: Callable[[Row], object] | None = None
        yield Done(rows=0, errors=0, share=0.0)
        for row in _rows(file, source.suffix):
            if rows == MOST_ROWS:
                raise TourError(
                    Code.TOO_LONG,
                    f"The file has more than {MOST_ROWS:,} rows; the answers so far are kept. Split it.",
                    "file",
                )
            row |= {ANSWER: "", WHOLE: "", ERROR: ""}
            try:
                asked = {name: parse(row[column]) for name, (column, parse) in given.items()}
                answer = runner.call(task, {**payload, **asked}).as_json()
                row |= {ANSWER: " | ".join(said(answer)), WHOLE: json.dumps(answer, ensure_ascii=False)}
            except TourError as error:
                row[ERROR] = error.message
                errors += 1
            write = write or _writer(out, source.suffix, list(row))
            write(row)
            rows += 1
            if rows % _FLUSH_EVERY == 0:
                out.flush()
            yield Done(rows=rows, errors=errors, share=min(1.0, file.buffer.tell() / size), row=row)


def _opened(path: Path) -> Any:
    if path.suffix not in SUFFIXES:
        raise TourError(
            Code.INVALID_INPUT,
            f"{shorten(path.name)} is not a file of rows: its name must end in {', '.join(SUFFIXES)}.",
            "file",
        )
    if (nbytes := path.stat().st_size) > LARGEST:
        raise TourError(
            Code.TOO_LONG,
            f"{shorten(path.name)} has {nbytes / 1e6:,.0f} MB; up to {LARGEST / 1e6:.0f} MB are answered at "
            "a time. Split it.",
            "file",
        )
    return path.open(encoding="utf-8-sig", newline="")


def _rows(file: IO[str], suffix: str) -> Iterator[Row]:
    """Rows with the same columns each; a fault is a `TourError` that names the line."""
    done = 0
    try:
        for row in {LINES: _lines, LISTS: _objects}.get(suffix, _table)(file):
            yield row
            done += 1
    except UnicodeDecodeError as error:
        raise TourError(
            Code.INVALID_INPUT, f"After row {done:,} the file is not UTF-8. Save it as UTF-8.", "file"
        ) from error
    except csv.Error as error:
        raise TourError(
            Code.INVALID_INPUT,
            f"After row {done:,} the file is no table: {error}. Look for a quotation mark that never closes.",
            "file",
        ) from error


def _lines(file: IO[str]) -> Iterator[Row]:
    for line in file:
        if line.strip():
            yield {_LINE: line.strip()}


def _objects(file: IO[str]) -> Iterator[Row]:
    names: list[str] | None = None
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except json.JSONDecodeError as error:
            raise _fault(number, f"is not JSON: {error.msg}") from error
        if not isinstance(found, dict):
            raise _fault(number, 'is JSON, but no object such as {"text": "..."}')
        names = names or list(found)
        if set(found) - set(names):
            raise _fault(number, f"has a key that line 1 lacks: {shorten(min(set(found) - set(names)))}")
        yield {name: _text(found.get(name, "")) for name in names}


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _table(file: IO[str]) -> Iterator[Row]:
    header = file.readline()
    delimiter = max(("\t", ",", ";", "|"), key=header.count)
    names = next(csv.reader([header], delimiter=delimiter), [])
    if not any(name.strip() for name in names):
        raise _fault(1, "names no column; the first line of a table must")
    if len(set(names)) < len(names):
        raise _fault(1, "names a column twice; give each a name of its own")
    for number, cells in enumerate(csv.reader(file, delimiter=delimiter), 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(names):
            raise _fault(
                number,
                f"has {len(cells)} cells, but the first line names {len(names)} columns, told apart by "
                f"{shorten(delimiter)}",
            )
        yield dict(zip(names, cells, strict=True))


def _fault(line: int, words: str) -> TourError:
    return TourError(Code.INVALID_INPUT, f"Line {line:,} of the file {words}.", "file")


def _writer(out: IO[str], suffix: str, names: Sequence[str]) -> Callable[[Row], object]:
    if suffix == LISTS:
        return lambda row: out.write(json.dumps(row, ensure_ascii=False) + "\n")
    writer = csv.DictWriter(out, names, delimiter="\t" if suffix == ".tsv" else ",")
    writer.writeheader()
    return writer.writerow


def answers_name(source: Path) -> str:
    """What the file of answers is called; lines of text become a table."""
    return f"{source.stem}-answers{'.csv' if source.suffix == LINES else source.suffix}"
