"""Text classification: sentiment and emotions."""

from __future__ import annotations

import json

from components import texts
from components.figures import answers, reliability, status
from components.figures.chart import Chart
from components.figures.markup import Markup
from components.models.checkpoint import Checkpoint, RepoSource
from components.models.sources import folder
from components.tasks.text_classification import TASK
from components.ui.inspection import Inspection
from components.ui.page import Json, TaskPage, TextInput

TEXTS = texts.beside(__file__)


def teaser(request: Json, answer: Json) -> Markup:
    best = answer["labels"][0]
    return answers.teaser(
        Markup("{} <strong>→ {}</strong>").format(request["text"], best["label"]),
        answers.score(best["score"]),
    )


def scored(answer: Json) -> dict[str, float]:
    return {one["label"]: one["score"] for one in answer["labels"]}


def summary(answer: Json) -> list[str]:
    return list(answer["chosen"])


def trust(checkpoint: Checkpoint) -> Chart | Markup:
    """From the figures that lie beside weights that were trained here."""
    if isinstance(checkpoint.source, RepoSource):
        figures = folder.place(checkpoint.source) / "evaluation.json"
        if figures.is_file() and (measured := json.loads(figures.read_text("utf-8"))).get("reliability"):
            said = TEXTS["trust.measured"].format(split=measured["split"])
            return reliability.diagram({"as trained": measured["reliability"]}, status.hint(said))
    return status.hint(TEXTS["trust.unmeasured"])


def inspection(request: Json, answer: Json) -> Inspection:
    return Inspection(text=request["text"], target=answer["labels"][0]["label"] if answer["labels"] else "")


PAGE = TaskPage(
    slug="text-classification",
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    task=TASK,
    inputs={"text": TextInput(lines=5), "text_pair": TextInput(lines=1)},
    draw=answers.classification,
    teaser=teaser,
    summary=summary,
    scored=scored,
    trust=trust,
    compared="distilbert/distilbert-base-uncased-finetuned-sst-2-english",
    run_label=TEXTS["run"],
    inspection=inspection,
)
