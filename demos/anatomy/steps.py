"""A tab of the anatomy page: a text on its way through a model, part by part."""

from __future__ import annotations

import gradio as gr

from components import javascript, texts
from components.ui.chrome import ASSETS
from demos.anatomy.context import SLUG, PageContext

TEXTS = texts.beside(__file__)


def build(page: PageContext) -> None:
    gr.HTML(
        value="",
        html_template=(ASSETS / "anatomy-steps.html").read_text("utf-8"),
        js_on_load=javascript.start("anatomy-steps"),
        elem_id=f"{SLUG}-steps",
        elem_classes="anatomy-view",
        texts=dict(TEXTS.data["view"]),
        tab=f"{SLUG}-tab-structure",
    )
