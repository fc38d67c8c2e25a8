"""Which parts of a text a prediction rests on, by four methods next to each other, and what changes when
one of them is another.

None of the methods is the truth: each answers a question of its own, and where they disagree says as much as
where they agree.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass as fields

from components.models.checkpoint import INSPECTIONS
from components.models.errors import Code, TourError
from components.tasks.fields import STRICT, OptionalText, Text
from components.tasks.task import Output, Progress, Task, part

if TYPE_CHECKING:
    from components.insight.attributing import Attributed
    from components.insight.predictions import Asked, Prediction
    from components.models.checkpoint import Checkpoint, LoadedModel

TEXT, PAIR = "text", "text_pair"
TASKS = (
    "text_classification",
    "named_entities",
    "question_answering",
    "summarization",
    "translation",
    "sentence_similarity",
    "text_generation",
    "fill_mask",
    "zero_shot_classification",
)
NAMES: Mapping[str, str] = {
    "occlusion": "occlusion",
    "gradient_x_input": "gradient × input",
    "integrated_gradients": "integrated gradients",
    "attention_rollout": "attention rollout",
}
UNSIGNED = frozenset({"attention_rollout"})
# What the second text is to each task that has one.
SECOND: Mapping[str, str] = {
    "question_answering": "the question",
    "zero_shot_classification": "labels with commas between them",
    "sentence_similarity": "the text to compare with",
    "translation": "the code of the language to translate to, de if empty",
    "text_generation": "how the answer begins, if you like",
}
NEEDED = ("question_answering", "zero_shot_classification", "sentence_similarity")


@fields(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    task: Annotated[
        Literal[
            "",
            "text_classification",
            "named_entities",
            "question_answering",
            "summarization",
            "translation",
            "sentence_similarity",
            "text_generation",
            "fill_mask",
            "zero_shot_classification",
        ],
        Field(title="Task", description="Whose prediction; empty for what the checkpoint was trained for."),
    ] = ""
    text: Annotated[
        Text,
        Field(
            max_length=20_000,
            title="Text",
            description="What the model reads: for question_answering the context, for text_generation the "
            "prompt, for fill_mask a text with [MASK] in it.",
        ),
    ]
    text_pair: Annotated[
        OptionalText,
        Field(
            max_length=5_000,
            title="Second text",
            description="; ".join(f"{task}: {what}" for task, what in SECOND.items()) + ".",
        ),
    ] = ""


@fields(frozen=True, kw_only=True, config=STRICT)
class Options:
    target: Annotated[
        OptionalText,
        Field(
            max_length=5_000,
            title="Explain",
            description="Which prediction: a label, a name or word in the text, a passage, a sentence, a "
            "word that was written. Empty for the model's own best.",
        ),
    ] = ""
    against: Annotated[
        OptionalText,
        Field(
            max_length=5_000,
            title="Rather than",
            description="Why the prediction and not this one; empty for no comparison.",
        ),
    ] = ""
    unit: Annotated[
        Literal["words", "tokens"],
        Field(title="Parts", description="What is taken away and weighed: words, or the model's own tokens."),
    ] = "words"
    steps: Annotated[
        int,
        Field(
            ge=4,
            le=256,
            title="Steps",
            description="Points at which integrated gradients look; more where the error is above 5 %.",
        ),
    ] = 32
    edit_index: Annotated[
        int,
        Field(
            ge=-1,
            le=2_000,
            title="Part to edit",
            description="Which of the parts, counted from 0, is edited to see what changes; -1 for none.",
        ),
    ] = -1
    edit_text: Annotated[
        OptionalText,
        Field(
            max_length=1_000,
            title="Its replacement",
            description="What the edited part becomes; empty to mask it, or to leave it out where the model "
            "knows no mask.",
        ),
    ] = ""


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A word or token: [start, end) of the `source` ("text" or "text_pair"), in code points."""

    text: str
    start: int
    end: int
    source: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the task could say, with the number that its own page shows."""

    text: str
    score: float


@dataclass(frozen=True, kw_only=True)
class Method:
    """One value per unit: how much of the score is due to it. Of attention rollout shares of 1, which have no
    sign; part of them goes to special tokens."""

    name: str
    values: list[float]
    sum: float
    note: str


@dataclass(frozen=True, kw_only=True)
class Pair:
    """How alike two methods rank the units, from -1 to 1 (Spearman); by size alone if one of them has no
    sign."""

    first: str
    second: str
    correlation: float


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """`unit` is the index of the unit that the methods disagree about most, -1 if there is none."""

    pairs: list[Pair]
    unit: int
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Side:
    """`score` is None where what is explained cannot be predicted any more."""

    text: str
    text_pair: str
    score: float | None
    choices: list[Choice]


@dataclass(frozen=True, kw_only=True)
class Edit:
    index: int
    replacement: str
    before: Side
    after: Side


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """`score` is what is explained, `means` says in words which number that is; `change` is what of it is
    lost when all units are taken away. `completeness_error` is what integrated gradients miss of the
    change, as a share, with as many `steps`.
    """

    task: str
    target: str
    against: str
    score: float
    change: float
    means: str
    units: list[Unit]
    methods: list[Method]
    completeness_error: float
    steps: int
    agreement: Agreement
    choices: list[Choice]
    edit: Edit | None


def run(model: LoadedModel, inputs: Inputs, options: Options) -> Iterator[Progress | Output[Attribution]]:
    from components.insight import attributing, predictions

    task = chosen_task(model.checkpoint, inputs.task)
    if task in NEEDED and not inputs.text_pair.strip():
        raise TourError(Code.INVALID_INPUT, f"Write a second text: {SECOND[task]}.", "text_pair")
    asked = predictions.Asked(
        task=task,
        text=inputs.text,
        text_pair=inputs.text_pair,
        target=options.target,
        against=options.against,
        by_words=options.unit == "words",
    )
    prediction = yield from part(predictions.predict(model, asked), 0.0, 0.15)
    _check_edit(prediction, options.edit_index)
    found = yield from part(
        attributing.attribute(prediction.terms, len(prediction.units), options.steps), 0.15, 0.95
    )
    edit = None
    if options.edit_index >= 0:
        editing = _edited(model, asked, prediction, options.edit_index, options.edit_text)
        edit = yield from part(editing, 0.95, 1.0)
    yield Output(
        result=_result(task, prediction, found, edit),
        tokens_used=prediction.tokens,
        token_limit=model.checkpoint.token_limit,
        notes=(*prediction.notes, *_notes(found)),
    )


def chosen_task(checkpoint: Checkpoint, asked: str) -> str:
    """The task whose prediction is explained; raises `TourError` for one that the checkpoint cannot do."""
    task = asked or checkpoint.tasks[0]
    if task not in TASKS:
        raise TourError(
            Code.UNSUITABLE_MODEL,
            f"{checkpoint.id} answers questions about tables, which cannot be explained here yet. Pick a "
            "model of another task.",
            "model",
        )
    if task not in checkpoint.tasks:
        able = ", ".join(one for one in checkpoint.tasks if one in TASKS)
        raise TourError(
            Code.UNSUITABLE_MODEL,
            f"{checkpoint.id} cannot do {task.replace('_', ' ')}"
            + (
                f"; it can do {able}. Pick one of those, or another model."
                if able
                else ". Pick another model."
            ),
            "model",
        )
    return task


def _result(task: str, prediction: Prediction, found: Attributed, edit: Edit | None) -> Attribution:
    methods = [
        Method(name=one.name, values=one.values, sum=sum(one.values), note=one.note) for one in found.methods
    ]
    return Attribution(
        task=task,
        target=prediction.target,
        against=prediction.against,
        score=found.score + prediction.offset,
        change=found.change,
        means=prediction.means + (f", less that of “{prediction.against}”" if prediction.against else ""),
        units=list(prediction.units),
        methods=methods,
        completeness_error=found.error,
        steps=found.steps,
        agreement=compare([unit.text for unit in prediction.units], methods),
        choices=list(prediction.choices),
        edit=edit,
    )


def _notes(found: Attributed) -> Iterator[str]:
    from components.insight import attributing

    if found.error > attributing.TOLERANCE:
        yield (
            f"Integrated gradients miss {found.error:.0%} of what they explain, even with {found.steps} "
            "steps: take their values as rough."
        )
    if len(found.methods) < len(attributing.METHODS):
        yield "This network does not tell its attention: there is no attention rollout."


def compare(units: Sequence[str], methods: Sequence[Method]) -> Agreement:
    """How far the methods agree, in numbers and in a sentence."""
    pairs = []
    for one, other in combinations(methods, 2):
        sizes = bool({one.name, other.name} & UNSIGNED)
        first, second = (np.abs(each.values) if sizes else np.array(each.values) for each in (one, other))
        pairs.append(Pair(first=one.name, second=other.name, correlation=spearman(first, second)))
    if len(units) < 3 or len(methods) < 2:
        return Agreement(pairs=pairs, unit=-1, sentence="There are too few parts to compare the methods.")
    # 1 for the largest.
    places = np.array([ranks(-np.abs(np.array(each.values))) + 1 for each in methods])
    gaps = places.max(axis=0) - places.min(axis=0)
    unit = int(gaps.argmax())
    if not gaps[unit]:
        return Agreement(pairs=pairs, unit=-1, sentence="All methods put the parts in the same order.")
    high, low = (methods[int(places[:, unit].argmin())], methods[int(places[:, unit].argmax())])
    top, bottom = places[:, unit].min(), places[:, unit].max()
    sentence = (
        f"The methods disagree most about “{units[unit]}”: of {len(units)} parts, {NAMES[high.name]} puts it "
        f"at place {_place(top)} by size, {NAMES[low.name]} at place {_place(bottom)}."
    )
    return Agreement(pairs=pairs, unit=unit, sentence=sentence)


def _place(place: float) -> str:
    return f"{place:.0f}" if place == int(place) else f"{place:.1f}"


def ranks(values: np.ndarray) -> np.ndarray:
    """Places from 0, the smallest first; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = counts.cumsum()
    means: np.ndarray = (ends - 1 + ends - counts) / 2
    return means[inverse]


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Rank correlation; 0 where one of them is the same everywhere."""
    one, other = ranks(first), ranks(second)
    one, other = one - one.mean(), other - other.mean()
    length = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / length if length else 0.0


def _check_edit(prediction: Prediction, index: int) -> None:
    if index >= len(prediction.units):
        raise TourError(
            Code.INVALID_INPUT,
            f"There are {len(prediction.units)} parts, counted from 0; {index} is none of them.",
            "edit_index",
        )


def _edited(
    model: LoadedModel, asked: Asked, prediction: Prediction, index: int, replacement: str
) -> Generator[Progress, None, Edit]:
    """The same prediction with one unit edited: what its score becomes, and what is predicted then."""
    from components.insight import predictions

    unit = prediction.units[index]
    given = getattr(asked, unit.source)
    text = given[: unit.start] + (replacement or _masked(model, unit.text)) + given[unit.end :]
    if not replacement and not _masked(model, unit.text):
        text = given[: unit.start].rstrip(" ") + given[unit.end :]
    changed = replace(asked, **{unit.source: text, "target": prediction.target})
    if unit.source == PAIR and asked.task == "sentence_similarity":
        changed = replace(changed, target="")
    score: float | None
    try:
        after = yield from predictions.predict(model, changed)
        score = _score(after)
    except TourError as error:
        if error.field != "target":
            raise
        after = yield from predictions.predict(model, replace(changed, target="", against=""))
        score = None
    return Edit(
        index=index,
        replacement=replacement,
        before=Side(
            text=asked.text,
            text_pair=asked.text_pair,
            score=_score(prediction),
            choices=list(prediction.choices),
        ),
        after=Side(text=changed.text, text_pair=changed.text_pair, score=score, choices=list(after.choices)),
    )


def _score(prediction: Prediction) -> float:
    return sum(term.now() for term in prediction.terms) + prediction.offset


def _masked(model: LoadedModel, text: str) -> str:
    """As many masks as a text has tokens, nothing where the model knows none: of one that is told of
    capitals, a written mask would be one."""
    tokenizer = model.tokenizer
    if tokenizer.mask_token is None or getattr(model.network.config, "marks_case", False):
        return ""
    return str(tokenizer.mask_token) * len(tokenizer(text, add_special_tokens=False)["input_ids"])


def _snippet(checkpoint: Checkpoint, inputs: Inputs, options: Options) -> str:
    raise NotImplementedError


TASK = Task(
    name="attribution",
    title="Attribution",
    about=(
        "Says which parts of a text a prediction of another task rests on, by occlusion, gradient × input, "
        "integrated gradients and attention rollout, and what changes when one part is edited."
    ),
    inputs=Inputs,
    options=Options,
    result=Attribution,
    heads=INSPECTIONS["attribution"],
    run=run,
    snippet=_snippet,
    example={
        "text": "The chef prepared a delicious meal.",
        "text_pair": "A cook made tasty food.",
    },
)
