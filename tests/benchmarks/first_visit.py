"""What the first visit of a page loads, and when its stored answer is there, against an empty Gradio page.

    python -m tests.benchmarks.first_visit [rounds]

The server is warm, each page has a browser cache of its own. The pages alternate.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from statistics import median
from typing import Any

from playwright.sync_api import Browser

from tests.benchmarks.empty_page import both_in_chromium
from tests.browser.tour import PATIENCE, TASK_PAGES

# Of the task pages one is shown; the others differ from it by their figures.
PAGES = {"": ".made .answered", TASK_PAGES[0].slug: ".result .answered"}

LATE = 2_000  # ms: what is loaded after the page is there counts too; a stream keeps it from ever being idle


@dataclass(frozen=True)
class Visit:
    """`seen` and `up` are milliseconds from navigation: the answer visible, and the page there to be used."""

    requests: int
    nbytes: int
    seen: float
    up: float


def visit(browser: Browser, url: str, seen: str, up: str) -> Visit:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    loaded: list[float] = []

    def count(event: dict[str, Any]) -> None:
        loaded.append(event["encodedDataLength"])

    session.on("Network.loadingFinished", count)
    page.goto(url, wait_until="commit")
    page.locator(seen).first.wait_for(state="visible", timeout=PATIENCE)
    shown: float = page.evaluate("performance.now()")
    page.locator(up).first.wait_for(state="visible", timeout=PATIENCE)
    there: float = page.evaluate("performance.now()")
    page.wait_for_timeout(LATE)
    context.close()
    return Visit(requests=len(loaded), nbytes=int(sum(loaded)), seen=shown, up=there)


def main(rounds: int) -> None:
    with both_in_chromium() as (browser, url, empty):
        theirs: list[Visit] = []
        ours: dict[str, list[Visit]] = {slug: [] for slug in PAGES}
        for _ in range(rounds + 1):
            theirs.append(visit(browser, f"{empty}/", "footer", "footer"))
            for slug, seen in PAGES.items():
                ours[slug].append(visit(browser, f"{url}/{slug}", seen, "html.up body"))
    del theirs[0]  # in which pages were made
    report("an empty page", theirs, theirs)
    for slug, visits in ours.items():
        report(slug or "home", visits[1:], theirs)


def report(name: str, visits: list[Visit], theirs: list[Visit]) -> None:
    def of(quantity: str, unit: float) -> str:
        values, others = ([getattr(one, quantity) for one in each] for each in (visits, theirs))
        ratio = median(a / b for a, b in zip(values, others, strict=True))
        return f"{median(values) / unit:6.0f} ({ratio:.2f} times)"

    print(
        f"{name:20} {of('requests', 1)} requests, {of('nbytes', 1000)} kB, answer after {of('seen', 1)} ms, "
        f"to be used after {of('up', 1)} ms"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
