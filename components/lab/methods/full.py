"""Fine-tuning of every weight."""

from __future__ import annotations

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
    epochs: Epochs = 5
    learning_rate: LearningRate = 1e-4
    batch: Batch = 16
    weight_decay: WeightDecay = 0.01
    longest: Longest = 128
    seed: Seed = 20


def run(work: Work, options: Options) -> None:
    from components.lab.methods.fine_tuning import tune

    tune(
        work,
        Recipe(
            name="full",
            kind="classification",
            data=(),
            epochs=options.epochs,
            learning_rate=options.learning_rate,
            batch=options.batch,
            length=options.longest,
            weight_decay=options.weight_decay,
            seed=options.seed,
        ),
    )


METHOD = Method(
    name="full",
    title="Full fine-tuning",
    about=TEXTS["about"],
    kind="classifier",
    options=Options,
    run=run,
    pausable=True,
    disk=14.5,  # weights and Adam's two moments in fp32, and the best weights in half precision
)
