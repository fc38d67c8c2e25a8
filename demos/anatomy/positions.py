"""A tab of the anatomy page: what positions look like to a model, and what it makes of other ones."""

from __future__ import annotations

import gradio as gr

from demos.anatomy.context import PageContext


def build(page: PageContext) -> None:
    gr.HTML("")
