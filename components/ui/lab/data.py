"""The lab's first tab: bring data, say what its columns are for, and look at it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr
import numpy as np

from components import javascript, texts
from components.figures import lab_data as figures
from components.figures import status
from components.figures.chart import Chart
from components.figures.markup import Markup
from components.lab import explore, from_address, intake, on_hub, roles
from components.lab.data import SPLITS, UNUSED, Data
from components.lab.explore import LENGTH, Query
from components.lab.from_address import Remote
from components.lab.intake import Draft
from components.lab.on_hub import Listing
from components.lab.roles import Roles
from components.lab.workspace import Workspace
from components.models.errors import TourError
from components.tasks import files
from components.ui import chart
from components.ui.lab.form import bases
from components.ui.page import Tour
from components.ui.slots import QUIET

TEXTS = texts.beside(__file__)

EXAMPLE, FILE, HUB, ADDRESS = "example", "file", "hub", "address"
NONE = ""  # among columns: no column
# Reading takes a processor; nothing of it touches the device.
READING: dict[str, Any] = {
    "show_progress": "hidden",
    "concurrency_id": "lab-reading",
    "concurrency_limit": 2,
    "api_visibility": "private",
}

T = TypeVar("T")
Show = Callable[[Any], list[Any]]  # from what is drawn, or said in its place, to a section's values


def data_panel(tour: Tour, key: gr.BrowserState, ready: Any) -> Any:
    """Returns the event after which there is data to work on; new visitors are given the example set.

    Which data that is is decided here alone, so nothing is looked up when the tab is opened again.
    """
    explorer = Explorer(tour, key)
    gr.HTML(str(status.hint(TEXTS["about"])))
    source = gr.Radio(
        [
            ("The example set", EXAMPLE),
            ("A file of my own", FILE),
            ("A data set on the Hub", HUB),
            ("A file at an address", ADDRESS),
        ],
        label="Where the data comes from",
        interactive=False,  # until it is known what the visitor had: a choice would be lost
        elem_id="lab-source",
    )
    with gr.Column(visible=False) as by_file:
        _hint(TEXTS["file"].format(limit=intake.LARGEST / 1e6))
        file = gr.File(
            label="Your file",
            height=150,
            elem_id="lab-file",
        )
        gr.HTML(
            {"limit": intake.LARGEST},
            html_template=" ",
            js_on_load=javascript.start("lab-upload"),
            elem_id="lab-file-limit",
        )
    with gr.Column(visible=False) as by_hub:
        with gr.Row(equal_height=False, elem_classes="actions"):
            repo = gr.Textbox(
                label="Id, or words to search for",
                placeholder="owner/name",
                max_lines=1,
                scale=4,
                min_width=220,
                elem_id="lab-hub-id",
            )
            look = gr.Button("Find", scale=1, min_width=160, elem_id="lab-hub-look")
        matches = gr.Radio([], visible=False, elem_id="lab-hub-found", elem_classes="hub-found")
        listed = gr.HTML(elem_id="lab-hub-listing")
        configuration = gr.Dropdown([], label="Configuration", visible=False, elem_id="lab-hub-config")
        fetch = gr.Button("Download and read", visible=False, elem_id="lab-hub-fetch")
        listing = gr.State()
    with gr.Column(visible=False) as by_address:
        _hint(TEXTS["address"].format(limit=intake.LARGEST / 1e6))
        with gr.Row(equal_height=False, elem_classes="actions"):
            address = gr.Textbox(
                label="Address",
                placeholder="https://example.org/reviews.csv",
                max_lines=1,
                scale=4,
                min_width=220,
                elem_id="lab-address",
            )
            ask = gr.Button("Check", scale=1, min_width=160, elem_id="lab-address-look")
        there = gr.HTML(elem_id="lab-address-found", elem_classes="status")
        get = gr.Button("Download and read", visible=False, elem_id="lab-address-fetch")
        remote = gr.State()
    said = gr.HTML(elem_id="lab-data-status", elem_classes="status")
    finalize = Finalize(tour, key, said)
    explorer.build()

    def switch(picked: str) -> list[Any]:
        shown = [gr.Column(visible=picked == one) for one in (FILE, HUB, ADDRESS)]
        return [*shown, "", *finalize.hidden()]

    def example(key: str, picked: str) -> list[Any]:
        if picked != EXAMPLE:
            return explorer.unchanged()
        return explorer.opened(key, intake.shipped)

    def take(key: str, path: str | None) -> Iterator[list[Any]]:
        if path is None:
            return
        try:
            workspace = tour.lab.workspaces.open(key)
            intake.upload(tour.lab.workspaces, workspace, Path(path), Path(path).name)
        except TourError as error:
            yield [None, str(status.problem(error.message)), *finalize.hidden()]
            return
        for shown in finalize.reading(workspace, {}):
            yield [None, *shown]

    def find(typed: str) -> list[Any]:
        """Data sets to pick from where words were typed, else the one whose id it is."""
        if not typed.strip() or "/" in typed:
            return [gr.Radio(visible=False), *describe(typed)]
        nothing = [gr.Dropdown(visible=False), gr.Button(visible=False), None]
        try:
            found = on_hub.search(tour.registry.endpoint, typed.strip())
        except TourError as error:
            return [gr.Radio(visible=False), str(status.problem(error.message)), *nothing]
        if not found:
            words = TEXTS["nothing_found"]
            return [gr.Radio(visible=False), str(status.hint(words)), *nothing]
        choices = [(figures.found(one), one.repo) for one in found]
        return [gr.Radio(choices, value=None, label="Most downloaded first", visible=True), "", *nothing]

    def inspect(typed: str) -> list[Any]:
        try:
            found = from_address.look(typed)
        except TourError as error:
            return [str(status.problem(error.message)), gr.Button(visible=False), None]
        return [str(figures.remote(found)), gr.Button(visible=True), found]

    def fetch_address(key: str, found: Remote | None) -> Iterator[list[Any]]:
        if found is None:
            return
        try:
            workspace = tour.lab.workspaces.open(key)
            for share in from_address.download(found.address, tour.lab.workspaces, workspace):
                yield [str(status.progress("Downloading", share)), *finalize.hidden()]
        except TourError as error:
            yield [str(status.problem(error.message)), *finalize.hidden()]
            return
        yield from finalize.reading(workspace, {})

    def describe(id: str) -> list[Any]:
        nothing = [gr.Dropdown(visible=False), gr.Button(visible=False), None]
        try:
            found = on_hub.look(tour.registry.endpoint, id)
        except TourError as error:
            return [str(status.problem(error.message)), *nothing]
        names = [one.name for one in found.configurations]
        several = gr.Dropdown(names, value=names[0], visible=len(names) > 1)
        return [str(figures.listing(found)), several, gr.Button(visible=True), found]

    def download(key: str, found: Listing | None, name: str) -> Iterator[list[Any]]:
        if found is None:
            return
        try:
            workspace = tour.lab.workspaces.open(key)
            work = on_hub.download(tour.registry.endpoint, found, name, tour.lab.workspaces, workspace)
            for share in work:
                yield [str(status.progress("Downloading", share)), *finalize.hidden()]
        except TourError as error:
            yield [str(status.problem(error.message)), *finalize.hidden()]
            return
        yield from finalize.reading(workspace, {})

    source.input(switch, source, [by_file, by_hub, by_address, said, *finalize.parts], **QUIET).then(
        example, [key, source], explorer.parts, **QUIET
    )
    file.upload(take, [key, file], [file, said, *finalize.parts], **READING)
    gr.on(
        [look.click, repo.submit],
        find,
        repo,
        [matches, listed, configuration, fetch, listing],
        **{**QUIET, "show_progress": "minimal"},
    )
    matches.input(
        describe,
        matches,
        [listed, configuration, fetch, listing],
        **{**QUIET, "show_progress": "minimal"},
    )
    gr.on([ask.click, address.submit], inspect, address, [there, get, remote], **READING)
    get.click(fetch_address, [key, remote], [said, *finalize.parts], **READING)
    fetch.click(download, [key, listing, configuration], [said, *finalize.parts], **READING)
    finalize.wire(explorer)
    explorer.wire()

    def open_page(key: str) -> list[Any]:
        shown = explorer.opened(key, None)
        with suppress(TourError):
            data = tour.lab.data(tour.lab.workspaces.open(key))
            if data and intake.is_shipped(data):
                return [gr.Radio(value=EXAMPLE, interactive=True), *shown]
        return [gr.Radio(interactive=True), *shown]

    return ready.then(open_page, key, [source, *explorer.parts], **QUIET)


class Finalize:
    """What was brought, before it becomes the data set: how it was read, and what its columns are for."""

    def __init__(self, tour: Tour, key: gr.BrowserState, said: gr.HTML) -> None:
        self._tour, self._key, self._said = tour, key, said
        with gr.Column(visible=False, elem_id="lab-draft") as self._group:
            with gr.Accordion("How the file is read", open=False, elem_id="lab-settings") as self._fold:
                with gr.Row(equal_height=False):
                    kinds = [(words, kind) for kind, words in files.KINDS.items() if kind not in files.BINARY]
                    self._kind = gr.Dropdown(kinds, label="Kind", min_width=200, elem_id="lab-kind")
                    self._separator = gr.Dropdown(
                        [(words, sign) for sign, words in files.SEPARATORS.items()],
                        value=",",
                        label="Separator",
                        info="Parts the cells of a table.",
                        min_width=200,
                        elem_id="lab-separator",
                    )
                    self._encoding = gr.Dropdown(
                        [(words, name) for name, words in files.ENCODINGS.items()],
                        label="Encoding",
                        min_width=200,
                        elem_id="lab-encoding",
                    )
                self._sheet = gr.Dropdown([], label="Sheet", visible=False, elem_id="lab-sheet")
                self._header = gr.Checkbox(
                    True, label="The first row names the columns", elem_id="lab-header"
                )
                self._quoted = gr.Checkbox(
                    True, label="Quotation marks keep a cell together", elem_id="lab-quoted"
                )
                self._again = gr.Button("Read it again", elem_id="lab-read-again")
            with gr.Column(visible=False) as self._columns:
                self._about = gr.HTML(elem_id="lab-columns")
                gr.HTML(str(status.hint(TEXTS["columns"])))
                with gr.Row(equal_height=False):
                    self._text = gr.Dropdown([], label="Text", min_width=200, elem_id="lab-role-text")
                    self._pair = gr.Dropdown([], label="Second text", min_width=200, elem_id="lab-role-pair")
                    self._label = gr.Dropdown([], label="Label", min_width=200, elem_id="lab-role-label")
                    self._split = gr.Dropdown([], label="Split", min_width=200, elem_id="lab-role-split")
                self._several = gr.Checkbox(
                    False,
                    label=TEXTS["several"],
                    elem_id="lab-role-several",
                )
                self._use = gr.Button("Use this data", variant="primary", elem_id="lab-use")

    @property
    def parts(self) -> list[Any]:
        return [
            *(self._group, self._fold, *self._settings, self._columns, self._about),
            *(self._text, self._pair, self._label, self._split, self._several),
        ]

    @property
    def _settings(self) -> list[Any]:
        return [self._kind, self._separator, self._encoding, self._header, self._quoted, self._sheet]

    def hidden(self) -> list[Any]:
        return [gr.Column(visible=False), *[gr.skip()] * (len(self.parts) - 1)]

    def wire(self, explorer: Explorer) -> None:
        def again(key: str, *typed: Any) -> Iterator[list[Any]]:
            names = ("kind", "separator", "encoding", "header", "quoted", "sheet")
            settings = {**dict(zip(names, typed, strict=True)), "sheet": typed[-1] or ""}
            try:
                workspace = self._tour.lab.workspaces.open(key)
            except TourError as error:
                yield [str(status.problem(error.message)), *self.hidden()]
                return
            yield from self.reading(workspace, settings)

        def use(key: str, text: str, pair: str, label: str, split: str, several: bool) -> list[Any]:
            try:
                workspace = self._tour.lab.workspaces.open(key)
                intake.finalize(
                    workspace,
                    Roles(
                        text=text,
                        pair=pair or None,
                        label=label or None,
                        split=split or None,
                        several=bool(label) and several,
                    ),
                )
            except TourError as error:
                stay = [gr.skip()] * len(self.parts)
                return [str(status.problem(error.message)), *stay, *explorer.unchanged()]
            done = str(status.hint("This is the data of all the tabs now."))
            return [done, *self.hidden(), *explorer.opened(key, None)]

        self._again.click(again, [self._key, *self._settings], [self._said, *self.parts], **READING)
        self._use.click(
            use,
            [self._key, self._text, self._pair, self._label, self._split, self._several],
            [self._said, *self.parts, *explorer.parts],
            **QUIET,
        )

    def reading(self, workspace: Workspace, settings: dict[str, Any]) -> Iterator[list[Any]]:
        """Reads the draft: values of the status and of `parts`, as they change."""
        yield [str(status.progress("Reading", None)), *self.hidden()]
        found: list[Draft] = []
        work = put(intake.read(workspace, settings), found.append)
        try:
            for rows in work:
                yield [str(status.progress(f"Reading: {rows:,} rows", None)), *self.hidden()]
            yield ["", *self._shown(found[0])]
        except TourError as error:
            yield [str(status.problem(error.message)), *self._unread(workspace, settings)]

    def _shown(self, draft: Draft) -> list[Any]:
        converted = draft.converted
        if converted is None:
            return self.hidden()
        columns = [(figures.choice(one), one.name) for one in converted.columns]
        try:
            guessed = roles.guess(converted.columns)
        except TourError as error:
            return [
                *self._form(converted.format, converted.sheets, open=True),
                gr.Column(visible=True),
                str(status.problem(error.message) + figures.draft(converted)),
                *[gr.Dropdown(columns, value=None)] * 4,
                False,
            ]
        return [
            *self._form(converted.format, converted.sheets, open=len(converted.sheets) > 1),
            gr.Column(visible=True),
            str(figures.draft(converted)),
            gr.Dropdown(columns, value=guessed.text),
            gr.Dropdown([("none: one text in each row", NONE), *columns], value=guessed.pair or NONE),
            gr.Dropdown([("none", NONE), *columns], value=guessed.label or NONE),
            gr.Dropdown([("none: divide them here", NONE), *columns], value=guessed.split or NONE),
            False,
        ]

    def _unread(self, workspace: Workspace, settings: dict[str, Any]) -> list[Any]:
        """The settings alone, to be corrected; nothing where they could not help."""
        draft = intake.draft_of(workspace)
        if draft is None:
            return self.hidden()
        try:
            guessed = files.guess(draft.sources[0].path, draft.sources[0].name)
        except TourError:
            return self.hidden()
        if guessed.kind in files.BINARY:
            return self.hidden()
        form = files.Format(**settings) if settings else guessed
        hidden = [gr.Column(visible=False), "", *[gr.skip()] * 5]
        return [*self._form(form, (), open=True), *hidden]

    def _form(self, form: files.Format, sheets: Sequence[str], *, open: bool) -> list[Any]:
        text = form.kind not in files.BINARY
        encoding = form.encoding if form.encoding in files.ENCODINGS else "utf-16"
        return [
            gr.Column(visible=True),
            gr.Accordion(open=open, visible=form.kind != files.PARQUET),
            gr.Dropdown(value=form.kind if text else files.TABLE, visible=text),
            gr.Dropdown(value=form.separator, visible=text),
            gr.Dropdown(value=encoding, visible=text),
            form.header,
            gr.Checkbox(value=form.quoted, visible=text),
            gr.Dropdown(list(sheets), value=form.sheet or None, visible=len(sheets) > 1),
        ]


class Explorer:
    """A view of the data set that is worked on; what takes long is counted when its tab is opened."""

    def __init__(self, tour: Tour, key: gr.BrowserState) -> None:
        self._tour, self._key = tour, key

    def build(self) -> None:
        self._about = gr.HTML(elem_id="lab-about-data")
        with gr.Tabs(elem_id="lab-explorer", selected="rows") as self._tabs:
            with gr.Tab("Rows", id="rows"):
                _hint(TEXTS["explorer.rows"])
                with gr.Row(equal_height=False):
                    self._words = gr.Textbox(
                        label="Search the text", max_lines=1, min_width=220, elem_id="lab-search"
                    )
                    self._label = gr.Dropdown([], label="Class", min_width=160, elem_id="lab-filter-class")
                    self._split = gr.Dropdown(
                        [("all", "all"), *((split, split) for split in SPLITS), ("in none", NONE)],
                        value="all",
                        label="Split",
                        min_width=160,
                        elem_id="lab-filter-split",
                    )
                    self._sort = gr.Dropdown([], label="Sort by", min_width=160, elem_id="lab-sort")
                    self._down = gr.Checkbox(label="Largest first", min_width=120, elem_id="lab-descending")
                self._rows = gr.HTML(elem_id="lab-rows")
                with gr.Row(elem_classes="actions"):
                    self._before = gr.Button("Previous page", size="sm", elem_id="lab-page-before")
                    self._after = gr.Button("Next page", size="sm", elem_id="lab-page-after")
                self._page = gr.State(0)
            with gr.Tab("Classes", id="classes") as classes:
                _hint(TEXTS["explorer.classes"])
                drawn_classes = chart.place("lab-classes")
            with gr.Tab("Lengths", id="lengths") as lengths:
                _hint(TEXTS["explorer.lengths"])
                drawn_words = chart.place("lab-words")
                choices = bases(self._tour.lab, None, ())
                with gr.Row(equal_height=False, elem_classes="actions"):
                    self._model = gr.Dropdown(
                        choices,
                        value=choices[0][1] if choices else None,
                        label="Checkpoint whose tokens are counted",
                        scale=3,
                        min_width=220,
                        elem_id="lab-tokens-model",
                    )
                    count = gr.Button("Count tokens", scale=1, min_width=160, elem_id="lab-count-tokens")
                self._tokens = chart.place("lab-tokens")
            with gr.Tab("Duplicates", id="duplicates") as duplicates:
                _hint(TEXTS["explorer.duplicates"])
                drawn_duplicates = gr.HTML(elem_id="lab-duplicates", elem_classes="lab-data")
            with gr.Tab("Imbalance", id="imbalance") as imbalance:
                _hint(TEXTS["explorer.imbalance"])
                drawn_imbalance = gr.HTML(elem_id="lab-imbalance", elem_classes="lab-data")
        self._sections: list[tuple[gr.Tab, Callable[[Data], Any], Sequence[Any], Show]] = [
            (classes, _classes, drawn_classes, chart.shown),
            (lengths, _words, drawn_words, chart.shown),
            (
                duplicates,
                lambda data: figures.duplicates(explore.duplicates(data)),
                [drawn_duplicates],
                _alone,
            ),
            (imbalance, lambda data: figures.imbalance(explore.imbalance(data)), [drawn_imbalance], _alone),
        ]
        self._lengths, self._count = lengths, count

    @property
    def parts(self) -> list[Any]:
        return [
            *(self._about, self._tabs, self._label, self._sort, self._rows, self._page),
            *(self._words, self._split, *self._tokens),
            *(part for _, _, drawn, _ in self._sections for part in drawn),
        ]

    def unchanged(self) -> list[Any]:
        return [gr.skip()] * len(self.parts)

    def opened(self, key: str, bring: Callable[[Workspace], Data] | None) -> list[Any]:
        """Values of `parts` for what is worked on; the example set where nothing is yet."""
        try:
            workspace = self._tour.lab.workspaces.open(key)
            data = bring(workspace) if bring else self._tour.lab.data(workspace) or intake.shipped(workspace)
            shown = figures.about(data, explore.features(data))
            page = figures.rows(explore.page(data, Query()), data, "")
        except TourError as error:
            return [str(status.problem(error.message)), *self.unchanged()[1:]]
        labels = [("all", -1), *((label, code) for code, label in enumerate(data.about.labels))]
        columns = [("the order of the file", NONE), ("length", LENGTH)]
        # Not the bare name: Gradio would take one such as "label" for a word of its own to translate.
        columns += [(f"column {one.name}", one.name) for one in explore.features(data)]
        return [
            *(str(shown), gr.Tabs(selected="rows")),
            *(gr.Dropdown(labels, value=-1), gr.Dropdown(columns, value=NONE), str(page), 0),
            *("", "all", *chart.shown(None)),
            *(value for _, _, _, show in self._sections for value in show(Markup())),
        ]

    def wire(self) -> None:
        asked = [self._key, self._words, self._label, self._split, self._sort, self._down]

        def turn(by: int | None) -> Callable[..., list[Any]]:
            def show(
                key: str, words: str, label: int, split: str, sort: str, down: bool, page: int
            ) -> list[Any]:
                query = Query(
                    words=words[:200],
                    label=None if label in (None, -1) else int(label),
                    split=None if split == "all" else split,
                    sort=sort or "",
                    descending=bool(down),
                    page=0 if by is None else int(page) + by,
                )

                def draw(data: Data) -> list[Any]:
                    found = explore.page(data, query)
                    return [str(figures.rows(found, data, query.words.strip() and query.words)), found.page]

                return self._with(key, draw, lambda said: [str(said), gr.skip()])

            return show

        live = {**QUIET, "trigger_mode": "always_last"}
        gr.on(
            [self._words.change, self._label.input, self._split.input, self._sort.input, self._down.input],
            turn(None),
            [*asked, self._page],
            [self._rows, self._page],
            **live,
        )
        for button, by in ((self._before, -1), (self._after, 1)):
            button.click(turn(by), [*asked, self._page], [self._rows, self._page], **QUIET)
        for section, draw, drawn, show in self._sections:
            shows, event = self._section(draw, show), {**QUIET, "show_progress": "minimal"}
            section.select(shows, self._key, list(drawn), **event)
        tokens = list(self._tokens)
        self._count.click(self._counting, [self._key, self._model], tokens, **READING)
        self._lengths.select(self._counted, [self._key, self._model], tokens, **QUIET)

    def _section(self, draw: Callable[[Data], Any], show: Show) -> Callable[[str], list[Any]]:
        return lambda key: self._with(key, lambda data: show(draw(data)), show)

    def _with(self, key: str, work: Callable[[Data], list[Any]], show: Show) -> list[Any]:
        """What `work` makes of the data set, or why there is none."""
        try:
            data = self._tour.lab.data(self._tour.lab.workspaces.open(key))
            return work(data) if data else show(Markup())
        except TourError as error:
            return show(status.problem(error.message))

    def _counted(self, key: str, model: str) -> list[Any]:
        """Tokens at once if their tokenizer is there already; nothing is fetched unasked."""
        if self._tour.runner.tokenizers.ready(model) is None:
            return chart.shown(None)
        return self._with(key, lambda data: chart.shown(self._drawn_tokens(data, model)), chart.shown)

    def _counting(self, key: str, model: str) -> Iterator[list[Any]]:
        try:
            for stage in self._tour.runner.tokenizers.wait(model):
                yield chart.shown(status.progress(stage.words, stage.share))
        except TourError as error:
            yield chart.shown(status.problem(error.message))
            return
        yield chart.shown(status.progress("Counting", None))
        yield self._counted(key, model)

    def _drawn_tokens(self, data: Data, model: str) -> Chart | Markup:
        tokenizers = self._tour.runner.tokenizers
        rows, counts = explore.tokens(data, tokenizers.get(model))
        if not len(rows):
            return status.hint("There are no texts to count.")
        title = self._tour.registry.describe(model).title
        drawn = figures.lengths(
            explore.boxes(data, rows, counts), "tokens", tokenizers.limit(model), f"Tokens of {title}"
        )
        usable = int((data.split_codes != UNUSED).sum())
        if len(rows) < usable:
            counted = f"Counted for {len(rows):,} of {usable:,} texts, taken at even distances."
            return replace(drawn, said=drawn.said + status.hint(counted))
        return drawn


def _alone(said: Markup) -> list[Any]:
    """Values for a section that is one piece of HTML."""
    return [str(said)]


def _classes(data: Data) -> Chart:
    return figures.classes(data.about.labels, explore.counts(data).tolist())


def _words(data: Data) -> Chart:
    rows = np.flatnonzero(data.split_codes != UNUSED)
    return figures.lengths(explore.boxes(data, rows, explore.words(data)[rows]), "words", None, "Words")


def _hint(words: str) -> None:
    gr.HTML(str(status.hint(words)))


def put(work: Generator[T, None, Any], keep: Callable[[Any], object]) -> Iterator[T]:
    """The steps of `work`, and what it returns to `keep`."""
    keep((yield from work))
