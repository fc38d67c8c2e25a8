"""What surrounds a page: header with navigation, title, theme, style sheet, scripts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from components.figures.markup import Markup, join
from components.ui.page import PlainPage, TaskPage

NAME = "Transformers Tour"
CLAIM = "See what transformer models do with your own text."

ASSETS = Path(__file__).parent / "assets"

Page = TaskPage | PlainPage


def header(pages: Sequence[Page], current: Page | None) -> None:
    """Brand, links to all pages and the light/dark switch; hidden when embedded.

    Links are relative, so that the app also works below a path prefix.
    """
    links = join(
        Markup('<a href="./{slug}"{current}>{title}</a>').format(
            slug=page.slug,
            title=page.nav,
            current=Markup(' aria-current="page"') if page is current else "",
        )
        for page in pages
    )
    gr.HTML(
        Markup(
            '<a class="skip" href="#main">Skip to content</a><div class="bar-top">'
            '<a class="brand" href="./"{home}><span class="mark" aria-hidden="true"></span>{name}</a>'
            '<nav aria-label="Pages">{links}</nav>'
            '<button type="button" class="theme-switch" aria-label="Switch between light and dark">'
            '<span aria-hidden="true">◐</span></button></div>'
        ).format(name=NAME, links=links, home=Markup(' aria-current="page"') if current is None else ""),
        elem_id="tour-header",
        elem_classes="tour-header",
        js_on_load=(ASSETS / "header.js").read_text("utf-8"),
    )


def heading(title: str, sentence: str) -> None:
    gr.HTML(
        Markup('<h1 id="main" tabindex="-1">{}</h1><p>{}</p>').format(title, sentence),
        elem_classes="tour-heading",
    )


def way_out(page: Page) -> None:
    """The link from an embedded page to the whole tour; seen only there."""
    gr.HTML(
        Markup('<a href="./{}" target="_blank" rel="noopener">Open in {}</a>').format(page.slug, NAME),
        elem_classes="tour-way-out",
    )


def set_title(blocks: gr.Blocks, title: str) -> None:
    """Pages of one app share their HTML title, so each sets its own once it is up."""
    blocks.load(
        None,
        None,
        None,
        js=f"() => {{ document.title = {json.dumps(title)} + ' · {NAME}'; }}",
        api_visibility="private",
    )


def appearance() -> dict[str, Any]:
    """Arguments for `launch`: theme, style sheet, head, icon."""
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
    return {
        "theme": theme,
        "css": "".join(map(_asset, ("tour.css", "lab.css", "story.css"))),
        "head": "{}<script>{}</script>".format(*map(_asset, ("head.html", "exports.js"))),
        "favicon_path": ASSETS / "favicon.svg",
    }


def _asset(name: str) -> str:
    return (ASSETS / name).read_text("utf-8")
