"""A run as its visitor sees it: where it stands, its curves, and what can be done with it.

Nothing of it is tied to a request: a run goes on when the page is left, and is found again when it is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from components import texts
from components.figures import status
from components.figures.curves import curves
from components.figures.lab_language import written_so_far
from components.figures.markup import Markup, join
from components.lab.lab import Lab
from components.lab.prepared import prepared
from components.lab.runs import Phase, Run, find
from components.lab.workspace import Workspace
from components.models.errors import TourError
from components.ui import chart
from components.ui.page import Tour
from components.ui.slots import QUIET

TEXTS = texts.beside(__file__)

EVERY = 1.0  # seconds between refreshes
_SPOKEN = {
    Phase.DONE: "Done",
    Phase.CANCELLED: TEXTS["cancelled"],
    Phase.PAUSED: TEXTS["paused"],
}


@dataclass(frozen=True, kw_only=True)
class Watch:
    """`run` holds the id of the run that is watched, `ended` that of the last one that has come to rest.

    Where a visitor has none of `methods`, the prepared run of `example` is shown, if it is on their data.
    """

    tour: Tour
    key: gr.BrowserState
    methods: Sequence[str]
    example: str | None
    run: gr.State
    ended_run: gr.Textbox  # a `gr.State` does not tell of its change outside the queue
    status: gr.HTML
    figure: tuple[gr.Plot, gr.HTML]
    written: gr.HTML  # samples, while there is more to come
    pause: gr.Button
    resume: gr.Button
    cancel: gr.Button
    timer: gr.Timer

    @property
    def _shown(self) -> list[Any]:
        buttons = [self.pause, self.resume, self.cancel]
        return [self.status, *self.figure, self.written, *buttons, self.timer, self.ended_run]

    def starts(self, listener: Callable[..., Any], start: Callable[..., Run], inputs: Sequence[Any]) -> Any:
        """Has an event start a run: `start(workspace, *inputs)`, whose errors are shown."""

        def begin(key: str, *values: Any) -> list[Any]:
            try:
                run = start(self.tour.lab.workspaces.open(key), *values)
            except TourError as error:
                return [gr.skip(), str(status.problem(error.message)), *[gr.skip()] * (len(self._shown) - 1)]
            return [run.id, *self._view(run)]

        return listener(begin, [self.key, *inputs], [self.run, *self._shown], **QUIET)

    def ended(self, fn: Callable[..., Any], inputs: Sequence[Any], outputs: Sequence[Any]) -> Any:
        """`fn(key, run_id, *inputs)` when a run has come to rest, also when the page is opened upon one."""
        return self.ended_run.change(fn, [self.key, self.ended_run, *inputs], list(outputs), **QUIET)

    def opens(self, event: Any) -> Any:
        """Has an event, such as a tab's being opened, find the last run again."""
        return event(self._find, [self.key, self.run], [self.run, *self._shown], **QUIET)

    def _find(self, key: str, id: str | None) -> list[Any]:
        try:
            workspace = self.tour.lab.workspaces.open(key)
        except TourError:
            return [gr.skip()] * (len(self._shown) + 1)
        runs = [run for run in find(workspace.runs) if run.spec.method in self.methods]
        if runs:
            return [runs[-1].id, *self._view(runs[-1])]
        if id is None:  # a run may start before this arrives: its buttons, timer and id are left alone
            return [gr.skip(), *self._example(workspace), *[gr.skip()] * (len(self._shown) - 4)]
        return [None, *self._example(workspace), *_buttons(None, pausable=False), gr.Timer(active=False), ""]

    def _example(self, workspace: Workspace) -> list[Any]:
        """The values of the status and of what is drawn."""
        data = self.tour.lab.data(workspace)
        run = prepared(workspace, data, self.example) if self.example and data else None
        if run is None:
            return ["", *chart.shown(None), ""]
        said = status.hint(
            f"A prepared run: {run.spec.title} on {data.about.title if data else ''}, in "
            f"{status.duration(run.seconds)}. Yours takes its place."
        )
        return [str(said), *chart.shown(curves(run.events())), ""]

    def _view(self, run: Run) -> list[Any]:
        from components.lab.methods import METHODS

        state = run.state
        events = run.events()
        moving = state.phase in (Phase.WAITING, Phase.RUNNING)
        return [
            str(_line(run, events, self.tour.lab.jobs.place(run))),
            *chart.shown(curves(events)),
            str(written_so_far(events)) if moving else "",
            *_buttons(state.phase, pausable=METHODS[run.spec.method].pausable),
            gr.Timer(active=moving),
            gr.skip() if moving else f"{run.id} {len(events)}",
        ]


def build(
    tour: Tour, key: gr.BrowserState, slug: str, methods: Sequence[str], example: str | None = None
) -> Watch:
    """Lays a watch out for the runs of some methods; `slug` begins the ids of its elements."""
    line = gr.HTML(elem_id=f"{slug}-status", elem_classes="status")
    with gr.Row(elem_classes="actions", elem_id=f"{slug}-controls"):
        pause = gr.Button("Pause", size="sm", visible=False, elem_id=f"{slug}-pause")
        resume = gr.Button("Resume", size="sm", visible=False, elem_id=f"{slug}-resume")
        cancel = gr.Button("Cancel", size="sm", visible=False, elem_id=f"{slug}-cancel")
    figure = chart.place(f"{slug}-curves")
    written = gr.HTML(elem_id=f"{slug}-written")
    watch = Watch(
        tour=tour,
        key=key,
        methods=methods,
        example=example,
        run=gr.State(),
        ended_run=gr.Textbox("", visible="hidden", elem_id=f"{slug}-ended"),
        status=line,
        figure=figure,
        written=written,
        pause=pause,
        resume=resume,
        cancel=cancel,
        timer=gr.Timer(EVERY, active=False),
    )
    lab = tour.lab

    def refresh(key: str, id: str | None) -> list[Any]:
        try:
            return watch._view(lab.run(lab.workspaces.open(key), id or ""))
        except TourError as error:
            gone = str(status.problem(error.message)) if id else ""
            return [
                gone,
                *chart.shown(None),
                "",
                *_buttons(None, pausable=False),
                gr.Timer(active=False),
                gr.skip(),
            ]

    def acts(act: Callable[[Run], None]) -> Callable[[str, str | None], list[Any]]:
        def press(key: str, id: str | None) -> list[Any]:
            try:
                act(lab.run(lab.workspaces.open(key), id or ""))
            except TourError as error:
                return [str(status.problem(error.message)), *[gr.skip()] * (len(watch._shown) - 1)]
            return refresh(key, id)

        return press

    watched = [key, watch.run]
    watch.timer.tick(refresh, watched, watch._shown, **QUIET)
    for button, act in ((pause, lab.jobs.pause), (resume, lab.resume), (cancel, lab.jobs.cancel)):
        button.click(acts(act), watched, watch._shown, **QUIET)
    return watch


def watched(workspace: Workspace, lab: Lab, ended: str | None) -> Run | None:
    """The run that `Watch.ended` tells of."""
    return lab.run(workspace, ended.split()[0]) if ended else None


def _buttons(phase: Phase | None, *, pausable: bool) -> list[gr.Button]:
    moving = phase in (Phase.WAITING, Phase.RUNNING)
    resumable = phase is not None and phase.resumable
    return [
        gr.Button(visible=moving and pausable),
        gr.Button(visible=resumable),
        gr.Button(visible=moving or resumable),
    ]


def _line(run: Run, events: Sequence[dict[str, Any]], place: int | None) -> Markup:
    state = run.state
    notes = status.notes([str(one["text"]) for one in events if one["event"] == "note"])
    match state.phase:
        case Phase.WAITING if place:
            others = "1 run is" if place == 1 else f"{place} runs are"
            words = f"{run.spec.title}: in line, {others} before this one. {state.message}"
            return status.progress(words, None)
        case Phase.WAITING | Phase.RUNNING:
            return status.progress(*_progress(run, events)) + notes
        case Phase.FAILED | Phase.LOST | Phase.INTERRUPTED:
            return status.problem(f"{run.spec.title}: {state.message}")
    said = _SPOKEN[state.phase]
    facts = [status.fact(run.spec.title), status.fact(said)]
    if state.phase is Phase.DONE:
        facts.append(status.fact(status.duration(run.seconds)))
    return Markup('<div class="run-line">{}</div>').format(join(facts)) + notes


def _progress(run: Run, events: Sequence[dict[str, Any]]) -> tuple[str, float | None]:
    """Words and share of its last event."""
    for one in reversed(events):
        if one["event"] == "train":
            words = f"step {one['step']:,} of {one['steps']:,}"
            return f"{run.spec.title}: {words}{_left(events)}", one["step"] / one["steps"]
        if one["event"] == "progress":
            return f"{run.spec.title}: {one['stage']}", one["share"]
    return f"{run.spec.title}: starting", None


def _left(events: Sequence[dict[str, Any]]) -> str:
    """How long it may still take, from the pace of its last steps."""
    steps = [one for one in events if one["event"] == "train"][-20:]
    done = steps[-1]["step"] - steps[0]["step"]
    if done <= 0:
        return ""
    seconds = (steps[-1]["at"] - steps[0]["at"]) / done * (steps[-1]["steps"] - steps[-1]["step"])
    return f", about {seconds:.0f} s more" if seconds < 120 else f", about {seconds / 60:.0f} min more"
