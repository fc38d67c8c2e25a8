"""Every page with an answer computed now, light and dark, wide and narrow, into test-results/screenshots; and
the pictures of the README, into docs.

python -m tests.browser.screenshots [--readme]

`--readme` makes those of the README alone.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, ViewportSize, expect, sync_playwright

from components.ui.page import TaskPage
from demos import PAGES
from tests.browser.tour import CHROMIUM, FLAGS, UP, Visit
from tests.server import ROOT, running_app

FOLDER = ROOT / "test-results" / "screenshots"
WIDTHS = (1280, 390)
README: ViewportSize = {"width": 1280, "height": 1000}
# Of the README, by name: the page, and what is looked for on it.
PICTURES = {"home": ("/", "#home-strip .strip svg"), "story": ("/story#recurrence", ".drawing svg")}
Colours = Literal["light", "dark"]
COLOURS: tuple[Colours, ...] = ("light", "dark")


def shoot(browser: Browser, app_url: str, colours: Colours, width: int, folder: Path) -> None:
    context = browser.new_context(
        base_url=app_url,
        viewport={"width": width, "height": 900 if width > 800 else 844},
        color_scheme=colours,
    )
    page = context.new_page()
    page.goto(f"/?__theme={colours}")
    expect(page.locator(".cards a").first).to_be_visible()
    page.screenshot(path=folder / f"home-{colours}-{width}.png", full_page=True)
    for spec in PAGES:
        if isinstance(spec, TaskPage):
            visit = Visit(page, spec).open(__theme=colours)
            visit.run()
            visit.settled()
        else:
            page.goto(f"/{spec.slug}?__theme={colours}")
            expect(page.locator(f"{UP}, .lane-token").first).to_be_visible()
        page.screenshot(path=folder / f"{spec.slug}-{colours}-{width}.png", full_page=True)
    context.close()


def readme(browser: Browser, app_url: str) -> None:
    """What the README shows, as large as a window."""
    page = browser.new_page(base_url=app_url, viewport=README, color_scheme="light", reduced_motion="reduce")
    for name, (address, seen) in PICTURES.items():
        page.goto(address)
        expect(page.locator(seen).first).to_be_visible()
        page.locator(seen).first.scroll_into_view_if_needed()
        Image.open(io.BytesIO(page.screenshot())).save(ROOT / "docs" / f"{name}.webp", quality=80)
    page.close()


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with running_app() as app_url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        readme(browser, app_url)
        for width in () if "--readme" in sys.argv else WIDTHS:
            for colours in COLOURS:
                shoot(browser, app_url, colours, width, FOLDER)
        browser.close()
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
