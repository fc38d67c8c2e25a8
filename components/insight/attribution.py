"""Which parts of a text drive a prediction, by four methods next to each other, and what changes when
one of them is another.

None of the methods is the truth: each answers a question of its own, and where they disagree says as much as
where they agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import combinations
from pathlib import Path
from pprint import pformat
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic.dataclasses import dataclass as fields
from pydantic_core import PydanticCustomError

from components.models.checkpoint import INSPECTIONS
from components.models.errors import Code, TourError
from components.tasks.catalog import TASKS
from components.tasks.explained import PAIR, TEXT, Asked, Choice, Explained, Unit
from components.tasks.fields import STRICT, OptionalText, Text
from components.tasks.task import Output, Progress, Task, scaled_progress
from components.texts import beside

if TYPE_CHECKING:
    from components.insight.attribution_methods import Attributed
    from components.models.checkpoint import Checkpoint, LoadedModel
    from components.tasks.explanation import Predicting, Prediction

TEXTS = beside(__file__)

# What can be explained, by name.
EXPLAINED: Mapping[str, Explained] = {
    task.name: task.explained for task in TASKS.values() if task.explained is not None
}
NAMES: Mapping[str, str] = {
    "occlusion": "occlusion",
    "gradient_x_input": "gradient × input",
    "integrated_gradients": "integrated gradients",
    "attention_rollout": "attention rollout",
}
UNSIGNED = frozenset({"attention_rollout"})


def _known_task(name: str) -> str:
    if name and name not in EXPLAINED:
        raise PydanticCustomError("literal_error", "must be one of {tasks}", {"tasks": ", ".join(EXPLAINED)})
    return name


@fields(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    task: Annotated[
        str,
        AfterValidator(_known_task),
        WithJsonSchema({"type": "string", "enum": ["", *EXPLAINED]}),
        Field(
            title="Task",
            description=TEXTS["task"],
        ),
    ] = ""
    text: Annotated[
        Text,
        Field(
            max_length=20_000,
            title="Text",
            description=TEXTS["text"],
        ),
    ]
    text_pair: Annotated[
        OptionalText,
        Field(
            max_length=5_000,
            title="Second text",
            description="; ".join(f"{name}: {one.second}" for name, one in EXPLAINED.items() if one.second)
            + ".",
        ),
    ] = ""


@fields(frozen=True, kw_only=True, config=STRICT)
class Asking:
    """Which prediction, and of which parts."""

    target: Annotated[
        OptionalText,
        Field(
            max_length=5_000,
            title="Explain",
            description=TEXTS["target"],
        ),
    ] = ""
    against: Annotated[
        OptionalText,
        Field(
            max_length=5_000,
            title="Rather than",
            description=TEXTS["against"],
        ),
    ] = ""
    unit: Annotated[
        Literal["words", "tokens"],
        Field(title="Parts", description="Parts that get a value: words, or the model's tokens."),
    ] = "words"


@fields(frozen=True, kw_only=True, config=STRICT)
class Options(Asking):
    steps: Annotated[
        int,
        Field(
            ge=4,
            le=256,
            title="Steps",
            description=TEXTS["steps"],
        ),
    ] = 32


@fields(frozen=True, kw_only=True, config=STRICT)
class EditOptions(Asking):
    index: Annotated[
        int,
        Field(ge=0, le=2_000, title="Part", description="Which of the parts is edited, counted from 0."),
    ] = 0
    replacement: Annotated[
        OptionalText,
        Field(
            max_length=1_000,
            title="Replacement",
            description=TEXTS["replacement"],
        ),
    ] = ""


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
    """One unit is another; `means` says in words what the scores are."""

    unit: Unit
    target: str
    means: str
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


def run(model: LoadedModel, inputs: Inputs, options: Options) -> Iterator[Progress | Output[Attribution]]:
    from components.insight import attribution_methods

    asked = _asked(model, inputs, options)
    prediction = yield from scaled_progress(_predict(model, asked), 0.0, 0.15)
    found = yield from scaled_progress(
        attribution_methods.attribute(prediction.terms, len(prediction.units), options.steps), 0.15, 1.0
    )
    yield Output(
        result=_result(asked.task, prediction, found),
        tokens_used=prediction.tokens,
        token_limit=model.checkpoint.token_limit,
        notes=(*_unread(asked), *prediction.notes, *_notes(found)),
    )


def _predict(model: LoadedModel, asked: Asked) -> Predicting:
    """The prediction that is asked for; raises `TourError` where there is none."""
    from components.tasks.explanation import Units

    explain = import_module(f"components.tasks.{asked.task}.explain")
    prediction: Prediction = yield from explain.explain(model, asked, Units(asked.by_words))
    if not prediction.units:
        raise TourError(Code.INVALID_INPUT, "The text has no word. Write some text.", "text")
    return prediction


def _unread(asked: Asked) -> tuple[str, ...]:
    if EXPLAINED[asked.task].second or not asked.text_pair.strip():
        return ()
    return (f"{asked.task.replace('_', ' ').capitalize()} reads one text: the second is left out.",)


def _asked(model: LoadedModel, inputs: Inputs, options: Asking) -> Asked:
    task = chosen_task(model.checkpoint, inputs.task)
    if EXPLAINED[task].required and not inputs.text_pair.strip():
        raise TourError(Code.INVALID_INPUT, f"Write a second text: {EXPLAINED[task].second}.", "text_pair")
    return Asked(
        task=task,
        text=inputs.text,
        text_pair=inputs.text_pair,
        target=options.target,
        against=options.against,
        by_words=options.unit == "words",
    )


def chosen_task(checkpoint: Checkpoint, asked: str) -> str:
    """The task whose prediction is explained; raises `TourError` for one that the checkpoint cannot do."""
    task = asked or next((one for one in checkpoint.tasks if one in EXPLAINED), checkpoint.tasks[0])
    if task not in EXPLAINED:
        raise TourError(
            Code.UNSUITABLE_MODEL,
            TEXTS["unsuitable"].format(model=checkpoint.id, task=TASKS[task].title.lower()),
            "model",
        )
    if task not in checkpoint.tasks:
        able = ", ".join(one for one in checkpoint.tasks if one in EXPLAINED)
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


def _result(task: str, prediction: Prediction, found: Attributed) -> Attribution:
    methods = [
        Method(name=one.name, values=one.values, sum=sum(one.values), note=one.note) for one in found.methods
    ]
    return Attribution(
        task=task,
        target=prediction.target,
        against=prediction.against,
        score=found.score + prediction.offset,
        change=found.change,
        means=_means(prediction),
        units=list(prediction.units),
        methods=methods,
        completeness_error=found.error,
        steps=found.steps,
        agreement=compare([unit.text for unit in prediction.units], methods),
        choices=list(prediction.choices),
    )


def _means(prediction: Prediction) -> str:
    return prediction.means + (f", minus that of “{prediction.against}”" if prediction.against else "")


def _notes(found: Attributed) -> Iterator[str]:
    from components.insight import attribution_methods

    if found.error > attribution_methods.TOLERANCE:
        yield TEXTS["rough"].format(error=100 * found.error, steps=found.steps)
    if len(found.methods) < len(attribution_methods.METHODS):
        yield TEXTS["no-rollout"]


def compare(units: Sequence[str], methods: Sequence[Method]) -> Agreement:
    """How far the methods agree, in numbers and in a sentence."""
    from scipy.stats import rankdata

    values = {each.name: _rankable(each.values) for each in methods}
    pairs = []
    for one, other in combinations(methods, 2):
        sizes = bool({one.name, other.name} & UNSIGNED)
        first, second = (np.abs(values[each.name]) if sizes else values[each.name] for each in (one, other))
        pairs.append(Pair(first=one.name, second=other.name, correlation=spearman(first, second)))
    if len(units) < 3 or len(methods) < 2:
        return Agreement(pairs=pairs, unit=-1, sentence="There are too few parts to compare the methods.")
    # 1 for the largest.
    places = rankdata([-np.abs(values[each.name]) for each in methods], axis=1)
    gaps = places.max(axis=0) - places.min(axis=0)
    unit = int(gaps.argmax())
    if not gaps[unit]:
        return Agreement(pairs=pairs, unit=-1, sentence="All methods put the parts in the same order.")
    high, low = (methods[int(places[:, unit].argmin())], methods[int(places[:, unit].argmax())])
    top, bottom = places[:, unit].min(), places[:, unit].max()
    sentence = TEXTS["disagreement"].format(
        unit=units[unit],
        units=len(units),
        high=NAMES[high.name],
        top=_place(top),
        low=NAMES[low.name],
        bottom=_place(bottom),
    )
    return Agreement(pairs=pairs, unit=unit, sentence=sentence)


def _place(place: float) -> str:
    return f"{place:.0f}" if place == int(place) else f"{place:.1f}"


def _rankable(values: Sequence[float]) -> np.ndarray:
    """As shares of the largest, in steps of 1e-5: what differs by float32's rounding alone shares a rank."""
    largest = float(np.abs(values).max(initial=0.0))
    return np.round(np.array(values) / (largest or 1.0), 5)


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Rank correlation; 0 where one of them is the same everywhere."""
    from scipy.stats import spearmanr

    return float(spearmanr(first, second).statistic) if np.ptp(first) and np.ptp(second) else 0.0


def edit(model: LoadedModel, inputs: Inputs, options: EditOptions) -> Iterator[Progress | Output[Edit]]:
    """The same prediction with one unit edited: what its score becomes, and what is predicted then."""
    asked = _asked(model, inputs, options)
    before = yield from scaled_progress(_predict(model, asked), 0.0, 0.5)
    if options.index >= len(before.units):
        raise TourError(
            Code.INVALID_INPUT,
            f"There are {len(before.units)} parts, counted from 0; there is no part {options.index}.",
            "index",
        )
    unit = before.units[options.index]
    given: str = getattr(asked, unit.source)
    stands = options.replacement or _masked(model, unit.text)
    head = given[: unit.start] if stands else given[: unit.start].rstrip(" ")
    text = head + stands + given[unit.end :]
    if not text.strip():
        raise TourError(
            Code.INVALID_INPUT, "This would remove the whole text. Keep at least one part.", "replacement"
        )
    changed = replace(
        asked,
        text=text if unit.source == TEXT else asked.text,
        text_pair=text if unit.source == PAIR else asked.text_pair,
        target=before.target,
    )
    if asked.task == "sentence_similarity":
        changed = replace(changed, target="")
    score: float | None
    try:
        after = yield from scaled_progress(_predict(model, changed), 0.5, 1.0)
        score = _score(after)
    except TourError as error:
        if error.field not in ("target", "against"):
            raise
        after = yield from scaled_progress(_predict(model, replace(changed, target="", against="")), 0.5, 1.0)
        score = None
    yield Output(
        result=Edit(
            unit=unit,
            target=before.target,
            means=_means(before),
            replacement=options.replacement,
            before=_side(asked, before, _score(before)),
            after=_side(changed, after, score),
        ),
        tokens_used=after.tokens,
        token_limit=model.checkpoint.token_limit,
        notes=after.notes,
    )


def _side(asked: Asked, prediction: Prediction, score: float | None) -> Side:
    return Side(text=asked.text, text_pair=asked.text_pair, score=score, choices=list(prediction.choices))


def _score(prediction: Prediction) -> float:
    return sum(term.now() for term in prediction.terms) + prediction.offset


def _masked(model: LoadedModel, text: str) -> str:
    """As many masks as a text has tokens, nothing where the model knows none: of one that is told of
    capitals, a written mask would be one."""
    tokenizer = model.tokenizer
    if tokenizer.mask_token is None or getattr(model.network.config, "marks_case", False):
        return ""
    return str(tokenizer.mask_token) * len(tokenizer(text, add_special_tokens=False)["input_ids"])


def _snippet(checkpoint: Checkpoint, inputs: Inputs, options: Asking) -> str:
    """Asks this app, where it runs: the methods take more code than a snippet has."""
    given = {
        name: value
        for each in (inputs, options)
        for name, value in vars(each).items()
        if not name.startswith("_") and value != getattr(type(each), name, None)
    }
    body = pformat({**given, "model": checkpoint.id}, width=100, sort_dicts=False)
    return f"""import json
from urllib.request import Request, urlopen

# How it is done stands in components/insight/attribution_methods.py; this asks the app, where it runs.
APP = "http://127.0.0.1:7860"
ASKED = {body}

request = Request(
    f"{{APP}}/v1/attribution", json.dumps(ASKED).encode(), {{"Content-Type": "application/json"}}
)
with urlopen(request) as response:
    answer = json.load(response)
for place, unit in enumerate(answer["units"]):
    print(unit["text"], *(round(method["values"][place], 3) for method in answer["methods"]), sep="\\t")
"""


TASK = Task(
    name="attribution",
    title="Attribution",
    about=TEXTS["about"],
    inputs=Inputs,
    options=Options,
    result=Attribution,
    heads=INSPECTIONS["attribution"],
    run=run,
    snippet=_snippet,
    stored=Path(__file__).parent / "examples" / "attribution.json",
    example={
        "text": "The chef prepared a delicious meal.",
        "text_pair": "A cook made tasty food.",
    },
)

# Asked by the page for the word that is picked; the interfaces have the task itself, for any text.
EDIT = Task(
    name="attribution",
    title="Edit and see",
    about=TEXTS["swap"],
    inputs=Inputs,
    options=EditOptions,
    result=Edit,
    heads=INSPECTIONS["attribution"],
    run=edit,
    snippet=_snippet,
    stored=TASK.stored,
    example=TASK.example,
)
