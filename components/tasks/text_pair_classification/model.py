"""Labels of a pair of texts from a classifier's logits. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from components.tasks import network, scores, windows
from components.tasks.stages import Forward
from components.tasks.task import Output
from components.tasks.text_pair_classification import Inputs, Label, Labels, Options
from components.tasks.windows import Window
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

# Checkpoints of pairs give one of these to their labels.
PAIR_LABELS = ("entail", "contradict", "equivalent", "duplicate", "paraphrase")


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The longer text in windows, each with the whole shorter one."""

    rows: tuple[Window, ...]


def preprocess(model: LoadedModel, inputs: Inputs, options: Options) -> Prepared:
    return Prepared(rows=windows.pair(model, inputs.text, inputs.text_pair))


def forward(model: LoadedModel, rows: Sequence[Window]) -> Forward[torch.Tensor]:
    """Logits [labels] of each window."""
    return network.forward(model, rows, "Comparing the texts", network.logits)


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
    function = options.function_to_apply
    if function == "auto":
        function = "sigmoid" if scores.several_labels(config) else "softmax"
    found = scores.apply(function, windows.mean(outputs, rows))
    ranked = sorted(zip(found, names, strict=True), key=lambda pair: -pair[0])[: options.top_k or None]
    notes = []
    if len(rows) > 1:
        notes.append(TEXTS["windows"].format(windows=len(rows)))
    if not (getattr(config, "pairs", False) or any(one in " ".join(names).lower() for one in PAIR_LABELS)):
        notes.append(f"Nothing says that {model.checkpoint.id} was trained on pairs of texts.")
    return Output(
        result=Labels(labels=[Label(label=name, score=score) for score, name in ranked]),
        tokens_used=windows.tokens_used(rows),
        token_limit=model.checkpoint.token_limit,
        notes=tuple(notes),
    )
