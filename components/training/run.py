"""One training run: Transformers' Trainer with a recipe's numbers, resumable at any step."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import torch
from torch.utils.data import Sampler
from tqdm import tqdm
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_pt_utils import LengthGroupedSampler
from transformers.trainer_utils import get_last_checkpoint

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer
    from torch.utils.data import Dataset

    from components.training.recipe import Recipe

Example = Mapping[str, Any]
Collate = Callable[[Sequence[Example]], dict[str, Any]]


class Batches(Protocol):
    """Batches made as they are asked for, by the step that each is for; `len` is the steps of an epoch.

    The same step is to give the same batch, in a run that goes on too.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, step: int) -> Sequence[Example]: ...


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a recipe's module prepares: a network to train, tokenised examples, how to batch them.

    Each example has `length`, its number of tokens, by which batches are made; or `train` is `Batches`.
    `loss` replaces the network's own, `optimizer` the recipe's. `export` writes the trained network as a
    checkpoint into a folder.
    """

    network: nn.Module
    train: Sequence[Example] | Batches
    collate: Collate
    export: Callable[[Path], None]
    loss: Callable[[nn.Module, dict[str, Any]], Any] | None = None

    @property
    def examples(self) -> Sequence[Example]:
        """`train`, for recipes whose training is a list of examples."""
        if not isinstance(self.train, Sequence):
            raise TypeError("this training makes its batches as they are asked for")
        return self.train

    optimizer: Callable[[nn.Module], Optimizer] | None = None


class _Sampler(LengthGroupedSampler):
    """Another order in each epoch that depends on nothing but seed and epoch: a run that goes on in the midst
    of one must know what it has seen."""

    def __init__(self, batch: int, lengths: list[int], seed: int) -> None:
        super().__init__(batch, lengths=lengths, generator=torch.Generator())
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        self.generator.manual_seed(self._seed + self._epoch)
        order: Iterator[int] = super().__iter__()  # type: ignore[no-untyped-call]
        return order


class _Steps(Sampler[int]):
    """The steps of each epoch in their order."""

    def __init__(self, epoch: int) -> None:
        self._length = epoch
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[int]:
        start = self._epoch * self._length
        return iter(range(start, start + self._length))


class _Trainer(Trainer):
    def __init__(self, job: Job, arguments: TrainingArguments) -> None:
        given = isinstance(job.train, Sequence)
        super().__init__(
            model=job.network,
            args=arguments,
            train_dataset=_dataset(job.train),
            data_collator=job.collate if given else lambda batches: job.collate(batches[0]),
        )
        self._loss = job.loss
        self._make_optimizer = job.optimizer
        self._sampler = _sampler(job.train, arguments)

    def _get_train_sampler(self, train_dataset: Any = None) -> _Sampler | _Steps:
        return self._sampler

    def create_optimizer(self, model: nn.Module | None = None) -> Optimizer:
        if self._make_optimizer is None:
            return super().create_optimizer(model)
        if self.optimizer is None:
            self.optimizer = self._make_optimizer(cast("nn.Module", self.model) if model is None else model)
        return self.optimizer

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        if self._loss is None:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        return self._loss(model, inputs)


class _Stop(TrainerCallback):
    def __init__(self, step: int) -> None:
        self._step = step

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any
    ) -> None:
        control.should_training_stop = state.global_step >= self._step


def steps_per_epoch(recipe: Recipe, examples: int) -> int:
    """The last batch of an epoch may be smaller than the others."""
    return -(-examples // recipe.batch)


def train(
    recipe: Recipe,
    job: Job,
    folder: Path,
    *,
    save_every: int = 250,
    log_every: int = 50,
    stop_after: int | None = None,
    callbacks: Sequence[TrainerCallback] = (),
    device: str | None = None,
) -> None:
    """Train in `folder`, where a run that was stopped is taken up at its last saved step.

    `save_every`, `log_every` and `stop_after` count steps; a run ends early, as if it were stopped, after the
    last of them. `callbacks` are told of what happens, and can have it stop or save. `device`
    "cpu" leaves an accelerator to others; by default the best there is takes part.
    """
    batch = recipe.batch if isinstance(job.train, Sequence) else 1
    steps = max(1, round(recipe.epochs * -(-len(job.train) // batch)))
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=batch,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        label_smoothing_factor=recipe.label_smoothing,
        lr_scheduler_type="warmup_stable_decay",
        lr_scheduler_kwargs={"num_decay_steps": round(recipe.decay * steps)},
        warmup_steps=round(recipe.warmup * steps),
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        logging_steps=log_every,
        logging_nan_inf_filter=False,
        optim=recipe.optimizer,
        bf16=recipe.bfloat16,
        save_steps=save_every,
        save_total_limit=1,
        seed=recipe.seed,
        report_to="none",
        disable_tqdm=not sys.stderr.isatty(),
        use_cpu=device == "cpu" or not torch.accelerator.is_available(),
    )
    trainer = _Trainer(job, arguments)
    if stop_after is not None:
        trainer.add_callback(_Stop(stop_after))
    for callback in callbacks:
        trainer.add_callback(callback)
    # Without this the loss would be divided by a count of tokens that only causal models know.
    trainer.model_accepts_loss_kwargs = False
    folder.mkdir(parents=True, exist_ok=True)
    trainer.train(resume_from_checkpoint=_last(folder))


def _last(folder: Path) -> str | None:
    """The last saved step; what was only half written when the process ended is removed."""
    while found := get_last_checkpoint(str(folder)):
        saved = Path(found)
        if (saved / TRAINER_STATE_NAME).is_file():  # which is written last
            return str(saved)
        shutil.rmtree(saved)
    return None


def predict(
    network: nn.Module, examples: Sequence[Example], collate: Collate, batch: int = 64
) -> Iterator[tuple[Example, Any]]:
    """Each example with the network's output for it (a row of every tensor), in batches of like length."""
    network.eval()
    device = next(network.parameters()).device
    order = sorted(examples, key=lambda example: -example["length"])
    with torch.inference_mode():
        for start in tqdm(range(0, len(order), batch), desc="predicting", disable=None):
            rows = order[start : start + batch]
            inputs = {name: tensor.to(device) for name, tensor in collate(rows).items() if name != "labels"}
            output = network(**inputs)
            tensors = {name: one for name, one in output.items() if isinstance(one, torch.Tensor)}
            for index, example in enumerate(rows):
                yield example, {name: tensor[index] for name, tensor in tensors.items() if name != "loss"}


def _dataset(train: Sequence[Example] | Batches) -> Dataset[Any]:
    from datasets import Dataset as Table

    return cast("Dataset[Any]", Table.from_list(list(train)) if isinstance(train, Sequence) else train)


def _sampler(train: Sequence[Example] | Batches, arguments: TrainingArguments) -> _Sampler | _Steps:
    if not isinstance(train, Sequence):
        return _Steps(len(train))
    lengths = [int(example["length"]) for example in train]
    return _Sampler(arguments.train_batch_size, lengths, arguments.seed)
