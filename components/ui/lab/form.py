"""The form of a method, derived from its options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from components.lab.lab import Lab
from components.lab.methods.method import Method
from components.models.checkpoint import Head
from components.tasks.fields import OptionField, option_fields
from components.ui import options
from components.ui.slots import QUIET


def form(
    method: Method, lab: Lab, key: gr.BrowserState, slug: str, *heads: Head
) -> list[gr.components.Component]:
    """A control for each option, in their order; a model is picked among the checkpoints that there are."""
    return [
        control(field, lab, key, f"{slug}-{field.name}", heads) for field in option_fields(method.options)
    ]


def values(fields: Sequence[OptionField], typed: Sequence[Any]) -> dict[str, Any]:
    """What was typed, as options; a slider gives whole numbers where fractions are meant, and vice versa."""
    kinds: dict[str, Any] = {"int": int, "float": float}
    return {
        field.name: kinds[field.kind](value) if field.kind in kinds and value is not None else value
        for field, value in zip(fields, typed, strict=True)
    }


def control(
    field: OptionField, lab: Lab, key: gr.BrowserState, elem_id: str, heads: Sequence[Head] = ()
) -> gr.components.Component:
    """For one option."""
    if field.name != "model":
        return options.control(field, field.default, elem_id)
    picked = gr.Dropdown(
        bases(lab, None, heads),
        value=field.default,
        label=field.title,
        info=field.help,
        allow_custom_value=True,  # the id of a model on the Hub
        elem_id=elem_id,
    )
    # New ones are made meanwhile.
    picked.focus(lambda key: gr.Dropdown(bases(lab, key, heads)), key, picked, **QUIET)
    return picked


def bases(lab: Lab, key: str | None, heads: Sequence[Head]) -> list[tuple[str, str]]:
    return [(one.title, one.id) for one in lab.bases(key, *heads)]
