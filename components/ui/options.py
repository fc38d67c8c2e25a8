"""The options form, derived from a task's `Options`."""

from __future__ import annotations

import math
from typing import Any

import gradio as gr

from components.tasks.fields import OptionField

# A slider is two or three hundred pixels wide: among more values than this, none can be hit by hand.
MOST_STEPS = 100
MOST_COUNTED = 100_000
# Characters from which on a text is no line any more.
LONG_TEXT = 10_000
# More choices are a list to pick from.
MOST_BUTTONS = 8


def control(field: OptionField, value: Any, elem_id: str) -> gr.components.Component:
    """The control that fits a field's type and bounds, set to `value`."""
    common: dict[str, Any] = {"label": field.title, "info": _info(field), "elem_id": elem_id}
    match field.kind:
        case "choice" if len(field.choices) > MOST_BUTTONS:
            return gr.Dropdown(list(field.choices), value=value, **common)
        case "choice":
            return gr.Radio(list(field.choices), value=value, **common)
        case "bool":
            return gr.Checkbox(value=value, **common)
        case "int" | "float" if _steps(field) <= MOST_STEPS:
            return gr.Slider(field.minimum or 0, field.maximum or 0, value=value, step=field.step, **common)
        case "int":
            return gr.Number(value=value, minimum=field.minimum, maximum=field.maximum, precision=0, **common)
        case "float":
            return gr.Number(value=value, minimum=field.minimum, maximum=field.maximum, **common)
        case _ if (field.max_length or 0) >= LONG_TEXT:
            return gr.Textbox(value=value, lines=10, max_lines=10, **common)
        case _:
            return gr.Textbox(value=value, **common)


def _info(field: OptionField) -> str:
    """The help; with the limits where no slider's ends show them and they are within what people count."""
    if field.minimum is None or field.maximum is None or not MOST_STEPS < _steps(field) <= MOST_COUNTED:
        return field.help
    return f"{field.help} {field.minimum:,g} to {field.maximum:,g}."


def _steps(field: OptionField) -> float:
    """How many values there are; infinitely many without bounds."""
    if field.minimum is None or field.maximum is None or field.step is None:
        return math.inf
    return (field.maximum - field.minimum) / field.step


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
