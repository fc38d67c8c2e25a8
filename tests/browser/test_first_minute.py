"""What a visitor meets in the first minute: nothing jumps, nothing flashes, the keyboard gets everywhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from components.ui.page import TaskPage
from demos import PAGES
from tests.browser.conftest import OpenPage
from tests.browser.test_all_pages import HOME, every_page, every_task_page
from tests.browser.tour import UP, Visit, check_accessible, short

GOOD = 0.1  # of layout shift, as web vitals count it; over 0.25 is poor
# Shifts that do not follow from what a visitor has just done, and the widths that the page has had.
WATCH = """
window.shifts = [];
window.still = () => performance.now() - Math.max(window.opened ?? Infinity, window.last ?? 0) > 2000;
addEventListener("tour-up", () => { window.opened = performance.now(); });
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    window.last = performance.now();
    if (!entry.hadRecentInput) window.shifts.push(entry.value);
  }
}).observe({ type: "layout-shift", buffered: true });
window.widths = [];
const measure = () => {
  const box = document.querySelector("html.up .gradio-container");
  if (box && box.clientWidth !== window.widths.at(-1)) window.widths.push(box.clientWidth);
  requestAnimationFrame(measure);
};
measure();
"""
# Of every frame: the colour behind the page, and whether Gradio's own waiting screen is seen.
FRAMES = """
window.frames_seen = [];
const look = () => {
  if (document.body) {
    const app = document.querySelector("gradio-app");
    const splash = [...document.querySelectorAll("gradio-app .loading, gradio-app .wrap.full")].some(
      (one) => getComputedStyle(one).visibility !== "hidden" && one.getClientRects().length,
    );
    window.frames_seen.push([
      getComputedStyle(document.body).backgroundColor,
      getComputedStyle(document.documentElement).colorScheme,
      document.documentElement.classList.contains("up") ? false : splash,
    ]);
  }
  requestAnimationFrame(look);
};
look();
"""


@pytest.mark.parametrize(
    "slug", [HOME, *(page.slug for page in PAGES), "api"], ids=lambda slug: slug or "home"
)
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_jumps_while_a_page_opens(open_page: OpenPage, slug: str, width: int) -> None:
    page = open_page(elsewhere=True, width=width)
    page.add_init_script(WATCH)
    page.goto(f"/{slug}")
    expect(page.locator(f"{UP}, .operation").first).to_be_visible()
    if slug != "api":
        page.wait_for_function("still()")  # two seconds without a shift
    assert page.evaluate("shifts.reduce((all, one) => all + one, 0)") < GOOD
    assert len(page.evaluate("widths")) <= 1


@every_task_page
def test_nothing_jumps_while_a_model_answers(page: Page, spec: TaskPage) -> None:
    page.add_init_script(WATCH)
    visit = Visit(page, spec).open(**short(spec))
    page.evaluate("shifts.length = 0")
    visit.run()
    assert visit.settled() == "answer"
    assert page.evaluate("shifts.reduce((all, one) => all + one, 0)") < GOOD
    assert len(page.evaluate("widths")) == 1


@pytest.mark.parametrize("width", [1280, 1440, 1920])
def test_pages_are_as_wide_as_they_may_be_whatever_is_in_them(open_page: OpenPage, width: int) -> None:
    page = open_page("/tokenizers", width=width)
    expect(page.locator(".lane-token").first).to_be_visible()
    assert page.locator(".gradio-container").bounding_box()["width"] == 1200  # type: ignore[index]


@every_page
def test_a_theme_that_the_visitor_chose_is_there_from_the_first_frame(
    open_page: OpenPage, spec: TaskPage
) -> None:
    page = open_page("/", colours="light")
    page.get_by_role("button", name="Switch between light and dark").click()
    page.add_init_script(FRAMES)
    page.goto(f"/{spec.slug}")
    expect(page.locator(UP).first).to_be_visible()
    seen = page.evaluate("frames_seen")
    assert len({colour for colour, _, _ in seen}) == 1, seen
    assert {scheme for _, scheme, _ in seen} == {"dark"}
    assert not any(splash for _, _, splash in seen)


@every_page
def test_the_first_link_leads_to_the_content_and_keeps_the_page(page: Page, spec: TaskPage) -> None:
    page.goto(f"/{spec.slug}")
    expect(page.locator(UP).first).to_be_visible()
    if isinstance(spec, TaskPage):
        box = page.locator(".asking textarea, .asking input").first
        box.fill("typed and not to be lost")
    address = page.url
    first = page.locator("a, button, input, textarea").first  # what Tab reaches first on a fresh page
    expect(first).to_have_text("Skip to content")
    first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    assert page.url == address
    if isinstance(spec, TaskPage):
        expect(box).to_have_value("typed and not to be lost")
        page.keyboard.press("Tab")  # on to what is asked, not back to the navigation
        assert page.evaluate("document.querySelector('gradio-app').contains(document.activeElement)")


@pytest.mark.parametrize(("width", "colours"), [(1280, "light"), (390, "dark")])
def test_the_api_page_fits_and_is_accessible(open_page: OpenPage, width: int, colours: str) -> None:
    page = open_page("/api", width=width, colours=colours)
    page.evaluate(
        "document.querySelectorAll('#text_classification details').forEach((one) => { one.open = true; })"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    check_accessible(page)
