"""The panel that asks the same in several ways: another checkpoint, or the variants that a page names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from components.ui import picker
from components.ui.answering import PageController
from components.ui.line import QUEUED, in_line
from components.ui.page import Json
from components.ui.streaming import Wiring, streamed


@dataclass(frozen=True, kw_only=True)
class Panel:
    """The panel's components; `variants` is None on pages that name none."""

    other: gr.Dropdown
    models: gr.Button
    variants: gr.Button | None
    progress: gr.HTML
    columns: gr.HTML

    @property
    def shown(self) -> list[gr.components.Component]:
        return [self.columns, self.progress]


def build(controller: PageController) -> Panel:
    slug, task = controller.page.slug, controller.page.task
    fitting = controller.tour.registry.catalog.for_task(task.name)
    others = [one for one in fitting if one.id != controller.default_model]
    other = next(
        (one for one in others if one.id == controller.page.compared),
        next((one for one in others if one.embedded), next(iter(others), fitting[0])),
    )
    with gr.Accordion("Compare", open=False, elem_id=f"{slug}-compare"):
        dropdown = gr.Dropdown(
            picker.names(task, controller.tour),
            value=other.id,
            label="With model",
            filterable=False,
            elem_id=f"{slug}-other-model",
        )
        models = gr.Button("Compare models", elem_id=f"{slug}-compare-models")
        variants = (
            gr.Button(
                f"Compare {len(controller.page.variants)} strategies", elem_id=f"{slug}-compare-variants"
            )
            if controller.page.variants
            else None
        )
        progress = gr.HTML(elem_id=f"{slug}-compare-progress", elem_classes="status")
        columns = gr.HTML(elem_id=f"{slug}-compared", elem_classes="compared")
    return Panel(other=dropdown, models=models, variants=variants, progress=progress, columns=columns)


def wire(controller: PageController, panel: Panel, wiring: Wiring) -> list[Any]:
    """Returns the events that run."""

    def models(other: str, *form_values: Any) -> Iterator[list[Any]]:
        first = form_values[controller.names.index("model")]
        catalog = controller.tour.registry.catalog
        picked = dict.fromkeys(filter(None, (first, other)))
        # One that was typed in has no title yet; it gets a column, if only to say why it will not do.
        changes: Mapping[str, Json] = {
            catalog[id].title if id in catalog else id: {"model": id} for id in picked
        }
        yield from streamed(controller.compare(form_values, changes), wiring.switches)

    def variants(*form_values: Any) -> Iterator[list[Any]]:
        yield from streamed(controller.compare(form_values, controller.page.variants), wiring.switches)

    def waits(run: Callable[..., Iterator[list[Any]]]) -> Callable[..., Iterator[list[Any]]]:
        return in_line(wiring.line, run, lambda progress: wiring.waiting(progress, gr.skip()))

    outputs = [*panel.shown, *wiring.buttons]
    events = [panel.models.click(waits(models), [panel.other, *wiring.asked], outputs, **QUEUED)]
    if panel.variants is not None:
        events.append(panel.variants.click(waits(variants), wiring.asked, outputs, **QUEUED))
    return events
