"""Tokenizations side by side, drawn in the browser as one types, with only the rows in sight in the page."""

from __future__ import annotations

import gradio as gr

from components import javascript
from components.tasks.tokenize import LONGEST


def aligned_tokenizations(elem_id: str) -> gr.HTML:
    """Asks `/data/tokenizations` itself, as the queue would take longer; `dispatch_tokenize` says of what.

    Emits `ready` when all tokenizers have come that were waited for.
    """
    return gr.HTML(
        value="",
        html_template=(
            '<div class="lane-stats" tabindex="0" role="region" aria-label="Tokenizers compared"></div>'
            '<div class="lane-said" role="status"></div>'
            '<div class="lane-box" tabindex="0" role="listbox" aria-label="Tokens. Arrow keys go from '
            'token to token, up and down to another tokenizer."></div>'
            '<div class="lane-details"></div><p class="lane-live visually-hidden" aria-live="polite"></p>'
        ),
        js_on_load=javascript.start("aligned-tokenizations", "ready"),
        elem_id=elem_id,
        elem_classes="aligned-tokenizations",
        longest=LONGEST,
    )


def dispatch_tokenize(blocks: gr.Blocks, text: gr.Textbox, tokenizers: gr.Dropdown, price: gr.Number) -> None:
    """The lanes show what is typed and picked, and what it costs, without a request to Gradio."""
    gr.on(
        [blocks.load, text.input, text.change, tokenizers.change, price.input, price.change],
        None,
        [text, tokenizers, price],
        None,
        js=javascript.call("aligned-tokenizations", "show"),
        api_visibility="private",
    )
