"""The lab: from raw text to a classifier of one's own, in five tabs."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components import texts
from components.figures.markup import Markup
from components.ui.lab.data import data_panel
from components.ui.lab.features import features_panel
from components.ui.lab.judge import judge_panel
from components.ui.lab.share import share_panel
from components.ui.lab.train import train_panel
from components.ui.lab.visitor import visitor
from components.ui.page import PlainPage, Tour
from components.ui.slots import QUIET

TEXTS = texts.beside(__file__)

SLUG = "lab"
# Messages of the shipped set, and what they were labelled.
TEASER = (("Payday, baby! Woohoo!", "joy"), ("The house is so quiet without the dog.", "sadness"))
TABS = {  # beside the one with the data, which comes first
    "features": ("Features", features_panel),
    "train": ("Train", train_panel),
    "judge": ("Judge", judge_panel),
    "share": ("Share", share_panel),
}


def build(tour: Tour, blocks: gr.Blocks) -> None:
    key, ready = visitor(blocks)
    with gr.Tabs(elem_id=f"{SLUG}-tabs") as tabs:
        with gr.Tab("Data", id="data", elem_id=f"{SLUG}-tab-data"):
            there = data_panel(tour, key, ready)
        for name, (title, panel) in TABS.items():
            with gr.Tab(title, id=name, elem_id=f"{SLUG}-tab-{name}") as tab:
                panel(tour, key, tab, there)

    def restore(request: gr.Request) -> Any:
        tab = request.query_params.get("tab")
        return gr.Tabs(selected=tab) if tab in TABS else gr.skip()

    ready.then(restore, None, tabs, **QUIET)


PAGE = PlainPage(
    slug=SLUG,
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    build=build,
    group="Lab",
    teaser=Markup("“{}” → <strong>{}</strong><br>“{}” → <strong>{}</strong>").format(
        *(part for message in TEASER for part in message)
    ),
)
