"""Draws the pictures that link previews show, one a page: its title, its sentence and a small result.

python -m tests.browser.cards
"""

from __future__ import annotations

import io
from html import escape

from PIL import Image
from playwright.sync_api import sync_playwright

from components.ui.chrome import ABOUT, ASSETS, CLAIM, NAME, PICTURES
from components.ui.page import TaskPage
from demos import PAGES, examples
from tests.browser.tour import CHROMIUM, FLAGS

STYLE = """
body {
  margin: 0;
  width: 1200px;
  height: 630px;
  box-sizing: border-box;
  padding: 64px 72px;
  display: flex;
  flex-direction: column;
  background: #f8fafc;
  color: #0f172a;
  font-family: ui-sans-serif, system-ui, sans-serif;
  border-bottom: 14px solid #0f766e;
}
.brand {
  display: flex;
  align-items: center;
  gap: 16px;
  font-weight: 700;
  font-size: 30px;
  color: #0f766e;
}
.brand img { width: 48px; }
h1 { font-size: 72px; line-height: 1.08; margin: 40px 0 16px; letter-spacing: -.02em; }
.sentence { font-size: 31px; line-height: 1.35; color: #475569; margin: 0; }
.result {
  margin: auto 0 0;
  background: #fff;
  border: 2px solid #dbe2ea;
  border-radius: 18px;
  padding: 22px 28px;
  font-size: 30px;
  line-height: 1.35;
  max-height: 2.7em;
  overflow: hidden;
}
mark { background: #ccf0ea; color: inherit; border-radius: 6px; padding: 0 .15em; }
.chip {
  background: #ccf0ea;
  border-radius: 6px;
  padding: 0 .3em;
  margin-right: 4px;
  font-family: ui-monospace, Menlo, Consolas, monospace;
}
.value { color: #475569; }
.part.for { background: rgb(0 94 162 / calc(var(--share) * .55)); }
.part.against { background: rgb(217 95 2 / calc(var(--share) * .55)); }
"""


def html(title: str, sentence: str, result: str) -> str:
    icon = (ASSETS / "favicon.svg").read_text("utf-8")
    shown = f'<p class="result">{result}</p>' if result else ""
    return (
        f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style><div class="brand"><span>'
        f"{icon.replace('<svg', '<svg width=48 height=48', 1)}</span>{NAME}</div><h1>{escape(title)}</h1>"
        f'<p class="sentence">{escape(sentence)}</p>{shown}'
    )


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    cards = {"home": html(CLAIM, ABOUT, "")}
    for page in PAGES:
        result = page.teaser
        if isinstance(page, TaskPage):
            first = examples.load(page.task)[0]
            result = page.teaser(first.payload, first.answer)
        cards[page.slug] = html(page.title, page.sentence, str(result))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        drawing = browser.new_page(viewport={"width": 1200, "height": 630})
        for name, content in cards.items():
            drawing.set_content(content)
            picture = Image.open(io.BytesIO(drawing.screenshot())).convert("RGB")
            picture.quantize(64).save(PICTURES / f"{name}.png", optimize=True)  # a third of the size
        browser.close()


if __name__ == "__main__":
    main()
