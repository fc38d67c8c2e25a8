"""The panels under an answer: the same request in several ways, and a file of requests."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from demos import question_answering, text_classification, text_generation
from tests.browser.tour import PATIENCE, Visit


def unfold(visit: Visit, name: str) -> None:
    visit.part(name).locator("button").first.click()


def test_two_checkpoints_side_by_side(page: Page) -> None:
    visit = Visit(page, text_classification.PAGE).open(text="Thank you, that was wonderful!")
    unfold(visit, "compare")
    expect(visit.box("other-model")).to_have_value(re.compile("SST-2"))  # which answers the same question
    visit.box("other-model").click()
    page.get_by_role("option", name=re.compile("^MiniLM emotions")).locator("visible=true").click()
    visit.run(visit.part("compare-models").click)
    columns = visit.part("compared").locator(".column")
    expect(columns).to_have_count(2)
    for column, label in zip(columns.all(), ("positive", "joy"), strict=True):
        expect(column.locator(".best")).to_contain_text(label)
        expect(column).to_contain_text(re.compile(r"\d (ms|s)"))
        expect(column).to_contain_text("MB in memory")
    expect(visit.part("compared").locator(".verdict").first).to_have_text(
        "These models answer different questions: they have no label in common."
    )


def test_every_strategy_on_one_prompt(page: Page) -> None:
    visit = Visit(page, text_generation.PAGE).open(prompt="One day a fox", mode="plain", max_new_tokens=4)
    unfold(visit, "compare")
    visit.run(visit.part("compare-variants").click)
    columns = visit.part("compared").locator(".column")
    titles = columns.locator("h3").all_inner_texts()
    assert titles == list(text_generation.PAGE.variants)
    for column in columns.all():
        expect(column.locator(".completion")).to_contain_text(re.compile("fox.{3,}", re.DOTALL))


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_a_file_of_rows_is_answered(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text('id,review\n1,"Lovely, all of it!"\n2,Dreadful.\n3,\n4,<img src=x onerror=alert(1)>\n')
    visit = Visit(page, text_classification.PAGE).open()
    unfold(visit, "batch")
    visit.part("batch-file").locator("input[type=file]").set_input_files(path)
    expect(visit.part("batch-start")).to_be_enabled()
    visit.box("batch-text").click()
    page.get_by_role("option", name="review", exact=True).click()
    visit.run(visit.part("batch-start").click)
    expect(visit.part("batch-progress")).to_contain_text("4 rows answered, 1 of them without an answer")
    with page.expect_download() as download:
        visit.part("batch-download").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.name == "reviews-answers.csv"
    answered = rows(file)
    assert [row["answer"] for row in answered[:3]] == ["positive", "negative", ""]
    assert "is blank" in answered[2]["error"]
    assert answered[3]["review"] == "<img src=x onerror=alert(1)>"
    expect(visit.part("batch-rows").locator("img")).to_have_count(0)


def test_what_was_answered_before_a_stop_can_be_had(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "questions.csv"
    lines = "".join(f"Who sleeps?,The cat {number} sleeps on the mat.\n" for number in range(5000))
    path.write_text(f"question,context\n{lines}")
    visit = Visit(page, question_answering.PAGE).open()
    unfold(visit, "batch")
    visit.part("batch-file").locator("input[type=file]").set_input_files(path)
    expect(visit.box("batch-question")).to_have_value("question")
    expect(visit.box("batch-context")).to_have_value("context")
    visit.part("batch-start").click()
    expect(visit.part("batch-progress")).to_contain_text(re.compile(r"[3-9]\d rows"), timeout=PATIENCE)
    visit.part("stop-run").click()
    expect(visit.part("batch-download")).to_be_visible()
    with page.expect_download() as download:
        visit.part("batch-download").click()
    file = tmp_path / "partial.csv"
    download.value.save_as(file)
    answered = rows(file)
    assert 25 <= len(answered) < 5000
    assert "cat 7" in answered[7]["context"]
    assert "cat" in answered[7]["answer"]
    expect(visit.part("run")).to_be_enabled()


def test_a_file_that_is_no_table_is_refused_in_words(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "broken.csv"
    path.write_bytes(b"PK\x03\x04" + bytes(range(256)) * 8)
    visit = Visit(page, text_classification.PAGE).open()
    unfold(visit, "batch")
    visit.part("batch-file").locator("input[type=file]").set_input_files(path)
    expect(visit.part("batch-progress").locator(".problem")).to_contain_text("a ZIP archive")
    expect(visit.part("batch-start")).to_be_disabled()


def test_the_same_about_somebody_else(page: Page) -> None:
    visit = Visit(page, text_classification.PAGE).open(text="Emily is a young Polish doctor.")
    unfold(visit, "swap")
    visit.run(visit.part("swap-start").click)
    swapped = visit.part("swapped")
    expect(swapped.locator(".verdict")).to_have_text(re.compile(r"changes by \d+\.\d points"))
    expect(swapped.locator("h3")).to_have_text(["First names", "Origins", "Age"])
    expect(swapped.locator(".best th")).to_have_text(["Emily", "Polish", "young"])
