"""Training in the lab: reported step by step, measured now and then, and paused when asked. Imports torch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from components.lab.work import PausedError, Work
from components.lab.workspace import remove
from components.models.errors import Code, TourError
from components.texts import in_folder
from components.training.recipe import Recipe
from components.training.run import Job, train

TEXTS = in_folder(__file__)

PACE = 0.2  # seconds at least between two words about the loss

Record = Callable[[int], None]  # measures the network after a step


def follow(
    work: Work, recipe: Recipe, job: Job, record: Record, *, record_every: int, save_every: int
) -> None:
    """Trains a job, from where it was paused if it was; raises `PausedError` once it is asked to pause.

    `record` is called with the step after each `record_every` steps, and after the last one. Raises
    `TourError` where the loss is no number any more.
    """
    callback = _Follow(work, record, record_every, save_every)
    train(
        recipe,
        job,
        work.checkpoints,
        save_every=save_every,
        log_every=1,
        callbacks=[callback],
        device=work.settings.device,
    )
    if callback.paused is not None:
        raise PausedError(callback.paused)


class _Follow(TrainerCallback):
    def __init__(self, work: Work, record: Record, record_every: int, save_every: int) -> None:
        self._work = work
        self._record = record
        self._record_every = record_every
        self._save_every = save_every
        self._losses: list[float] = []  # since the last report
        self._reported = 0.0
        self.paused: int | None = None

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        if not logs or "loss" not in logs:
            return
        step, loss = state.global_step, float(logs["loss"])
        if not math.isfinite(loss):
            raise TourError(
                Code.INVALID_INPUT,
                TEXTS["diverged"].format(step=step),
                "learning_rate",
            )
        self._losses.append(loss)
        now = time.monotonic()
        if now - self._reported >= PACE or step == state.max_steps or self.paused is not None:
            mean = sum(self._losses) / len(self._losses)
            self._work.train(step, state.max_steps, mean, float(logs["learning_rate"]))
            self._losses, self._reported = [], now

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any
    ) -> None:
        step = state.global_step
        last = step == state.max_steps
        if step % self._record_every == 0 or last:
            self._record(step)
        if self._work.pausing.is_set() and not last:
            self.paused = step
            control.should_log = control.should_save = control.should_training_stop = True
        if self.paused is not None or step % self._save_every == 0 or last:
            # What is saved now takes its place: a visitor's disk has no room for both.
            for older in self._work.checkpoints.glob(f"{PREFIX_CHECKPOINT_DIR}-*"):
                remove(older)
