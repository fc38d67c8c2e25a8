"""The lab's second tab: a projection is computed, looked at, and selected from."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.tour import PATIENCE, check_accessible

FEELINGS = {"joy", "sadness", "anger", "fear", "surprise", "love"}


def projected(page: Page) -> Page:
    """A page with the shipped messages as MiniLM's last layer has them, by PCA."""
    page.goto("/lab?tab=features")
    page.locator("#lab-features-projection").get_by_label("pca", exact=True).check()
    said = page.locator(".scatter-said")
    expect(said).to_contain_text("A prepared run")
    page.locator("#lab-features-start").click()
    expect(said).not_to_contain_text("A prepared run", timeout=PATIENCE)
    expect(page.locator(".scatter-points .mark")).to_have_count(600, timeout=PATIENCE)
    return page


def lasso(page: Page, corners: list[tuple[float, float]]) -> None:
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in [*corners[1:], corners[0]]:
        page.mouse.move(*corner, steps=4)
    page.mouse.up()


def selected(page: Page) -> list[list[str]]:
    """The rows of the table below: text, class, split."""
    return [row.locator("td").all_inner_texts() for row in page.locator(".scatter-selected tbody tr").all()]


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_texts_are_drawn_hovered_and_selected(open_page: OpenPage, colours: str, tmp_path: Path) -> None:
    page = projected(open_page(colours=colours))
    expect(page.locator(".scatter-said")).to_contain_text("600 of 600 texts")
    labels = page.locator(".scatter-keys fieldset").first.locator("bdi").all_inner_texts()
    assert set(labels) == FEELINGS
    stage = page.locator(".scatter-stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box

    mark = page.locator(".scatter-points .mark").nth(17).bounding_box()
    assert mark
    page.mouse.move(mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2)
    expect(page.locator(".scatter-tip strong")).to_contain_text(", ")

    left, top = box["x"] + 3, box["y"] + 3
    right, bottom = left + box["width"] - 6, top + box["height"] - 6
    lasso(page, [(left, top), (right, top), (right, bottom), (left, bottom)])
    expect(page.locator(".scatter-selected h4")).to_have_text("600 texts selected")
    middle = (left + right) / 2
    lasso(page, [(left, top), (middle, top), (middle, bottom), (left, bottom)])
    expect(page.locator(".scatter-selected h4")).not_to_have_text("600 texts selected")
    places = page.locator(".scatter-points .mark").evaluate_all(
        """marks => marks.map((mark) => {
          const box = mark.getBoundingClientRect();
          return box.x + box.width / 2;
        })"""
    )
    to_the_left = sum(place < middle for place in places)
    count = int(page.locator(".scatter-selected h4").inner_text().split()[0])
    assert abs(count - to_the_left) <= 3  # those on the line itself
    check_accessible(page)

    page.get_by_label("Select fear", exact=True).click()
    expect(page.locator(".scatter-selected h4")).to_have_text("100 texts selected")
    assert {row[1] for row in selected(page)} == {"fear"}
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    download.value.save_as(tmp_path / "selection.csv")
    with (tmp_path / "selection.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [rows[0]["text"], rows[0]["class"], rows[0]["split"]] == selected(page)[0]
    assert len(rows) == 100

    page.get_by_label("fear", exact=False).first.uncheck()
    expect(page.locator(".scatter-points .mark:visible")).to_have_count(500)
    expect(page.locator(".scatter-selected h4")).to_have_count(0)
    with page.expect_download() as numbers:
        page.locator(".scatter [data-export=json]").click()
    kept = json.loads(Path(numbers.value.path()).read_text("utf-8"))
    assert len(kept["values"]) == len(kept["rows"]) == len(kept["classes"]) == 600


def test_keys_alone_go_from_text_to_text_and_select(open_page: OpenPage) -> None:
    page = projected(open_page())
    stage = page.locator(".scatter-stage")
    stage.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".scatter-tip")).not_to_be_empty()
    first = page.locator(".scatter-tip").inner_text()
    page.keyboard.press("Enter")
    [[text, label, split]] = selected(page)
    assert " ".join(first.split()) == " ".join(f"{label}, {split} {text}".split())
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    assert len(selected(page)) > 1
    page.keyboard.press("Escape")
    expect(page.locator(".scatter-selected h4")).to_have_count(0)


def test_a_projection_is_there_again_when_the_page_is_loaded_again(open_page: OpenPage) -> None:
    page = projected(open_page(width=390))
    page.goto("/lab?tab=features")
    expect(page.locator(".scatter-points .mark")).to_have_count(600)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
