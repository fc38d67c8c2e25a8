"""Which of the labels that a checkpoint was trained on fit a text: its sentiment, emotions, topic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.models.checkpoint import Head
from components.models.errors import Code, TourError
from components.tasks.fields import STRICT, ByName, OptionalText, Text
from components.tasks.snippet import snippet
from components.tasks.task import Output, Progress, Task

if TYPE_CHECKING:
    import torch

    from components.models.checkpoint import LoadedModel
    from components.tasks.windows import Window

SEVERAL = "multi_label_classification"  # Transformers' name for it in a configuration
HALF = 0.5


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    text: Annotated[Text, Field(max_length=200_000, title="Text", description="The text to classify.")]
    text_pair: Annotated[
        OptionalText,
        Field(
            max_length=200_000,
            title="Second text",
            description="For checkpoints that were trained on pairs of texts; otherwise empty.",
        ),
        ByName(),
    ] = ""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    top_k: Annotated[
        int, Field(ge=0, le=1000, title="Labels shown", description="The highest first; 0 shows all.")
    ] = 0
    multi_label: Annotated[
        Literal["auto", "one", "several"],
        Field(
            title="Labels that may fit",
            description=(
                "one: scores are shares of a whole (softmax); several: each label has its own, from 0 to 1 "
                "(sigmoid); auto: as the checkpoint was trained."
            ),
        ),
    ] = "auto"
    threshold: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            title="Threshold",
            description="Labels with this score or more apply; 0 keeps the checkpoint's own threshold.",
            json_schema_extra={"step": 0.01},
        ),
    ] = 0.0


@dataclass(frozen=True, kw_only=True)
class Label:
    """`score` is in [0, 1]."""

    label: str
    score: float


@dataclass(frozen=True, kw_only=True)
class Labels:
    """`labels` have the highest score first; `chosen` are those that fit, best first: one at most unless
    several may.
    """

    labels: list[Label]
    chosen: list[str]


def run(model: LoadedModel, inputs: Inputs, options: Options) -> Iterator[Progress | Output[Labels]]:
    """A text longer than the model reads is split into windows, whose logits are averaged over its tokens."""
    import torch

    from components.tasks import windows

    config = model.network.config
    names = [name for _, name in sorted((config.id2label or {}).items())]
    if config.problem_type == "regression":
        raise TourError(
            Code.UNSUITABLE_MODEL,
            f"{model.checkpoint.id} was trained to give a number, not to choose a label. Pick another model.",
            "model",
        )
    trained = config.problem_type == SEVERAL or len(names) == 1
    several = {"auto": trained, "one": len(names) == 1, "several": True}[options.multi_label]
    paired = bool(inputs.text_pair.strip())
    if getattr(config, "pairs", False) and not paired:
        raise TourError(
            Code.INVALID_INPUT,
            f"{model.checkpoint.id} was trained on pairs of texts: it needs the second text too.",
            "text_pair",
        )
    parts = _split(model, inputs) if paired else windows.split(model, inputs.text)
    weights = torch.tensor([max(1, len(part.kept)) for part in parts], dtype=torch.float32)
    logits: list[torch.Tensor] = []
    for _, batch in windows.batches(model, parts):
        with torch.inference_mode():
            logits.extend(model.network(**batch).logits.float().cpu())
        yield Progress("Classifying", len(logits) / len(parts))
    mean = weights @ torch.stack(logits) / weights.sum()
    scores: list[float] = (mean.sigmoid() if several else mean.softmax(dim=0)).tolist()
    own = getattr(config, "thresholds", None) or [HALF] * len(names)
    ranked = sorted(range(len(names)), key=lambda index: -scores[index])
    yield Output(
        result=Labels(
            labels=[Label(label=names[index], score=scores[index]) for index in ranked][
                : options.top_k or None
            ],
            chosen=[
                names[index]
                for index in (ranked if several else ranked[:1])
                if scores[index] >= (options.threshold or (own[index] if several else 0.0))
            ],
        ),
        tokens_used=windows.tokens_used(parts),
        token_limit=model.checkpoint.token_limit,
        notes=(
            *_notes(len(parts), trained=trained, several=several),
            *[f"Nothing says that {model.checkpoint.id} was trained on pairs of texts."]
            * (paired and not getattr(config, "pairs", False)),
        ),
    )


def _split(model: LoadedModel, inputs: Inputs) -> tuple[Window, ...]:
    """The second text in windows, each after the whole first."""
    from components.tasks import windows

    try:
        return windows.split(model, inputs.text_pair, question=inputs.text)
    except TourError as error:
        if error.field != "question":
            raise
        raise TourError(
            error.code,
            f"The first text of a pair is read whole, and fills the {model.checkpoint.token_limit:,} tokens "
            f"that {model.checkpoint.id} reads. Shorten it.",
            "text",
        ) from error


def _notes(parts: int, *, trained: bool, several: bool) -> tuple[str, ...]:
    notes = []
    if parts > 1:
        notes.append(
            f"The text is longer than the model reads at once: read in {parts:,} windows, which are averaged."
        )
    if trained != several:
        notes.append(
            "The model was trained for several labels per text: shares of a whole say little about it."
            if trained
            else "The model was trained for one label per text: each score for itself says little about it."
        )
    return tuple(notes)


TASK = Task(
    name="text_classification",
    title="Text classification",
    about="Tells which of the labels that a checkpoint was trained on fit a text, such as its sentiment.",
    inputs=Inputs,
    options=Options,
    result=Labels,
    heads=frozenset({Head.SEQUENCE_CLASSIFICATION}),
    run=run,
    snippet=snippet("text_classification"),
    example={"text": "The staff were kind, and the view from our room was wonderful."},
)
