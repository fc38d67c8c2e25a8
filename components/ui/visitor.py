"""The key that a visitor's browser keeps: it opens their workspace, and lists their models in pickers."""

from __future__ import annotations

import gradio as gr


def browser_key() -> gr.BrowserState:
    """None until the lab has made one; one component of each page that has pickers."""
    # The secret hides nothing: a key means something to this app alone. Without one, a restart would lose it.
    return gr.BrowserState(None, storage_key="transformers-tour-lab", secret="transformers-tour")  # noqa: S106
