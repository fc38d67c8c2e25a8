"""Fine-tuning by small matrices beside the network's own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.lab.methods.method import Method
from components.lab.methods.options import (
    DEFAULT_MODEL,
    Batch,
    Epochs,
    LearningRate,
    Longest,
    Model,
    Seed,
    WeightDecay,
)
from components.lab.work import Work
from components.tasks.fields import STRICT
from components.texts import in_folder
from components.training.recipe import Recipe

TEXTS = in_folder(__file__)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    model: Model = DEFAULT_MODEL
    epochs: Epochs = 6
    learning_rate: LearningRate = 5e-4
    batch: Batch = 8
    weight_decay: WeightDecay = 0.01
    rank: Annotated[
        int,
        Field(ge=1, le=128, title="Rank", description="Of the added matrices: how much they can express."),
    ] = 16
    longest: Longest = 128
    seed: Seed = 20


def run(work: Work, options: Options) -> None:
    from components.lab.methods.fine_tuning import tune

    tune(
        work,
        Recipe(
            name="lora",
            kind="classification",
            data=(),
            epochs=options.epochs,
            learning_rate=options.learning_rate,
            batch=options.batch,
            length=options.longest,
            rank=options.rank,
            weight_decay=options.weight_decay,
            seed=options.seed,
        ),
    )


METHOD = Method(
    name="lora",
    title="LoRA",
    about=TEXTS["about"],
    kind="classifier",
    options=Options,
    run=run,
    pausable=True,
    disk=5.0,
)
