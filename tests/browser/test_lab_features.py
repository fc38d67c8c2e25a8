"""The lab's second tab: a projection is computed, looked at, and selected from."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.tour import PATIENCE, check_both_themes


def points(page: Page) -> Locator:
    return page.locator("#lab-features-scatter .point")


def listed(page: Page) -> Locator:
    return page.locator("#lab-features-selected")


@pytest.fixture(scope="module")
def projected(keep_open: Callable[[str], Page]) -> Page:
    """A visitor's page, who had the shipped messages projected, by PCA, as MiniLM's last layer has them; this
    takes a training process, and several tests look at what comes of it."""
    page = keep_open("/lab?tab=features")
    page.locator("#lab-features-projection").get_by_label("pca", exact=True).check()
    expect(page.locator("#lab-features-scatter")).to_contain_text("A prepared run")
    page.locator("#lab-features-start").click()
    drawn(page)
    return page


def drawn(page: Page) -> None:
    said = page.locator("#lab-features-scatter")
    expect(said).to_contain_text("projected by PCA", timeout=PATIENCE)
    expect(said).not_to_contain_text("A prepared run")
    expect(points(page)).to_have_count(600)


def lasso(page: Page, corners: list[tuple[float, float]]) -> None:
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in [*corners[1:], corners[0]]:
        page.mouse.move(*corner, steps=4)
    page.mouse.up()


def choose(page: Page, where: str, option: str) -> None:
    box = page.locator(f"#lab-features-{where}")
    box.locator("input").click()
    box.get_by_role("option", name=option, exact=True).click()


def test_texts_of_a_class_and_a_split_are_listed_without_a_pointer(projected: Page) -> None:
    page = projected
    choose(page, "class", "fear")
    expect(listed(page)).to_contain_text("100 texts selected")
    classes = listed(page).locator("tbody td:nth-child(2)").all_inner_texts()
    assert {*classes} == {"fear"}
    choose(page, "split", "test")
    expect(listed(page)).to_contain_text("15 texts selected")
    faint = '.point[style*="opacity: 0.15"]'
    expect(page.locator(f"#lab-features-scatter {faint}")).to_have_count(585)
    choose(page, "class", "all")
    choose(page, "split", "all")
    expect(listed(page)).to_be_empty()
    expect(page.locator(f"#lab-features-scatter {faint}")).to_have_count(0)


def test_texts_are_drawn_hovered_and_selected(projected: Page, tmp_path: Path) -> None:
    page = projected
    expect(page.locator("#lab-features-scatter")).to_contain_text("600 of 600 texts")
    stage = page.locator("#lab-features-scatter .nsewdrag")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box

    mark = points(page).nth(17).bounding_box()
    assert mark
    page.mouse.move(mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2)
    expect(page.locator("#lab-features-scatter .hovertext")).to_contain_text(", ")

    left, top = box["x"] + 3, box["y"] + 3
    right, bottom = left + box["width"] - 6, top + box["height"] - 6
    lasso(page, [(left, top), (right, top), (right, bottom), (left, bottom)])
    expect(listed(page)).to_contain_text("600 texts selected. The first 200 are listed")
    middle = (left + right) / 2
    places = points(page).evaluate_all(
        """marks => marks.map((mark) => {
          const box = mark.getBoundingClientRect();
          return box.x + box.width / 2;
        })"""
    )
    lasso(page, [(left, top), (middle, top), (middle, bottom), (left, bottom)])  # within the first
    expect(listed(page)).not_to_contain_text("600 texts")
    count = int(listed(page).locator(".hint").inner_text().split()[0])
    assert abs(count - sum(place < middle for place in places)) <= 3  # those on the line itself
    check_both_themes(page)

    with page.expect_download() as download:
        listed(page).get_by_role("link", name="Download CSV").click()
    download.value.save_as(tmp_path / "selection.csv")
    with (tmp_path / "selection.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == count
    first = listed(page).locator("tbody tr").first.locator("td").all_inner_texts()
    assert [rows[0]["text"], rows[0]["class"], rows[0]["split"]] == first


def test_a_projection_is_there_again_when_the_page_is_loaded_again(projected: Page) -> None:
    projected.set_viewport_size({"width": 360, "height": 900})
    projected.reload()
    drawn(projected)
    assert projected.evaluate("document.documentElement.scrollWidth <= innerWidth")
