"""A tab of the anatomy page: parts of a model switched off, and what that costs."""

from __future__ import annotations

import gradio as gr

from demos.anatomy.context import PageContext


def build(page: PageContext) -> None:
    gr.HTML("")
