"""Code, JSON or commands to take along."""

from __future__ import annotations

from typing import Literal

import gradio as gr

from components import javascript
from components.figures.markup import Markup

Language = Literal["python", "json", "shell"]


def code_box(value: str | None, *, label: str, language: Language, elem_id: str) -> gr.HTML:
    """Its value is the text itself. Drawn in the browser, and coloured only where it is seen: an editor, as
    Gradio's component for code is, would be a third of what a page loads.
    """
    template = Markup(
        '<div class="code-box"><p class="code-label">{label}</p>'
        '<button type="button" class="copy" aria-label="Copy: {label}">Copy</button>'
        '<pre tabindex="0" role="region" aria-label="{label}"><code></code></pre></div>'
    )
    return gr.HTML(
        value or "",
        html_template=template.format(label=label),
        js_on_load=javascript.start("code"),
        elem_id=elem_id,
        language=language,
    )
