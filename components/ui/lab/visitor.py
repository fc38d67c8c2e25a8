"""What opens a visitor's workspace, the same on every page of the lab."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components.lab.workspace import new_key
from components.ui.slots import QUIET


def visitor(blocks: gr.Blocks) -> tuple[gr.BrowserState, Any]:
    """The key that the visitor's browser keeps, and the event after which it is there."""
    # The secret hides nothing: a key means something to this app alone. Without one, a restart would lose it.
    key = gr.BrowserState(None, storage_key="transformers-tour-lab", secret="transformers-tour")  # noqa: S106
    return key, blocks.load(lambda key: key or new_key(), key, key, **QUIET)
