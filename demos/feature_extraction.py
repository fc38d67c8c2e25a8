"""Feature extraction: texts as vectors."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from components import templates, texts
from components.figures import answers
from components.figures.markup import Markup
from components.tasks.counted import counted
from components.tasks.feature_extraction import TASK
from components.ui.inspection import Inspection
from components.ui.page import Json, ListInput, TaskPage

TEXTS = texts.beside(__file__)
FILL = templates.beside(__file__)

# Of positive and of negative numbers; they are told apart by every kind of colour vision.
POSITIVE, NEGATIVE = (13, 116, 184), (214, 110, 14)


def draw(request: Json, answer: Json) -> Markup:
    """A strip per vector, whose columns are its numbers, and all of them as a file."""
    found = answer["embeddings"]
    vectors = np.array([one["vector"] for one in found], dtype=np.float32)
    largest = float(np.abs(vectors).max()) or 1.0
    strips = [
        (one["token"] or request["texts"][one["text"]], _strip(vector / largest), vector)
        for one, vector in zip(found, vectors, strict=True)
    ]
    file = io.BytesIO()
    np.save(file, vectors)
    said = TEXTS.html(
        "vectors", count=counted(len(found), "vector"), dimensions=answer["dimensions"], largest=largest
    )
    href = _data("application/octet-stream", file.getvalue())
    return said + FILL("vectors", strips=strips, file=href, about_file=TEXTS["file"])


def _strip(vector: np.ndarray) -> str:
    """A picture one pixel high of numbers from -1 to 1; what is near zero is nearly clear."""
    colours = np.where(vector[:, None] < 0, NEGATIVE, POSITIVE)
    pixels = np.concatenate([colours, np.abs(vector)[:, None] ** 0.7 * 255], axis=1)
    file = io.BytesIO()
    Image.fromarray(pixels[None].astype(np.uint8), "RGBA").save(file, "png")
    return _data("image/png", file.getvalue())


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def teaser(request: Json, answer: Json) -> Markup:
    first = answer["embeddings"][0]["vector"]
    numbers = ", ".join(f"{value:.2f}" for value in first[:3])
    return answers.teaser(Markup("{} <strong>→ {}, …</strong>").format(request["texts"][0], numbers))


def summary(answer: Json) -> list[str]:
    return [f"{len(answer['embeddings'])} × {answer['dimensions']}"]


def inspection(request: Json, answer: Json) -> Inspection:
    return Inspection(text=request["texts"][0])


PAGE = TaskPage(
    slug="feature-extraction",
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    task=TASK,
    inputs={"texts": ListInput(lines=6)},
    draw=draw,
    teaser=teaser,
    summary=summary,
    run_label=TEXTS["run"],
    inspection=inspection,
)
