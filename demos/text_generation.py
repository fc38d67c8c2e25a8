"""Text generation: a decoder writes, token by token."""

from __future__ import annotations

from typing import Any

from components.figures import answers, decoding
from components.figures.markup import Markup
from components.tasks.text_generation import TASK
from components.ui.page import Json, TaskPage, TextInput


def teaser(request: Json, answer: Json) -> Markup:
    words = answer["text"].split()
    shortened = " ".join(words[:18]) + (" …" if len(words) > 18 else "")
    return answers.teaser(Markup("{} <strong>→</strong> {}").format(request["prompt"], shortened))


def draw(request: Json, answer: Json) -> Markup:
    return answers.generation(request, answer) + decoding.decoding(request, answer)


def pick(answer: Json, picked: Any) -> Json:
    """A click on an alternative: begin with it."""
    step, alternative = picked
    return {"begin": decoding.begin(answer, step, alternative)}


PAGE = TaskPage(
    slug="text-generation",
    nav="Generation",
    title="Text generation",
    sentence=(
        "A small decoder answers or continues your text, one token at a time. It is quick and fluent, and "
        "often wrong: don't trust it with facts."
    ),
    task=TASK,
    inputs={"prompt": TextInput(lines=4, placeholder="Ask something, or begin a text")},
    draw=draw,
    teaser=teaser,
    run_label="Generate",
    script="generation.js",
    pick=pick,
)
