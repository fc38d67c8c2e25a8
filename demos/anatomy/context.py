"""What each tab of the anatomy page is handed."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from components.ui import links
from components.ui.page import Tour
from components.ui.two_texts import Form

SLUG = links.ANATOMY_PAGE


@dataclass(frozen=True, kw_only=True)
class PageContext:
    """`form` has the page's own boxes, `asked` in the order in which all its runs take them: a tab reads them
    as an event's inputs and does not make others. Its model is a checkpoint's id, one that
    `INSPECTIONS["anatomy"]` has. Its button above the tabs shows the structure and steps of the text, and a
    tab may listen to it as well. `part` is the module that the code drawer is about. `tab` is the
    one that is built.

    A tab is a module with `build(page: PageContext) -> None`, called inside its `gr.Tab`; it prefixes the ids
    of its elements with `f"{SLUG}-<tab>-"`. What it asks of a model is a `Task` of its own, with
    `heads=INSPECTIONS["anatomy"]`, run by `page.tour.runner.stream(TASK, payload)` in an event made with
    `components.ui.line.in_line` and `QUEUED`; how a task opens a checkpoint stands in
    `components/insight/anatomy/forward.py`.
    """

    tour: Tour
    blocks: gr.Blocks
    form: Form
    part: gr.Textbox
    tab: gr.Tab

    @property
    def asked(self) -> list[gr.components.Component]:
        return self.form.asked
