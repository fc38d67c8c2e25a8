"""What an answer on a page belongs to: kept with it, so that the page can tell when something else is
asked."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from components import javascript
from components.figures.markup import Markup

LONGEST_SENTENCE = 300  # characters that are read out


def belonging(figure: Markup, form_values: Sequence[Any], *, said: str = "", partial: bool = False) -> Markup:
    """A figure with the values that it answers, as the page's boxes have them.

    `said` is the answer in a sentence, for screen readers; `partial` marks an answer that is still growing.
    """
    if not figure:
        return figure
    # With a name of its own, or an answer like the last one would not be drawn, and not be heard, again.
    return Markup('<div class="answered" data-answer="{}" data-asked="{}" data-said="{}"{}>{}</div>').format(
        secrets.token_hex(4),
        json.dumps(list(form_values)),
        said,
        Markup(" data-partial") if partial else "",
        figure,
    )


def sentence(said: Sequence[str], score: str = "") -> str:
    """An answer to be read out: its first parts, and how sure the model is."""
    words = ", ".join(said)
    cut = words if len(words) <= LONGEST_SENTENCE else f"{words[:LONGEST_SENTENCE].rsplit(' ', 1)[0]} …"
    return f"Answer: {cut}{f', {score}' if score else ''}" if words else "The answer is there."


def watch(
    blocks: gr.Blocks,
    asked: Sequence[Any],
    names: Sequence[str],
    defaults: Mapping[str, object],
    run_label: str,
) -> None:
    """Tells the page what is asked whenever it changes: see `answers.js`."""
    setting = {"names": list(names), "defaults": dict(defaults), "run": run_label}
    gr.on(
        [blocks.load, *(box.change for box in asked)],
        None,
        list(asked),
        None,
        js=javascript.call("answers", "asks", setting),
        show_progress="hidden",
        trigger_mode="always_last",
        queue=False,
        api_visibility="private",
    )
