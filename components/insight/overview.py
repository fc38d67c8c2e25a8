"""One text through everything: what each task, and each look inside a model, makes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass as fields
from pydantic_core import PydanticCustomError

from components.insight import attention, attribution, layers
from components.models.errors import TourError
from components.tasks import (
    fill_mask,
    named_entities,
    question_answering,
    sentence_similarity,
    summarization,
    table_question_answering,
    text_classification,
    text_generation,
    tokenize,
    translation,
    zero_shot_classification,
)
from components.tasks.fields import STRICT, Grid, OptionalText, Text
from components.tasks.sentences import sentences
from components.tasks.task import Answer, Finding, Operation, Progress, Tool
from components.texts import in_folder

if TYPE_CHECKING:
    from components.tasks.runner import Runner

TEXTS = in_folder(__file__)

LONGEST = 3_000  # characters
MOST_SENTENCES = 12  # that are asked for their verdict
LETTER = TEXTS["letter"]

ORDERS = {
    "columns": ["order", "item", "price", "days"],
    "rows": [
        ["1041", "red bicycle", "340", "2"],
        ["1042", "bell", "12", "1"],
        ["1043", "helmet", "55", "4"],
        ["1044", "lock", "38", "1"],
    ],
}

NAMES = (
    "tokens",
    "attention",
    "layers",
    "sentiment",
    "entities",
    "answer",
    "table",
    "emotions",
    "summary",
    "similar",
    "topics",
    "attribution",
    "next_word",
    "translation",
    "gap",
)


def _known(names: list[str]) -> list[str]:
    for name in names:
        if name not in NAMES:
            raise PydanticCustomError(
                "part", "has no {name}; choose from {names}", {"name": name, "names": ", ".join(NAMES)}
            )
    return names


@fields(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    text: Annotated[
        Text, Field(max_length=LONGEST, title="Text", description="A letter, a review, a few sentences.")
    ]
    question: Annotated[
        Text, Field(max_length=500, title="Question", description="Question to answer from the text.")
    ] = "Where was it?"
    labels: Annotated[
        list[Annotated[Text, Field(max_length=100)]],
        Field(
            min_length=2,
            max_length=8,
            title="Topics",
            description="Possible topics of the text.",
            default_factory=lambda: ["complaint", "invitation", "recipe", "weather"],
        ),
    ]
    sentences: Annotated[
        list[Annotated[Text, Field(max_length=500)]],
        Field(
            min_length=1,
            max_length=8,
            title="Sentences",
            description="Sentences to compare with the text by meaning.",
            default_factory=lambda: [
                "The customer wants a refund.",
                "Cycling in the rain is good for you.",
                "The museum opens at nine.",
            ],
        ),
    ]
    gap: Annotated[
        OptionalText,
        Field(
            max_length=500,
            title="Sentence with a gap",
            description=TEXTS["gap"],
        ),
    ] = ""
    parts: Annotated[
        list[Annotated[Text, Field(max_length=20)]],
        AfterValidator(_known),
        Field(
            min_length=1,
            max_length=len(NAMES),
            title="Parts",
            description=f"Analyses to run, from {', '.join(NAMES)}. All if left out.",
            default_factory=lambda: list(NAMES),
        ),
    ]
    table: Annotated[
        Grid,
        Field(
            title="Table",
            description="Column names, and rows of as many cells each.",
            default_factory=lambda: ORDERS,
        ),
    ]
    table_question: Annotated[
        Text,
        Field(
            max_length=500,
            title="Question",
            description="What to look up, count or compare in the table.",
        ),
    ] = "How much did the red bicycle cost?"


@dataclass(frozen=True, kw_only=True)
class Overview:
    """`sentence` is the one of the text that says most clearly what the whole is felt to say: attention,
    attribution and next word are about it. `answers` has the answer of each part by its name, as that part's
    own operation gives it; `refused` says why a part gave none."""

    sentence: str
    answers: dict[str, Any]
    refused: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One thing made of the text, or of its sentence. `needs` is the input that it takes beside, if any."""

    name: str
    operation: Operation
    request: Callable[[Inputs, str], dict[str, Any]]
    needs: str = ""


def _text(given: Inputs, sentence: str) -> dict[str, Any]:
    return {"text": given.text}


def _sentence(given: Inputs, sentence: str) -> dict[str, Any]:
    return {"text": sentence, "model": "sentiment"}


# What the strip shows first, then the quick ones; what a decoder writes comes last.
PARTS = (
    Part(name="tokens", operation=tokenize.TOOL, request=_text),
    Part(
        name="attention",
        operation=attention.TASK,
        request=lambda given, sentence: {**_sentence(given, sentence), "layer": 2, "head": 5},
    ),
    Part(name="layers", operation=layers.TASK, request=_sentence),
    Part(name="sentiment", operation=text_classification.TASK, request=_text),
    Part(name="entities", operation=named_entities.TASK, request=_text),
    Part(
        name="answer",
        operation=question_answering.TASK,
        request=lambda given, sentence: {"question": given.question, "context": given.text},
        needs="question",
    ),
    Part(
        name="table",
        operation=table_question_answering.TASK,
        request=lambda given, sentence: {"table": given.table, "question": given.table_question},
        needs="table_question",
    ),
    Part(
        name="emotions",
        operation=text_classification.TASK,
        request=lambda given, sentence: {"text": given.text, "model": "emotions", "top_k": 4},
    ),
    Part(name="summary", operation=summarization.TASK, request=_text),
    Part(
        name="similar",
        operation=sentence_similarity.TASK,
        request=lambda given, sentence: {"source": given.text, "sentences": given.sentences},
        needs="sentences",
    ),
    Part(
        name="topics",
        operation=zero_shot_classification.TASK,
        request=lambda given, sentence: {"text": given.text, "labels": given.labels, "model": "entailment"},
        needs="labels",
    ),
    Part(
        name="attribution",
        operation=attribution.TASK,
        request=lambda given, sentence: {**_sentence(given, sentence), "task": "text_classification"},
    ),
    Part(
        name="next_word",
        operation=text_generation.TASK,
        request=lambda given, sentence: {
            "prompt": without_last_word(sentence),
            "mode": "plain",
            "max_new_tokens": 1,
            "temperature": 0.0,
            "alternatives": 5,
        },
    ),
    Part(
        name="translation",
        operation=translation.TASK,
        request=lambda given, sentence: {"text": given.text, "target": "de"},
    ),
    Part(
        name="gap",
        operation=fill_mask.TASK,
        request=lambda given, sentence: {"text": given.gap.strip() or with_gap(sentence), "top_k": 4},
        needs="gap",
    ),
)

Step = Progress | Answer[Any] | Finding[Any] | TourError


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a part tells while it is at work; the last report of a part is its whole answer, or why there is
    none. `request` is what its operation was asked."""

    part: Part
    request: Mapping[str, Any]
    step: Step


def reports(runner: Runner, inputs: Inputs, sentence: str) -> Generator[Report, None, None]:
    """One part after the other. Closing it frees the model that is at work."""
    for part in PARTS:
        if part.name not in inputs.parts:
            continue
        request = part.request(inputs, sentence)
        try:
            with closing(runner.answer(part.operation, request)) as work:
                for step in work:
                    yield Report(part=part, request=request, step=step)
        except TourError as error:
            yield Report(part=part, request=request, step=error)


def clearest(runner: Runner, text: str) -> str:
    """The sentence that says most clearly what the whole text is felt to say."""
    spans = [one.of(text) for one in sentences(text)][:MOST_SENTENCES] or [text.strip()]
    if len(spans) == 1:
        return spans[0]

    def verdicts(text: str) -> dict[str, float]:
        answer = runner.call(text_classification.TASK, {"text": text, "model": "sentiment"})
        return {one.label: one.score for one in answer.result.labels}

    whole = verdicts(text)
    label = max(whole, key=whole.__getitem__)
    return max(spans, key=lambda span: verdicts(span)[label])


def without_last_word(text: str) -> str:
    """What is left for a model to go on from."""
    return text.rsplit(maxsplit=1)[0] if len(text.split()) > 1 else text


def with_gap(text: str) -> str:
    """The text with a gap for its longest word, the first of several."""
    words = re.findall(r"[^\W\d_]+", text) or text.split()
    return text.replace(max(words, key=len), fill_mask.MASK, 1)


def run(runner: Runner, inputs: Inputs) -> Generator[Progress, None, Overview]:
    yield Progress("Looking for the clearest sentence", 0.0)
    sentence = clearest(runner, inputs.text)
    answers: dict[str, Any] = {}
    refused: dict[str, str] = {}
    for report in reports(runner, inputs, sentence):
        part, step = report.part, report.step
        done = PARTS.index(part) / len(PARTS)
        if isinstance(step, TourError):
            refused[part.name] = step.message
        elif isinstance(step, Progress):
            yield Progress(f"{part.operation.title}: {step.stage}", done)
        else:
            answers[part.name] = step.as_json()
            yield Progress(part.operation.title, done)
    return Overview(sentence=sentence, answers=answers, refused=refused)


TOOL = Tool(
    name="tour",
    title="Tour",
    about=TEXTS["about"],
    inputs=Inputs,
    result=Overview,
    run=run,
    stored=Path(__file__).parent / "examples" / "tour.json",
    example={"text": LETTER},
)
