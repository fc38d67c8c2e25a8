"""The tokenizers page with a text of 100,000 characters: from the change to the first screen of tokens, in
Chromium, against one of 1,000 characters in the same run; and how many tokens are in the page.

python -m tests.benchmarks.long_text
"""

from __future__ import annotations

from statistics import median

from playwright.sync_api import Page, sync_playwright

from tests.browser.tour import CHROMIUM, FLAGS, PATIENCE, paste
from tests.server import ROOT, running_app

TOKENIZERS = ("all-MiniLM-L6-v2", "SmolLM2-135M-Instruct", "translator-en-de")
RUNS = 5
# Resolves once the lanes are drawn for what was asked last, with the time since `window.changed`.
DRAWN = """characters => new Promise(resolve => {
  const box = document.querySelector(".lane-box"), stats = document.querySelector(".lane-stats");
  const look = () => {
    const done = !box.hasAttribute("aria-busy") && stats.dataset.characters === String(characters);
    if (done) requestAnimationFrame(() => resolve(performance.now() - window.changed));
    else requestAnimationFrame(look);
  };
  look();
})"""


def drawn(page: Page, text: str) -> float:
    """Milliseconds."""
    page.evaluate("window.changed = performance.now()")
    paste(page.locator("#tokenizers-text textarea"), text)
    took: float = page.evaluate(DRAWN, len(text))
    return took


def main() -> None:
    prose = " ".join((ROOT / "README.md").read_text("utf-8").split()) * 20
    with running_app() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        for count in range(1, len(TOKENIZERS) + 1):
            page.goto(f"{url}/tokenizers?text=a&tokenizers={','.join(TOKENIZERS[:count])}")
            page.locator(f"#token-{count - 1}-0").wait_for(state="attached", timeout=PATIENCE)
            short, long = (
                median(drawn(page, prose[run : run + size - run]) for run in range(RUNS))
                for size in (1_000, 100_000)
            )
            tokens = page.locator(".lane-token").count()
            print(
                f"{count} tokenizers: 100,000 characters {long:.0f} ms, 1,000 characters {short:.0f} ms: "
                f"{long / short:.1f} times as long; {tokens} tokens in the page"
            )
        browser.close()


if __name__ == "__main__":
    main()
