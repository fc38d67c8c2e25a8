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


FILES = {
    "paper.pdf": (pdf([TEXT]), "text layer of 1 page;"),
    "letter.docx": (word(TEXT), "paragraphs and tables"),
    "notes.txt": (TEXT.encode(), "This is the file's text"),
}


@pytest.mark.parametrize(
    ("spec", "field"), [(question_answering.PAGE, "context"), (summarization.PAGE, "text")]
)
def test_a_document_fills_the_box(
    page: Page, tmp_path: Path, subtests: pytest.Subtests, spec: TaskPage, field: str
) -> None:
    visit = Visit(page, spec).open()
    for name, (content, told) in FILES.items():
        with subtests.test(name):
            visit.box(field).fill("typed before")
            choose(visit, field, tmp_path / name, content)
            expect(visit.box(field)).to_have_value(TEXT)
            expect(visit.part(f"{field}-file-status")).to_contain_text(told)
    with subtests.test("a scan says so and leaves the text"):
        choose(visit, field, tmp_path / "scan.pdf", pdf([]))
        expect(visit.part(f"{field}-file-status")).to_contain_text("no text layer")
        expect(visit.box(field)).to_have_value(TEXT)


def choose(visit: Visit, field: str, file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with visit.page.expect_file_chooser() as chooser:
        visit.part(f"{field}-file").click()
    chooser.value.set_files(file)
