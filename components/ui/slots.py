"""The slots that pages which ask a model something have in common, wherever they place them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from components.figures import status
from components.ui import asking, links
from components.ui.code_box import Language, code_box

# For events that only look something up: no queue, no overlay, not part of the API.
QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True, kw_only=True)
class Actions:
    """The buttons that start and stop a run, and copy a link to what is asked."""

    run: gr.Button
    stop: gr.Button
    copy_link: gr.Button
    embed: gr.Button


@dataclass(frozen=True, kw_only=True)
class Tab:
    """A tab of the drawer; `part` ends its id, `note` is HTML above it."""

    title: str
    part: str
    language: Language
    label: str
    value: str | None
    note: str = ""


def code_tab(value: str | None, note: str = "") -> Tab:
    label = "Runs with the pinned libraries"
    return Tab(title="Code", part="code", language="python", label=label, value=value, note=note)


def json_tab(value: str | None) -> Tab:
    return Tab(title="JSON", part="json", language="json", label="The whole answer", value=value)


def api_tab(value: str | None, note: str = "") -> Tab:
    label = "This request over HTTP, gradio_client and MCP"
    return Tab(title="API", part="api", language="shell", label=label, value=value, note=note)


def actions(slug: str, run_label: str, stop_id: str = "stop", *, link: bool = True) -> Actions:
    """Without `link` there is no button that copies one."""
    with gr.Row(elem_classes="actions"):
        return Actions(
            run=gr.Button(run_label, variant="primary", elem_id=f"{slug}-run", scale=2),
            stop=gr.Button("Stop", interactive=False, elem_id=f"{slug}-{stop_id}", scale=1),
            **taking(slug, visible=link),
        )


def taking(slug: str, *, visible: bool = True) -> dict[str, gr.Button]:
    """The buttons to take the page along."""
    return {
        "copy_link": gr.Button("Copy link", visible=visible, elem_id=f"{slug}-copy-link", scale=1),
        "embed": gr.Button(
            "Embed", visible=visible, elem_id=f"{slug}-embed", elem_classes="to-embed", scale=1
        ),
    }


def examples(slug: str, labels: Sequence[str]) -> list[gr.Button]:
    with gr.Row(elem_classes="examples"):
        gr.HTML('<span class="examples-title">Try</span>')
        return [
            gr.Button(label, size="sm", elem_classes="example", elem_id=f"{slug}-example-{index}")
            for index, label in enumerate(labels)
        ]


def drawer(slug: str, title: str, *tabs: Tab) -> tuple[gr.Accordion, list[gr.HTML]]:
    """Code to take along, folded away; returns the drawer and the box of each tab."""
    boxes = []
    with gr.Accordion(title, open=False, elem_id=f"{slug}-drawer") as found:
        for tab in tabs:
            with gr.Tab(tab.title):
                if tab.note:
                    gr.HTML(tab.note)
                boxes.append(
                    code_box(tab.value, label=tab.label, language=tab.language, elem_id=f"{slug}-{tab.part}")
                )
    return found, boxes


def switches(*, running: bool) -> tuple[gr.Button, gr.Button]:
    """Run and Stop: always just one of them can be pressed."""
    return gr.Button(interactive=not running), gr.Button(interactive=running)


def stops(
    buttons: Actions, running: Sequence[Any], line: gr.HTML, *cleared: gr.HTML, words: str = "Stopped."
) -> Any:
    """Stop ends what is `running`, says so in the status line and empties what is `cleared`."""
    outputs = [line, *cleared, buttons.run, buttons.stop]

    def stopped() -> list[Any]:
        return [str(status.hint(words)), *[""] * len(cleared), *switches(running=False)]

    # Said twice: what the run had sent before it was cancelled may arrive after the first.
    return buttons.stop.click(stopped, None, outputs, cancels=list(running), **QUIET).then(
        stopped, None, outputs, **QUIET
    )


def takes(
    buttons: Mapping[str, gr.Button],
    asked: Sequence[Any],
    names: Sequence[str],
    defaults: Mapping[str, object],
) -> None:
    """Those of `taking` give a link to what is asked, and the code of a frame; defaults are left out."""
    copy_link, embed = buttons["copy_link"], buttons["embed"]
    scripts = {
        copy_link: links.copy_script(names, defaults, str(copy_link.elem_id)),
        embed: links.frame_script(names, defaults),
    }
    for button, script in scripts.items():
        button.click(None, list(asked), None, js=script, api_visibility="private")


def linked(
    blocks: gr.Blocks,
    buttons: Actions,
    asked: Sequence[Any],
    names: Sequence[str],
    defaults: Mapping[str, object],
    restore: Callable[[gr.Request], list[Any]],
    outputs: Sequence[Any],
) -> None:
    """The page keeps what is asked in its address, copies it as a link, and restores it from one, by
    `restore`, which is run then."""
    asking.watch(blocks, asked, names, defaults, str(buttons.run.value))
    takes({"copy_link": buttons.copy_link, "embed": buttons.embed}, asked, names, defaults)
    press = links.press_run_script(str(buttons.run.elem_id))
    blocks.load(restore, None, list(outputs), **QUIET).then(
        None, None, None, js=press, api_visibility="private"
    )
