"""Translation: sentence by sentence into another language."""

from __future__ import annotations

from collections.abc import Sequence

from components import texts
from components.figures import answers, translations
from components.figures.markup import Markup
from components.models.checkpoint import Checkpoint
from components.tasks.languages import LANGUAGES, name
from components.tasks.translation import TASK
from components.ui.choices import ChoiceInput
from components.ui.inspection import Inspection
from components.ui.page import Json, TaskPage, TextInput

TEXTS = texts.beside(__file__)

SHOWN = 12


def teaser(request: Json, answer: Json) -> Markup:
    return answers.teaser(
        Markup("{} <strong>→</strong> {}").format(*map(_shortened, (request["text"], answer["translation"])))
    )


def _shortened(text: str) -> str:
    words = text.split()
    return " ".join(words[:SHOWN]) + (" …" if len(words) > SHOWN else "")


def summary(answer: Json) -> list[str]:
    return [one["translation"] for one in answer["segments"]]


def targets(checkpoint: Checkpoint) -> Sequence[str]:
    """Of two languages the second; of more, any."""
    return checkpoint.languages[1:] if len(checkpoint.languages) == 2 else checkpoint.languages


def inspection(request: Json, answer: Json) -> Inspection:
    return Inspection(text=request["text"], pair=answer["translation"], beside=request["target"])


PAGE = TaskPage(
    slug="translation",
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    task=TASK,
    inputs={
        "text": TextInput(lines=8),
        "target": ChoiceInput(titles={code: name(code) for code in LANGUAGES}, possible=targets),
    },
    draw=translations.translation,
    teaser=teaser,
    summary=summary,
    run_label=TEXTS["run"],
    inspection=inspection,
)
