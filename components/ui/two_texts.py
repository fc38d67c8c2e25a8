"""What the pages that look inside a model with views of their own have in common: a form with two texts and a
model, its buttons, and a drawer with the request as code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from components.models.errors import TourError
from components.tasks.explained import LONGEST
from components.tasks.task import Task
from components.ui import api_samples, asking, picker, slots
from components.ui.page import Tour
from components.ui.slots import QUIET
from components.ui.visitor import browser_key

Request = tuple[str, str, str]  # text, second text, model


@dataclass(frozen=True, kw_only=True)
class Form:
    text: gr.Textbox
    text_pair: gr.Textbox
    model: gr.Dropdown
    about_model: gr.HTML
    run: gr.Button
    examples: list[gr.Button]

    @property
    def asked(self) -> list[Any]:
        """In the order of `Request`."""
        return [self.text, self.text_pair, self.model]


def build(
    task: Task[Any, Any, Any],
    tour: Tour,
    slug: str,
    opening: Request,
    *,
    labels: Sequence[str],
    run: str,
    second: str,
    lines: int,
) -> Form:
    """`labels` are those of the examples, `run` of the button; `second` says what the second text is; the
    first has as many `lines`."""
    text, pair, model = opening
    with gr.Row(equal_height=False, elem_classes="workbench"):
        with gr.Column(scale=6, min_width=320):
            boxes = [
                gr.Textbox(
                    value,
                    label=label,
                    lines=height,
                    max_lines=most,
                    info=info,
                    elem_id=f"{slug}-{name}",
                )
                for name, value, label, info, height, most in (
                    ("text", text, "Text", f"The first {LONGEST} tokens are shown.", lines, 3),
                    ("text_pair", pair, "Second text (optional)", second, lines - 1, 2),
                )
            ]
        with gr.Column(scale=5, min_width=320):
            picked, about_model = picker.build(task, tour, value=model, elem_id=f"{slug}-model")
            button = gr.Button(run, variant="primary", elem_id=f"{slug}-run")
            examples = slots.examples(slug, labels)
    return Form(
        text=boxes[0],
        text_pair=boxes[1],
        model=picked,
        about_model=about_model,
        run=button,
        examples=examples,
    )


def wire(
    form: Form,
    task: Task[Any, Any, Any],
    tour: Tour,
    blocks: gr.Blocks,
    run: str,
    examples: Sequence[tuple[Request, str]],
) -> None:
    """`run` is the script that the button starts; an example has one of its own."""
    asking.watch(blocks, form.asked, ["text", "text_pair", "model"], {}, str(form.run.value))
    pressed = [form.run.click, form.text.submit, form.text_pair.submit]
    gr.on(pressed, None, form.asked, None, js=run, api_visibility="private")
    for button, (request, script) in zip(form.examples, examples, strict=True):
        button.click(lambda request=request: request, None, form.asked, **QUIET).then(
            None, form.asked, None, js=script, api_visibility="private"
        )
    picker.keep_current(form.model, form.about_model, task, tour, blocks, browser_key())


def there(tour: Tour, model: str) -> bool:
    """Whether it can run without a download."""
    return model in tour.registry.catalog and tour.registry.status(model).availability.on_host


def code_panel(
    slug: str,
    task: Task[Any, Any, Any],
    tour: Tour,
    asked: Mapping[str, Any],
    fixed: Mapping[str, object],
    *,
    code_note: str = "",
    api_note: str = "",
) -> gr.Accordion:
    """The request as a program and over the interfaces, written when it is opened: the boxes `asked`, by the
    names of the request, and what is `fixed`."""

    def written(*values: str) -> list[str]:
        payload = {**dict(zip(asked, values, strict=True)), **fixed}
        try:
            request = tour.runner.parse(task, payload)
        except TourError as error:
            return [f"# {error.message}", ""]
        code = task.snippet(request.checkpoint, request.inputs, request.options)
        return [code, api_samples.calls(task, payload, tour.origin)]

    code, api = written(*(box.value for box in asked.values()))
    drawer, editors = slots.drawer(
        slug, "Code and API", slots.code_tab(code, code_note), slots.api_tab(api, api_note)
    )
    changes = [drawer.expand, *(box.change for box in asked.values())]
    gr.on(changes, written, list(asked.values()), editors, trigger_mode="always_last", **QUIET)
    return drawer
