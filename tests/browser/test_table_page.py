"""A table as text and as a grid: either follows the other, and what is asked is what is seen."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from demos import table_question_answering
from tests.browser.tour import Visit
from tests.fakes.documents import spreadsheet


def test_text_and_grid_follow_one_another(page: Page) -> None:
    visit = Visit(page, table_question_answering.PAGE).open()
    visit.part("table-grid-fold").locator("button").first.click()
    cells = visit.part("table-grid").get_by_role("gridcell")
    visit.box("table").fill('City,People\n<b>Graz</b>,291\n"Lyon, France",522')
    expect(cells).to_have_text(["<b>Graz</b>", "291", "Lyon, France", "522"], use_inner_text=True)
    cells.nth(1).dblclick()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("900")
    page.keyboard.press("Enter")
    expect(visit.box("table")).to_have_value(re.compile("</b>,900\n"))
    expect(visit.box("table")).to_have_value('City,People\n<b>Graz</b>,900\n"Lyon, France",522')
    visit.fill("question", "Which city has the most people?")
    visit.run()
    assert visit.answer()["answer"] == "<b>Graz</b>"


def test_an_example_comes_into_the_grid(page: Page) -> None:
    visit = Visit(page, table_question_answering.PAGE).open(table="a,b\n1,2", question="What is a?")
    visit.part("table-grid-fold").locator("button").first.click()
    cells = visit.part("table-grid").get_by_role("gridcell")
    expect(cells).to_have_count(2)
    visit.part("example-0").click()
    expect(cells.first).to_have_text(visit.box("table").input_value().splitlines()[1].split(",")[0])


def test_a_spreadsheet_fills_the_table(page: Page, tmp_path: Path) -> None:
    book = tmp_path / "book.xlsx"
    cities = [["City", "People"], ["<b>Graz</b>", 291], ["Lyon, France", 522]]
    book.write_bytes(spreadsheet({"Cities": cities, "Rivers": [["River"], ["Mur"]]}))
    visit = Visit(page, table_question_answering.PAGE).open()
    with page.expect_file_chooser() as chooser:
        visit.part("table-file").click()
    chooser.value.set_files(book)
    expect(visit.box("table")).to_have_value('City,People\n<b>Graz</b>,291\n"Lyon, France",522')
    expect(visit.part("table-file-status")).to_contain_text("'Cities' was read")
    visit.fill("question", "Which city has the most people?")
    visit.run()
    assert visit.answer()["answer"] == "Lyon, France"
    visit.box("table-sheet").click()
    page.get_by_role("option", name="Rivers").click()
    expect(visit.box("table")).to_have_value("River\nMur")
