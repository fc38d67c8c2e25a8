"""An input that is a choice among many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gradio as gr

if TYPE_CHECKING:
    from components.models.checkpoint import Checkpoint
    from components.tasks.fields import InputField


@dataclass(frozen=True, kw_only=True)
class ChoiceInput:
    """A list to pick from, in the order of the choices' titles; one without a title is shown as it is.

    `possible` says which of them a checkpoint can do; any if it names none.
    """

    titles: Mapping[str, str] = field(default_factory=dict)
    possible: Callable[[Checkpoint], Sequence[str]] | None = None

    def component(self, field: InputField, value: str, elem_id: str) -> gr.Dropdown:
        choices = sorted((self.titles.get(choice, choice), choice) for choice in field.choices)
        return gr.Dropdown(choices, value=value, label=field.title, info=field.help, elem_id=elem_id)

    def fitting(self, picked: str, checkpoint: Checkpoint) -> str:
        """What was picked, or else the first that the checkpoint can do."""
        possible = self.possible(checkpoint) if self.possible else ()
        return picked if picked in possible else next(iter(possible), picked)

    def beside(self, box: Any, field: InputField, value: str, elem_id: str) -> None:
        pass

    def parse(self, form_values: str) -> object:
        return form_values

    def show(self, value: Any) -> str:
        return str(value)
