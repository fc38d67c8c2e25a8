"""What opens a visitor's workspace, the same on every page of the lab."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components.lab.workspace import new_key
from components.ui.slots import QUIET
from components.ui.visitor import browser_key


def visitor(blocks: gr.Blocks) -> tuple[gr.BrowserState, Any]:
    """The key that the visitor's browser keeps, and the event after which it is there."""
    key = browser_key()
    return key, blocks.load(lambda key: key or new_key(), key, key, **QUIET)
