"""What visitors bring: read as it was meant, or refused with a word on what to change."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import resource
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from components.lab import convert, intake, roles
from components.lab.data import SPLITS, UNUSED, Data
from components.lab.intake import Draft
from components.lab.roles import Roles
from components.lab.workspace import Workspace, Workspaces, new_key
from components.models.errors import TourError
from components.tasks import bounded, files
from tests.fakes.documents import spreadsheet
from tests.memory import Peak

Bring = Callable[..., Draft]


@pytest.fixture
def workspaces(tmp_path: Path) -> Workspaces:
    return Workspaces(
        tmp_path / "lab", budget=4_000_000_000, each=2_000_000_000, removing=lambda folder: True
    )


@pytest.fixture
def workspace(workspaces: Workspaces) -> Workspace:
    return workspaces.open(new_key())


@pytest.fixture
def bring(workspaces: Workspaces, workspace: Workspace, tmp_path: Path) -> Bring:
    """Uploads a file and reads it in the process that reads visitors' files."""

    def bring(content: str | bytes, name: str, **settings: Any) -> Draft:
        uploaded = tmp_path / "uploaded"
        uploaded.write_bytes(content.encode() if isinstance(content, str) else content)
        intake.upload(workspaces, workspace, uploaded, name)
        assert not uploaded.exists()
        return read(workspace, settings)

    return bring


def read(workspace: Workspace, settings: Mapping[str, Any]) -> Draft:
    work = intake.read(workspace, settings)
    while True:
        try:
            next(work)
        except StopIteration as stop:
            draft: Draft = stop.value
            return draft


def here(content: str | bytes, name: str, folder: Path, **settings: Any) -> tuple[convert.Converted, Any]:
    """The same in this process; the table's columns by name."""
    path = folder / "source"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    target = folder / "target.arrow"
    work = convert.convert(
        convert.ConversionJob(
            sources=(convert.Source(path=path, name=name),), settings=settings, target=target
        )
    )
    while True:
        try:
            next(work)
        except StopIteration as stop:
            with pa.OSFile(str(target)) as file:
                return stop.value, pa.ipc.open_stream(file).read_all().to_pydict()


TEXTS = {"text": ["Good, really", "Bad\nnews", 'A "quoted" word'], "label": ["joy", "anger", "joy"]}


def table(separator: str) -> str:
    rows = zip(*TEXTS.values(), strict=True)
    quoted = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in rows]
    return "\n".join(separator.join(row) for row in [[*TEXTS], *quoted]) + "\n"


def as_parquet(columns: Mapping[str, Any], **options: Any) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.table(columns), out, **options)
    return out.getvalue()


RECORDS = [dict(zip(TEXTS, row, strict=True)) for row in zip(*TEXTS.values(), strict=True)]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (table(","), "a.csv"),
        (table(";"), "a.csv"),
        (table("|"), "a.csv"),
        (table("\t"), "a.tsv"),
        (table(",").replace("\n", "\r\n").replace("Bad\r\n", "Bad\n"), "a.csv"),
        (table(",").encode("utf-8-sig"), "a.csv"),
        (table(";").encode("utf-16"), "a.csv"),
        (json.dumps(RECORDS), "a.json"),
        (json.dumps(RECORDS, indent=2), "a.json"),
        ("\n".join(map(json.dumps, RECORDS)), "a.jsonl"),
        ("\n\n".join(map(json.dumps, RECORDS)), "a.json"),
        (as_parquet(TEXTS), "a.parquet"),
        (as_parquet({name: pa.array(column).dictionary_encode() for name, column in TEXTS.items()}), "a"),
    ],
)
def test_every_format_gives_the_same_table(content, name, tmp_path):
    converted, columns = here(content, name, tmp_path)
    assert columns == TEXTS
    assert converted.rows == 3
    assert roles.guess(converted.columns) == Roles(text="text", label="label", split=None)


def test_lines_of_text_are_a_column_of_texts(tmp_path):
    _, columns = here("one, two\n\n  three; four \n", "a.txt", tmp_path)
    assert columns == {"text": ["one, two", "three; four"]}


def test_a_file_without_header_is_seen(tmp_path):
    rows = "".join(f"{'ham' if at % 2 else 'spam'}\tmessage {at} 'tis\n" for at in range(50))
    converted, columns = here(rows, "a.tsv", tmp_path)
    assert not converted.format.header
    assert list(columns) == ["column 1", "column 2"]
    assert len(columns["column 1"]) == 50
    assert roles.guess(converted.columns) == Roles(text="column 2", label="column 1", split=None)


def test_numbers_become_numbers_but_postcodes_do_not(tmp_path):
    content = "n,x,code,text\n1,0.5,01234,a\n-20,1e3,99999,b\n,2,00000,c\n"
    _, columns = here(content, "a.csv", tmp_path)
    assert columns == {
        "n": [1, -20, None],
        "x": [0.5, 1000.0, 2.0],
        "code": ["01234", "99999", "00000"],
        "text": ["a", "b", "c"],
    }


def test_a_table_whose_quotation_marks_mean_nothing(tmp_path):
    rows = "text\tlabel\n" + '"Never closed\tham\n' + "fine\tspam\n" * 5
    converted, columns = here(rows, "a.tsv", tmp_path)
    assert not converted.format.quoted
    assert columns["text"][0] == '"Never closed'


def test_old_encodings_are_read_and_told(tmp_path):
    converted, columns = here("text;label\ncafé “très” €;a\nnaïve;b\n".encode("cp1252"), "a.csv", tmp_path)
    assert columns["text"] == ["café “très” €", "naïve"]
    assert any("Windows-1252" in note for note in converted.notes)


def test_a_late_letter_decides_the_encoding(tmp_path):
    content = b"text,label\n" + b"plain,a\n" * 20_000 + "caf\xe9,b\n".encode("latin-1")
    converted, columns = here(content, "a.csv", tmp_path)
    assert converted.format.encoding == "cp1252"
    assert columns["text"][-1] == "café"


def test_names_of_classes_written_into_a_parquet_file(tmp_path):
    features = {"label": {"names": ["sadness", "joy"], "_type": "ClassLabel"}}
    schema = pa.schema(
        [("text", pa.string()), ("label", pa.int64())],
        metadata={"huggingface": json.dumps({"info": {"features": features}})},
    )
    out = io.BytesIO()
    parquet.write_table(pa.table({"text": ["a", "b", "c", "d"], "label": [1, 0, -1, 99]}, schema=schema), out)
    _, columns = here(out.getvalue(), "a.parquet", tmp_path)
    assert columns["label"] == ["joy", "sadness", None, None]


def test_lists_and_pictures_of_a_parquet_file_are_left_out_and_named(tmp_path):
    content = as_parquet({"text": ["a"], "tokens": [["a", "b"]], "image": [b"\x89PNG"]})
    converted, columns = here(content, "a.parquet", tmp_path)
    assert columns == {"text": ["a"]}
    assert any("'tokens', 'image'" in note for note in converted.notes)


ROWS = [
    ("the soup was cold", "bad"),
    ("a fine soup, really", "good"),
    ("never again", "bad"),
    ("yum", "good"),
]


def lines(own: str, rows: Sequence[tuple[str, str]] = ROWS, quote: str = "{}", end: str = "\n") -> str:
    return "".join(own.join(quote.format(cell) for cell in row) + end for row in rows)


NAMED = [("text", "label"), *ROWS]
AS_COLUMNS = {name: [row[place] for row in ROWS] for place, name in enumerate(["text", "label"])}


@pytest.mark.parametrize(
    ("content", "name", "header"),
    [
        ("sep=|\n" + lines("|", NAMED), "a.csv", True),
        ("sep=\t\r\n" + lines("\t", NAMED), "a.csv", True),
        ('"sep=;"\n' + lines(";", NAMED), "A.CSV", True),
        ("text, label\n" + lines(", ", quote='"{}"'), "a.csv", True),
        ("text;  label\n" + lines(";  ", quote='"{}"'), "a.csv", True),
        ("Answers of week 4\n\n" + lines(";", NAMED), "a.csv", True),
        ("Export\nof Monday\n" + lines("\t", NAMED), "a.tsv", True),
        ("Report\n\n\n" + lines("|", NAMED), "a.csv", True),
        (lines("\t", NAMED), "a.txt", True),
        (lines(";", ROWS * 5), "a.txt", False),
        (lines("\t", ROWS * 5), "a.txt", False),
        (json.dumps(AS_COLUMNS), "a.json", True),
        (json.dumps({"columns": ["text", "label"], "index": [0, 1, 2, 3], "data": ROWS}), "a.json", True),
        (json.dumps({name: dict(enumerate(one)) for name, one in AS_COLUMNS.items()}), "a.json", True),
    ],
)
def test_tables_as_programs_write_them(content, name, header, tmp_path):
    _, columns = here(content, name, tmp_path)
    assert list(columns) == (["text", "label"] if header else ["column 1", "column 2"])
    assert list(zip(*columns.values(), strict=True)) == (ROWS if header else ROWS * 5)


def test_backslashes_before_quotation_marks(tmp_path):
    rows = "".join(f'"she said \\"no, {at}\\"",{"ab"[at % 2]}\n' for at in range(9))
    _, columns = here("text,label\n" + rows, "a.csv", tmp_path)
    assert columns["text"] == [f'she said "no, {at}"' for at in range(9)]


@pytest.mark.parametrize(
    ("text", "label", "encoding"),
    [
        ("这家餐厅的服务非常好", "满意", "gb18030"),
        ("这部电影太无聊了", "不满意", "gbk"),
        ("この映画はとても面白かったです", "良い", "cp932"),
        ("サービスが最悪でした", "悪い", "euc_jp"),
        ("이 식당은 정말 맛있어요", "좋음", "cp949"),
        ("這家餐廳的服務非常好", "滿意", "big5"),
        ("Этот фильм был очень скучным", "плохо", "cp1251"),
        ("Очень вкусный обед и хорошее место", "хорошо", "koi8_r"),
        ("Το φαγητό ήταν πολύ ωραίο", "καλό", "cp1253"),
        ("Tento film byl velmi nudný a příliš dlouhý", "špatně", "cp1250"),
        ("الطعام كان لذيذا جدا", "جيد", "cp1256"),
        ("האוכל היה טעים מאוד", "טוב", "cp1255"),
        ("Der Film war überraschend schön, für große Kinder", "schön", "cp1252"),
    ],
)
def test_encodings_are_guessed_from_few_rows(text, label, encoding, tmp_path):
    rows = "".join(f"{text} {at};{label}\n" for at in range(8))
    converted, columns = here(("text;label\n" + rows).encode(encoding), "a.csv", tmp_path)
    assert columns["text"] == [f"{text} {at}" for at in range(8)]
    assert set(columns["label"]) == {label}
    assert any(files.ENCODINGS[converted.format.encoding] in note for note in converted.notes)


@pytest.mark.parametrize(
    ("before", "bad", "after"),
    [("naïve – café", b"\xff", "ok"), ("日本語の文", b"\x80", "x"), ("Ünïcödé ﬁne", b"\xc3", " end")],
)
@pytest.mark.parametrize("name", ["a.csv", "a.txt"])
def test_a_byte_that_is_wrong_costs_one_character_and_is_told(before, bad, after, name, tmp_path):
    good = f"{before}\n".encode() * 12
    content = b"text\n" * (name == "a.csv") + good + b"x" + bad + after.encode() + b"\n" + good
    converted, columns = here(content, name, tmp_path)
    assert columns["text"].count(before) == 24
    assert columns["text"][12] == f"x\ufffd{after}"
    assert any(f"line {13 + (name == 'a.csv')}:" in note for note in converted.notes)


# What is wrong with a file


class Evil:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("name", ["a.pkl", "a.csv", "a.parquet"])
def test_a_pickle_is_never_opened(protocol, name, tmp_path, bring):
    trap = tmp_path / "trap"
    content = pickle.dumps(Evil(trap), protocol)
    if protocol or name == "a.pkl":
        with pytest.raises(TourError, match=r"pickle.*CSV"):
            bring(content, name)
    else:  # to the eye a text like any other
        with suppress(TourError):
            bring(content, name)
    assert not trap.exists()
    pickle.loads(content)  # noqa: S301 - the trap works
    assert trap.exists()


@pytest.mark.parametrize(
    ("sheet", "texts", "said"),
    [("", ["good film", "bad film"], "'Reviews' was read"), ("More", ["so so"], "'More' was read")],
)
def test_a_spreadsheet_is_read_by_sheet(sheet: str, texts: list[str], said: str, bring: Bring) -> None:
    content = spreadsheet(
        {
            "Reviews": [["text", "label"], ["good film", 1], ["bad film", 0]],
            "More": [["text", "label"], ["so so", 1]],
        }
    )
    draft = bring(content, "reviews.xlsx", **({"sheet": sheet} if sheet else {}))
    assert draft.converted is not None
    assert draft.converted.sheets == ("Reviews", "More")
    assert draft.converted.format.kind == files.SHEET
    assert draft.converted.format.header
    assert any(said in note for note in draft.converted.notes)
    with pa.OSFile(str(draft.table)) as file, pa.ipc.open_stream(file) as stream:
        table = stream.read_all()
    assert table.column("text").to_pylist() == texts
    assert table.schema.field("label").type == pa.int64()


def zipped(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "a.csv", ["is empty"]),
        (b"text,label\n", "a.csv", ["no rows"]),
        (b"\n\n\n", "a.txt", ["no rows"]),
        (b"[]", "a.json", ["no rows"]),
        (zipped("data.csv", b"x" * 10_000_000), "a.zip", ["ZIP", "Unpack"]),
        (zipped("data.csv", b"x" * 10_000_000), "a.csv", ["ZIP", "Unpack"]),
        (zipped("xl/workbook.xml", b""), "a.csv", ["spreadsheet", "CSV"]),
        (gzip.compress(b"x" * 10_000_000), "a.csv", ["gzip", "Unpack"]),
        (b"%PDF-1.7 ...", "a.txt", ["PDF", "plain text"]),
        (b"\x89PNG\r\n\x1a\n", "a.csv", ["picture"]),
        (b"<!DOCTYPE html><html>", "a.csv", ["web page", "raw"]),
        (bytes(range(256)) * 100, "a.csv", ["no text", "Parquet"]),
        (b"PAR1" + b"nonsense" * 100, "a.parquet", ["damaged", "again"]),
        ("text,label\ngood,joy\nbad, sad,anger\n", "a.csv", ["3 cells", "line 3", "has 2", "quotation"]),
        ('text,label\n"two\nlines",joy\nbad\n', "a.csv", ["1 cell", "line 4", "all cells"]),
        ("text,label\n" + "ab;cd\n" * 30, "a.csv", ["1 cell", "line 2"]),
        ('{"text": "a"}\n{"text": \n', "a.jsonl", ["JSON", "line 2"]),
        ('{"text": "a"}\n[1, 2]\n', "a.jsonl", ["line 2", "object"]),
        ('[{"text": "a"},\n\n{"text": "b" "c"}]', "a.json", ["JSON", "line 3"]),
        ('{\n "data": [\n  {"text": "a"}\n ]\n}', "a.json", ["JSON", "line 1"]),
        ('[{"text": "a", "la\\ud800": "b"}]', "a.json", ["half a character", r"la\ud800"]),
        ('{"la\\ud800": "b"}', "a.jsonl", ["half a character", r"la\ud800"]),
        ('{"la\\ud800": ["b", "c"], "d": ["e", "f"]}', "a.json", ["half a character", r"la\ud800"]),
        ("[" * 100_000, "a.json", ["JSON"]),
        ('{"text": ' + "[" * 100_000, "a.jsonl", ["JSON", "line 1"]),
        (",".join(f"c{at}" for at in range(201)) + "\n" + "x," * 200 + "\n", "a.csv", ["201 columns", "200"]),
        ("text,label\n" + "x" * 1_000_001 + ",a\n", "a.csv", ["1,000,000", "Split"]),
        ("x" * 1_000_001, "a.txt", ["1,000,000", "Split"]),
        ('text,label\n"never closed,' + "x,y\n" * 3_000_000, "a.csv", ["quotation mark"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_what_to_change(content, name, words, tmp_path):
    with pytest.raises(TourError) as refused:
        here(content, name, tmp_path)
    for word in words:
        assert word in refused.value.message
    assert refused.value.message.count(". ") >= 1  # what is wrong, and what to do


@pytest.mark.parametrize(("own", "wrong"), [(",", ";"), (";", ","), ("\t", ","), ("|", "\t")])
def test_a_wrong_separator_is_told_with_the_right_one(own, wrong, tmp_path):
    content = "".join(f"{cells}\n" for cells in [f"text{own}label", f"good{own}a", f"bad{own}b"] * 3)
    with pytest.raises(TourError) as refused:
        here(content, "a.csv", tmp_path, separator=wrong)
    assert f"Set the separator to {files.SEPARATORS[own]}" in refused.value.message


def test_a_wrong_encoding_is_told(tmp_path):
    with pytest.raises(TourError, match="not UTF-8"):
        here("text,label\ncafé,a\n".encode("latin-1"), "a.csv", tmp_path, encoding="utf-8")


# Bounds


def bomb(rows: int, width: int) -> bytes:
    """A small Parquet file of which every row is the same long text."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["x" * width])
    out = io.BytesIO()
    parquet.write_table(pa.table({"text": text}), out, compression="zstd", use_dictionary=True)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (lambda: bomb(1_000_000, 900_000), "bomb.parquet"),
        (lambda: bomb(2000, 50_000_000), "cells.parquet"),
        (lambda: bomb(6_000_000, 1), "rows.parquet"),
        (lambda: zipped("a.csv", b"x" * 100_000_000), "bomb.zip"),
        (lambda: gzip.compress(b"text\n" * 20_000_000), "bomb.csv.gz"),
    ],
)
def test_bombs_end_as_a_message_within_bounds(content, name, bring, workspace):
    content = content()
    assert len(content) < 5_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Peak() as peak, pytest.raises(TourError) as refused:
        bring(content, name)
    assert refused.value.message
    assert workspace.nbytes < convert.MOST_BYTES + 100_000_000
    assert peak.nbytes < bounded.MEMORY
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_many_rows_fill_no_memory(bring, workspace):
    """Two million rows take as long as this test may in all; a tenth of them shows the same."""
    row = "{at},a text that is written once more for row {at} of many,{label},{split}\n"
    content = "id,text,label,split\n" + "".join(
        row.format(at=at, label="ab"[at % 2], split="train" if at % 5 else "test") for at in range(200_000)
    )
    draft = bring(content, "many.csv")
    assert draft.converted is not None
    assert draft.converted.rows == 200_000
    held = pa.total_allocated_bytes()
    data = intake.finalize(workspace, roles.guess(draft.converted.columns))
    assert pa.total_allocated_bytes() - held < 1_000_000
    assert len(data) == 200_000
    assert data.texts([199_999]) == ["a text that is written once more for row 199999 of many"]


def test_nothing_is_written_outside_the_draft(bring, workspace, tmp_path):
    def others() -> set[Path]:
        return {path for path in tmp_path.rglob("*") if not path.is_relative_to(workspace.folder)}

    before = others()
    bring(table(","), "../../../evil.csv")
    assert others() == before
    folder = workspace.folder / "draft"
    assert {path.name for path in folder.iterdir()} == {"source-0", "table.arrow", "draft.json"}
    intake.finalize(workspace, Roles(text="text", label="label", split=None))
    assert others() == before
    assert not folder.exists()


def test_what_is_too_large_is_not_kept(workspaces, workspace, tmp_path):
    file = tmp_path / "large.csv"
    with file.open("wb") as out:
        out.truncate(intake.LARGEST + 1)
    with pytest.raises(TourError, match="150 MB") as refused:
        intake.upload(workspaces, workspace, file, "large.csv")
    assert "part of its rows" in refused.value.message
    assert not file.exists()
    assert workspace.nbytes < 1000


def test_a_file_is_read_again_with_other_settings(bring, workspace):
    with pytest.raises(TourError, match="separator"):
        bring(table(";"), "a.csv", separator=",")
    draft = read(workspace, {"separator": ";"})
    assert draft.converted is not None
    assert draft.converted.format.separator == ";"


def test_reading_ends_when_nobody_waits_for_it(workspaces, workspace, tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("text,label\n" + "a,b\n" * 3_000_000)
    intake.upload(workspaces, workspace, file, "a.csv")
    work = intake.read(workspace, {})
    next(work)
    work.close()
    assert not list(workspace.folder.glob("draft/*.part"))
    assert read(workspace, {}).converted is not None


# Roles


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Data]]:
    def make(text: list[Any], label: list[Any] | None, split: list[Any] | None = None) -> Data:
        columns = {"text": text} | {
            name: column for name, column in (("label", label), ("split", split)) if column is not None
        }
        path = tmp_path / "made.arrow"
        made = pa.table(columns)
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, made.schema) as stream:
            stream.write_table(made)
        chosen = Roles(text="text", label="label" if label else None, split="split" if split else None)
        return roles.make(path, chosen, tmp_path / "data", title="t", source="s", licence="l", notes=())

    yield make
    with suppress(FileNotFoundError):
        (tmp_path / "made.arrow").unlink()


def shares(data: Data) -> list[list[int]]:
    """Rows by split and class."""
    return [
        [int((data.classes(data.rows(split)) == code).sum()) for code in range(len(data.about.labels))]
        for split in SPLITS
    ]


def test_splits_are_cut_within_each_class(make):
    data = make([f"text {at}" for at in range(1000)], ["often"] * 900 + ["seldom"] * 100)
    assert shares(data) == [[630, 70], [135, 15], [135, 15]]
    assert any("70 %" in note and "seed 0" in note for note in data.about.notes)


def test_a_class_of_two_rows_is_for_training_and_told(make):
    data = make([f"text {at}" for at in range(42)], ["a"] * 40 + ["rare"] * 2)
    assert [row[1] for row in shares(data)] == [2, 0, 0]
    assert any("Too few" in note and "'rare'" in note for note in data.about.notes)


def test_splits_are_told_by_many_names_and_missing_ones_cut_from_training(make):
    split = ["Training"] * 80 + ["DEV"] * 20 + ["unlabelled"] * 5
    data = make([f"text {at}" for at in range(105)], ["a", "b"] * 50 + ["a"] * 5, split)
    assert [sum(row) for row in shares(data)] == [68, 20, 12]
    assert any("'unlabelled'" in note and note.startswith("5 rows") for note in data.about.notes)
    assert any("no test rows" in note for note in data.about.notes)


def test_rows_without_text_or_label_are_counted_and_left_out(make):
    text, label = ["a", " ", None, "d", "e", "f"], ["x", "y", "x", None, " ", "y"]
    data = make(text + ["g"] * 20, label + ["x", "y"] * 10)
    assert (data.split_codes[:6] == UNUSED).tolist() == [False, True, True, True, True, False]
    assert any(note.startswith("2 rows without text") for note in data.about.notes)
    assert any(note.startswith("2 rows without a label") for note in data.about.notes)


@pytest.mark.parametrize(
    ("given", "labels", "words"),
    [
        (["so", "so\u200b", "la\u00ad", "la"], ("la", "so"), "Invisible characters"),
        (["caf\u00e9", "cafe\u0301", "bar", "bar\ufeff"], ("bar", "caf\u00e9"), "Invisible characters"),
        (["Good", "good", "bad", "bad"], ("Good", "bad", "good"), "Nearly identical"),
        (["pay", "p\u0430y", "no", "no"], ("no", "pay", "p\u0430y"), "Nearly identical"),
        (["\uff41b", "ab", "c", "c"], ("ab", "c", "\uff41b"), "Nearly identical"),
        ([0.0, 1.0, 1.0, 0.0], ("0", "1"), ""),
        ([3.0, 1.0, 2.0, None], ("1", "2", "3"), ""),
        ([-1.0, 10.0, 2.0, 2.0], ("-1", "2", "10"), ""),
    ],
)
def test_labels_are_what_a_reader_sees(given, labels, words, make):
    data = make([f"text {at}" for at in range(4 * 10)], given * 10)
    assert data.about.labels == labels
    assert not words or any(words in note for note in data.about.notes)


@pytest.mark.parametrize("name", ["label", "category", "intent"])
def test_too_many_classes_are_told_at_once(name, tmp_path):
    rows = "".join(f"message {at},kind {at % 150}\n" for at in range(300))
    converted, _ = here(f"text,{name}\n{rows}", "a.csv", tmp_path)
    assert any(f"'{name}' has more than 100" in note for note in converted.notes)


@pytest.mark.parametrize("values", [["0.0", "1.0"], ["1.0", "2.0", "3.0"], ["5.0", "4.0"]])
def test_classes_that_are_written_as_decimals_are_offered_as_label(values, tmp_path):
    rows = "".join(f"message {at},{values[at % len(values)]}\n" for at in range(30))
    converted, _ = here(f"text,label\n{rows}", "a.csv", tmp_path)
    assert roles.guess(converted.columns).label == "label"


def test_one_class_can_be_looked_at_only(make):
    data = make(["a", "b", "c", "d"], ["same"] * 4)
    assert data.about.labels == ("same",)
    assert any("at least two classes" in note for note in data.about.notes)


def test_numbers_are_classes_in_their_order(make):
    data = make([f"t{at}" for at in range(30)], [10, 2, 1] * 10)
    assert data.about.labels == ("1", "2", "10")


@pytest.mark.parametrize("label", [list(range(200)), [f"id{at}" for at in range(200)]])
def test_an_identifier_is_no_label(make, label):
    with pytest.raises(TourError, match="identifier"):
        make([f"t{at}" for at in range(200)], label)


def test_a_column_cannot_be_two_things(bring, workspace):
    bring(table(","), "a.csv")
    with pytest.raises(TourError, match="two roles"):
        intake.finalize(workspace, Roles(text="text", label="text", split=None))
    intake.finalize(workspace, Roles(text="text", label=None, split=None))


def test_the_shipped_set_opens_as_it_is_described(workspace):
    data = intake.shipped(workspace)
    assert shares(data) == [[70] * 6, [15] * 6, [15] * 6]
    assert data.about.notes == ()
    assert intake.shipped(workspace).id == data.id
