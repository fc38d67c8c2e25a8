"""The model picker: what there is for a task, and where each checkpoint stands before one chooses it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from components.figures import status
from components.figures.markup import Markup, byte_size
from components.models.checkpoint import Checkpoint
from components.models.errors import TourError
from components.models.status import Availability, Status
from components.tasks.languages import LANGUAGES
from components.tasks.task import Task
from components.ui import links
from components.ui.page import Tour

WORDS = {
    Availability.LOADED: "loaded",
    Availability.CACHED: "on this host",
    Availability.DOWNLOAD: "to download, {size}",
    Availability.UNREACHABLE: "needs internet",
}
NAMED = 5  # languages of a checkpoint


def build(task: Task[Any, Any, Any], tour: Tour, *, value: str, elem_id: str) -> tuple[gr.Dropdown, gr.HTML]:
    dropdown = gr.Dropdown(
        names(task, tour),
        value=value,
        label="Model",
        info="Or the id of a model on the Hub, as owner/name." if tour.registry.open else None,
        allow_custom_value=tour.registry.open,
        filterable=tour.registry.open,
        elem_id=elem_id,
    )
    shown = gr.HTML(
        about(task, value, tour, state=False), elem_id=f"{elem_id}-about", elem_classes="about-model"
    )
    return dropdown, shown


def keep_current(
    dropdown: gr.Dropdown,
    about_model: gr.HTML | None,
    task: Task[Any, Any, Any],
    tour: Tour,
    blocks: gr.Blocks,
    key: gr.BrowserState,
    runs: Sequence[Any] = (),
) -> None:
    """Availability changes as models load and the Hub comes and goes: looked up on opening, on focus and
    after each of `runs`. Until then no state is shown: what a page was built with may be days old."""
    refresh: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}

    def refreshed(picked: str, key: str | None) -> Any:
        found = gr.Dropdown(choices=choices(task, tour, key, picked))
        return found if about_model is None else [found, about(task, picked, tour)]

    def opened(picked: str, key: str | None) -> Any:
        tour.registry.reachable()
        return refreshed(picked, key)

    shown = [dropdown] if about_model is None else [dropdown, about_model]
    blocks.load(opened, [dropdown, key], shown, **refresh)
    for run in runs:
        run.then(refreshed, [dropdown, key], shown, **refresh)
    dropdown.focus(
        lambda picked, key: gr.Dropdown(choices=choices(task, tour, key, picked)),
        [dropdown, key],
        dropdown,
        **refresh,
    )
    if about_model is not None:
        dropdown.change(lambda picked: about(task, picked, tour), dropdown, about_model, **refresh)


def names(task: Task[Any, Any, Any], tour: Tour) -> list[tuple[str, str]]:
    """What can be picked, without its state."""
    return [(checkpoint.title, checkpoint.id) for checkpoint in tour.registry.catalog.for_task(task.name)]


def choices(
    task: Task[Any, Any, Any], tour: Tour, key: str | None, picked: str | None = None
) -> list[tuple[str, str]]:
    """What this visitor can pick: what everybody can, what they trained, and what a link has brought them."""
    catalog = tour.registry.catalog
    known = [*catalog.for_task(task.name), *(one for one in tour.lab.own(key) if one.can(task.name))]
    if picked and picked in catalog and catalog[picked].can(task.name) and catalog[picked] not in known:
        known.append(catalog[picked])
    found = (tour.registry.status(checkpoint.id) for checkpoint in known)
    return [(f"{one.checkpoint.title} · {availability(one)}", one.checkpoint.id) for one in found]


def availability(status: Status) -> str:
    return WORDS[status.availability].format(size=byte_size(status.checkpoint.whole_download_bytes))


def about(task: Task[Any, Any, Any], picked: str | None, tour: Tour, *, state: bool = True) -> str:
    """Size, languages, licence, state and what the checkpoint is good and bad at; of a repository on the Hub
    what it is, or why it will not do."""
    if not picked:
        return ""
    try:
        checkpoint = tour.runner.describe(task, picked)
    except TourError as error:
        return str(status.problem(error.message))
    if picked in tour.registry.catalog:
        where = availability(tour.registry.status(picked)) if state else ""
    else:
        where = f"to download, {byte_size(checkpoint.download_bytes)}, when you run it"
    return str(
        Markup(
            "<p>{about}</p><p class='facts'>{millions:.0f} M parameters · {languages}{licence} · {where}"
            "<a href='{card}' target='_blank' rel='noopener'>model card</a></p>"
        ).format(
            about=checkpoint.about,
            millions=checkpoint.whole_parameters / 1e6,
            languages=f"{spoken} · " if (spoken := languages(checkpoint, task.name)) else "",
            licence=checkpoint.licence,
            where=f"{where} · " if where else "",
            card=links.card_link(picked),
        )
    )


def languages(checkpoint: Checkpoint, task: str) -> str:
    """Which languages it knows, in words; empty if it does not say."""
    known = [LANGUAGES[code].name if code in LANGUAGES else code for code in checkpoint.languages]
    if task == "translation" and len(known) == 2:
        return " to ".join(known)
    if len(known) > NAMED:
        return f"{', '.join(known[: NAMED - 1])} and {len(known) - NAMED + 1} more"
    return ", ".join(known)
