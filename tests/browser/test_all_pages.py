"""What every page, of a task or not, must be: reachable, embeddable, legible, usable by all."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from components.ui.page import PlainPage
from demos import PAGES
from tests.browser.conftest import OpenPage
from tests.browser.tour import COLOURS, TASK_PAGES, UP, check_accessible

HOME = ""
every_address = pytest.mark.parametrize(
    "slug", [HOME, *(page.slug for page in PAGES)], ids=lambda slug: slug or "home"
)
every_page = pytest.mark.parametrize("spec", PAGES, ids=lambda spec: spec.slug)
every_task_page = pytest.mark.parametrize("spec", TASK_PAGES, ids=lambda spec: spec.slug)


def test_home_page_links_to_every_page(page: Page, app_url: str) -> None:
    page.goto("/")
    for spec in PAGES:
        card = page.locator(".cards a").filter(has_text=spec.sentence)
        expect(card).to_have_count(1)
        assert card.evaluate("(one) => one.href") == f"{app_url}/{spec.slug}"
    card.click()  # as by any other
    expect(page).to_have_url(f"{app_url}/{spec.slug}")
    expect(page.locator(UP).first).to_be_visible()
    page.locator("#tour-header .brand").click()
    expect(page.locator(".cards a").first).to_be_visible()


@every_address
def test_fits_the_window_and_is_accessible(open_page: OpenPage, slug: str) -> None:
    """In light, in dark, and in the dark on a phone."""
    page = open_page(f"/{slug}?__theme=light")
    for spec in PAGES:
        if spec.slug == slug:
            expect(page.get_by_role("heading", level=1)).to_have_text(spec.title)
            expect(page).to_have_title(re.compile(f"^{re.escape(spec.title)}"))
    unfold(page)
    check_accessible(page)
    switch_theme(page)
    check_accessible(page, COLOURS)  # the rest of the page is the same
    page.set_viewport_size({"width": 390, "height": 900})
    check_accessible(page)
    for width in (360, 390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.fixture(scope="module")
def other_site(app_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Somebody's documentation: another origin, whose pages frame ours."""
    folder: Path = tmp_path_factory.mktemp("documentation")
    for page in PAGES:
        (folder / f"{page.slug}.html").write_text(
            f'<!doctype html><title>Docs</title><link rel="icon" href="data:,">'
            f'<iframe src="{app_url}/{page.slug}?embed=1" width="700" height="900" title="Demo"></iframe>'
        )
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "spec", [page for page in PAGES if isinstance(page, PlainPage)], ids=lambda spec: spec.slug
)
def test_embedded_on_another_site_shows_the_tool_alone(
    open_page: OpenPage, other_site: str, spec: PlainPage
) -> None:
    """As task pages do, of which more is asked in a frame."""
    page = open_page(f"{other_site}/{spec.slug}.html", origins=(other_site,))
    frame = page.frame_locator("iframe")
    expect(frame.locator(UP).first).to_be_visible()
    for surroundings in ("#tour-header", ".nav-holder", "footer"):
        for element in frame.locator(surroundings).all():
            expect(element).to_be_hidden()


def switch_theme(page: Page) -> None:
    page.get_by_role("button", name="Switch between light and dark").click()


def unfold(page: Page) -> None:
    """Opens the options and the drawer, where a page has them, once the page is up."""
    expect(page.locator(UP).first).to_be_visible()
    if page.locator(".asking").count():
        expect(page.locator('[id$="-drawer"]')).to_be_visible()
    for part in page.locator('[id$="-options"]:has(> button), [id$="-drawer"]').all():
        folded = part.locator("> button")
        folded.click()
        expect(folded).to_have_class(re.compile(r"\bopen\b"))
