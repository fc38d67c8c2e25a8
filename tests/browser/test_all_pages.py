"""What every page, of a task or not, must be: reachable, embeddable, legible, usable by all."""

from __future__ import annotations

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
from tests.browser.tour import UP, check_looks

HOME = ""


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


def test_the_home_page_fits_the_window_and_is_accessible(open_page: OpenPage) -> None:
    check_looks(open_page("/?__theme=light"))


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
