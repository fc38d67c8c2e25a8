"""The passages of a text that answer a question, or that none does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.models.checkpoint import Head
from components.tasks.fields import STRICT, Text
from components.tasks.snippet import snippet
from components.tasks.task import Output, Progress, Task

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel


LEAST_LIKELY = 0.001  # of a position that is told
# Of the embedded model on SQuAD's dev part: of answers below it one in five is right, above it most are.
UNSURE = 0.2


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    question: Annotated[
        Text, Field(max_length=1000, title="Question", description="Best a whole question about facts.")
    ]
    context: Annotated[
        Text,
        Field(
            max_length=200_000,
            title="Context",
            description="The text to find the answer in, of any length up to a hundred pages.",
        ),
    ]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    top_k: Annotated[
        int, Field(ge=1, le=20, title="Top-k", description="How many answers to show at most.")
    ] = 3
    max_answer_length: Annotated[
        int, Field(ge=1, le=200, title="Longest answer", description="In tokens.")
    ] = 30
    stride: Annotated[
        int,
        Field(
            ge=0,
            le=256,
            title="Stride",
            description="Tokens that neighbouring windows of a long context share, so that no answer is cut.",
        ),
    ] = 64
    allow_no_answer: Annotated[
        bool,
        Field(
            title="Allow no answer",
            description="No passage is shown where it is likelier that none answers. Off: the best anyway.",
        ),
    ] = True
    positions: Annotated[
        bool,
        Field(
            title="Starts and ends",
            description="How likely each token is an answer's first, and its last, drawn over the context.",
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class Passage:
    """`context[start:end]` is `text`; `score` is its probability in [0, 1]."""

    text: str
    score: float
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Position:
    """`context[start:end]` is a token; `begins` and `ends` are the probabilities that an answer, if there is
    one, begins and ends with it."""

    text: str
    start: int
    end: int
    begins: float
    ends: float


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Highest score first. `no_answer` is the probability that nothing answers: 0 if the model was not
    taught to tell. `positions` are the tokens where an answer may begin or end, in the order of the text,
    without those where that is unlikelier than 1 in 1,000; empty unless asked for.
    """

    answers: list[Passage]
    no_answer: float
    positions: list[Position]


def run(model: LoadedModel, inputs: Inputs, options: Options) -> Iterator[Progress | Output[Answers]]:
    from components.tasks import reading

    found = yield from reading.answer(
        model,
        inputs.question,
        inputs.context,
        max_answer_length=options.max_answer_length,
        stride=options.stride,
        places=options.positions,
    )
    empty = options.allow_no_answer and found.unanswerable
    notes = found.notes
    if empty:
        notes += (
            "No passage answers the question, as far as the model can tell. To see its best guesses, switch "
            "“Allow no answer” off.",
        )
    elif found.answers and (best := found.answers[0].score) < UNSURE:
        notes += (f"The model is unsure: it gives its best answer a probability of {best:.0%}.",)
    yield Output(
        result=Answers(
            answers=[]
            if empty
            else [
                Passage(
                    text=one.span.of(inputs.context), score=one.score, start=one.span.start, end=one.span.end
                )
                for one in found.answers[: options.top_k]
            ],
            no_answer=found.no_answer,
            positions=[
                Position(
                    text=one.span.of(inputs.context),
                    start=one.span.start,
                    end=one.span.end,
                    begins=one.begins,
                    ends=one.ends,
                )
                for one in found.places
                if max(one.begins, one.ends) >= LEAST_LIKELY
            ],
        ),
        tokens_used=found.tokens,
        token_limit=model.checkpoint.token_limit,
        notes=notes,
    )


TASK = Task(
    name="question_answering",
    title="Question answering",
    about=(
        "Finds the passages of a text that answer a question, and says where they are. A model that was "
        "taught to also says when nothing in the text answers it."
    ),
    inputs=Inputs,
    options=Options,
    result=Answers,
    heads=frozenset({Head.QUESTION_ANSWERING}),
    run=run,
    snippet=snippet("question_answering"),
    example={
        "question": "What did she put in the oven?",
        "context": "She put the bread in the oven and baked it for an hour.",
    },
)
