"""The text of a question or a summary out of a file: the visitor sees it in the box, or is told why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from components.ui.page import TaskPage
from demos import question_answering, summarization
from tests.browser.tour import Visit
from tests.fakes.documents import pdf, word

TEXT = "Marie Curie was born in Warsaw in 1867. She won <b>two</b> Nobel prizes."


@pytest.mark.parametrize(
    ("spec", "field"), [(question_answering.PAGE, "context"), (summarization.PAGE, "text")]
)
@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("paper.pdf", pdf([TEXT]), "text layer of 1 page;"),
        ("letter.docx", word(TEXT), "paragraphs and tables"),
        ("notes.txt", TEXT.encode(), "This is the file's text"),
    ],
)
def test_a_document_fills_the_box(
    page: Page, tmp_path: Path, spec: TaskPage, field: str, name: str, content: bytes, told: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    visit = Visit(page, spec).open()
    with page.expect_file_chooser() as chooser:
        visit.part(f"{field}-file").click()
    chooser.value.set_files(file)
    expect(visit.box(field)).to_have_value(TEXT)
    expect(visit.part(f"{field}-file-status")).to_contain_text(told)


def test_a_scanned_pdf_says_so_and_leaves_the_text(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "scan.pdf"
    file.write_bytes(pdf([]))
    visit = Visit(page, question_answering.PAGE).open()
    before = visit.box("context").input_value()
    with page.expect_file_chooser() as chooser:
        visit.part("context-file").click()
    chooser.value.set_files(file)
    expect(visit.part("context-file-status")).to_contain_text("no text layer")
    expect(visit.box("context")).to_have_value(before)
