"""Text generation: a decoder writes, token by token."""

from __future__ import annotations

from typing import Any

from components import texts
from components.figures import answers, decoding
from components.figures.markup import Markup
from components.tasks.text_generation import TASK
from components.ui import conversation
from components.ui.conversation import ConversationInput
from components.ui.inspection import Inspection
from components.ui.page import Json, TaskPage, TextInput

TEXTS = texts.beside(__file__)

# Each from the same prompt, with what else decides the draw switched off.
_PLAIN = {"num_beams": 1, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "typical_p": 1.0}
STRATEGIES: dict[str, Json] = {
    "Greedy": {**_PLAIN, "temperature": 0.0},
    "Beam search": {**_PLAIN, "num_beams": 4},
    "Sampling": _PLAIN,
    "Top-k": {**_PLAIN, "top_k": 40},
    "Nucleus": {**_PLAIN, "top_p": 0.9},
    "Min-p": {**_PLAIN, "min_p": 0.1},
    "Typical": {**_PLAIN, "typical_p": 0.9},
}


def teaser(request: Json, answer: Json) -> Markup:
    words = answer["text"].split()
    shortened = " ".join(words[:18]) + (" …" if len(words) > 18 else "")
    return answers.teaser(Markup("{} <strong>→</strong> {}").format(_last(request), shortened))


def _last(request: Json) -> str:
    """What the answer is to."""
    turns = request.get("messages")
    return str(turns[-1]["content"] if turns else request["prompt"])


def draw(request: Json, answer: Json) -> Markup:
    return answers.generation(request, answer) + decoding.decoding(request, answer)


def pick(answer: Json, picked: Any) -> Json:
    """A click on an alternative: begin with it. A reply: the turns go on with it."""
    if isinstance(picked, dict):
        return {"prompt": str(picked["reply"]), "messages": conversation.show(picked["turns"]), "begin": ""}
    step, alternative = picked
    return {"begin": decoding.begin(answer, step, alternative)}


def summary(answer: Json) -> list[str]:
    return [answer["text"]]


def inspection(request: Json, answer: Json) -> Inspection:
    return Inspection(text=_last(request), pair=f" {answer['text']}")


PAGE = TaskPage(
    slug="text-generation",
    nav=TEXTS["nav"],
    title=TEXTS["title"],
    sentence=TEXTS["sentence"],
    task=TASK,
    inputs={
        "prompt": TextInput(lines=4, placeholder="Ask something, or begin a text"),
        "messages": ConversationInput(
            lines=1, title="Earlier turns", help="Leave empty to start a new conversation."
        ),
    },
    draw=draw,
    teaser=teaser,
    summary=summary,
    run_label=TEXTS["run"],
    variants=STRATEGIES,
    script="generation",
    pick=pick,
    inspection=inspection,
    joined=conversation.joined,
    parted=conversation.parted,
)
