"""Documents (PDF, DOCX, plain text) as text. Opens untrusted files: call this in a bounded
process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.models.errors import Code, TourError
from components.tasks import files
from components.tasks.counted import counted
from components.tasks.fields import shorten
from components.tasks.sheets import check_packed
from components.texts import in_folder

if TYPE_CHECKING:
    from docx.document import Document as Word

TEXTS = in_folder(__file__)

SUFFIXES = (".pdf", ".docx", ".txt", ".md")
MOST_PAGES = 300
_NAMED = 8  # pages that a note names
_HYPHEN = re.compile(r"(?<=[^\W\d_])-\n(?=[a-zß-ÿ])")
# A line that ends no sentence, and is long or goes on in small letters.
_WRAPPED = re.compile(r"(?<=[^.!?:;…\s])\n(?=[a-zß-ÿ])|(?<=[^\n]{49}[^.!?:;…\s])\n(?=\w)")
_BLANK = re.compile(r"\n{3,}")


@dataclass(frozen=True, kw_only=True)
class Document:
    text: str
    notes: tuple[str, ...]


def read(path: Path, name: str) -> Document:
    """The text of a document that its visitor calls `name`; raises `TourError` for one that has none."""
    with path.open("rb") as file:
        start = file.read(files.SAMPLE)
    if b"%PDF-" in start[:1024]:
        text, notes = _pdf(path, name)
    elif start.startswith(b"PK\x03\x04") and name.lower().endswith(".docx"):
        text, notes = _docx(path, name)
    else:
        text, notes = files.text_of(path, name)
    text = _BLANK.sub("\n\n", text.replace("\r\n", "\n").replace("\0", "")).strip()
    text = text.encode(errors="replace").decode()  # half a character cannot be written down
    if not text:
        raise _fault(name, "has no text. Upload another one")
    return Document(text=text, notes=tuple(notes))


def _pdf(path: Path, name: str) -> tuple[str, list[str]]:
    """The text layer, page by page."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise _fault(name, TEXTS["locked"])
        count = len(reader.pages)
        pages = [reader.pages[at].extract_text() or "" for at in range(min(count, MOST_PAGES))]
    except TourError:
        raise
    except MemoryError:
        raise
    except Exception as error:  # the library raises whatever a damaged file leads it to
        kind = "" if isinstance(error, PyPdfError) else f"{type(error).__name__}: "
        raise _fault(
            name, f"cannot be read ({kind}{shorten(str(error), 80)}). Save it again, or copy its text"
        ) from error
    empty = [at + 1 for at, page in enumerate(pages) if not page.strip()]
    if len(empty) == len(pages):
        raise _fault(
            name,
            TEXTS["no_text_layer"].format(pages=counted(len(pages), "page")),
        )
    notes = [TEXTS["text_layer"].format(pages=counted(len(pages) - len(empty), "page"))]
    if empty:
        some = ", ".join(map(str, empty[:_NAMED])) + (" and more" if len(empty) > _NAMED else "")
        notes.append(f"Pages without a text layer, maybe scanned: {some}.")
    if count > MOST_PAGES:
        notes.append(f"The first {MOST_PAGES} of {count:,} pages were read.")
    return "\n\n".join(_unwrapped(page.strip()) for page in pages if page.strip()), notes


def _unwrapped(page: str) -> str:
    """Lines that the page's width broke, in one."""
    return _WRAPPED.sub(" ", _HYPHEN.sub("", "\n".join(map(str.rstrip, page.splitlines()))))


def _docx(path: Path, name: str) -> tuple[str, list[str]]:
    import docx

    check_packed(path, name)
    try:
        text = "\n\n".join(filter(None, _blocks(docx.Document(str(path)))))
    except MemoryError:
        raise
    except Exception as error:  # as above
        raise _fault(
            name,
            TEXTS["unreadable_document"].format(error=type(error).__name__),
        ) from error
    notes = [TEXTS["document"]]
    return text, notes


def _blocks(document: Word) -> Iterator[str]:
    """Paragraphs and tables in their order; a table's row is a line."""
    from docx.table import Table

    for block in document.iter_inner_content():
        if isinstance(block, Table):
            yield "\n".join("\t".join(cell.text.strip() for cell in row.cells) for row in block.rows)
        else:
            yield block.text.strip()


def _fault(name: str, what: str) -> TourError:
    return TourError(Code.INVALID_INPUT, f"{shorten(name)} {what}.", "file")
