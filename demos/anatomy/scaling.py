"""A tab of the anatomy page: what a model's sizes cost."""

from __future__ import annotations

import gradio as gr

from demos.anatomy.context import PageContext


def build(page: PageContext) -> None:
    gr.HTML("")
