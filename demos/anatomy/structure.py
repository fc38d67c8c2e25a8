"""A tab of the anatomy page: the parts of a model, with their sizes and what they do."""

from __future__ import annotations

import gradio as gr

from demos.anatomy.context import PageContext


def build(page: PageContext) -> None:
    gr.HTML("")
