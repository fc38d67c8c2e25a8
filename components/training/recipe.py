"""A recipe: what one checkpoint is trained on and with which numbers, read from `recipes.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

_FILE = Path(__file__).with_name("recipes.toml")
EMBEDDED = Path(__file__).resolve().parents[1] / "models" / "embedded"  # the shipped checkpoints' folders


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The numbers of one training run. `rank` is that of the LoRA matrices; 0 trains every weight.

    `batch` counts examples per step, or tokens where the module cuts batches itself, `length` tokens per
    example. `warmup` and `decay` are shares of all steps: the learning rate rises, stays, and falls to zero.
    """

    name: str
    kind: str  # the module of this package that prepares the data
    data: tuple[str, ...]  # folders under the data directory
    epochs: float
    learning_rate: float
    batch: int
    length: int
    rank: int = 0
    dropout: float = 0.1
    label_smoothing: float = 0.0
    weight_decay: float = 0.01
    warmup: float = 0.06
    decay: float = 0.5
    optimizer: str = "adamw_torch_fused"  # as Transformers names them
    bfloat16: bool = False  # for the products of matrices, whose weights stay in single precision
    seed: int = 20
    targets: dict[str, float] = field(default_factory=dict)  # what the measures of that name should reach
    known: str = ""  # a well-known checkpoint of the task, and what it reaches
    card: dict[str, Any] = field(default_factory=dict)  # prose for the model card: see `cards.py`
    extra: dict[str, Any] = field(default_factory=dict)  # what only this kind knows


def recipes() -> dict[str, Recipe]:
    """Every recipe by its name, in the order of the file."""
    tables = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {
        name: TypeAdapter(Recipe).validate_python({"name": name, **table}) for name, table in tables.items()
    }
