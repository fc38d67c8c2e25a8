"""A tab of the anatomy page: parts of a model switched off, and what that costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from components import texts
from components.figures import ablation as figures
from components.figures import status
from components.figures.markup import Markup
from components.insight.ablation import ABLATE, COSTS
from components.insight.parts import EVERY, Ablated, Costs
from components.ui import chart
from components.ui.line import QUEUED, in_line
from components.ui.slots import QUIET
from demos.anatomy.context import SLUG, PageContext
from demos.anatomy.runs import asked, opens

TEXTS = texts.beside(__file__)


def build(page: PageContext) -> None:
    gr.HTML(str(status.hint(TEXTS["about"])))
    with gr.Row(equal_height=False):
        what = gr.Dropdown(
            [(title, name) for title, name in TEXTS.data["what"].items()],
            value="head",
            label="Switch off",
            elem_id=f"{SLUG}-ablation-what",
        )
        layer = _number("Layer", TEXTS["layer"], "layer")
        head = _number("Head", TEXTS["head"], "head")
        side = gr.Dropdown(
            [("The one that writes", ""), ("Encoder", "encoder"), ("Decoder", "decoder")],
            value="",
            label="Side",
            info=TEXTS["side"],
            elem_id=f"{SLUG}-ablation-side",
        )
        cross = gr.Checkbox(False, label="Head of the cross-attention", elem_id=f"{SLUG}-ablation-cross")
    with gr.Row():
        run = gr.Button("Compare without it", variant="primary", elem_id=f"{SLUG}-ablation-run")
        parts = gr.Button("Compare all parts", elem_id=f"{SLUG}-ablation-parts")
        heads = gr.Button("Compare all heads", elem_id=f"{SLUG}-ablation-heads")
        stop = gr.Button("Stop", elem_id=f"{SLUG}-ablation-stop")
    line = gr.HTML(str(status.hint(TEXTS["empty"])), elem_id=f"{SLUG}-ablation-status", elem_classes="status")
    result = gr.HTML("", elem_id=f"{SLUG}-ablation-result")
    moved = chart.place(f"{SLUG}-ablation-moved")
    title = gr.HTML("")
    costs = chart.place(f"{SLUG}-ablation-costs")

    def switched(
        text: str,
        text_pair: str,
        model: str,
        what: str,
        layer: float | None,
        head: float | None,
        side: str | None,
        cross: bool,
    ) -> Iterator[list[Any]]:
        payload = {
            "text": text,
            "text_pair": text_pair,
            "model": model,
            "what": what,
            "layer": _whole(layer),
            "head": _whole(head),
            "side": side or "",
            "cross": cross,
        }
        yield waiting(str(status.progress("Starting", None)))
        for step in asked(page.tour, ABLATE, payload):
            yield waiting(str(step)) if isinstance(step, Markup) else compared(*step)

    def compared(said: Markup, found: Ablated) -> list[Any]:
        return [
            str(said + _has(found)),
            str(figures.compared(found)),
            *chart.shown(figures.moved(found)),
        ]

    def waiting(shown: Any) -> list[Any]:
        return [shown, *[gr.skip()] * 3]

    def swept(which: bool) -> Callable[..., Iterator[list[Any]]]:
        def sweep(text: str, text_pair: str, model: str, side: str | None) -> Iterator[list[Any]]:
            payload = {
                "text": text,
                "text_pair": text_pair,
                "model": model,
                "side": side or "",
                "heads": which,
            }
            yield sweeping(str(status.progress("Starting", None)))
            for step in asked(page.tour, COSTS, payload):
                if isinstance(step, Markup):
                    yield sweeping(str(step))
                else:
                    said, found = step
                    heading = TEXTS["heads" if which else "parts"]
                    drawn = chart.shown(figures.costs(found))
                    yield [str(said + _has(found)), str(Markup("<h3>{}</h3>").format(heading)), *drawn]

        return sweep

    def sweeping(shown: str) -> list[Any]:
        return [shown, *[gr.skip()] * 3]

    options = [what, layer, head, side, cross]
    compares = [line, result, *moved]
    running = [opens(page, switched, waiting, options, compares, result)]
    running += [
        gr.on(
            [run.click, layer.submit, head.submit],
            in_line(page.tour.line, switched, waiting),
            [*page.asked, *options],
            compares,
            cancels=running[:1],
            **QUEUED,
        )
    ]
    running += [
        button.click(
            in_line(page.tour.line, swept(which), sweeping),
            [*page.asked, side],
            [line, title, *costs],
            cancels=running[:1],
            **QUEUED,
        )
        for button, which in ((parts, False), (heads, True))
    ]
    stop.click(lambda: str(status.hint("Stopped.")), None, line, cancels=running, **QUIET)
    what.change(_needed, what, [layer, head, cross], **QUIET)


def _number(label: str, info: str, name: str) -> gr.Number:
    return gr.Number(
        1,
        label=label,
        info=info,
        precision=0,
        minimum=0,
        maximum=1000,
        elem_id=f"{SLUG}-ablation-{name}",
    )


def _needed(what: str) -> list[Any]:
    """Layer, head and kind of head, as far as they say anything of that part."""
    return [
        gr.Number(visible=what != "positions"),
        gr.Number(visible=what == "head"),
        gr.Checkbox(visible=what == "head"),
    ]


def _whole(value: float | None) -> int:
    """From the page's number to that of `Part`."""
    return EVERY if value is None else int(value) - 1


def _has(found: Ablated | Costs) -> Markup:
    """How many layers and heads there are to choose from."""
    return Markup().join(
        status.hint(
            (f"{one.side.capitalize()}: " if one.side else "")
            + TEXTS["have"].format(layers=one.layers, heads=one.heads)
        )
        for one in found.offered
    )
