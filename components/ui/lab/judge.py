"""The lab's fourth tab: what the trained classifiers got right and wrong, and how they compare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from components import javascript, texts
from components.figures import lab_judge, lab_runs, status
from components.figures.chart import Chart
from components.figures.markup import Markup, join
from components.lab.data import Data
from components.lab.judging import Agreement, Judgement, agreement, judge
from components.lab.lab import Lab
from components.lab.methods import METHODS
from components.lab.prepared import prepared
from components.lab.runs import PREDICTIONS, Phase, Run, find
from components.lab.workspace import Workspace
from components.models.errors import Code, TourError
from components.ui import chart
from components.ui.page import Tour
from components.ui.slots import QUIET

TEXTS = texts.beside(__file__)

SPLITS = ("test", "validation")
# The methods of what there is to see before anything has been trained; the last is opened.
PREPARED = ("lora", "logistic_regression")
EARLY = status.hint("One moment.")  # for a visitor who is here before their workspace is known


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The finished classifiers on the data that is worked on, oldest first, judged on one split."""

    data: Data
    runs: Sequence[Run]
    judgements: Sequence[Judgement]
    prepared: bool = False  # nothing of the visitor's own is there

    def name(self, place: int) -> str:
        return f"{place + 1} · {self.runs[place].spec.title}"

    def place(self, id: str | None) -> int:
        """Of a run; of the last one where it is not among them."""
        ids = [run.id for run in self.runs]
        return ids.index(id) if id in ids else len(ids) - 1

    def pair(self, first: int, second: int) -> Agreement:
        """Of two runs, by their places; raises `TourError` for places that there are not."""
        for one in agreement(self.judgements):
            if (one.first, one.second) == (first, second):
                return one
        raise TourError(Code.EXPIRED, "The runs have changed. Open this tab again.")

    def texts(self, judged: Judgement, places: Iterable[int]) -> dict[int, str]:
        """Texts of the examples that are listed of these, by row."""
        rows = judged.rows[list(places)[: lab_judge.MOST_EXAMPLES]]
        texts, pairs = self.data.texts(rows), self.data.pairs(rows)
        if pairs is not None:
            texts = [f"{text}\n{pair}" for text, pair in zip(texts, pairs, strict=True)]
        return dict(zip(rows.tolist(), texts, strict=True))


def judge_panel(tour: Tour, key: gr.BrowserState, tab: gr.Tab, ready: Any) -> None:
    lab = tour.lab
    pickable = javascript.start("lab-judge", "pick")
    said = gr.HTML(elem_id="lab-judge-status", elem_classes="status")
    with gr.Column(visible=False) as body:
        with gr.Row(equal_height=False):
            picked = gr.Dropdown([], label="Classifier", elem_id="lab-judge-run", scale=3, min_width=260)
            split = gr.Radio(list(SPLITS), value=SPLITS[0], label="Split", elem_id="lab-judge-split", scale=2)
        gr.HTML("<h3>All classifiers</h3>")
        overview = gr.HTML(elem_id="lab-judge-compared", elem_classes="lab-judge")
        gr.HTML("<h3>Confusion matrix</h3>")
        matrix = chart.place("lab-judge-confusion", pickable)
        cell = gr.HTML(elem_id="lab-judge-cell", elem_classes="lab-judge")
        with gr.Accordion("Scores by class", open=False, elem_id="lab-judge-classes"):
            classes = gr.HTML(elem_classes="lab-judge")
        gr.HTML("<h3>Examples worth reading</h3>")
        losses = gr.HTML(elem_id="lab-judge-losses", elem_classes="lab-judge")
        gr.HTML("<h3>How reliable are the scores?</h3>")
        trust = chart.place("lab-judge-reliability")
        gr.HTML("<h3>Do the classifiers agree?</h3>")
        agreeing = gr.HTML(elem_id="lab-judge-agreement", elem_classes="lab-judge", js_on_load=pickable)
        differing = gr.HTML(elem_id="lab-judge-differing", elem_classes="lab-judge")
    figures = [overview, *matrix, cell, classes, losses, *trust, agreeing, differing]
    empty = _values([Markup()], None, [Markup()] * 3, None, [Markup()] * 2)

    def view(key: str | None, id: str | None, split: str) -> list[Any]:
        nothing = [gr.Column(visible=False), gr.Dropdown(choices=[], value=None), *empty]
        if key is None:
            return [str(EARLY), *nothing]
        try:
            finished = judged(lab, lab.workspaces.open(key), split)
        except TourError as error:
            return [str(status.problem(error.message)), *nothing]
        if isinstance(finished, str):
            return [str(status.hint(finished)), *nothing]
        place = finished.place(id)
        choices = [(described(finished, at), run.id) for at, run in enumerate(finished.runs)]
        words = TEXTS["prepared"]
        return [
            str(status.hint(words)) if finished.prepared else "",
            gr.Column(visible=True),
            gr.Dropdown(choices=choices, value=finished.runs[place].id),
            *drawn(finished, place),
        ]

    def view_again(said: str, key: str, split: str) -> list[Any]:
        return view(key, None, split) if said else [gr.skip()] * len(seen)

    def list_cell(event: gr.EventData, key: str, id: str | None, split: str) -> str:
        return listed(lambda finished: _cell(finished, finished.place(id), *_picked(event)), key, split)

    def list_differing(event: gr.EventData, key: str, split: str) -> str:
        return listed(lambda finished: _differing(finished, *_picked(event)), key, split)

    def listed(say: Any, key: str, split: str) -> str:
        try:
            finished = judged(lab, lab.workspaces.open(key), split)
            return str(status.hint(finished) if isinstance(finished, str) else say(finished))
        except TourError as error:
            return str(status.problem(error.message))

    seen = [said, body, picked, *figures]
    for event in (picked.input, split.input):
        event(view, [key, picked, split], seen, **QUIET)
    # Either of these may be the first to end.
    for opened in (tab.select(view, [key, picked, split], seen, **QUIET), ready):
        opened.then(view_again, [said, key, split], seen, **QUIET)
    with_cells: Any = matrix[1]
    with_cells.pick(list_cell, [key, picked, split], cell, **QUIET)
    with_cells = agreeing
    with_cells.pick(list_differing, [key, split], differing, **QUIET)


def judged(lab: Lab, workspace: Workspace, split: str) -> Finished | str:
    """What there is to judge, or what to do first."""
    if split not in SPLITS:
        raise TourError(Code.INVALID_INPUT, f"The split is {' or '.join(SPLITS)}.")
    data = lab.data(workspace)
    if data is None:
        return TEXTS["no_data"]
    runs = [
        run
        for run in find(workspace.runs)
        if run.spec.data == data.id
        and METHODS[run.spec.method].kind == "classifier"
        and run.state.phase is Phase.DONE
    ]
    shipped = [] if runs else [run for name in PREPARED if (run := prepared(workspace, data, name))]
    runs = runs or shipped
    if not runs:
        return TEXTS["untrained"].format(data=data.about.title)
    return Finished(
        data=data,
        runs=runs,
        judgements=[judge(data, run.folder / PREDICTIONS, split) for run in runs],
        prepared=bool(shipped),
    )


def described(finished: Finished, place: int) -> str:
    settings = lab_runs.settings(finished.runs[place].spec.options)
    return f"{finished.name(place)}{f' ({settings})' if settings else ''}"


def drawn(finished: Finished, place: int) -> list[Any]:
    """Values of the panel's figures, in the order that they stand in."""
    one = finished.judgements[place]
    entries = [
        lab_judge.Entry(
            number=at + 1,
            title=run.spec.title,
            settings=lab_runs.settings(run.spec.options),
            seconds=run.seconds,
            measures=finished.judgements[at].measures,
            calibration=finished.judgements[at].raw,
        )
        for at, run in enumerate(finished.runs)
    ]
    names = [finished.name(at) for at in range(len(finished.runs))]
    examples = join(_view(finished, one, *view) for view in lab_judge.VIEWS)
    return _values(
        [lab_judge.compared(entries, place + 1)],
        lab_judge.confusion(one),
        [Markup(), lab_judge.per_class(one), examples],
        lab_judge.calibration(one),
        [lab_judge.agreements(names, agreement(finished.judgements)), Markup()],
    )


def _values(*figures: Sequence[Markup] | Chart | None) -> list[Any]:
    """Those of charts, or of where one may come, and of other HTML."""
    return [
        value
        for one in figures
        for value in (chart.shown(one) if one is None or isinstance(one, Chart) else map(str, one))
    ]


def _view(finished: Finished, one: Judgement, title: str, advice: str, places: lab_judge.View) -> Markup:
    chosen = places(one)
    texts = finished.texts(one, chosen)
    return lab_judge.examples(one, chosen, texts, title, advice)


def _cell(finished: Finished, place: int, true: int, predicted: int) -> Markup:
    one = finished.judgements[place]
    if not (0 <= true < len(one.labels) and 0 <= predicted < len(one.labels)):
        raise TourError(Code.EXPIRED, "The data has changed. Open this tab again.")
    places = one.places(true, predicted)
    title = f"{one.labels[true]}, predicted as {one.labels[predicted]}"
    return lab_judge.examples(one, places, finished.texts(one, places), title)


def _differing(finished: Finished, first: int, second: int) -> Markup:
    pair = finished.pair(first, second)
    one, other = finished.judgements[first], finished.judgements[second]
    names = (finished.name(first), finished.name(second))
    return lab_judge.differences(one, other, names, pair, finished.texts(one, pair.differing))


def _picked(event: gr.EventData) -> tuple[int, int]:
    row, column = getattr(event, "row", None), getattr(event, "column", None)
    if not (isinstance(row, int) and isinstance(column, int)):
        raise TourError(Code.INVALID_INPUT, "No cell was picked. Click a cell of the matrix.")
    return row, column
