"""A tab of the anatomy page: the parts of a model, with their sizes and what they do."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components import javascript, texts
from components.ui.chrome import ASSETS
from components.ui.slots import QUIET
from demos.anatomy.context import SLUG, PageContext

TEXTS = texts.beside(__file__)


def build(page: PageContext) -> None:
    view: Any = gr.HTML(
        value="",
        html_template=(ASSETS / "anatomy-structure.html").read_text("utf-8"),
        js_on_load=javascript.start("anatomy-structure", "take"),
        elem_id=f"{SLUG}-view",
        elem_classes="anatomy-view",
        texts=dict(TEXTS.data["view"]),
        drawer=f"{SLUG}-drawer",
    )
    view.take(taken, None, page.part, **QUIET)


def taken(event: gr.EventData) -> str:
    """The module that is picked."""
    return str(event.name)
