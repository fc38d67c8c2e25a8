"""A continuation of a prompt or an answer to it, token by token."""

from __future__ import annotations

from dataclasses import field as dataclass_field
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from components.models.checkpoint import Head
from components.tasks import stages
from components.tasks.explained import Explained
from components.tasks.fields import (
    LONGEST_MESSAGE,
    MOST_MESSAGES,
    STRICT,
    Also,
    ByName,
    Messages,
    OptionalText,
)
from components.texts import in_folder

TEXTS = in_folder(__file__)

MOST_STOPS = 8


def _listed(stop: object) -> object:
    """A list of stop strings as one text with a line for each."""
    if not isinstance(stop, list) or not all(isinstance(one, str) for one in stop):
        return stop
    if len(stop) > MOST_STOPS:
        raise PydanticCustomError("rule", "has more than {most} texts to stop at", {"most": MOST_STOPS})
    return "\n".join(one.replace("\\", "\\\\").replace("\n", "\\n") for one in stop)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    """Either a prompt, or messages."""

    prompt: Annotated[
        OptionalText,
        Field(
            max_length=LONGEST_MESSAGE,
            title="Prompt",
            description="Text to answer or to continue.",
        ),
    ] = ""
    messages: Annotated[
        Messages,
        Field(
            max_length=MOST_MESSAGES,
            title="Messages",
            description=TEXTS["messages"],
        ),
        ByName(),
    ] = dataclass_field(default_factory=list)

    @model_validator(mode="after")
    def _one_of_both(self) -> Inputs:
        if self.prompt.strip() and self.messages:
            raise PydanticCustomError(
                "rule", "Give either a prompt or messages, not both", {"field": "messages"}
            )
        if not self.messages and not self.prompt.strip():
            raise PydanticCustomError(
                "rule", "Prompt is blank; write some text, or send messages", {"field": "prompt"}
            )
        return self


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    mode: Annotated[
        Literal["chat", "plain"],
        Field(title="Mode", description="chat answers the prompt as a message; plain continues it."),
    ] = "chat"
    max_new_tokens: Annotated[
        int, Field(ge=1, le=512, title="New tokens", description="Maximum length of the generated text.")
    ] = 128
    temperature: Annotated[
        float,
        Field(
            ge=0,
            le=2,
            title="Temperature",
            description=TEXTS["temperature"],
            json_schema_extra={"step": 0.05},
        ),
    ] = 0.2
    top_k: Annotated[
        int,
        Field(
            ge=0,
            le=1000,
            title="Top-k",
            description=("Sample from the k most likely tokens; 0 turns this off."),
        ),
    ] = 50
    top_p: Annotated[
        float,
        Field(
            ge=0.05,
            le=1,
            title="Top-p",
            description=TEXTS["top_p"],
            json_schema_extra={"step": 0.05},
        ),
    ] = 0.9
    min_p: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            title="Min-p",
            description=TEXTS["min_p"],
            json_schema_extra={"step": 0.01},
        ),
    ] = 0.0
    typical_p: Annotated[
        float,
        Field(
            ge=0.05,
            le=1,
            title="Typical-p",
            description=TEXTS["typical_p"],
            json_schema_extra={"step": 0.05},
        ),
    ] = 1.0
    num_beams: Annotated[
        int,
        Field(
            ge=1,
            le=8,
            title="Beams",
            description=TEXTS["beams"],
        ),
    ] = 1
    repetition_penalty: Annotated[
        float,
        Field(
            ge=1,
            le=2,
            title="Repetition penalty",
            description="Above 1, tokens that already occurred become less likely.",
            json_schema_extra={"step": 0.05},
        ),
    ] = 1.1
    seed: Annotated[
        int, Field(ge=0, le=2**32 - 1, title="Seed", description="The same seed gives the same text.")
    ] = 0
    system: Annotated[
        OptionalText,
        Field(
            max_length=4_000,
            title="System prompt",
            description="Chat only: how to behave. Empty for the model's own.",
        ),
    ] = ""
    begin: Annotated[
        OptionalText,
        Field(
            max_length=4_000,
            title="Begin with",
            description=TEXTS["begin"],
        ),
    ] = ""
    stop: Annotated[
        OptionalText,
        BeforeValidator(_listed),
        Field(
            max_length=500,
            title="Stop at",
            description=TEXTS["stop"],
        ),
        Also("array", {"items": {"type": "string"}, "maxItems": MOST_STOPS}),
    ] = ""
    alternatives: Annotated[
        int,
        Field(
            ge=0,
            le=10,
            title="Alternatives",
            description=TEXTS["alternatives"],
        ),
    ] = 0


@dataclass(frozen=True, kw_only=True)
class Likely:
    """A token and its probability after what stands before it; `special` ones, as an end, are no text."""

    text: str
    probability: float
    special: bool


@dataclass(frozen=True, kw_only=True)
class Step(Likely):
    """A token of the answer, which begins at the character `start` of its text, and what was likeliest.

    Probabilities are the network's own, before temperature and what else decides the draw.
    """

    start: int
    alternatives: list[Likely]


@dataclass(frozen=True, kw_only=True)
class Token:
    text: str
    logit: float


@dataclass(frozen=True, kw_only=True)
class Bin:
    """`count` tokens of about the same logit."""

    logit: float
    count: int


@dataclass(frozen=True, kw_only=True)
class NextToken:
    """The whole distribution of the first token that the network wrote, the likeliest first."""

    tokens: list[Token]
    rest: list[Bin]


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A run of tokens that beams had in common; `parent` is the branch it goes on from, -1 for none.

    `log_probability` is that of everything up to its end, in nats.
    """

    parent: int
    text: str
    tokens: int
    log_probability: float
    best: bool


@dataclass(frozen=True, kw_only=True)
class Generation:
    """`text` is what is new; `finish_reason` is None while it grows, "end" where the model ended it, "stop"
    where it came to what it was to stop at, "loop" where it only repeated itself: that is left out.

    `steps`, `next_token` and `beams` come with the whole text where alternatives are asked for, the last with
    several beams alone.
    """

    text: str
    finish_reason: Literal["end", "length", "stop", "loop"] | None
    generated_tokens: int
    steps: list[Step]
    next_token: NextToken | None
    beams: list[Branch]


TASK = stages.task(
    __file__,
    title="Text generation",
    about=TEXTS["about"],
    inputs=Inputs,
    options=Options,
    result=Generation,
    stages={Head.CAUSAL_LM: "model"},
    example={"prompt": "Explain in one sentence why the sky is blue."},
    explained=Explained(
        second="how the answer begins, if you like",
        title="Beginning of the answer",
        help="The model continues from here. May be empty.",
        target="The next token.",
    ),
)
