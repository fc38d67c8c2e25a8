"""Training in the lab: told step by step, looked at now and then, and paused when asked. Imports torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from components.lab.work import PausedError, Work
from components.training.recipe import Recipe
from components.training.run import Job, train

Look = Callable[[int], None]  # what is done at a step of which something is to be told


def follow(
    work: Work, recipe: Recipe, job: Job, look: Look, *, look_every: int, save_every: int, log_every: int = 1
) -> None:
    """Trains a job, from where it was paused if it was; raises `PausedError` once it is asked to pause.

    `look` is called with the step after each `look_every` steps, and after the last one.
    """
    callback = _Follow(work, look, look_every)
    train(
        recipe, job, work.checkpoints, save_every=save_every, log_every=log_every, callbacks=[callback]
    )
    if callback.paused is not None:
        raise PausedError(callback.paused)


class _Follow(TrainerCallback):
    def __init__(self, work: Work, look: Look, every: int) -> None:
        self._work = work
        self._look = look
        self._every = every
        self.paused: int | None = None

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        if logs and "loss" in logs:
            self._work.train(state.global_step, state.max_steps, logs["loss"], logs["learning_rate"])

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any
    ) -> None:
        step = state.global_step
        if step % self._every == 0 or step == state.max_steps:
            self._look(step)
        if self._work.pausing.is_set() and step < state.max_steps:
            self.paused = step
            control.should_log = control.should_save = control.should_training_stop = True
