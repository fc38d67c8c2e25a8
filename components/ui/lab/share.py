"""The lab's fifth tab: try what was trained, take it home, or put it on the Hub."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import gradio as gr

from components import texts
from components.figures import status
from components.figures.card import model_card
from components.figures.markup import Markup, byte_size, join
from components.lab.lab import Lab
from components.lab.prepared import CARD, FILES, prepared
from components.lab.publishing import archive, push
from components.lab.runs import Run, find
from components.lab.workspace import Workspace
from components.models import disk
from components.models.checkpoint import Head
from components.models.errors import Code, TourError
from components.models.sources.files import size
from components.ui import links
from components.ui.page import Tour
from components.ui.slots import QUIET

TEXTS = texts.beside(__file__)

PREPARED = "lora"  # the method of what there is to see before anything has been trained
_PAGES = {
    Head.SEQUENCE_CLASSIFICATION: (("text-classification", "Classify texts with it"),),
    Head.CAUSAL_LM: (("text-generation", "Generate text with it"),),
    Head.MASKED_LM: (("fill-mask", "Fill gaps with it"),),
}
_INSIDE = (("attention", "Show its attention"), ("layers", "Show its layers"))


def share_panel(tour: Tour, key: gr.BrowserState, tab: gr.Tab, ready: Any) -> None:
    lab = tour.lab
    picked = gr.Dropdown([], label="What you have trained", elem_id="lab-shared", interactive=True)
    about = gr.HTML(elem_id="lab-share-about")
    shared = gr.Checkbox(
        False,
        label=TEXTS["everybody"],
        info=TEXTS["everybody_info"],
        visible=False,
        elem_id="lab-share-with-all",
    )
    told = gr.HTML(elem_id="lab-shared-status", elem_classes="status")
    with gr.Row(equal_height=False, visible=False) as ways:
        with gr.Column(min_width=320):
            gr.HTML(str(TEXTS.html("download")))
            prepare = gr.Button("Prepare the download", elem_id="lab-prepare")
            download = gr.DownloadButton("Download", visible=False, elem_id="lab-download")
            packed = gr.HTML(elem_id="lab-packed", elem_classes="status")
        with gr.Column(min_width=320):
            gr.HTML(str(TEXTS.html("publish")))
            repo = gr.Textbox(
                label="Repository", placeholder="your-name/my-classifier", max_length=200, elem_id="lab-repo"
            )
            token = gr.Textbox(
                label="Token", type="password", max_length=200, elem_id="lab-token", placeholder="hf_…"
            )
            private = gr.Checkbox(True, label="Only for me (private)", elem_id="lab-private")
            send = gr.Button("Push to the Hub", elem_id="lab-push")
            sent = gr.HTML(elem_id="lab-pushed", elem_classes="status")
    card = gr.HTML(elem_id="lab-card")

    def listed(key: str, chosen: str | None) -> list[Any]:
        try:
            workspace = lab.workspaces.open(key)
        except TourError:
            return [gr.skip()] * 5
        there = _models(lab, workspace)
        ids = [run.id for _, run in there]
        value = chosen if chosen in ids else next(iter(ids), None)
        return [
            gr.Dropdown([(title, run.id) for title, run in there], value=value),
            *_shown(lab, workspace, value),
        ]

    def show(key: str, id: str | None) -> list[Any]:
        try:
            return _shown(lab, lab.workspaces.open(key), id)
        except TourError as error:
            return [
                str(status.problem(error.message)),
                gr.Checkbox(visible=False),
                gr.Row(visible=False),
                "",
            ]

    def open_to_all(key: str, id: str | None, shared: bool) -> str:
        try:
            run = _made(lab, lab.workspaces.open(key), id)
            lab.share(run, shared)
        except TourError as error:
            return str(status.problem(error.message))
        name = lab.title(run)
        words = f"{name} is in everybody's pickers now." if shared else f"{name} is yours alone again."
        return str(status.hint(words))

    def pack(key: str, id: str | None) -> list[Any]:
        try:
            run = _made(lab, lab.workspaces.open(key), id)
            name = lab.title(run)
            model = run.model or run.folder
            target = tour.files.take(size(model)) / f"{name}.zip"
            try:
                with disk.explained("the file could not be packed"):
                    archive(model, target)
            except BaseException:
                tour.files.discard(target.parent)
                raise
            tour.files.done(target.parent)
        except TourError as error:
            return [gr.DownloadButton(visible=False), str(status.problem(error.message))]
        return [
            gr.DownloadButton(f"Download {target.name}", value=target, visible=True),
            str(status.hint("Ready. The file is kept for an hour.")),
        ]

    def publish(key: str, id: str | None, repo: str, token: str, private: bool) -> Iterator[list[Any]]:
        said = ""
        try:
            run = _made(lab, lab.workspaces.open(key), id)
            for said in push(
                run.model or run.folder, repo.strip(), token, private=private, endpoint=lab.registry.endpoint
            ):
                yield [str(status.progress(said, None)), gr.skip()]
        except TourError as error:
            yield [str(status.problem(error.message)), gr.skip()]
            return
        link = Markup('<p class="hint">It is there: <a href="{0}" target="_blank" rel="noopener">{0}</a></p>')
        yield [str(link.format(said)), ""]

    places = [about, shared, ways, card]
    for event in (ready.then, tab.select):
        event(listed, [key, picked], [picked, *places], **QUIET)
    picked.change(show, [key, picked], places, **QUIET)
    picked.change(
        lambda: [gr.DownloadButton(visible=False), "", "", ""], None, [download, packed, sent, told], **QUIET
    )
    shared.input(open_to_all, [key, picked, shared], told, **QUIET)
    prepare.click(pack, [key, picked], [download, packed], **QUIET)
    send.click(
        publish,
        [key, picked, repo, token, private],
        [sent, token],
        show_progress="hidden",
        concurrency_id="lab-push",
        concurrency_limit=4,
        api_visibility="private",
    )


def _models(lab: Lab, workspace: Workspace) -> list[tuple[str, Run]]:
    """The runs that have made a checkpoint, newest first, by the name it has in the tour."""
    return [(lab.title(run), run) for run in reversed(list(find(workspace.runs))) if lab.model_id(run)]


def _made(lab: Lab, workspace: Workspace, id: str | None) -> Run:
    run = lab.run(workspace, id or "")
    if run.model is None:
        raise TourError(Code.EXPIRED, "This run has made no checkpoint.")
    return run


def _example(lab: Lab, workspace: Workspace) -> list[Any]:
    """What sharing would give, of a prepared run, for who has made nothing yet."""
    words = TEXTS["nothing"]
    data = lab.data(workspace)
    run = prepared(workspace, data, PREPARED) if data else None
    if run is None:
        return [str(status.hint(words)), gr.Checkbox(visible=False), gr.Row(visible=False), ""]
    files = json.loads((run.folder / FILES).read_text("utf-8"))
    about = status.hint(f"{words} {TEXTS['example'].format(run=run.spec.title)}")
    listed = join(
        Markup("<li><code>{}</code> {}</li>").format(name, byte_size(nbytes))
        for name, nbytes in files.items()
    )
    return [
        str(about + Markup('<h3>Its files</h3><ul class="card-files">{}</ul>').format(listed)),
        gr.Checkbox(visible=False),
        gr.Row(visible=False),
        _card((run.folder / CARD).read_text("utf-8")),
    ]


def _card(text: str) -> str:
    return str(Markup('<h3>Its model card</h3><div class="result">{}</div>').format(model_card(text)))


def _shown(lab: Lab, workspace: Workspace, id: str | None) -> list[Any]:
    if id is None:
        return _example(lab, workspace)
    run = _made(lab, workspace, id)
    name = str(lab.model_id(run))
    checkpoint = lab.registry.catalog[name]
    pages = (*_PAGES.get(checkpoint.head, ()), *_INSIDE)
    ways = join(
        Markup('<li><a href="{}">{}</a></li>').format(links.page_link(slug, model=name), words)
        for slug, words in pages
    )
    about = TEXTS.html("made", name=name) + Markup('<ul class="ways">{}</ul>').format(ways)
    text = (run.model / "README.md").read_text("utf-8") if run.model else ""
    return [
        str(about),
        gr.Checkbox(run.shared, visible=True),
        gr.Row(visible=True),
        _card(text),
    ]
