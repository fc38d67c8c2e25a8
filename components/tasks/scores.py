"""From logits to the scores of labels: the function that is applied, as an option and as it is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig

SEVERAL = "multi_label_classification"  # Transformers' name for it in a configuration

FunctionToApply = Annotated[
    Literal["auto", "softmax", "sigmoid", "none"],
    Field(
        title="Function to apply",
        description=(
            "How logits become scores. softmax: scores sum to 1; sigmoid: each label from 0 to 1 "
            "independently; none: raw logits; auto: as the checkpoint was trained."
        ),
    ),
]


def several_labels(config: PretrainedConfig) -> bool:
    """Whether a classifier was trained so that several labels, or none, may fit a text."""
    return config.problem_type == SEVERAL or config.num_labels == 1


def apply(function: str, logits: torch.Tensor) -> list[float]:
    """Scores [labels] of logits [labels]; `function` is "softmax", "sigmoid" or "none"."""
    if function == "none":
        scores: list[float] = logits.tolist()
    else:
        scores = (logits.sigmoid() if function == "sigmoid" else logits.softmax(dim=0)).tolist()
    return scores
