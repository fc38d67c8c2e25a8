"""The anatomy page in Chromium: from the press to the drawn structure, and from one stage to the next.

    python -m tests.benchmarks.anatomy [rounds]

Models are loaded before. Bytes are those of the page's JavaScript heap after all stages were shown.
"""

from __future__ import annotations

import sys
from statistics import median

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.tour import CHROMIUM, FLAGS, PATIENCE
from tests.server import running_app

# How many words make 64 tokens, special ones included, and the milliseconds that are wanted.
MODELS = {"all-MiniLM-L6-v2": (62, 1000), "SmolLM2-135M-Instruct": (64, 3000)}
WORDS = ("word", "time", "house", "water", "light", "night", "year", "life")  # a token each
STAGES = 20
# Notes the time from a press until the drawing of it.
TIMED = """async ([button, drawn]) => {
  const box = document.querySelector(drawn);
  const before = box.dataset.drawn;
  const begun = performance.now();
  document.querySelector(button).click();
  while (box.dataset.drawn === before) await new Promise((done) => requestAnimationFrame(done));
  return performance.now() - begun;
}"""


def press(page: Page, button: str, drawn: str) -> float:
    took: float = page.evaluate(TIMED, [button, drawn])
    return took


def measured(browser: Browser, url: str, model: str, rounds: int) -> None:
    count, wanted = MODELS[model]
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{url}/anatomy?model={model}&text=one&run=1")
    structure, stage = "#anatomy-view [data-part=body]", "#anatomy-steps [data-part=stage]"
    page.locator(f"{structure}[data-drawn]").wait_for(timeout=PATIENCE)
    opened = []
    for word in WORDS[:rounds]:  # a text that was seen before would be kept
        page.locator("#anatomy-text textarea").fill(" ".join([word] * count))
        page.wait_for_function("() => document.querySelector('[data-stale]')", timeout=PATIENCE)
        opened.append(press(page, "#anatomy-run", structure))
        page.wait_for_function("() => !document.querySelector('[data-stale]')", timeout=PATIENCE)
    page.get_by_role("tab", name="Step through", exact=True).click()
    page.locator(f"{stage}[data-drawn]").wait_for(timeout=PATIENCE)
    page.wait_for_timeout(500)  # the neurons' words of the last run
    stepped = [press(page, "#anatomy-steps [data-part=next]", stage) for _ in range(STAGES)]
    heap = page.evaluate("performance.memory.usedJSHeapSize")
    tokens = page.locator("#anatomy-steps [data-part=tokens] button").count()
    print(f"{model}, {tokens} tokens: structure drawn after {median(opened):.0f} ms, {wanted:,} wanted;")
    print(f"  the next stage after {median(stepped):.0f} ms, at most {max(stepped):.0f}, 100 wanted;")
    print(f"  the page's heap {heap / 1e6:.0f} MB")
    page.close()


def main(rounds: int) -> None:
    with running_app() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for model in MODELS:
            measured(browser, url, model, rounds)
        browser.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
