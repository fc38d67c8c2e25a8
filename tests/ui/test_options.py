"""The controls that options get: each can be set to every value that it may have."""

from __future__ import annotations

import gradio as gr
import pytest

from components.lab.methods import METHODS
from components.tasks.fields import OptionField, option_fields
from components.ui import options
from demos import TASKS

OPTIONS = {one.name: one.options for one in TASKS} | {one.name: one.options for one in METHODS.values()}
FIELDS = [
    pytest.param(field, id=f"{name}: {field.name}")
    for name, options_of in OPTIONS.items()
    for field in option_fields(options_of)
    if field.kind in ("int", "float")
]


@pytest.mark.parametrize("field", FIELDS)
def test_a_number_can_be_set_by_hand(field: OptionField) -> None:
    """A slider has no more values than a hand can hit; what is typed instead says how far it may go."""
    made = options.control(field, field.default, "some-id")
    if isinstance(made, gr.Slider):
        assert (made.maximum - made.minimum) / made.step <= 101
    else:
        assert isinstance(made, gr.Number)
        assert (made.minimum, made.maximum) == (field.minimum, field.maximum)
        told = f"{field.maximum:,g}" in str(made.info)
        assert told or field.step is None or "seed" in field.name or "rate" in field.name
