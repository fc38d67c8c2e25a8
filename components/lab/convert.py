"""Files of texts become one Arrow stream file, block by block: `python -m components.lab.convert`.

What visitors bring is read in a process of its own, bounded in memory, time and what it may write, so that
a file made to blow up ends as a message. Its input is a `ConversionJob` as JSON, its output lines of JSON:
`rows` now and then, and `done` with a `Converted`, or `error`, at the end.
"""

from __future__ import annotations

import csv
import errno
import json
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from itertools import count, islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pydantic import TypeAdapter

from components.lab.roles import Column, columns_of, too_many_classes
from components.models import disk
from components.models.errors import Code, TourError
from components.tasks import files, sheets
from components.tasks.bounded import bound, tell
from components.tasks.fields import shorten
from components.tasks.files import LONGEST_CELL, Format
from components.texts import in_folder

if TYPE_CHECKING:
    import pyarrow as pa

TEXTS = in_folder(__file__)

MOST_ROWS = 5_000_000
MOST_COLUMNS = 200
MOST_BYTES = 600_000_000  # of what is written

_BLOCK = 8_000_000  # bytes; no row is longer
_ROWS = 10_000  # in a batch that is written
_INTEGER, _DECIMAL = r"^-?(0|[1-9]\d{0,17})$", r"^-?(0|[1-9]\d{0,14})(\.\d{1,15})?([eE][+-]?\d{1,2})?$"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file; `name` is what its visitor calls it, `split` becomes a column where any source has one."""

    path: Path
    name: str
    split: str | None = None


@dataclass(frozen=True, kw_only=True)
class ConversionJob:
    """`settings` are fields of `Format` that are not to be guessed. All is written to `target`, and beside
    it while it is made."""

    sources: tuple[Source, ...]
    settings: Mapping[str, Any]
    target: Path


@dataclass(frozen=True, kw_only=True)
class Converted:
    """What the table has become; `format` is how the first file was read."""

    format: Format
    rows: int
    columns: tuple[Column, ...]
    notes: tuple[str, ...]
    sheets: tuple[str, ...] = ()  # of a spreadsheet


def convert(job: ConversionJob) -> Generator[int, None, Converted]:
    """Writes the table; tells now and then how many rows it has read. Raises `TourError`."""
    import pyarrow as pa

    writer = _Writer(job.target.with_name(job.target.name + ".part"))
    first: Format | None = None
    splits = any(source.split for source in job.sources)
    with writer:
        for source in job.sources:
            form = _format(source, job.settings)
            first = first or form
            writer.notes += filter(None, [files.damage(source.path, form)])
            try:
                for batch in _READERS[form.kind](source, form, writer.notes):
                    writer.add(source, batch, source.split if splits else None)
                    yield writer.rows
            except UnicodeDecodeError as error:
                raise _fault(
                    source.name,
                    TEXTS["wrong_encoding"].format(
                        encoding=files.ENCODINGS.get(form.encoding, form.encoding)
                    ),
                ) from error
            except (MemoryError, pa.ArrowMemoryError) as error:
                raise _too_large(source.name) from error
            except pa.ArrowInvalid as error:
                raise _fault(source.name, f"cannot be read ({shorten(str(error), 120)})") from error
    if first is None or not writer.rows:
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["no_rows"].format(name=shorten(job.sources[0].name)),
            "file",
        )
    writer.finish(job.target)
    if first.encoding not in ("utf-8", "utf-16"):
        writer.notes.append(
            TEXTS["other_encoding"].format(encoding=files.ENCODINGS.get(first.encoding, first.encoding))
        )
    columns = tuple(columns_of(job.target))
    writer.notes += too_many_classes(columns)
    return Converted(
        format=first,
        rows=writer.rows,
        columns=columns,
        notes=tuple(dict.fromkeys(writer.notes)),
        sheets=sheets.names(job.sources[0].path) if first.kind == files.SHEET else (),
    )


def _format(source: Source, settings: Mapping[str, Any]) -> Format:
    """The guessed format with what was set; a separator that parts nothing where another does is refused."""
    guessed = files.guess(source.path, source.name)
    if guessed.kind == files.PARQUET:
        return guessed
    if guessed.kind == files.SHEET:
        found = sheets.read(source.path, source.name, settings.get("sheet", ""))
        named = files.has_header(found.rows[: files.SAMPLE_ROWS])
        return replace(guessed, sheet=found.name, header=settings.get("header", named))
    form = replace(guessed, **settings)
    if form.encoding != guessed.encoding:
        form = replace(form, damaged=False)
    if form.kind in files.BINARY:
        raise _fault(source.name, f"is no {files.KINDS[form.kind]}. Choose another kind")
    if form.kind == files.TABLE and form.separator:
        with source.path.open("rb") as file:
            text = file.read(files.SAMPLE).decode(form.encoding, errors="ignore")
        best = files.table_of(text)
        better = best.separator
        own = files.cells(text, files.shape_of(form))
        if own and len(own[0]) == 1 and better:
            width = len(files.cells(text, best)[0])
            raise _fault(
                source.name,
                TEXTS["other_separator"].format(
                    separator=files.SEPARATORS[form.separator],
                    columns=width,
                    better=files.SEPARATORS[better],
                ),
            )
    return form


# Readers: each yields record batches, of texts except for Parquet


def _read_table(source: Source, form: Format, notes: list[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    from pyarrow import csv as arrow

    if not form.separator:
        yield from _read_one_column(source, form)
        return
    with source.path.open("rb") as file:
        text = file.read(_BLOCK).decode(form.encoding, errors="ignore").removeprefix("\ufeff")
    shape = files.shape_of(form)
    rows = files.cells(text[: files.SAMPLE], shape) or files.cells(text, shape)
    if not rows:
        return
    names = _names(rows[0] if form.header else [""] * len(rows[0]), notes)
    _check_width(source.name, len(names))
    if form.spaced or form.escaped or form.skip or form.damaged:
        yield from _read_rows(source, form, names)
        return
    wrong: list[Any] = []

    def uneven(row: Any) -> str:
        wrong.append(row)
        return "error"

    try:
        with arrow.open_csv(
            source.path,
            read_options=arrow.ReadOptions(
                use_threads=False,
                block_size=_BLOCK,
                column_names=names,
                skip_rows_after_names=1 if form.header else 0,
                encoding="utf8" if form.encoding == "utf-8" else form.encoding,
            ),
            parse_options=arrow.ParseOptions(
                delimiter=form.separator,
                quote_char='"' if form.quoted else False,
                newlines_in_values=form.quoted,
                invalid_row_handler=uneven,
            ),
            convert_options=arrow.ConvertOptions(
                column_types={name: pa.string() for name in names}, strings_can_be_null=False
            ),
        ) as reader:
            yield from reader
    except pa.ArrowInvalid as error:
        if wrong:
            raise _uneven(source, form, len(names), wrong[0].actual_columns) from error
        if "straddling" in str(error):
            raise _fault(
                source.name,
                TEXTS["unclosed_quote"],
            ) from error
        if "UTF" in str(error):
            raise _fault(source.name, "is not UTF-8 throughout. Choose another encoding") from error
        raise


def _read_rows(source: Source, form: Format, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """A table that Arrow cannot read, row by row."""
    with files.opened(source.path, form) as file:
        try:
            rows = (row for row in files.shape_of(form).reader(file) if row)
            for batch in _batched(islice(rows, int(form.header), None)):
                if any(len(row) != len(names) for row in batch):
                    raise _uneven(source, form, len(names), 0)
                yield _texts(names, [[row[at] for row in batch] for at in range(len(names))])
        except csv.Error as error:
            raise _long_cell(source.name, "a row") from error


def _uneven(source: Source, form: Format, width: int, found: int) -> TourError:
    """Names the line, which Arrow does not know where cells have line breaks."""
    line = 0
    with source.path.open(encoding=form.encoding, errors="replace", newline="") as file, suppress(csv.Error):
        reader = files.shape_of(form).reader(file)
        before = 0
        for row in reader:
            if row and len(row) != width:
                line, found = before + 1 + form.skip, len(row)
                break
            before = reader.line_num
    separator = files.SEPARATORS[form.separator]
    cells = "1 cell" if found == 1 else f"{found:,} cells"
    advice = TEXTS["too_many_cells"].format(separator=separator) if found > width else TEXTS["too_few_cells"]
    with source.path.open("rb") as file:
        text = file.read(files.SAMPLE).decode(form.encoding, errors="ignore")
    better = files.table_of(text).separator
    if better and better != form.separator:
        advice = TEXTS["or_other_separator"].format(advice=advice, better=files.SEPARATORS[better])
    return _fault(
        source.name,
        TEXTS["uneven"].format(cells=cells, line=line, width=width, separator=separator, advice=advice),
    )


def _read_one_column(source: Source, form: Format) -> Iterator[pa.RecordBatch]:
    names: list[str] = []
    for batch in _batched(_lines(source, form)):
        if not names:
            names = _names([batch[0]] if form.header else [""], [])
            batch = batch[1:] if form.header else batch
        yield _texts(names, [batch])


def _read_lines(source: Source, form: Format, notes: list[str]) -> Iterator[pa.RecordBatch]:
    for batch in _batched(_lines(source, form)):
        yield _texts(["text"], [batch])


def _lines(source: Source, form: Format) -> Iterator[str]:
    """Lines that are not blank."""
    with files.opened(source.path, form) as file:
        for number in count(1):
            if not (line := file.readline(LONGEST_CELL + 2)):
                return
            if len(line.rstrip("\r\n")) > LONGEST_CELL:
                raise _long_cell(source.name, f"line {number:,}")
            if line.strip():
                yield line.strip()


def _read_jsonl(source: Source, form: Format, notes: list[str]) -> Iterator[pa.RecordBatch]:
    def rows() -> Iterator[tuple[int, Any]]:
        with files.opened(source.path, form) as file:
            for number in count(1):
                if not (line := file.readline(_BLOCK)):
                    return
                if not line.strip():
                    continue
                try:
                    yield number, json.loads(line)
                except (ValueError, RecursionError) as error:
                    raise _no_json(source.name, number, error) from error

    return _records(source, rows(), notes)


def _read_json(source: Source, form: Format, notes: list[str]) -> Iterator[pa.RecordBatch]:
    with files.opened(source.path, form) as file:
        yield from _records(source, _elements(source, file), notes)


def _read_columns(source: Source, form: Format, notes: list[str]) -> Iterator[pa.RecordBatch]:
    columns = files.columns_in(source.path, form.encoding)
    if columns is None:
        raise _fault(
            source.name,
            TEXTS["no_columns"],
        )
    _check_names(source.name, [*columns])
    yield _texts(list(columns), [list(map(_text, values)) for values in columns.values()])


def _elements(source: Source, file: IO[str]) -> Iterator[tuple[int, Any]]:
    """The elements of one long list, each with the line it begins in, without reading the list as a whole."""
    decoder = json.JSONDecoder()
    text, line, place, more = file.read(1 << 20), 1, 0, True
    if not text.lstrip().startswith("["):
        raise _fault(
            source.name,
            TEXTS["no_list"],
        )
    start = text.index("[") + 1
    while True:
        while start < len(text) and text[start] in " \t\r\n,":
            start += 1
        line += text.count("\n", place, start)
        place = start
        if text[place : place + 1] == "]":
            return
        try:
            value, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            if not more or len(text) - place > _BLOCK or isinstance(error, RecursionError):
                raise _no_json(source.name, line, error) from error
            block = file.read(1 << 20)
            text, place, start, more = text[place:] + block, 0, 0, bool(block)
            continue
        yield line, value
        start = end


def _records(source: Source, rows: Iterator[tuple[int, Any]], notes: list[str]) -> Iterator[pa.RecordBatch]:
    """Objects as rows; their keys are those of the first batch."""
    names: list[str] = []
    for batch in _batched(rows):
        records = []
        for number, row in batch:
            if isinstance(row, str):
                row = {"text": row}
            if not isinstance(row, dict):
                raise _fault(
                    source.name,
                    TEXTS["no_object"].format(line=number, given=shorten(row, 30)),
                )
            records.append(row)
        keys = list(dict.fromkeys(key for row in records for key in row))
        if not names:
            names = keys
            _check_names(source.name, names)
        elif late := [key for key in keys if key not in names]:
            notes.append(f"What only later rows have was left out: {', '.join(map(shorten, late[:5]))}.")
        yield _texts(names, [[_text(row.get(name)) for row in records] for name in names])


def _text(value: object) -> str | None:
    match value:
        case None | str():
            # Half a character, which JSON can spell, cannot be written.
            return value.encode(errors="replace").decode() if value is not None else None
        case _:
            return json.dumps(value, ensure_ascii=False).encode(errors="replace").decode()


def _read_parquet(source: Source, form: Format, notes: list[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(source.path, page_checksum_verification=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise _fault(
            source.name, f"is damaged or no Parquet file ({shorten(str(error), 80)}). Upload it again"
        ) from error
    if file.metadata.num_rows > MOST_ROWS:
        raise _many_rows(source.name)
    schema = file.schema_arrow
    _check_width(source.name, len(schema))
    kept = [one for one in schema if not (pa.types.is_nested(one.type) or _is_binary(one.type))]
    if left := [one.name for one in schema if one not in kept]:
        notes.append(
            f"Columns with lists, objects or binary data were left out: {', '.join(map(shorten, left[:8]))}."
        )
    if not kept:
        raise _fault(source.name, "has no column of texts or numbers")
    named = _class_names(schema)
    names = [one.name for one in kept]
    try:
        for batch in file.iter_batches(batch_size=1000, columns=names, use_threads=False):
            columns = []
            for name in names:
                column = batch.column(name)
                if pa.types.is_dictionary(column.type):
                    column = column.dictionary_decode()
                if name in named and pa.types.is_integer(column.type):
                    column = pa.array(named[name], pa.string()).take(_inside(column, len(named[name])))
                elif _is_text(column.type):
                    column = column.cast(pa.string())
                columns.append(column)
            yield pa.RecordBatch.from_arrays(columns, names=names)
    except OSError as error:
        raise _fault(source.name, f"is damaged ({shorten(str(error), 80)}). Upload it again") from error


def _inside(codes: pa.Array, classes: int) -> pa.Array:
    """Codes of classes, null where they are none: the Hub marks rows without a label with -1."""
    import pyarrow as pa
    from pyarrow import compute as pc

    valid = pc.and_(pc.greater_equal(codes, 0), pc.less(codes, classes))
    return pc.if_else(valid, codes, pa.scalar(None, codes.type))


def _class_names(schema: pa.Schema) -> Mapping[str, list[str]]:
    """The names of classes that the library datasets has written into a file."""
    try:
        content = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = content["info"]["features"]
        return {
            name: list(map(str, one["names"]))
            for name, one in features.items()
            if isinstance(one, dict) and one.get("_type") == "ClassLabel" and one.get("names")
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(test(kind) for test in tests)


def _is_binary(kind: pa.DataType) -> bool:
    import pyarrow as pa

    tests = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    return any(test(kind) for test in tests)


def _read_sheet(source: Source, form: Format, notes: list[str]) -> Iterator[pa.RecordBatch]:
    found = sheets.read(source.path, source.name, form.sheet)
    notes += found.notes
    _check_width(source.name, len(found.rows[0]))
    names = _names(found.rows[0] if form.header else [""] * len(found.rows[0]), notes)
    for batch in _batched(islice(found.rows, int(form.header), None)):
        yield _texts(names, [[row[at] for row in batch] for at in range(len(names))])


_READERS: Mapping[str, Callable[[Source, Format, list[str]], Iterator[pa.RecordBatch]]] = {
    files.TABLE: _read_table,
    files.LINES: _read_lines,
    files.JSON: _read_json,
    files.JSONL: _read_jsonl,
    files.COLUMNS: _read_columns,
    files.PARQUET: _read_parquet,
    files.SHEET: _read_sheet,
}


# Writing


@dataclass
class _Writer:
    """Writes batches as they come, and then numbers as numbers, once it is known that a column has no
    other."""

    path: Path
    rows: int = 0
    notes: list[str] = field(default_factory=list)
    _bytes: int = 0
    _file: Any = None
    _stream: Any = None
    _schema: Any = None
    _integers: set[str] = field(default_factory=set)
    _decimals: set[str] = field(default_factory=set)

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()
            self._file.close()

    def add(self, source: Source, batch: pa.RecordBatch, split: str | None) -> None:
        import pyarrow as pa
        from pyarrow import compute as pc

        if not len(batch):
            return
        if self._schema is None:
            self._begin(batch, split)
        self.rows += len(batch)
        self._bytes += batch.nbytes
        if self.rows > MOST_ROWS:
            raise _many_rows(source.name)
        if self._bytes > MOST_BYTES:
            raise _too_large(source.name)
        columns = []
        for one in self._schema:
            if split is not None and one.name == self._split:
                column = pa.array([split] * len(batch), pa.string())
            elif one.name in batch.schema.names:
                try:
                    column = batch.column(one.name).cast(one.type)
                except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                    raise _fault(
                        source.name,
                        TEXTS["other_type"].format(column=shorten(one.name), kind=one.type),
                    ) from error
            else:
                column = pa.nulls(len(batch), one.type)
            columns.append(column)
            if one.type == pa.string():
                longest = pc.max(pc.utf8_length(column)).as_py() or 0
                if longest > LONGEST_CELL:
                    raise _long_cell(source.name, f"the column {shorten(one.name)}")
                self._record(one.name, column)
        if left := [name for name in batch.schema.names if name not in self._schema.names]:
            names = ", ".join(map(shorten, left[:5]))
            self.notes.append(f"Columns that the first file lacks were left out: {names}.")
        whole = pa.RecordBatch.from_arrays(columns, schema=self._schema)
        try:
            for at in range(0, len(whole), _ROWS):
                self._stream.write_batch(whole.slice(at, _ROWS))
        except OSError as error:
            if error.errno != errno.EFBIG and disk.is_full(error):
                raise disk.no_room(f"{shorten(source.name)} could not be read") from error
            raise _too_large(source.name) from error  # this process may not write more

    @property
    def _split(self) -> str:
        return str(self._schema.names[-1])

    def _begin(self, batch: pa.RecordBatch, split: str | None) -> None:
        import pyarrow as pa

        fields = [pa.field(one.name, one.type) for one in batch.schema]
        if split is not None:
            name = "split" if "split" not in batch.schema.names else "split of the file"
            fields.append(pa.field(name, pa.string()))
        self._schema = pa.schema(fields)
        texts = {one.name for one in fields if one.type == pa.string()}
        self._integers, self._decimals = set(texts), set(texts)
        self._file = pa.OSFile(str(self.path), "wb")
        self._stream = pa.ipc.new_stream(self._file, self._schema)

    def _record(self, name: str, column: pa.Array) -> None:
        """Whether a column of texts may still be one of numbers."""
        from pyarrow import compute as pc

        for names, pattern in ((self._integers, _INTEGER), (self._decimals, _DECIMAL)):
            if name in names:
                fits = pc.or_(pc.match_substring_regex(column, pattern), pc.equal(column, ""))
                if pc.all(fits).as_py() not in (True, None):
                    names.discard(name)

    def finish(self, target: Path) -> None:
        """Moves the table to its place, written anew where columns are numbers."""
        import pyarrow as pa
        from pyarrow import compute as pc

        kinds = {name: pa.float64() for name in self._decimals} | {
            name: pa.int64() for name in self._integers
        }
        fields = [pa.field(one.name, kinds.get(one.name, one.type)) for one in self._schema]
        if not kinds:
            self.path.replace(target)
            return
        schema = pa.schema(fields)
        empty = set(kinds)  # a column without a single value stays what it was
        with (
            pa.OSFile(str(self.path), "rb") as file,
            pa.ipc.open_stream(file) as batches,
            pa.OSFile(str(target), "wb") as out,
            pa.ipc.new_stream(out, schema) as stream,
        ):
            for batch in batches:
                columns = [
                    pc.if_else(pc.equal(column, ""), None, column).cast(one.type)
                    if one.name in kinds
                    else column
                    for one, column in zip(schema, batch.columns, strict=True)
                ]
                empty -= {
                    one.name
                    for one, column in zip(schema, columns, strict=True)
                    if column.null_count < len(column)
                }
                stream.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
        self.path.unlink()
        if empty:
            self.notes.append(f"Without any value: {', '.join(sorted(map(shorten, empty)))}.")


def _batched(rows: Iterator[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def _texts(names: Sequence[str], columns: Sequence[Sequence[str | None]]) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays([pa.array(one, pa.string()) for one in columns], names=list(names))


def _names(first: Sequence[str], notes: list[str]) -> list[str]:
    """A name of its own for each column."""
    names: list[str] = []
    for number, cell in enumerate(first, 1):
        name = cell.removeprefix("\ufeff").strip()[:100] or f"column {number}"
        if name in names:
            notes.append(f"Two columns are called {shorten(name)}; column {number} got its number.")
            name = f"{name} ({number})"
        names.append(name)
    return names


# What may be wrong


def _fault(name: str, what: str) -> TourError:
    return TourError(Code.INVALID_INPUT, f"{shorten(name)} {what}.", "file")


def _no_json(name: str, line: int, error: Exception) -> TourError:
    why = getattr(error, "msg", "too deep or too large a number")
    return _fault(name, f"is no valid JSON in line {line:,}: {shorten(why, 80)}. Correct it there")


def _check_width(name: str, width: int) -> None:
    if width > MOST_COLUMNS:
        raise TourError(
            Code.TOO_LONG,
            TEXTS["too_many_columns"].format(name=shorten(name), columns=width, limit=MOST_COLUMNS),
            "file",
        )


def _check_names(name: str, columns: Sequence[str]) -> None:
    """Of columns that JSON names, which can spell what cannot be written."""
    _check_width(name, len(columns))
    for column in columns:
        if column != _text(column):
            raise _fault(name, TEXTS["half_a_character"].format(column=shorten(column)))


def _many_rows(name: str) -> TourError:
    return TourError(
        Code.TOO_LONG,
        TEXTS["too_many_rows"].format(name=shorten(name), limit=MOST_ROWS),
        "file",
    )


def _long_cell(name: str, where: str) -> TourError:
    return TourError(
        Code.TOO_LONG,
        TEXTS["long_cell"].format(name=shorten(name), limit=LONGEST_CELL, where=where),
        "file",
    )


def _too_large(name: str) -> TourError:
    return TourError(
        Code.TOO_LONG,
        TEXTS["too_large"].format(name=shorten(name), limit=MOST_BYTES / 1e6),
        "file",
    )


# The process


def main() -> int:
    bound(round(1.5 * MOST_BYTES))
    csv.field_size_limit(LONGEST_CELL)  # for all of the process, which is why not elsewhere
    job = TypeAdapter(ConversionJob).validate_json(sys.stdin.read())
    try:
        work = convert(job)
        while True:
            try:
                tell(rows=next(work))
            except StopIteration as stop:
                tell(done=asdict(stop.value))
                return 0
    except TourError as error:
        tell(error={"code": error.code, "message": error.message})
    except MemoryError:
        tell(error={"code": Code.TOO_LONG, "message": _too_large(job.sources[0].name).message})
    except Exception as error:
        if not disk.is_full(error):
            raise
        found = disk.no_room(f"{shorten(job.sources[0].name)} could not be read")
        tell(error={"code": found.code, "message": found.message})
    return 0


if __name__ == "__main__":
    sys.exit(main())
