"""Attention of one look at a text, drawn in the browser from bytes that come a layer at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import gradio as gr

from components import javascript
from components.figures.markup import Markup, join
from components.ui import links
from components.ui.chrome import ASSETS

# Looks at what a link says.
SHOW_LINKED = javascript.call("attention", "lookAtLink")


def show(view: Mapping[str, object]) -> str:
    """For a button: looks at the text; what `view` leaves out stays as it is."""
    return javascript.call("attention", "lookAt", dict(view))


def attention_view(
    elem_id: str, explained: Sequence[tuple[str, str, str, str]], opening: Mapping[str, object]
) -> gr.HTML:
    """`explained` has for each view (lines, matrix, heads, cross) a text, a worked example, and the text
    of which that is true: beside another one it is not shown. `opening` is what is looked at where no link
    says otherwise.

    Asks `/data/attention/view` itself when told by `SHOW_LINKED` or `show`.
    """
    texts = join(
        Markup(
            '<p class="att-explained" data-explains="{}" hidden>{} <span class="worked" '
            'data-example="{}">{}</span></p>'
        ).format(view, text, example, worked)
        for view, text, worked, example in explained
    )
    return gr.HTML(
        value="",
        html_template=(ASSETS / "attention.html").read_text("utf-8").replace("<!-- explained -->", texts),
        js_on_load=javascript.start("attention"),
        elem_id=elem_id,
        elem_classes="attention-view",
        longest=links.LONGEST_LINK,
        frame=links.FRAME_CODE,
        opening=dict(opening),
    )
