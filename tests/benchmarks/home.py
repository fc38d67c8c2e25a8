"""The home page in Chromium: when its stored answers are there, against an empty Gradio page; and when cards
show the answers to a text of the visitor's own, with the models loaded.

    python -m tests.benchmarks.home [rounds]

The server is warm, each page has a browser cache of its own. The two pages alternate.
"""

from __future__ import annotations

import sys
from statistics import median

from playwright.sync_api import Browser

from demos import home
from tests.benchmarks.empty_page import both_in_chromium
from tests.browser.tour import PATIENCE

TEXT = "The soup was cold. Our waiter Jonas from Oslo was rude. I will never come back."
# Written token by token, or explained by many passes: they may take longer.
SLOW = {"translation", "next_word", "summary", "gap"}
# Notes when the answer of each card has changed, from the press on.
WATCH = """parts => {
  window.shown = {};
  for (const part of parts) {
    const box = document.getElementById(`home-${part}-result`);
    new MutationObserver(() => {
      const old = box.querySelector(".skeleton") || box.dataset.stale;
      if (window.pressed && box.querySelector(".answered") && !old)
        window.shown[part] ??= performance.now() - window.pressed;
    }).observe(box, {subtree: true, childList: true, attributes: true});
  }
  const run = document.getElementById("home-run");
  run.addEventListener("click", () => window.pressed = performance.now(), true);
}"""


def opened(browser: Browser, url: str, selector: str) -> float:
    """Milliseconds from navigation until an element is visible."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(url, wait_until="commit")
    page.locator(selector).first.wait_for(state="visible", timeout=PATIENCE)
    took: float = page.evaluate("performance.now()")
    context.close()
    return took


def answered(browser: Browser, url: str) -> dict[str, float]:
    """Milliseconds from the press until the card of each part shows the new answer."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(url)
    page.locator("#home-strip .strip svg").wait_for(timeout=PATIENCE)
    page.locator("#home-text textarea").fill(TEXT)
    page.evaluate(WATCH, [card.part for card in home.CARDS])
    page.locator("#home-run").click()
    page.wait_for_function(f"Object.keys(window.shown).length === {len(home.CARDS)}", timeout=PATIENCE)
    found: dict[str, float] = page.evaluate("window.shown")
    page.close()
    return found


def main(rounds: int) -> None:
    with both_in_chromium() as (browser, url, empty):
        opened(browser, f"{url}/", ".made .answered")  # so that pages are made
        opened(browser, f"{empty}/", "footer")
        theirs, ours = [], []
        for _ in range(rounds):
            theirs.append(opened(browser, f"{empty}/", "footer"))
            ours.append(opened(browser, f"{url}/", ".made .answered"))
        ratio = median(a / b for a, b in zip(ours, theirs, strict=True))
        print(
            f"stored answers visible after {median(ours):.0f} ms, an empty page after {median(theirs):.0f}:"
        )
        print(f"  {ratio:.2f} times as long, at most 1.5 wanted")
        answered(browser, url)  # so that models are loaded
        runs = [answered(browser, url) for _ in range(rounds)]
        times = {part: median(run[part] for run in runs) for part in runs[0]}
        for part, took in sorted(times.items(), key=lambda one: one[1]):
            print(f"  {part:14} {took:6.0f} ms")
        fast = sorted(times.values())
        print(f"five cards after {fast[4]:.0f} ms, 1,000 wanted; all but {', '.join(sorted(SLOW))} after")
        print(f"  {max(took for part, took in times.items() if part not in SLOW):.0f} ms, 5,000 wanted")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
