"""A tab of the anatomy page: a text on its way through a model, part by part."""

from __future__ import annotations

import gradio as gr

from demos.anatomy.context import PageContext


def build(page: PageContext) -> None:
    gr.HTML("")
