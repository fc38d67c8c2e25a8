"""The lab's second tab: where a model that has not been trained on the classes puts the texts."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components.figures import lab_features
from components.figures.markup import percent
from components.lab.methods import METHODS
from components.lab.methods.features import points
from components.lab.prepared import prepared
from components.lab.runs import Phase, Run, find
from components.lab.workspace import Workspace
from components.models.errors import TourError
from components.tasks.fields import option_fields
from components.ui.chrome import ASSETS
from components.ui.lab import watching
from components.ui.lab.form import form, values
from components.ui.page import Tour
from components.ui.slots import QUIET

NAME = "features"
_BY = {
    "pca": "by PCA, which knows no labels",
    "umap": "by UMAP, which knows no labels",
    "lda": "along the directions that best separate the training split's labels (LDA), flattened by UMAP",
}


def features_panel(tour: Tour, key: gr.BrowserState, tab: gr.Tab, ready: Any) -> None:
    lab = tour.lab
    method = METHODS[NAME]
    gr.HTML(
        "<p class='hint'>A model turns each text into a vector of numbers, its hidden state; texts that it "
        "takes for alike lie close together. Here the vectors are projected into a plane. Where classes form "
        "groups of their own, a simple classifier on these features will tell them apart; texts amid another "
        "class are hard ones, or have a wrong label.</p>"
    )
    with gr.Row(equal_height=False, elem_classes="figure-first"):
        with gr.Column(scale=4, min_width=300):
            controls = form(method, lab, "lab-features")
            start = gr.Button("Compute the features", variant="primary", elem_id="lab-features-start")
            watch = watching.build(tour, key, "lab-features", [NAME])
        with gr.Column(scale=7, min_width=320):
            figure = gr.HTML(
                value=None,
                html_template=lab_features.TEMPLATE,
                js_on_load=(ASSETS / "lab-features.js").read_text("utf-8"),
                elem_id="lab-features-scatter",
            )

    def begin(workspace: Workspace, *typed: Any) -> Run:
        options = values(option_fields(method.options), typed)
        return lab.start(workspace, NAME, options, lab.data(workspace))

    def show(key: str, ended: str | None) -> Any:
        try:
            workspace = lab.workspaces.open(key)
            run = watching.watched(workspace, lab, ended)
            return drawn(run) if run else shipped(workspace)
        except TourError:
            return None

    def shipped(workspace: Workspace) -> dict[str, Any] | None:
        """What there is to see before a visitor has computed anything."""
        data = lab.data(workspace)
        run = prepared(workspace, data, NAME) if data else None
        return drawn(run, "A prepared run. ") if run else None

    def opened(key: str) -> Any:
        """Only where nothing else is drawn, or will be once the last run has been found."""
        try:
            workspace = lab.workspaces.open(key)
        except TourError:
            return gr.skip()
        own = any(run.spec.method == NAME for run in find(workspace.runs))
        return gr.skip() if own else shipped(workspace)

    watch.starts(start.click, begin, controls)
    watch.opens(tab.select)
    for event in (tab.select, ready.then):
        event(opened, key, figure, **QUIET)
    watch.ended(show, [], [figure])


def drawn(run: Run, said: str = "") -> dict[str, Any] | None:
    """The points of a finished run, and `said` before what is said of them; None of any other run, or
    without its data."""
    data = run.data
    if run.state.phase is not Phase.DONE or data is None:
        return None
    result = run.result
    said += (
        f"{data.about.title}: {result['shown']:,} of {result['rows']:,} texts, layer {result['layer']} of "
        f"{result['layers']} of {run.spec.options['model']}, pooling {result['pooling']}, projected "
        f"{_BY[result['projection']]}."
    )
    if held := result.get("held_out"):
        said += (
            f" Labels of the other splits were not used: of their {held['rows']:,} texts, "
            f"{percent(held['share'], 0)} lie among training texts of their class; the most frequent class "
            f"alone would be {percent(held['chance'], 0)}."
        )
    if result["explained"]:
        shares = " and ".join(percent(share, 0) for share in result["explained"])
        said += f" The two axes hold {shares} of the variance."
    return lab_features.scatter(data, points(run), said)
