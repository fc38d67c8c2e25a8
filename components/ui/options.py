"""The options form, derived from a task's `Options`."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components.tasks.fields import OptionField


def control(field: OptionField, elem_id: str) -> gr.components.Component:
    """The control that fits a field's type and bounds."""
    common: dict[str, Any] = {"label": field.title, "info": field.help, "elem_id": elem_id}
    match field.kind:
        case "choice":
            return gr.Radio(list(field.choices), value=field.default, **common)
        case "bool":
            return gr.Checkbox(value=field.default, **common)
        case "int" | "float" if _fits_slider(field):
            return gr.Slider(field.minimum, field.maximum, value=field.default, step=_step(field), **common)
        case "int":
            return gr.Number(value=field.default, minimum=field.minimum, maximum=field.maximum, precision=0, **common)
        case "float":
            return gr.Number(value=field.default, minimum=field.minimum, maximum=field.maximum, **common)
        case _:
            return gr.Textbox(value=field.default, **common)


def _fits_slider(field: OptionField) -> bool:
    """A slider over millions of values (a seed) can't be set by hand."""
    if field.minimum is None or field.maximum is None:
        return False
    return (field.maximum - field.minimum) / _step(field) <= 10_000


def _step(field: OptionField) -> float:
    if field.step is not None:
        return field.step
    return 1 if field.kind == "int" else 0.01


def from_link(field: OptionField, text: str) -> object:
    """An option's value from a link's query; the runner's validation has the last word on it."""
    match field.kind:
        case "bool":
            return text.lower() in ("true", "1", "yes")
        case "int":
            return int(text)
        case "float":
            return float(text)
        case "choice" if text not in field.choices:
            raise ValueError(text)
        case _:
            return text
