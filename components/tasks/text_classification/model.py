"""Labels from a classifier's logits. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from components.models.errors import Code, TourError
from components.tasks import network, scores, windows
from components.tasks.stages import Forward
from components.tasks.task import Output
from components.tasks.text_classification import Inputs, Label, Labels, Options
from components.tasks.windows import Window
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

HALF = 0.5


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Windows of the text, or of the second text, each after the whole first."""

    rows: tuple[Window, ...]
    paired: bool


def preprocess(model: LoadedModel, inputs: Inputs, options: Options) -> Prepared:
    config = model.network.config
    if config.problem_type == "regression":
        raise TourError(
            Code.UNSUITABLE_MODEL,
            TEXTS["no_labels"].format(model=model.checkpoint.id),
            "model",
        )
    paired = bool(inputs.text_pair.strip())
    if getattr(config, "pairs", False) and not paired:
        raise TourError(
            Code.INVALID_INPUT,
            f"{model.checkpoint.id} was trained on pairs of texts: add the second text.",
            "text_pair",
        )
    rows = (
        windows.pairs(model, inputs.text, inputs.text_pair) if paired else windows.split(model, inputs.text)
    )
    return Prepared(rows=rows, paired=paired)


def forward(model: LoadedModel, rows: Sequence[Window]) -> Forward[torch.Tensor]:
    """Logits [labels] of each window."""
    return network.forward(model, rows, "Classifying", network.logits)


def postprocess(
    model: LoadedModel,
    inputs: Inputs,
    options: Options,
    prepared: Prepared,
    outputs: Sequence[torch.Tensor],
) -> Output[Labels]:
    """The logits of several windows are averaged over their tokens."""
    config, rows = model.network.config, prepared.rows
    names = network.labels(model)
    trained = scores.several_labels(config)
    several = {"auto": trained, "one": len(names) == 1, "several": True}[options.multi_label]
    mean = windows.mean(outputs, rows)
    function = "sigmoid" if several else "softmax"
    own_function = function if options.function_to_apply == "auto" else options.function_to_apply
    found, shown = scores.apply(function, mean), scores.apply(own_function, mean)
    own = getattr(config, "thresholds", None) or [HALF] * len(names)
    ranked = sorted(range(len(names)), key=lambda index: -found[index])
    return Output(
        result=Labels(
            labels=[Label(label=names[index], score=shown[index]) for index in ranked][
                : options.top_k or None
            ],
            chosen=[
                names[index]
                for index in (ranked if several else ranked[:1])
                if found[index] >= (options.threshold or (own[index] if several else 0.0))
            ],
        ),
        tokens_used=windows.tokens_used(rows),
        token_limit=model.checkpoint.token_limit,
        notes=(
            *_notes(len(rows), trained=trained, several=several),
            *[f"Nothing says that {model.checkpoint.id} was trained on pairs of texts."]
            * (prepared.paired and not getattr(config, "pairs", False)),
        ),
    )


def _notes(parts: int, *, trained: bool, several: bool) -> tuple[str, ...]:
    notes = []
    if parts > 1:
        notes.append(TEXTS["windows"].format(windows=parts))
    if trained != several:
        notes.append(TEXTS["several_labels"] if trained else TEXTS["one_label"])
    return tuple(notes)
