"""The models page: every checkpoint, its state, memory and card; load, unload, add more from the Hub."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from components import texts
from components.figures import status
from components.figures.markup import byte_size
from components.models.checkpoint import Checkpoint, HubSource, LocalSource, RepoSource, Source, WheelSource
from components.models.errors import TourError
from components.models.registry import Registry
from components.models.status import Availability, State, Status
from components.ui import hub_search, links, picker
from components.ui.models_table import models_table
from components.ui.page import PlainPage, TaskPage, Tour

TEXTS = texts.beside(__file__)

STATES = {
    State.ABSENT: "Not loaded",
    State.FETCHING: "Downloading",
    State.LOADING: "Loading",
    State.READY: "Ready",
    State.FAILED: "Failed",
}


# Where checkpoints come from, in the order of the page, and what is said of all of them.
GROUPS = {
    "shipped": ("Ship with this app", TEXTS["groups.shipped"]),
    "local": ("Trained or brought here", TEXTS["groups.local"]),
    "hub": ("On the Hub", TEXTS["groups.hub"]),
}
UNREACHABLE = f" {TEXTS['groups.unreachable']}"


def build(tour: Tour, blocks: gr.Blocks) -> None:
    registry = tour.registry
    tasks = {page.task.name: page.task.title for page in tour.pages if isinstance(page, TaskPage)}

    def view() -> Mapping[str, Any]:
        return table_of(registry, tasks)

    card = gr.HTML(elem_id="models-card", elem_classes="card-holder")
    table: Any = models_table(view(), "models-table")
    quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}

    def load(event: gr.EventData) -> Mapping[str, Any]:
        return after(lambda: registry.load(event.id))

    def unload(event: gr.EventData) -> Mapping[str, Any]:
        if not registry.visitors_unload:  # the event can be sent without the button
            return view()
        return after(lambda: registry.unload(event.id))

    def after(action: Any) -> Mapping[str, Any]:
        try:
            action()
        except TourError as error:
            raise gr.Error(error.message, title="Not done", print_exception=False) from error
        return view()

    def opened() -> Mapping[str, Any]:
        registry.reachable()
        return view()

    def asked(request: gr.Request) -> str:
        id = dict(request.query_params).get("card")
        try:
            return hub_search.card_of(tour, registry.describe(id)) if id else ""
        except TourError as error:
            return str(status.problem(error.message))

    hub_search.build(tour, view, table)
    blocks.load(asked, None, card, **quiet)
    table.load_model(load, None, table, **quiet)
    table.unload_model(unload, None, table, **quiet)
    blocks.load(opened, None, table, **quiet)
    gr.Timer(1.5).tick(view, None, table, **quiet)


def table_of(registry: Registry, tasks: Mapping[str, str]) -> Mapping[str, Any]:
    """What the table shows, as plain data; `tasks` are titles by name."""
    statuses = registry.statuses()
    rows = [row(status, tasks, unload=registry.visitors_unload) for status in statuses]
    unreachable = any(status.availability is Availability.UNREACHABLE for status in statuses)
    memory = registry.memory()
    place = "of memory" if memory.device == "auto" else f"on {memory.device.upper()}"
    return {
        "memory": {
            "used": memory.used,
            "budget": memory.budget,
            "words": f"Models use {byte_size(memory.used)} of {byte_size(memory.budget)} {place}",
        },
        "groups": [
            {
                "name": name,
                "title": title,
                "words": words + (UNREACHABLE if name == "hub" and unreachable else ""),
                "open": name != "hub",  # the longest by far, and not what a first visitor needs
            }
            for name, (title, words) in GROUPS.items()
            if any(one["group"] == name for one in rows)
        ],
        "tasks": tasks,
        "checkpoints": rows,
    }


def row(status: Status, tasks: Mapping[str, str], *, unload: bool) -> Mapping[str, Any]:
    """A checkpoint, with what can be done about it: `unload` where the host lets visitors."""
    checkpoint = status.checkpoint
    moving = status.state in (State.FETCHING, State.LOADING)
    unreachable = status.availability is Availability.UNREACHABLE  # said once, of the whole group
    return {
        "id": checkpoint.id,
        "title": checkpoint.title,
        "about": checkpoint.about,
        "group": group(checkpoint.source),
        "tasks": list(checkpoint.tasks),
        "card": links.card_link(checkpoint.id),
        "anatomy": links.page_link(links.ANATOMY_PAGE, model=checkpoint.id)
        if checkpoint.can("anatomy")
        else "",
        "state": status.state.value,
        "state_words": f"{STATES[status.state]}{': ' + status.stage if moving and status.stage else ''}",
        "where": where(status),
        "share": status.share,
        "error": "" if unreachable else status.error,
        "action": "busy"
        if moving
        else ""
        if unreachable  # a press could only fail
        else "load"
        if status.state is not State.READY
        else "unload"
        if unload
        else "",
        "facts": [
            fact
            for fact in (
                source_words(checkpoint.source),
                parameters(checkpoint),
                download(checkpoint),
                "licence not stated" if checkpoint.licence == "not stated" else checkpoint.licence,
                ", ".join(tasks.get(task, task.replace("_", " ")).lower() for task in checkpoint.tasks),
            )
            if fact
        ],
    }


def where(status: Status) -> str:
    if status.state is State.READY:
        count = len(status.adapters)
        shared = f", shared by {count} adapter{'s' * (count > 1)}" if count else ""
        used = f", in use by {status.leases}" if status.leases else ""
        return f"{byte_size(status.nbytes)} on {status.device}{shared}{used}"
    local = isinstance(status.checkpoint.source, LocalSource)  # said by its source already
    if status.availability is Availability.UNREACHABLE or local:
        return ""
    return picker.availability(status)


def group(source: Source) -> str:
    match source:
        case LocalSource():
            return "local"
        case HubSource():
            return "hub"
    return "shipped"


def parameters(checkpoint: Checkpoint) -> str:
    if checkpoint.body is None:
        return f"{checkpoint.parameters / 1e6:.0f} M parameters"
    return f"{checkpoint.parameters / 1e6:.1f} M parameters on top of {checkpoint.body.title}"


def download(checkpoint: Checkpoint) -> str:
    if isinstance(checkpoint.source, LocalSource):
        return ""
    nbytes = checkpoint.whole_download_bytes
    return f"download {byte_size(nbytes)}" if nbytes else "nothing to download"


def source_words(source: Source) -> str:
    match source:
        case HubSource():
            return f"from the Hub, revision {source.revision}"
        case WheelSource():
            return f"from the package {source.package}"
        case RepoSource():
            return "shipped with this app"
        case LocalSource():
            return "from a folder on this host"


PAGE = PlainPage(
    slug=links.MODELS_PAGE,
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    build=build,
    group="Models",
)
