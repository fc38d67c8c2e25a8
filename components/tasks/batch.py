"""Many requests from a file: one after another, so that a long file takes no more memory than a short one."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import IO, TYPE_CHECKING, Any, cast

from components.models.errors import Code, TourError
from components.tasks import files
from components.tasks.fields import shorten
from components.tasks.files import Format
from components.tasks.task import Answer
from components.texts import in_folder

if TYPE_CHECKING:
    from components.tasks.runner import Runner
    from components.tasks.task import Answer, Task

TEXTS = in_folder(__file__)

Row = dict[str, Any]  # texts, but for what a JSON object holds
Json = Mapping[str, Any]

SUFFIXES = (".csv", ".tsv", ".jsonl", ".txt")  # spreadsheets become CSV first: see `extract`
MOST_ROWS = 100_000
# Rows that share forward passes: few enough to see them come, and to stop.
MOST_AT_ONCE, CHUNK_SECONDS = 64, 0.5
LARGEST = 20_000_000  # bytes
ANSWER, WHOLE, ERROR = "answer", "answer_json", "error"
_LINE = "text"  # what the lines of a text file are called
_FLUSH_EVERY = 25  # rows, so that what is done is on disk when a run is stopped


@dataclass(frozen=True, kw_only=True)
class Done:
    """How far a file is; `row` with its answer is the last one, None before the first.

    `row` has the answer under `ANSWER`, or why there is none under `ERROR`, whatever the file's own columns
    are called. `share` is of the file's bytes, `errors` counts rows that could not be answered.
    """

    rows: int
    errors: int
    share: float
    row: Row | None = None


@dataclass(frozen=True)
class _Read:
    """A row; `wrong` says why it cannot be asked about."""

    cells: Row
    wrong: str = ""


def columns(path: Path) -> tuple[str, ...]:
    """The columns of a file, of JSONL those of all its rows; raises `TourError` where it cannot be read."""
    form = _form(path)
    with files.opened(path, form) as file:
        names: dict[str, None] = {}
        wrong = ""
        for row in islice(_rows(file, form), None if form.kind == files.JSONL else 1):
            wrong = wrong or row.wrong
            if not row.wrong or form.kind == files.TABLE:
                names |= dict.fromkeys(row.cells)
    if not names:
        raise TourError(Code.INVALID_INPUT, wrong or "The file has no rows below its header.", "file")
    return tuple(names)


def read(path: Path) -> Iterator[Row]:
    """The rows of a file; raises `TourError` for the first that cannot be read."""
    form = _form(path)
    with files.opened(path, form) as file:
        for row in _rows(file, form):
            if row.wrong:
                raise TourError(Code.INVALID_INPUT, row.wrong, "file")
            yield {name: _text(cell) for name, cell in row.cells.items()}


def run(
    runner: Runner,
    task: Task[Any, Any, Any],
    payload: Json,
    given: Mapping[str, tuple[str, Callable[[str], object]]],
    source: Path,
    target: Path,
    said: Callable[[Json], Sequence[str]],
    joined: Callable[[Json], Json] = dict,
) -> Iterator[Done]:
    """Answers each row of `source` into `target`, in the same format with three columns more.

    `given` says for fields of the request which column they come from, and how that text becomes a value;
    all else is `payload`'s, and `joined` makes the request of both. A row that cannot be answered gets the
    reason in its column `error`. Columns of the file stay: where one has the name of one of ours, ours has a
    number. When the generator is closed, `target` keeps what is done.
    """
    sample = {name: task.example[name] for name in given if name in task.example}
    runner.parse(task, joined({**payload, **sample}))
    form = _form(source)
    taken = columns(source)
    ours = {name: _free(name, taken) for name in (ANSWER, WHOLE, ERROR)}
    size = max(1, source.stat().st_size)
    rows = errors = 0
    with ExitStack() as stack:
        file = stack.enter_context(files.opened(source, form))
        out = stack.enter_context(target.open("w", encoding=_encoding(source, form), newline=""))
        write: Callable[[Row], object] | None = None
        yield Done(rows=0, errors=0, share=0.0)

        def request(read: _Read) -> Json:
            asked = {name: parse(_cell(read.cells, column)) for name, (column, parse) in given.items()}
            return joined({**payload, **asked})

        for read, answer in _answered(runner, task, _rows(file, form), request):
            if rows == MOST_ROWS:
                raise TourError(
                    Code.TOO_LONG,
                    TEXTS["too_many_rows"].format(limit=MOST_ROWS),
                    "file",
                )
            said_of = {ANSWER: "", WHOLE: "", ERROR: ""}
            if isinstance(answer, TourError):
                said_of[ERROR] = answer.message
            else:
                whole = answer.as_json()
                said_of |= {
                    ANSWER: " | ".join(said(whole)),
                    WHOLE: json.dumps(whole, ensure_ascii=False),
                }
            errors += bool(said_of[ERROR])
            write = write or _writer(out, form, [*taken, *ours.values()])
            write({**read.cells, **{ours[name]: text for name, text in said_of.items()}})
            rows += 1
            if rows % _FLUSH_EVERY == 0:
                out.flush()
            shown = {name: _text(value) for name, value in read.cells.items()}
            share = min(1.0, cast(Any, file).buffer.tell() / size)
            yield Done(rows=rows, errors=errors, share=share, row={**shown, **said_of})


def _answered(
    runner: Runner,
    task: Task[Any, Any, Any],
    rows: Iterator[_Read],
    request: Callable[[_Read], Json],
) -> Iterator[tuple[_Read, Answer[Any] | TourError]]:
    """Each row with its answer, or with what is wrong with it. Rows share forward passes, as many as take
    about `CHUNK_SECONDS`: so a visitor sees them come, and can stop them."""
    size = 1
    broken: TourError | None = None
    while broken is None:
        started = perf_counter()
        chunk: list[_Read] = []
        try:
            chunk += islice(rows, size)
        except TourError as error:  # of the file, after rows that are answered all the same
            broken = error
        if not chunk:
            break
        requests: dict[int, Json] = {}
        wrong: dict[int, TourError] = {}
        for place, read in enumerate(chunk):
            try:
                if read.wrong:
                    raise TourError(Code.INVALID_INPUT, read.wrong)
                requests[place] = request(read)
            except TourError as error:
                wrong[place] = error
        answers = dict(zip(requests, runner.together(task, list(requests.values())), strict=True))
        for place, read in enumerate(chunk):
            yield read, wrong.get(place) or answers[place]
        fast = perf_counter() - started < CHUNK_SECONDS
        size = min(MOST_AT_ONCE, size * 2) if fast else max(1, size // 2)
    if broken is not None:
        raise broken


def _free(name: str, taken: Sequence[str]) -> str:
    """A name that the file has no column of."""
    return next(
        one
        for one in (name, *(f"{name}_{number}" for number in range(2, len(taken) + 3)))
        if one not in taken
    )


def _cell(row: Row, column: str) -> str:
    if column not in row:
        raise TourError(Code.INVALID_INPUT, f"The row has no {shorten(column)}.", "file")
    return _text(row[column])


def _encoding(source: Path, form: Format) -> str:
    """UTF-8, with a byte order mark where the source has one or is not UTF-8."""
    with source.open("rb") as file:
        marked = file.read(3) == codecs.BOM_UTF8
    return "utf-8-sig" if marked or form.encoding != "utf-8" else "utf-8"


def _form(path: Path) -> Format:
    """How the lab would read the file; raises `TourError` where it is none of rows."""
    if path.suffix.lower() not in SUFFIXES:
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
    form = files.guess(path, path.name)
    if form.kind in (files.TABLE, files.JSONL, files.LINES):
        return form
    raise TourError(
        Code.INVALID_INPUT,
        TEXTS["no_rows"].format(name=shorten(path.name)),
        "file",
    )


def _rows(file: IO[str], form: Format) -> Iterator[_Read]:
    done = 0
    try:
        for row in {files.LINES: _lines, files.JSONL: _objects}.get(form.kind, _table)(file, form):
            yield row
            done += 1
    except UnicodeDecodeError as error:
        raise TourError(
            Code.INVALID_INPUT,
            f"After row {done:,} the file is not {files.ENCODINGS.get(form.encoding, form.encoding)}. "
            "Save it as UTF-8.",
            "file",
        ) from error
    except csv.Error as error:
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["broken_table"].format(row=done, error=error),
            "file",
        ) from error


def _lines(file: IO[str], form: Format) -> Iterator[_Read]:
    for line in file:
        if line.strip():
            yield _Read({_LINE: line.strip()})


def _objects(file: IO[str], form: Format) -> Iterator[_Read]:
    """Objects with the keys and values that they have; a line that is none keeps its text."""
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            why = getattr(error, "msg", "too deep or too large a number")
            yield _Read({"line": line.strip()}, _fault(number, f"is not JSON: {why}"))
            continue
        if isinstance(found, dict):
            yield _Read(found)
        else:
            yield _Read(
                {"line": line.strip()}, _fault(number, 'is JSON, but no object such as {"text": "..."}')
            )


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _table(file: IO[str], form: Format) -> Iterator[_Read]:
    """Rows with the same columns each; what a row has more stays in its last column."""
    if not form.separator:
        yield from _one_column(file, form)
        return
    reader = files.shape_of(form).reader(file)
    names: list[str] = []
    before = form.skip
    for cells in reader:
        number, before = before + 1, form.skip + reader.line_num
        if not any(cell.strip() for cell in cells):
            continue
        if not names:
            names = [name.strip() for name in cells]
            if not form.header:
                names = [f"column {place}" for place in range(1, len(cells) + 1)]
            if len(set(names)) < len(names):
                raise TourError(
                    Code.INVALID_INPUT,
                    _fault(number, "names a column twice; give each column a different name"),
                    "file",
                )
            if form.header:
                continue
        wrong = ""
        if len(cells) != len(names):
            wrong = _fault(
                number,
                f"has {len(cells)} cells, but there are {len(names)} columns, told apart by "
                f"{shorten(form.separator)}",
            )
            cells = [*cells, *[""] * (len(names) - len(cells))]
            cells = [*cells[: len(names) - 1], form.separator.join(cells[len(names) - 1 :])]
        yield _Read(dict(zip(names, cells, strict=True)), wrong)


def _one_column(file: IO[str], form: Format) -> Iterator[_Read]:
    name = "" if form.header else "column 1"
    for cell, *_ in filter(None, csv.reader(islice(file, form.skip, None), delimiter="\0")):
        if not cell.strip():
            continue
        if name:
            yield _Read({name: cell})
        name = name or cell.strip()


def _fault(line: int, words: str) -> str:
    return f"Line {line:,} of the file {words}."


def _writer(out: IO[str], form: Format, names: Sequence[str]) -> Callable[[Row], object]:
    if form.kind == files.JSONL:
        return lambda row: out.write(json.dumps(row, ensure_ascii=False) + "\n")
    writer = csv.DictWriter(out, names, delimiter=form.separator or ",")
    writer.writeheader()
    return writer.writerow


def answers_name(source: Path) -> str:
    """What the file of answers is called; lines of text become a table."""
    lines = source.suffix.lower() == ".txt"
    return f"{source.stem}-answers{'.csv' if lines else source.suffix}"
