"""The home page: one text through every task, a strip that runs through one model, and all pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import gradio as gr

from components.figures import overview as figures
from components.figures import status
from components.figures.markup import Markup, join
from components.insight import overview
from components.models.errors import TourError
from components.tasks.fields import InputField, input_fields, validate
from components.tasks.task import Answer, Finding, Progress
from components.ui import asking, chrome, links, slots
from components.ui.driver import Problem, driven
from components.ui.line import QUEUED, in_line
from components.ui.page import Json, ListInput, PlainPage, TaskPage, TextInput, Tour
from components.ui.slots import switches
from demos import examples

RUN = "Analyze"
STORED = status.hint("Stored answers. Change the text and press Analyze.")
# How each input is typed in.
BOXES: Mapping[str, TextInput] = {
    "text": TextInput(lines=5),
    "question": TextInput(lines=1),
    "table_question": TextInput(lines=1),
    "labels": ListInput(lines=1, separator=","),
    "sentences": ListInput(lines=3),
    "gap": TextInput(lines=1, placeholder="Your own, with [MASK]"),
}
FIELDS: Mapping[str, InputField] = {field.name: field for field in input_fields(overview.Inputs)}
PARTS: Mapping[str, overview.Part] = {part.name: part for part in overview.PARTS}


@dataclass(frozen=True, kw_only=True)
class Card:
    """Where the figure of a part stands, and the page that has more of it."""

    part: str
    title: str
    slug: str


CARDS = (
    Card(part="sentiment", title="Sentiment", slug="text-classification"),
    Card(part="entities", title="Who and where", slug="named-entities"),
    Card(part="answer", title="An answer", slug="question-answering"),
    Card(part="table", title="An answer from a table", slug="table-questions"),
    Card(part="summary", title="What matters", slug="summarization"),
    Card(part="translation", title="In German", slug="translation"),
    Card(part="emotions", title="Emotions", slug="text-classification"),
    Card(part="topics", title="What it is about", slug="zero-shot"),
    Card(part="similar", title="Nearest in meaning", slug="sentence-similarity"),
    Card(part="next_word", title="The next word", slug="text-generation"),
    Card(part="gap", title="A gap filled", slug="fill-mask"),
    Card(part="tokens", title="Tokens", slug="tokenizers"),
)
# Each stage of the strip leads to the page that has more of it.
STAGES: Mapping[str, str] = {
    "attention": "attention",
    "layers": "layers",
    "attribution": "attribution",
}


def build(tour: Tour, blocks: gr.Blocks) -> None:
    example = examples.load(overview.TOOL)[0]
    board = Board(tour.pages, validate(overview.Inputs, dict(example.payload)))
    opening = board.stored(example.answer)
    form_values = [BOXES[name].show(getattr(board.inputs, name)) for name in BOXES]
    with gr.Column(elem_classes="tour-board"):
        with gr.Column(elem_classes="tour-asking"):
            text = BOXES["text"].component(FIELDS["text"], form_values[0], "home-text")
            actions = slots.actions("home", RUN, "stop-run")
            run, stop = actions.run, actions.stop
        said = gr.HTML(STORED, elem_classes="status")
        strip = gr.HTML(opening[0], elem_id="home-strip", elem_classes="home-strip")
        boxes, places = [text], []
        with gr.Row(elem_classes="made-cards"):
            for card, figure in zip(CARDS, opening[1:], strict=True):
                with gr.Column(elem_classes="made", elem_id=f"home-{card.part}"):
                    places.append(gr.HTML(figure, elem_id=f"home-{card.part}-result"))
                    if needs := PARTS[card.part].needs:
                        boxes.append(line(needs, form_values[list(BOXES).index(needs)]))
    names = _names()
    outputs = [strip, *places, said, run, stop]

    def answer(*values: Any) -> Iterator[list[Any]]:
        skipped = [gr.skip()] * (len(CARDS) + 1)
        yield [*skipped, str(status.progress("Starting", None)), *switches(running=True)]
        for change in analyze(tour, values):
            yield [*change, gr.skip(), gr.skip()]
        yield [*skipped, gr.skip(), *switches(running=False)]

    def waiting(progress: str) -> list[Any]:
        return [*[gr.skip()] * (len(CARDS) + 1), progress, *switches(running=True)]

    running = gr.on([run.click, text.submit], in_line(tour.line, answer, waiting), boxes, outputs, **QUEUED)

    slots.stops(actions, [running], said, words="Stopped. What is there stays.")
    # A link leaves out what stays as it opens.
    defaults = dict(zip(list(BOXES)[1:], form_values[1:], strict=True))

    def restore(request: gr.Request) -> list[Any]:
        query = dict(request.query_params)
        if not query.keys() & set(names):
            return [gr.skip()] * (len(names) + 1)
        shown = dict(zip(BOXES, form_values, strict=True)) | query
        return [*(shown[name] for name in names), str(status.hint(links.filled_in(query)))]

    slots.linked(blocks, actions, boxes, names, defaults, restore, [*boxes, said])
    all_pages(tour)


def first_paint(built: Mapping[str, Any]) -> Markup:
    """Text, strip and cards as HTML: what is seen until Gradio has built the page.

    `built` are its components by their ids.
    """
    cards = [
        Markup('<div class="made">{}{}</div>').format(
            Markup(built[f"home-{card.part}-result"].value),
            Markup('<span class="field line"></span>') if PARTS[card.part].needs else "",
        )
        for card in CARDS
    ]
    return Markup(
        '{}<div class="field actions"></div>{}<div class="home-strip">{}</div>'
        '<div class="made-cards">{}</div>'
    ).format(
        chrome.asked(FIELDS["text"].title, built["home-text"].value),
        STORED,
        Markup(built["home-strip"].value),
        join(cards),
    )


def line(name: str, value: str) -> gr.Textbox:
    """What a card takes beside the text."""
    kind = BOXES[name]
    return gr.Textbox(
        value,
        label=FIELDS[name].title,
        lines=kind.lines,
        max_lines=8,
        placeholder=kind.placeholder,
        elem_id=f"home-{name}",
        elem_classes="line",
    )


@dataclass(frozen=True)
class Board:
    """What the strip and the cards show of one request."""

    pages: Sequence[TaskPage | PlainPage]
    inputs: overview.Inputs

    def stored(self, answer: Json) -> list[Markup]:
        """Strip and cards of a whole answer."""
        sentence, answers = answer["sentence"], answer["answers"]
        return [
            self.strip(sentence, answers),
            *(
                self.card(card, PARTS[card.part].request(self.inputs, sentence), answers[card.part])
                for card in CARDS
            ),
        ]

    def strip(self, sentence: str, answers: Mapping[str, Json]) -> Markup:
        ways = join(
            Markup('<a href="{}">{}</a>').format(
                self.link(slug, PARTS[part].request(self.inputs, sentence)), self._page(slug).title
            )
            for part, slug in STAGES.items()
        )
        return self._belonging(
            figures.strip(sentence, answers)
            + Markup('<p class="ways">“{}” on its way through MiniLM. More: {}</p>').format(sentence, ways)
        )

    def card(self, card: Card, request: Json, answer: Json) -> Markup:
        took = status.took(answer) if "seconds" in answer and not answer.get("cached") else Markup("")
        return self._belonging(
            self._head(card, self.link(card.slug, request), took) + figures.card(card.part, request, answer)
        )

    def waiting(self, card: Card, words: str) -> Markup:
        """A card before its answer."""
        state = Markup('<span class="fact">{}</span>').format(words)
        return self._head(card, f"./{card.slug}", state) + Markup('<span class="skeleton"></span>')

    def refused(self, card: Card, message: str) -> Markup:
        return self._belonging(self._head(card, f"./{card.slug}", Markup()) + status.problem(message))

    def link(self, slug: str, request: Json) -> str:
        """The page with this very request; empty boxes where it is too long for an address."""
        page = self._page(slug)
        inputs = page.inputs if isinstance(page, TaskPage) else {}
        shown = {
            name: inputs[name].show(value) if name in inputs else str(value)
            for name, value in request.items()
        }
        link = links.page_link(slug, **shown, run="1")
        return link if len(link) <= links.LONGEST_LINK else f"./{slug}"

    def _page(self, slug: str) -> TaskPage | PlainPage:
        return next(page for page in self.pages if page.slug == slug)

    def _head(self, card: Card, link: str, state: Markup) -> Markup:
        return Markup('<h3><a href="{}">{}</a></h3><p class="state">{} {}</p>').format(
            link, card.title, self._page(card.slug).nav, state
        )

    def _belonging(self, figure: Markup) -> Markup:
        return asking.belonging(figure, self._typed)

    @property
    def _typed(self) -> list[str]:
        return [BOXES[name].show(getattr(self.inputs, name)) for name in _names()]


def _names() -> list[str]:
    """Inputs in the order in which the page has their boxes."""
    return ["text", *(needs for card in CARDS if (needs := PARTS[card.part].needs))]


def analyze(tour: Tour, values: Sequence[str]) -> Iterator[list[Any]]:
    """Strip, cards and status line as answers come; what has not changed is skipped."""
    keep: list[Any] = [gr.skip()] * (len(CARDS) + 1)
    for step in driven("the tour", lambda: _analyzed(tour, values, keep)):
        if isinstance(step, Problem):
            yield [*keep, str(step.figure)]
            return
        yield step
    yield [*keep, str(status.hint("Done. Open a card to continue with this text."))]


def _analyzed(tour: Tour, values: Sequence[str], keep: Sequence[Any]) -> Iterator[list[Any]]:
    payload = {name: BOXES[name].parse(value or "") for name, value in zip(_names(), values, strict=True)}
    inputs = validate(overview.Inputs, payload)
    board = Board(tour.pages, inputs)
    waiting = [board.waiting(card, "waiting") for card in CARDS]
    yield [gr.skip(), *waiting, str(status.progress("Looking for the clearest sentence", 0.0))]
    sentence = overview.clearest(tour.runner, inputs.text)
    answers: dict[str, Json] = {}
    yield [board.strip(sentence, answers), *keep[1:], gr.skip()]
    for report in overview.reports(tour.runner, inputs, sentence):
        change = list(keep)
        part, step = report.part, report.step
        done, most = overview.PARTS.index(part), len(overview.PARTS)
        line = str(status.progress(f"{done} of {most} done: {part.operation.title}", done / most))
        if isinstance(step, Answer | Finding):
            answers[part.name] = step.as_json()
        if part.name in STAGES and part.name in answers:
            change[0] = board.strip(sentence, answers)
        for place, card in enumerate(CARDS, 1):
            if card.part == part.name:
                change[place] = _shown(board, card, report)
        yield [*change, line]


def _shown(board: Board, card: Card, report: overview.Report) -> Markup:
    step = report.step
    if isinstance(step, TourError):
        return board.refused(card, step.message)
    if isinstance(step, Progress):
        return board.waiting(card, step.stage)
    return board.card(card, report.request, step.as_json())


def all_pages(tour: Tour) -> None:
    groups = groupby(tour.pages, key=lambda page: page.group)
    gr.HTML(
        join(
            Markup("<section><h2>{}</h2><ul>{}</ul></section>").format(
                group, join(page_card(page, tour) for page in pages)
            )
            for group, pages in groups
        ),
        elem_classes="cards",
    )


def page_card(page: TaskPage | PlainPage, tour: Tour) -> Markup:
    if isinstance(page, TaskPage):
        example = tour.examples[page.task.name][0]
        result = page.teaser(example.payload, example.answer)
    else:
        result = page.teaser
    if result:
        result = Markup('<span class="card-result">{}</span>').format(result)
    return Markup(
        '<li><a href="./{slug}"><span class="card-title">{title}</span>'
        '<span class="card-sentence">{sentence}</span>{result}</a></li>'
    ).format(slug=page.slug, title=page.title, sentence=page.sentence, result=result)
