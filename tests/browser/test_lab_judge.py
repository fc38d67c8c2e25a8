"""The lab's fourth tab: what classifiers got wrong, and how they compare."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.tour import TRAINED, TRAINS, check_accessible

pytestmark = TRAINS


def train(page: Page, title: str) -> None:
    page.get_by_role("tab", name="Train", exact=True).click()
    expect(page.locator("#lab-train-data")).to_contain_text("6 classes")
    done = page.locator("#lab-runs tbody tr", has_text="done")
    before = done.count()
    page.locator("#lab-method").get_by_label(title, exact=True).check()
    page.locator("#lab-train").click()
    expect(done).to_have_count(before + 1, timeout=TRAINED)


def judge(page: Page) -> None:
    page.get_by_role("tab", name="Judge", exact=True).click()


def numbers(cells: Locator) -> list[int]:
    return [int(text) for text in cells.all_inner_texts()]


def test_two_classifiers_are_compared_and_their_errors_read(open_page: OpenPage) -> None:
    page = open_page("/lab")
    judge(page)
    expect(page.locator("#lab-judge-status")).to_contain_text("These classifiers")

    train(page, "Most frequent class")
    judge(page)
    expect(page.locator("#lab-judge-agreement")).to_contain_text("only one classifier")
    expect(page.locator("#lab-judge-compared tbody tr")).to_contain_text("0.167")  # one of six emotions

    train(page, "Logistic regression on frozen features")
    judge(page)
    compared = page.locator("#lab-judge-compared tbody tr")
    expect(compared).to_have_count(2)
    # The one judged stays the same when another has been trained; then it is picked.
    expect(page.locator("#lab-judge-run input")).to_have_value(re.compile("Most frequent"))
    page.locator("#lab-judge-run input").click()
    page.get_by_role("option", name=re.compile("Logistic regression")).click()
    expect(page.locator("#lab-judge-compared tr.marked")).to_contain_text("Logistic regression")

    cells = page.locator("#lab-judge-confusion .judge-matrix button")
    page.locator("#lab-judge-confusion summary").click()
    assert sum(numbers(cells)) == 90
    wrong = page.locator("#lab-judge-confusion td.wrong button").first
    count = int(wrong.inner_text())
    wrong.focus()
    page.keyboard.press("Enter")
    rows = page.locator("#lab-judge-cell tbody tr")
    expect(rows).to_have_count(count)
    expect(page.locator("#lab-judge-cell td.wrong")).to_have_count(count)

    # A click on the figure presses the button of its cell.
    plot = page.locator("#lab-judge-confusion .nsewdrag").bounding_box()
    assert plot
    page.mouse.click(plot["x"] + plot["width"] / 12, plot["y"] + plot["height"] / 12)  # the first of six
    expect(page.locator("#lab-judge-cell h4")).to_contain_text("anger, predicted as anger")

    place = "[document.activeElement.dataset.row, document.activeElement.dataset.column]"
    diagonal = page.locator("#lab-judge-confusion td.right button")
    diagonal.first.focus()
    page.keyboard.press("ArrowRight")
    row, column = page.evaluate(place)
    assert row == diagonal.first.get_attribute("data-row")
    assert int(column) >= int(str(diagonal.first.get_attribute("data-column")))

    losses = page.locator("#lab-judge-losses tbody tr td:last-child").all_inner_texts()
    assert len(losses) == 20
    assert min(map(float, losses[:10])) >= max(map(float, losses[10:]))
    expect(page.locator("#lab-judge-reliability .barlayer .trace")).to_have_count(2)

    share = page.locator("#lab-judge-agreement button")
    equal = int(re.findall(r"\d+", share.inner_text())[0])
    share.click()
    differing = page.locator("#lab-judge-differing")
    expect(differing).to_contain_text("McNemar")
    said = re.search(r"(\d+) examples", differing.inner_text())
    assert said
    assert round((1 - int(said[1]) / 90) * 100) == equal
    assert differing.locator("tbody tr").count() == min(50, int(said[1]))
    check_accessible(page)

    page.locator("#lab-judge-split").get_by_label("validation").check()
    expect(page.locator("#lab-judge-cell tbody tr")).to_have_count(0)
    assert sum(numbers(cells)) == 90


def test_a_phone_has_no_sideways_scrolling(open_page: OpenPage) -> None:
    page = open_page("/lab", width=390, colours="dark")
    page.goto("/lab?tab=judge")
    expect(page.locator("#lab-judge-status")).not_to_be_empty()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
