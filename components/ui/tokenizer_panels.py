"""What the tokenizers page shows below the lanes: families, the pipeline, tensors, training, transplants."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

from components import javascript, texts
from components.figures import status, tokens
from components.figures.markup import Markup
from components.insight import families, merges, steps, tensors
from components.models import disk
from components.models.checkpoint import Head
from components.models.errors import Code, TourError
from components.models.status import State
from components.models.tokenizer import Tokenizer
from components.models.tokenizers import TRAINED
from components.tasks.fields import validate
from components.tasks.snippet import tokenizer_snippet
from components.tasks.task import Progress
from components.tasks.tokenize import MOST, TOOL, Inputs, brought
from components.training import tokenizers as training
from components.ui import api_samples
from components.ui.code_box import code_box
from components.ui.page import Tour
from components.ui.slots import QUIET

TEXTS = texts.beside(__file__)

FIRST = 5000  # characters that the panels work on; the lanes take the whole text
SENTENCES = TEXTS["tensors.sentences"]
MOST_SENTENCES = 12

# One queue for all: none of this needs the device, but some of it a download.
QUEUED: dict[str, Any] = {
    "show_progress": "hidden",
    "concurrency_id": "tokenizers",
    "concurrency_limit": 4,
    "api_visibility": "private",
}
# The lanes take the whole text; sending it to Gradio at every key would keep them waiting.
SHORTENED = javascript.call("typing", "shortened", FIRST + 1)

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Live:
    """A tab whose figure follows what is typed. `draw` takes a text, tokenizers by id, what is in `more`."""

    tab: gr.Tab
    text: gr.Textbox
    more: Sequence[Any]
    figure: gr.HTML
    draw: Callable[..., Markup]


def follow(tour: Tour, lanes: gr.HTML, text: gr.Textbox, picked: gr.Dropdown, panels: Sequence[Live]) -> None:
    """Draws the tab that is open: when it is opened, whenever something it depends on changes, and when the
    lanes say that a tokenizer has come. Nothing of it is queued: a page that is left while a queued event is
    under way complains on the console."""
    opened = gr.State(0)
    own = [panel.text for panel in panels if panel.text is not text]
    more = [box for panel in panels for box in panel.more]

    def run(opened: int, text_typed: str, picked: Sequence[str], *rest: Any) -> list[Any]:
        values = dict(zip([*own, *more], rest, strict=True))
        panel = panels[opened]
        form_values = text_typed if panel.text is text else values[panel.text]
        figure = _drawn(tour, panel, form_values, picked, [values[box] for box in panel.more])
        return [figure if each is panel else gr.skip() for each in panels]

    came: Any = lanes
    inputs = [opened, text, picked, *own, *more]
    figures = [panel.figure for panel in panels]
    live: dict[str, Any] = {**QUIET, "trigger_mode": "always_last", "js": SHORTENED}
    gr.on([box.change for box in inputs[1:]], run, inputs, figures, **live)
    came.ready(run, inputs, figures, **live)
    for index, panel in enumerate(panels):
        panel.tab.select(partial(int, index), None, opened, **QUIET).then(run, inputs, figures, **live)


def _drawn(tour: Tour, panel: Live, text: str, picked: Sequence[str], more: Sequence[Any]) -> str:
    """The figure; while a tokenizer is fetched how far it is, and an error in the figure's place."""
    if not text:
        return str(status.hint("Type some text above."))
    try:
        inputs = validate(Inputs, {"text": text[:FIRST], "tokenizers": list(picked)})
        found: dict[str, Tokenizer] = {}
        for id in inputs.tokenizers:
            for step in _bring(tour, id, found):
                return str(status.progress(step.stage, step.share))
        cut = status.hint(f"Of the first {FIRST:,} characters.") if len(text) > FIRST else Markup()
        return str(panel.draw(inputs.text, found, *more) + cut)
    except TourError as error:
        return str(status.problem(error.message))


def families_panel(text: gr.Textbox) -> Live:
    with gr.Tab("Three families", id="families") as tab:
        gr.HTML(str(status.hint(TEXTS["families.about"])))
        word = gr.Textbox(
            "flabbergastingly",
            label="A word it has never seen",
            info=TEXTS["families.word"],
            max_length=100,
            elem_id="tokenizers-word",
        )
        figure = gr.HTML(elem_id="tokenizers-families", elem_classes="token-figure")

    def draw(text: str, found: dict[str, Tokenizer], word: str) -> Markup:
        return tokens.three_families(families.families(text, word[:100], found), word[:100])

    return Live(tab=tab, text=text, more=[word], figure=figure, draw=draw)


def steps_panel(text: gr.Textbox) -> Live:
    with gr.Tab("Step by step", id="steps") as tab:
        gr.HTML(str(status.hint(TEXTS["steps.about"])))
        figure = gr.HTML(elem_id="tokenizers-steps", elem_classes="token-figure")

    def draw(text: str, found: dict[str, Tokenizer]) -> Markup:
        return tokens.pipeline_steps(steps.pipeline(next(iter(found.values())), text))

    return Live(tab=tab, text=text, more=[], figure=figure, draw=draw)


def tensors_panel() -> Live:
    with gr.Tab("Tensors", id="tensors") as tab:
        gr.HTML(str(status.hint(TEXTS["tensors.about"])))
        with gr.Row(equal_height=False):
            sentences = gr.Textbox(
                SENTENCES, label="Texts", info="One per line.", lines=4, elem_id="tokenizers-sentences"
            )
            with gr.Column():
                longest = gr.Slider(3, 48, 10, step=1, label="Max length", elem_id="tokenizers-longest")
                sides = ["right", "left"]
                padding = gr.Radio(sides, value="right", label="Padding side", elem_id="tokenizers-padding")
                truncation = gr.Radio(sides, value="right", label="Truncation side", elem_id="tokenizers-cut")
        figure = gr.HTML(elem_id="tokenizers-tensors", elem_classes="token-figure")

    def draw(text: str, found: dict[str, Tokenizer], longest: int, padding: Any, truncation: Any) -> Markup:
        texts = [line for line in text.splitlines() if line.strip()]
        if not texts:
            return status.hint("Write at least one line of text above.")
        if len(texts) > MOST_SENTENCES:
            raise TourError(
                Code.TOO_LONG, TEXTS["tensors.too_many"].format(count=len(texts), most=MOST_SENTENCES)
            )
        tokenizer = next(iter(found.values()))
        made = tensors.batch(tokenizer, texts, longest=int(longest), padding=padding, truncation=truncation)
        vectors = tensors.one_hot(tokenizer, texts[0], int(longest))
        return tokens.tensor(made, texts) + tokens.one_hot_matrix(vectors, tokenizer.size)

    return Live(tab=tab, text=sentences, more=[longest, padding, truncation], figure=figure, draw=draw)


def training_panel(tour: Tour, text: gr.Textbox, picked: gr.Dropdown) -> None:
    """A tokenizer that was trained is picked above, where it can be compared with the others."""
    with gr.Tab("Train your own", id="train"):
        with gr.Row(equal_height=False):
            with gr.Column():
                corpus = gr.Textbox(
                    label="Text to learn from",
                    info=TEXTS["training.corpus"],
                    lines=6,
                    max_lines=6,
                    elem_id="tokenizers-corpus",
                )
                file = gr.File(
                    label=TEXTS["training.file"],
                    file_types=["text", ".md", ".csv", ".tsv", ".jsonl"],
                    height=150,
                    elem_id="tokenizers-file",
                )
            with gr.Column():
                algorithm = gr.Dropdown(
                    list(training.ALGORITHMS),
                    value="byte-level BPE",
                    label="Algorithm",
                    info=TEXTS["training.algorithm"],
                    elem_id="tokenizers-algorithm",
                )
                size = gr.Slider(
                    training.SMALLEST,
                    training.LARGEST,
                    1000,
                    step=10,
                    label="Entries of the vocabulary",
                    elem_id="tokenizers-size",
                )
                word = gr.Textbox(
                    "tokenization",
                    label="Watch this word being put together",
                    info="With byte-level BPE.",
                    max_length=60,
                    elem_id="tokenizers-watch",
                )
                with gr.Row(elem_classes="actions"):
                    start = gr.Button("Train", variant="primary", elem_id="tokenizers-train", scale=2)
                    stop = gr.Button("Stop", elem_id="tokenizers-stop", scale=1)
        download = gr.DownloadButton("Download it", visible=False, elem_id="tokenizers-download")
        figure = gr.HTML(elem_id="tokenizers-trained", elem_classes="token-figure")

    def train(
        corpus: str, path: str | None, algorithm: Any, size: int, word: str, text: str, picked: list[str]
    ) -> Iterator[list[Any]]:
        skipped = [gr.skip(), gr.skip()]
        learning = status.progress(f"Learning {size:,} entries", None)
        yield [str(learning), *skipped]
        try:
            learned: list[Tokenizer] = []
            work = training.train(_corpus(tour, corpus, path), algorithm, int(size))
            with closing(work):
                for _ in _put(work, learned.append):
                    yield [str(learning), *skipped]
            [tokenizer] = learned
            id = tour.runner.tokenizers.add(tokenizer)
            together = [id, *(each for each in picked if not each.startswith(TRAINED))][:MOST]
            found: dict[str, Tokenizer] = {}
            for each in together:
                for step in _bring(tour, each, found):
                    yield [str(status.progress(step.stage, step.share)), *skipped]
            name, content = tokenizer.file()
            # In the folder that Gradio serves to whoever knows the name, and empties after an hour.
            target = tour.files.new(name)
            with disk.explained("the tokenizer could not be kept"):
                target.write_bytes(content)
        except TourError as error:
            yield [str(status.problem(error.message)), gr.DownloadButton(visible=False), gr.skip()]
            return
        yield [
            str(_trained(id, found, int(size), text[:FIRST], word)),
            gr.DownloadButton(value=target, label=f"Download {name}", visible=True),
            gr.Dropdown(value=together),
        ]

    running = start.click(
        train,
        [corpus, file, algorithm, size, word, text, picked],
        [figure, download, picked],
        **{**QUEUED, "concurrency_id": "tokenizer-training", "concurrency_limit": 2},
    )
    stop.click(
        lambda: str(status.hint("Stopped.")),
        None,
        figure,
        cancels=running,
        **QUIET,
    )


def _bring(tour: Tour, id: str, into: dict[str, Tokenizer]) -> Iterator[Progress]:
    """Puts a tokenizer among others, once it is there."""
    return _put(brought(tour.runner.tokenizers, id), partial(into.__setitem__, id))


def _put(work: Generator[T, None, R], put: Callable[[R], None]) -> Iterator[T]:
    """The steps of `work`, which hands over what it returns."""
    put((yield from work))


def _corpus(tour: Tour, form_values: str, path: str | None) -> str:
    """What was pasted, else the file's text, else the model cards that the app comes with."""
    if form_values.strip():
        return form_values
    if path is None:
        embedded = (one for one in tour.registry.catalog if one.embedded and one.body is not None)
        return "\n".join(map(tour.registry.card, embedded))
    if Path(path).stat().st_size > 4 * training.LARGEST_TEXT:
        raise TourError(Code.TOO_LONG, "The file is larger than 8 MB. Take a part of it.", "file")
    try:
        return Path(path).read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TourError(Code.INVALID_INPUT, TEXTS["training.not_utf8"], "file") from error


def _trained(id: str, found: dict[str, Tokenizer], size: int, text: str, word: str) -> Markup:
    tokenizer = found[id]
    counts = {
        ("yours" if each == id else each): (len(one.encode(text, special=False)), one.size)
        for each, one in found.items()
    }
    growth = tokenizer.growth()
    parts = [
        status.notes(training.remarks(tokenizer, size)),
        status.hint(TEXTS["training.picked"].format(size=tokenizer.size, id=id)),
        tokens.compared(counts, len(text)),
    ]
    if growth.merges and word.strip():
        ranks = {pair: rank for rank, pair in enumerate(growth.merges)}
        [first, *_] = tokenizer.pre_tokens(tokenizer.normalized(word[:60].strip()))
        parts.append(tokens.word_merges(word[:60], list(first), merges.merging(first, ranks), tokenizer))
    return Markup("").join([*parts, tokens.vocabulary_growth(growth, tokenizer)])


def transplant_panel(tour: Tour, text: gr.Textbox, picked: gr.Dropdown) -> None:
    suitable = [
        one
        for one in tour.registry.catalog.for_task("text_classification")
        if one.head is Head.SEQUENCE_CLASSIFICATION
    ]
    with gr.Tab("Under a model", id="transplant"):
        gr.HTML(str(status.hint(TEXTS["transplant.about"])))
        with gr.Row(equal_height=False):
            model = gr.Dropdown(
                [(one.title, one.id) for one in suitable],
                value=tour.registry.catalog.default("text_classification", "embedded").id,
                label="Model",
                elem_id="tokenizers-model",
            )
            start = gr.Button("Predict with each tokenizer", variant="primary", elem_id="tokenizers-predict")
        figure = gr.HTML(elem_id="tokenizers-transplant", elem_classes="token-figure")

    def predict(text: str, picked: list[str], model: str) -> Iterator[str]:
        yield str(status.progress("Starting", None))
        try:
            inputs = validate(Inputs, {"text": text[:FIRST], "tokenizers": list(picked)})
            checkpoint = tour.registry.catalog[model]
            found: dict[str, Tokenizer] = {}
            for id in (model, *inputs.tokenizers):
                for step in _bring(tour, id, found):
                    yield str(status.progress(step.stage, step.share))
            for state in tour.registry.wait(model):
                if state.state is not State.READY:
                    yield str(status.progress(state.stage, state.share))
            from components.insight.transplant import readings

            own = found.pop(model)
            titles = {f"{checkpoint.title}, its own": own}
            titles |= {id: other for id, other in found.items() if other is not own}
            with tour.registry.lease(model) as loaded:
                steps = tour.runner.execute(loaded, readings, own, titles, inputs.text)
                predicted = dict(step for step, _ in steps)
            yield str(tokens.transplanted(predicted))
        except TourError as error:
            yield str(status.problem(error.message))

    start.click(predict, [text, picked, model], figure, **QUEUED)


def code_panel(tour: Tour, text: gr.Textbox, picked: gr.Dropdown) -> None:
    """Follows when the text is left, so that what is copied is what is seen."""
    with gr.Tab("Code and API", id="code") as tab:
        code = code_box(None, label=TEXTS["code.label"], language="python", elem_id="tokenizers-code")
        api = code_box(
            None,
            label="This request over HTTP, gradio_client and MCP",
            language="shell",
            elem_id="tokenizers-api",
        )

    def write(text: str, picked: list[str]) -> list[str]:
        try:
            validate(Inputs, {"text": text, "tokenizers": picked})
            source = tour.runner.tokenizers.source(picked[0])
        except TourError as error:
            return [f"# {error.message}", ""]
        return [
            TEXTS["code.trained"] if source is None else tokenizer_snippet(source, text),
            api_samples.calls(TOOL, {"text": text, "tokenizers": picked}, tour.origin),
        ]

    gr.on(
        [tab.select, text.blur, picked.change],
        write,
        [text, picked],
        [code, api],
        **QUIET,
    )
