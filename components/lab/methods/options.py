"""Options that several methods have: what they are called, what they mean, how far they go."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from components.tasks.fields import Text
from components.texts import in_folder

TEXTS = in_folder(__file__)

DEFAULT_MODEL = "all-MiniLM-L6-v2"

Model = Annotated[
    Text,
    Field(
        max_length=200,
        title="Start from",
        description=TEXTS["base"],
    ),
]
Layer = Annotated[
    int,
    Field(
        ge=-1,
        le=48,
        title="Layer",
        description=TEXTS["layer"],
        json_schema_extra={"step": None},  # no slider: models have 6 layers or 30
    ),
]
Pooling = Annotated[
    Literal["mean", "first"],
    Field(
        title="Pooling",
        description=TEXTS["pooling"],
    ),
]
Seed = Annotated[
    int, Field(ge=0, le=2**31 - 1, title="Seed", description="The same seed gives the same result.")
]
Epochs = Annotated[
    int, Field(ge=1, le=50, title="Epochs", description="Number of passes over the training examples.")
]
LearningRate = Annotated[
    float,
    Field(
        ge=1e-7,
        le=0.1,
        title="Learning rate",
        description=TEXTS["learning_rate"],
        json_schema_extra={"step": 1e-7},  # no slider: good values are powers of ten apart
    ),
]
Batch = Annotated[int, Field(ge=1, le=256, title="Batch size", description="Examples per training step.")]
WeightDecay = Annotated[
    float,
    Field(
        ge=0,
        le=1,
        title="Weight decay",
        description=TEXTS["weight_decay"],
        json_schema_extra={"step": 0.01},
    ),
]
Longest = Annotated[
    int,
    Field(
        ge=8,
        le=1024,
        title="Longest text",
        description="In tokens; longer texts are cut while training.",
    ),
]
