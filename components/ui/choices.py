"""An input that is a choice among many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gradio as gr

if TYPE_CHECKING:
    from components.tasks.fields import InputField


@dataclass(frozen=True, kw_only=True)
class ChoiceInput:
    """A list to pick from, in the order of the choices' titles; one without a title is shown as it is."""

    titles: Mapping[str, str] = field(default_factory=dict)

    def component(self, field: InputField, value: str, elem_id: str) -> gr.Dropdown:
        choices = sorted((self.titles.get(choice, choice), choice) for choice in field.choices)
        return gr.Dropdown(choices, value=value, label=field.title, info=field.help, elem_id=elem_id)

    def beside(self, box: Any, value: str, elem_id: str) -> None:
        pass

    def parse(self, typed: str) -> object:
        return typed

    def show(self, value: Any) -> str:
        return str(value)
