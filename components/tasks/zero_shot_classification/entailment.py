"""Zero-shot classification by whether a text entails a sentence with the label (Yin et al. 2019,
https://arxiv.org/abs/1909.00161). Imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from components.models.errors import Code, TourError
from components.tasks import network, windows
from components.tasks.stages import Forward
from components.tasks.task import Output
from components.tasks.windows import Window
from components.tasks.zero_shot_classification import Inputs, Labels, Options
from components.tasks.zero_shot_classification.labels import different, independent, output, window_notes
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Windows of the text with each hypothesis; `labels` is, for each row, the place of its label."""

    rows: tuple[Window, ...]
    labels: tuple[int, ...]


def preprocess(model: LoadedModel, inputs: Inputs, options: Options) -> Prepared:
    entailment(model)
    rows: list[Window] = []
    labels: list[int] = []
    for place, label in enumerate(different(inputs.labels)):
        own = _pairs(model, inputs.text, options.hypothesis_template.replace("{}", label))
        rows += own
        labels += [place] * len(own)
    return Prepared(rows=tuple(rows), labels=tuple(labels))


def forward(model: LoadedModel, rows: Sequence[Window]) -> Forward[torch.Tensor]:
    """Logits [classes] of each pair."""
    return network.forward(model, rows, "Comparing labels", network.logits)


def postprocess(
    model: LoadedModel,
    inputs: Inputs,
    options: Options,
    prepared: Prepared,
    outputs: Sequence[torch.Tensor],
) -> Output[Labels]:
    """The softmax over labels of the entailment logits, or each label's softmax of entailment against
    contradiction. A text's windows are averaged."""
    entails, against = entailment(model)
    owners = torch.tensor(prepared.labels)
    counts = torch.bincount(owners)
    stacked = torch.stack(list(outputs))
    table = torch.zeros(len(counts), stacked.shape[1]).index_add_(0, owners, stacked) / counts[:, None]
    alone = independent(inputs, options)
    scores = table[:, [*against, entails]].softmax(1)[:, -1] if alone else table[:, entails].softmax(0)
    return output(
        model, inputs, options, scores, max(map(len, prepared.rows)), window_notes(int(counts.max()))
    )


def entailment(model: LoadedModel) -> tuple[int, list[int]]:
    """The class that says that the first text entails the second, and the classes against it."""
    classes = {name.lower(): int(index) for index, name in (model.network.config.id2label or {}).items()}
    if "entailment" not in classes:
        raise TourError(
            Code.UNSUITABLE_MODEL,
            TEXTS["no_entailment"].format(model=model.checkpoint.id, classes=", ".join(classes)),
            "model",
        )
    entails = classes["entailment"]
    others = [index for index in classes.values() if index != entails]
    return entails, [classes["contradiction"]] if "contradiction" in classes else others


def _pairs(model: LoadedModel, text: str, hypothesis: str) -> tuple[Window, ...]:
    """Each window of the text with the whole hypothesis behind it."""
    try:
        return windows.split(model, text, behind=hypothesis)
    except TourError as error:
        if error.field != "behind":
            raise
        raise TourError(
            error.code,
            TEXTS["long_label"].format(limit=model.checkpoint.token_limit, model=model.checkpoint.id),
            "labels",
        ) from error
