"""Words for the gaps in a text, with what comes before and after them taken into account."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from components.models.checkpoint import Head
from components.tasks import stages
from components.tasks.explained import Explained
from components.tasks.fields import STRICT, Also, OptionalText, Text
from components.texts import in_folder

TEXTS = in_folder(__file__)

MASK = "[MASK]"
MOST_GAPS = 4


# Gaps as other libraries and people write them; a line counts where nothing else does.
_SPELLED = re.compile(r"\[MASK\]|(?i:<mask>|\{mask\})")
_LINE = re.compile(r"(?<![^\W_])_{3,}(?![^\W_])")


def spelled(text: str) -> str:
    """A text with each gap as `MASK`, however it is written."""
    return _SPELLED.sub(MASK, text) if _SPELLED.search(text) else _LINE.sub(MASK, text)


def _listed(targets: object) -> object:
    """A list of words in one text."""
    if not isinstance(targets, list) or not all(isinstance(word, str) for word in targets):
        return targets
    if any("," in word for word in targets):
        raise PydanticCustomError("rule", "must be words, and a word has no comma")
    return ", ".join(targets)


def _with_gaps(text: str) -> str:
    text = spelled(text)
    gaps = text.count(MASK)
    if not gaps:
        raise PydanticCustomError("rule", "has no gap; write [MASK] or ___ where a word is missing")
    if gaps > MOST_GAPS:
        raise PydanticCustomError(
            "rule", "has {gaps} gaps, at most {most} are allowed", {"gaps": gaps, "most": MOST_GAPS}
        )
    return text


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    text: Annotated[
        Text,
        AfterValidator(_with_gaps),
        Field(max_length=20_000, title="Text", description="A text with [MASK] where a word is missing."),
    ]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    top_k: Annotated[
        int, Field(ge=1, le=20, title="Candidates", description="Number of candidates to show.")
    ] = 5
    targets: Annotated[
        OptionalText,
        BeforeValidator(_listed),
        Field(
            max_length=500,
            title="Words to compare",
            description=TEXTS["words"],
        ),
        Also("array", {"items": {"type": "string"}}),
    ] = ""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """`token` is the word for the gap (of several gaps all, as in "fast / far"), `sequence` the whole text.

    `score` is in [0, 1]. Of a masked language model it is the probability at the gap; of a causal one the
    likelihood of the whole sequence, relative to those of the best twenty. `token_ids` are, for each gap, the
    vocabulary's ids of the tokens that its word is made of.
    """

    token: str
    score: float
    sequence: str
    token_ids: list[list[int]]


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Highest score first."""

    candidates: list[Candidate]


TASK = stages.task(
    __file__,
    title="Fill-mask",
    about=TEXTS["about"],
    inputs=Inputs,
    options=Options,
    result=Candidates,
    stages={Head.CAUSAL_LM: "causal_lm", Head.MASKED_LM: "masked_lm"},
    example={"text": "Paris is the [MASK] of France."},
    explained=Explained(target="A word for the gap."),
)
