"""Text classification: sentiment and emotions."""

from __future__ import annotations

import json

from components.figures import answers, reliability, status
from components.figures.chart import Chart
from components.figures.markup import Markup
from components.models.checkpoint import Checkpoint, RepoSource
from components.models.sources import folder
from components.tasks.text_classification import TASK
from components.ui.inspection import Inspection
from components.ui.page import Json, TaskPage, TextInput


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
            said = (
                "A score is the network's own number, not a probability. If it were one, the columns would "
                f"reach the dashed line. Measured on {measured['split']}."
            )
            return reliability.diagram({"as trained": measured["reliability"]}, status.hint(said))
    return status.hint("Not measured for this checkpoint: its scores may promise too much or too little.")


def inspection(request: Json, answer: Json) -> Inspection:
    return Inspection(text=request["text"], target=answer["labels"][0]["label"] if answer["labels"] else "")


PAGE = TaskPage(
    slug="text-classification",
    nav="Classification",
    title="Text classification",
    sentence="Is a review glad or annoyed, and which feelings speak from it? A score for every label.",
    task=TASK,
    inputs={"text": TextInput(lines=5), "text_pair": TextInput(lines=1)},
    draw=answers.classification,
    teaser=teaser,
    summary=summary,
    scored=scored,
    trust=trust,
    compared="distilbert/distilbert-base-uncased-finetuned-sst-2-english",
    run_label="Classify",
    inspection=inspection,
)
