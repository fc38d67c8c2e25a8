"""The list of checkpoints with their states, drawn in the browser from data, never from markup."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

ASSETS = Path(__file__).parent / "assets"


class ModelsTable(gr.HTML):
    """`value` is {"memory": {...}, "checkpoints": [...]}; updates change rows in place, so that focus stays.

    Emits `load_model` and `unload_model` with {"id": checkpoint id}.
    """

    def __init__(self, value: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(
            value=value,
            html_template='<div class="memory"></div><div class="checkpoints"></div><p class="visually-hidden" aria-live="polite"></p>',
            js_on_load=(ASSETS / "models-table.js").read_text("utf-8"),
            **kwargs,
        )

    def api_info(self) -> dict[str, Any]:
        return {"type": "object"}

