"""Spreadsheets and documents as other programs write them, and some that were made to do harm."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import docx
import openpyxl


def spreadsheet(sheets: Mapping[str, Sequence[Any]], hidden: Sequence[str] = ()) -> bytes:
    """An XLSX file; cells may be formulas, which have no stored values."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        if name in hidden:
            sheet.sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def stored(content: bytes, formula: str, value: str) -> bytes:
    """An XLSX file in which a formula has a stored value, as spreadsheet programs save it."""
    cell = f"<f>{formula}</f>".encode()
    whole = cell + f"<v>{value}</v>".encode()
    for empty in (b"<v></v>", b"<v />", b"<v/>"):
        content = replaced(content, cell + empty, whole)
    return content


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    """An archive with one part more."""
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(name, part)
    return out.getvalue()


def replaced(content: bytes, old: bytes, new: bytes) -> bytes:
    """An archive in whose parts something stands for something else."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as read,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as written,
    ):
        for one in read.infolist():
            written.writestr(one.filename, read.read(one).replace(old, new))
    return out.getvalue()


def word(*blocks: str | Sequence[Sequence[str]]) -> bytes:
    """A DOCX file of paragraphs and tables."""
    document = docx.Document()
    for block in blocks:
        if isinstance(block, str):
            document.add_paragraph(block)
        else:
            table = document.add_table(rows=0, cols=len(block[0]))
            for row in block:
                for cell, text in zip(table.add_row().cells, row, strict=True):
                    cell.text = text
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def pdf(*pages: Sequence[str]) -> bytes:
    """A PDF of pages with lines of text each; a page without lines is as a scanner makes it."""
    parts = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    kids = []
    for lines in pages:
        text = b"\n".join(
            b"(" + line.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
            + b") Tj T*"
            for line in lines
        )  # fmt: skip
        stream = b"BT /F1 12 Tf 14 TL 72 720 Td\n" + text + b"\nET" if lines else b"0 0 100 100 re f"
        kids.append(len(parts) + 1)
        parts.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 "
            + font
            + b" >> >> /Contents %d 0 R >>" % (len(parts) + 2)
        )
        parts.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    listed = b" ".join(b"%d 0 R" % kid for kid in kids)
    parts[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), listed)
    out, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(out)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    out += head + table + b"trailer << /Size %d /Root 1 0 R >>\n" % (len(parts) + 1)
    return out + b"startxref\n%d\n%%%%EOF\n" % start
