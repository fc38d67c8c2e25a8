"""From logits to the scores of labels: the function that is applied, as an option and as it is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from components.texts import in_folder

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig

TEXTS = in_folder(__file__)

SEVERAL = "multi_label_classification"  # Transformers' name for it in a configuration

FunctionToApply = Annotated[
    Literal["auto", "softmax", "sigmoid", "none"],
    Field(
        title="Function to apply",
        description=TEXTS["function_to_apply"],
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
