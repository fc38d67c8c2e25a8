"""A tab of the anatomy page: what a model's sizes cost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from components import texts
from components.figures import scaling as figures
from components.figures import status
from components.figures.markup import Markup
from components.insight import scaling
from components.insight.scaling import Sizes
from components.ui import chart
from components.ui.slots import QUIET
from demos.anatomy.context import SLUG, PageContext

TEXTS = texts.beside(__file__)

START = "SmolLM2-135M-Instruct"
CONTEXT, BANDWIDTH, TARGET = 1024, 100, 7.0
LIVE: dict[str, Any] = {**QUIET, "trigger_mode": "always_last"}


def build(page: PageContext) -> None:
    catalog = page.tour.registry.catalog
    known = [(catalog[id].title, id) for id in scaling.checkpoints() if id in catalog]
    own = scaling.checkpoints()[START]
    gr.HTML(str(status.hint(TEXTS["about"])))
    with gr.Row(equal_height=False):
        start = gr.Dropdown(
            known, value=START, label="Begin with", info=TEXTS["start"], elem_id=f"{SLUG}-scaling-start"
        )
        target = gr.Number(
            TARGET,
            label="Billions of parameters to reach",
            minimum=0.001,
            maximum=10_000,
            elem_id=f"{SLUG}-scaling-target",
        )
    family = gr.HTML(_family(own))
    with gr.Row(equal_height=False):
        with gr.Column(min_width=280):
            width = _slider("width", "Width", 64, 16_384, 32, own.width)
            layers = _slider("layers", "Layers", 1, 200, 1, own.layers)
            decoder = _slider("decoder", "Layers of the decoder", 0, 100, 1, 0, visible=False)
            vocabulary = _slider("vocabulary", "Vocabulary", 1000, 300_000, 1, own.vocabulary)
        with gr.Column(min_width=280):
            inner = _slider("inner", "Feed-forward neurons", 64, 65_536, 1, own.inner, TEXTS["inner"])
            size = _slider("size", "Size of a head", 16, 256, 8, own.size)
            shared = _slider("shared", "Heads that share", 1, 16, 1, own.shared_by, TEXTS["shared"])
            positions = _slider("positions", "Position embeddings", 0, 8192, 1, own.positions)
        with gr.Column(min_width=280):
            context = _slider("context", "Tokens in the cache", 0, 131_072, 1, CONTEXT)
            bandwidth = _slider(
                "bandwidth", "Memory bandwidth (GB/s)", 10, 8000, 10, BANDWIDTH, TEXTS["bandwidth"]
            )
            tied = gr.Checkbox(own.tied, label=TEXTS["tied"], elem_id=f"{SLUG}-scaling-tied")
    facts = gr.HTML(_facts(own, CONTEXT, BANDWIDTH), elem_id=f"{SLUG}-scaling-facts")
    gr.HTML("<h3>Where the parameters are</h3>")
    parts = chart.place(f"{SLUG}-scaling-parts")
    ways = gr.HTML(_ways(own, TARGET), elem_id=f"{SLUG}-scaling-ways")
    gr.HTML("<h3>Parameters as each size grows</h3>")
    curves = chart.place(f"{SLUG}-scaling-curves")
    with gr.Accordion("The formulas checked", open=False, elem_id=f"{SLUG}-scaling-checked"):
        gr.HTML(str(status.hint(TEXTS["checked"]) + _checked(page)))
    dials = [width, layers, decoder, vocabulary, inner, size, shared, positions, tied]
    settings = [start, *dials, context, bandwidth, target]
    outputs = [facts, *parts, ways, *curves]

    def drawn(
        start: str,
        width: float,
        layers: float,
        decoder: float,
        vocabulary: float,
        inner: float,
        size: float,
        shared: float,
        positions: float,
        tied: bool,
        context: float,
        bandwidth: float,
        target: float | None,
    ) -> list[Any]:
        first = scaling.checkpoints()[start]
        heads = max(1, round(width * first.queries / first.width / size))
        sizes = replace(
            first,
            width=int(width),
            layers=int(layers),
            decoder_layers=int(decoder) if first.decoder_layers else 0,
            vocabulary=int(vocabulary),
            inner=int(inner),
            heads=heads,
            head_size=int(size),
            shared_by=min(int(shared), heads),
            positions=int(positions),
            tied=tied,
        )
        return [
            _facts(sizes, int(context), bandwidth),
            *chart.shown(figures.parts(sizes, first)),
            _ways(sizes, target or TARGET),
            *chart.shown(figures.curves(sizes)),
        ]

    def begin(start: str) -> list[Any]:
        """Every slider where that checkpoint has it."""
        first = scaling.checkpoints()[start]
        both = bool(first.decoder_layers)
        return [
            _family(first),
            first.width,
            gr.Slider(value=first.layers, label="Layers of the encoder" if both else "Layers"),
            gr.Slider(value=first.decoder_layers, visible=both),
            first.vocabulary,
            first.inner,
            first.size,
            first.shared_by,
            first.positions,
            first.tied,
        ]

    start.input(begin, start, [family, *dials], **QUIET).then(drawn, settings, outputs, **QUIET)

    def follow(start: str, width: float) -> int:
        """Neurons in the proportion that the checkpoint has."""
        first = scaling.checkpoints()[start]
        return round(first.inner * width / first.width)

    width.input(follow, [start, width], inner, **LIVE).then(drawn, settings, outputs, **LIVE)
    others = (layers, decoder, vocabulary, inner, size, shared, positions, context, bandwidth)
    gr.on(
        [*(box.input for box in others), tied.input, target.submit, target.blur],
        drawn,
        settings,
        outputs,
        **LIVE,
    )
    page.tab.select(drawn, settings, outputs, **QUIET)  # Plotly comes with the first chart


def _slider(
    name: str,
    label: str,
    least: float,
    most: float,
    step: float,
    value: float,
    info: str | None = None,
    *,
    visible: bool = True,
) -> gr.Slider:
    return gr.Slider(
        least,
        most,
        value=value,
        step=step,
        label=label,
        info=info,
        visible=visible,
        elem_id=f"{SLUG}-scaling-{name}",
    )


def _family(sizes: Sizes) -> str:
    family = scaling.families()[sizes.family]
    return str(status.hint(TEXTS["family"].format(title=family.title, about=family.about)))


def _facts(sizes: Sizes, context: int, bandwidth: float) -> str:
    return str(figures.facts(sizes, context, bandwidth * 1e9) + status.hint(TEXTS["limits"]))


def _ways(sizes: Sizes, billions: float) -> str:
    return str(figures.ways(sizes, billions * 1e9))


def _checked(page: PageContext) -> Markup:
    catalog = page.tour.registry.catalog
    return figures.checked(
        [
            (catalog[id].title, scaling.count(sizes).total, catalog[id].whole_parameters)
            for id, sizes in scaling.checkpoints().items()
            if id in catalog
        ]
    )
