"""What surrounds a page: header with navigation, heading, footer, theme, style sheet, scripts.

All of it stands in the HTML that the server sends, around what Gradio builds: it is there before any
script runs, and nothing moves when the rest comes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import gradio as gr

from components import javascript, stylesheet, templates, texts
from components.figures.markup import Markup
from components.shell import ASIDE, Shell
from components.ui.guides import TOURS_PAGE
from components.ui.page import PlainPage, TaskPage

TEXTS = texts.beside(__file__)
FILL = templates.beside(__file__)

NAME = "Transformers Tour"
CLAIM, ABOUT = TEXTS["claim"], TEXTS["about"]

ASSETS = Path(__file__).parent / "assets"
PICTURES = ASSETS / "cards"  # what link previews show, made by tests/browser/cards.py

Page = TaskPage | PlainPage

# Where what has happened is told to screen readers (answers.js).
LIVE = Markup('<div id="tour-live" class="unseen" role="status"></div>')
# Where Gradio will build: removed when it has (page.js).
WAITING = Markup(
    '<div class="tour-waiting"><div>{}</div></div>'
    '<noscript><p class="tour-noscript">The pages of this app need JavaScript; '
    'its <a href="./api">API</a> does not.</p></noscript>'
)
BARS = Markup('<span class="field"></span>') * 3


def asked(title: str, text: str) -> Markup:
    """A box of a form with its text, as it is seen until Gradio has built it."""
    return Markup('<div class="field asked"><b>{}</b><span>{}</span></div>').format(title, text)


def surroundings(pages: Sequence[Page], current: Page | None, *, first_paint: Markup = BARS) -> Shell:
    """Of a page; None is the home page. `first_paint` stands where Gradio builds, until it has."""
    title, sentence = (current.title, current.sentence) if current else (CLAIM, ABOUT)
    slug = current.slug if current else ""
    return Shell(
        title=f"{title} · {NAME}" if current else NAME,
        description=sentence if current else f"{CLAIM} {ABOUT}",
        picture=picture(slug),
        scripts=javascript.script("page") + (javascript.script("tours") if current is None else ""),
        head=_head() + Markup(stylesheet.link()),
        before=header(pages, current)
        + heading(title, sentence, hero=current is None)
        + Markup(ASIDE)
        + LIVE
        + WAITING.format(first_paint),
        after=footer() + way_out(slug),
    )


def document(pages: Sequence[Page], title: str, sentence: str, content: Markup, *, script: str = "") -> Shell:
    """Of a page that is all HTML, with nothing for Gradio to build; `script` is a module of its own."""
    return Shell(
        title=f"{title} · {NAME}",
        description=sentence,
        picture=picture(""),
        scripts=javascript.script("page") + (javascript.script(script) if script else ""),
        head=_head(),
        before=header(pages, None, home=False)
        + heading(title, sentence)
        + Markup(ASIDE)
        + Markup('<main class="document">{}</main>').format(content),
        after=footer() + way_out(""),
    )


def header(pages: Sequence[Page], current: Page | None, *, home: bool = True) -> Markup:
    """Brand, links to all pages in groups, and the light/dark switch; hidden when embedded.

    Links are relative, so that the app also works below a path prefix.
    """
    return FILL(
        "header",
        brand=NAME,
        tours=TOURS_PAGE,
        groups=[(name, [*members]) for name, members in groupby(pages, key=lambda page: page.group)],
        current=current,
        home=home and current is None,
    )


def heading(title: str, sentence: str, *, hero: bool = False) -> Markup:
    return Markup('<div class="{}"><h1 id="main" tabindex="-1">{}</h1><p>{}</p>{}</div>').format(
        "hero" if hero else "tour-heading", title, sentence, TO_TOURS if hero else ""
    )


# From the home page into the tours; tours.js makes it go on where the visitor left.
TO_TOURS = Markup(
    '<p class="tour-starts"><a class="tour-start" href="./?tour=main&amp;stop=1">Take the guided tour</a>'
    '<a class="tour-all" href="./{}">All tours</a></p>'
).format(TOURS_PAGE)


def footer() -> Markup:
    return Markup(
        '<footer class="tour-footer"><a href="./api">API</a><a href="./models">Models</a>'
        '<a href="./v1/openapi.json">OpenAPI</a><a href="./health">Health</a></footer>'
    )


def way_out(slug: str) -> Markup:
    """The link from an embedded page to the whole tour; seen only there."""
    return Markup(
        '<p class="tour-way-out"><a href="./{}" target="_blank" rel="noopener">Open in {}</a></p>'
    ).format(slug, NAME)


def tell_mounted(blocks: gr.Blocks) -> None:
    """Lets page.js know that Gradio has built all components."""
    blocks.load(None, None, None, js=javascript.call("page", "mounted"), api_visibility="private")


def picture(slug: str) -> str:
    """The address of a page's picture, below the app's."""
    name = f"{slug or 'home'}.png"
    return f"cards/{name}" if (PICTURES / name).is_file() else "cards/home.png"


def appearance() -> Mapping[str, Any]:
    """Arguments for `launch`: theme and icon."""
    fonts = ["ui-sans-serif", "system-ui", "sans-serif"]
    theme = gr.themes.Default(
        primary_hue="teal",
        secondary_hue="teal",
        neutral_hue="slate",
        font=fonts,
        font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"],
        radius_size="md",
    ).set(
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_600",
        button_primary_text_color="white",
        button_primary_text_color_dark="white",
        body_background_fill="*neutral_50",
        body_text_color_subdued="*neutral_600",  # Gradio's grey is too light to read on white
    )
    return {"theme": theme, "favicon_path": ASSETS / "favicon.svg"}


@cache
def _head() -> Markup:
    return Markup(
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="./favicon.ico">'
        "<style>{}</style><script>{}</script>"
    ).format(Markup(_asset("shell.css")), Markup(_asset("first-paint.js")))


def _asset(name: str) -> str:
    return (ASSETS / name).read_text("utf-8")
