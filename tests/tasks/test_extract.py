"""Spreadsheets become tables and documents texts, in a process that what they hold cannot escape."""

from __future__ import annotations

import csv
import datetime
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from components.models.errors import Code, TourError
from components.tasks import bounded, extract, sheets
from components.tasks.extract import Extracted
from tests.fakes.documents import pdf, replaced, spreadsheet, stored, with_part, word

PRICES: list[list[Any]] = [["item", "price"], ["Tea", 2.5], ["Milk", 1]]


def table(content: bytes, folder: Path, name: str = "book.xlsx", sheet: str = "") -> tuple[Any, Extracted]:
    source, target = folder / name, folder / "rows.csv"
    source.write_bytes(content)
    found = extract.sheet_as_csv(source, target, sheet)
    with target.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file)), found


def text(content: bytes, folder: Path, name: str) -> tuple[str, str]:
    source, target = folder / name, folder / "text"
    source.write_bytes(content)
    found = extract.document_as_text(source, target)
    return target.read_text("utf-8"), " ".join(found.notes)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (5, "5"),
        (2.5, "2.5"),
        (-1000.0, "-1000"),
        (1e6, "1000000"),
        (True, "TRUE"),
        (datetime.date(2024, 5, 1), "2024-05-01"),
        (datetime.datetime.fromisoformat("2024-05-01 12:30"), "2024-05-01 12:30:00"),
        (datetime.time(8, 30), "08:30:00"),
        ("00123", "00123"),
        ('She said: "a, b"\nand left', 'She said: "a, b"\nand left'),
        ("東京 <b>", "東京 <b>"),
    ],
)
def test_cells_are_the_values_that_are_stored(value: object, shown: str, tmp_path: Path) -> None:
    rows, found = table(spreadsheet({"S": [["a", "b"], ["x", value]]}), tmp_path)
    assert rows == [["a", "b"], ["x", shown]]
    assert found == Extracted(sheet="S", sheets=("S",), notes=())


@pytest.mark.parametrize(
    ("picked", "read", "first"),
    [("", "Prices", "item"), ("Cities", "Cities", "city"), ("Secret", "Secret", "key")],
)
def test_which_of_several_sheets_was_read_is_told(picked: str, read: str, first: str, tmp_path: Path) -> None:
    content = spreadsheet(
        {"Empty": [], "Prices": PRICES, "Cities": [["city"], ["Graz"]], "Secret": [["key"], [1]]},
        hidden=["Secret"],
    )
    rows, found = table(content, tmp_path, sheet=picked)
    assert (rows[0][0], found.sheet, found.sheets) == (first, read, ("Empty", "Prices", "Cities"))
    assert f"'{read}' was read" in found.notes[0]


def test_blank_rows_and_columns_and_titles_are_no_part_of_a_table(tmp_path: Path) -> None:
    rows, found = table(
        spreadsheet({"S": [["Our prices"], [], [None, *PRICES[0]], [], [None, *PRICES[1]]]}), tmp_path
    )
    assert rows == [["item", "price"], ["Tea", "2.5"]]
    assert "Left out above the table: 1 row with a single cell" in found.notes[0]


@pytest.mark.parametrize("formula", ["B2*2", "SUM(B2:B3)", "1/0"])
def test_formulas_give_their_stored_values_and_that_is_told(formula: str, tmp_path: Path) -> None:
    content = spreadsheet({"S": [["a", "b"], ["x", 2], ["y", f"={formula}"]]})
    rows, found = table(content, tmp_path)
    assert rows[2] == ["y", ""]
    assert "values that were stored" in found.notes[0]
    rows, _ = table(stored(content, formula, "4"), tmp_path)
    assert rows[2] == ["y", "4"]


def test_macros_are_not_run_and_cost_nothing(tmp_path: Path) -> None:
    content = with_part(spreadsheet({"S": PRICES}), "xl/vbaProject.bin", b"\xd0\xcf\x11\xe0" * 100)
    assert table(content, tmp_path, "book.xlsm")[0][1] == ["Tea", "2.5"]


def with_another_sum(content: bytes) -> bytes:
    """A spreadsheet whose second sheet is not what was packed."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        crc = packed.getinfo("xl/worksheets/sheet2.xml").CRC
    return content.replace(crc.to_bytes(4, "little"), b"\1\2\3\4")


@pytest.mark.parametrize(
    ("content", "name", "code", "words"),
    [
        (b"PK\x03\x04 nonsense", "a.xlsx", Code.INVALID_INPUT, ["cannot be read", "CSV"]),
        (b"\xd0\xcf\x11\xe0 nonsense", "a.xls", Code.INVALID_INPUT, ["cannot be read", "CSV"]),
        (spreadsheet({"S": []}), "a.xlsx", Code.INVALID_INPUT, ["only empty cells"]),
        (spreadsheet({"S": PRICES})[:-200], "a.xlsx", Code.INVALID_INPUT, ["cannot be read"]),
        (
            with_another_sum(spreadsheet({"S": PRICES, "T": [["x"]]})),
            "a.xlsx",
            Code.INVALID_INPUT,
            ["is damaged"],
        ),
    ],
    ids=["damaged", "old and damaged", "empty", "cut off", "other sheet damaged"],
)
def test_a_spreadsheet_that_cannot_be_read_says_why(
    content: bytes, name: str, code: Code, words: list[str], tmp_path: Path
) -> None:
    with pytest.raises(TourError) as caught:
        table(content, tmp_path, name)
    assert caught.value.code is code
    assert all(word in caught.value.message for word in words), caught.value.message


def test_a_spreadsheet_that_unpacks_to_a_bomb_is_left_alone(tmp_path: Path) -> None:
    content = with_part(spreadsheet({"S": PRICES}), "xl/media/a.bin", b"\0" * (sheets.MOST_UNPACKED + 1))
    with pytest.raises(TourError) as caught:
        table(content, tmp_path)
    assert caught.value.code is Code.TOO_LONG
    assert "unpacks to 1,0" in caught.value.message
    assert "CSV" in caught.value.message


def test_a_sheet_with_one_cell_far_away_is_left_alone(tmp_path: Path) -> None:
    """Seventeen thousand million cells, were they all laid out."""
    content = spreadsheet({"S": PRICES})
    far = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    content = replaced(content, b"</sheetData>", far)
    with pytest.raises(TourError) as caught:
        table(content, tmp_path)
    assert caught.value.code is Code.TOO_LONG


PARAGRAPH = "Marie Curie was born in Warsaw. She won two Nobel prizes."


@pytest.mark.parametrize(
    ("content", "name", "whole", "told"),
    [
        (PARAGRAPH.encode(), "a.txt", PARAGRAPH, ""),
        (f"\ufeff{PARAGRAPH}\r\n".encode(), "a.TXT", PARAGRAPH, ""),
        ("Мария родилась в Варшаве. Она получила две премии.".encode("cp1251"), "a.txt",
         "Мария родилась в Варшаве. Она получила две премии.", "read as Windows-1251"),
        (word(PARAGRAPH, "Second."), "a.docx", f"{PARAGRAPH}\n\nSecond.", "Headers, footers"),
        (word("One.", [["a", "b"], ["1", "2"]]), "a.docx", "One.\n\na\tb\n1\t2", "paragraphs and tables"),
        (pdf([PARAGRAPH], ["Next."]), "a.pdf", f"{PARAGRAPH}\n\nNext.", "text layer of 2 pages"),
        (pdf([PARAGRAPH], []), "a.pdf", PARAGRAPH, "Pages without a text layer, maybe scanned: 2."),
        (pdf(["She won two No-", "bel prizes, one", "of them alone."]), "a.pdf",
         "She won two Nobel prizes, one of them alone.", ""),
        (pdf(["Café (été) \\ 50 €"]), "paper", "Café (été) \\ 50 €", "text layer"),
    ],
)  # fmt: skip
def test_a_documents_text(content: bytes, name: str, whole: str, told: str, tmp_path: Path) -> None:
    found, notes = text(content, tmp_path, name)
    assert found == whole
    assert told in notes


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (pdf([], []), "scan.pdf", ["no text layer", "scanned", "OCR"]),
        (b"%PDF-1.7 nonsense", "a.pdf", ["cannot be read"]),
        (b"", "a.txt", ["is empty"]),
        (b" \n ", "a.txt", ["has no text"]),
        (word(), "a.docx", ["has no text"]),
        (b"PK\x03\x04 nonsense", "a.docx", ["Word document"]),
        (spreadsheet({"S": PRICES}), "a.docx", ["Word document"]),
        (b"\x89PNG\r\n\x1a\n", "a.txt", ["picture"]),
        (PARAGRAPH.encode("utf-16")[:-1], "a.txt", ["not UTF-16 throughout", "UTF-8"]),
    ],
)
def test_a_document_without_text_says_why(
    content: bytes, name: str, words: list[str], tmp_path: Path
) -> None:
    with pytest.raises(TourError) as caught:
        text(content, tmp_path, name)
    assert all(word in caught.value.message for word in words), caught.value.message


def test_an_error_that_nobody_expected_is_not_told_as_a_limit() -> None:
    with pytest.raises(TourError) as caught:
        list(bounded.ask("json.tool", b"no JSON", "a.csv"))  # ends with status 1
    assert caught.value.code is Code.INVALID_INPUT
    assert "'a.csv' cannot be read" in caught.value.message
