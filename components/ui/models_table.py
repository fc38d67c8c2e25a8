"""The list of checkpoints with their states, drawn in the browser from data, never from markup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from components import javascript


def models_table(value: Mapping[str, Any], elem_id: str) -> gr.HTML:
    """`value` is {"memory": {...}, "groups": [...], "tasks": {...}, "checkpoints": [...]}.

    Updates change rows in place, so that focus stays.

    Emits `load_model` and `unload_model` with {"id": checkpoint id}. Made by a function, because Gradio
    writes a stub file beside every module that subclasses a component.
    """
    return gr.HTML(
        value=value,
        html_template=(
            '<div class="memory"></div><div class="models-filter" role="search"></div>'
            '<div class="checkpoints"></div>'
            '<p class="visually-hidden" aria-live="polite"></p>'
        ),
        js_on_load=javascript.start("models-table", "load_model", "unload_model"),
        elem_id=elem_id,
    )
