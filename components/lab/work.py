"""What a method is handed while it runs in the worker: its run, its data, and whom to tell.

Events that a run tells, each with `at` in seconds since the epoch:
`progress` (stage, share or null), `train` (step, steps, loss, learning_rate), `validation` (step, and
scores by name), `sample` (step, text: what a language model writes by then), `note` (text), and one of
`done`, `paused` (step) or `error` (message) at the end.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from components.lab.data import Data
from components.lab.runs import CHECKPOINTS, MODEL, PREDICTIONS, RESULT, Run
from components.models.checkpoint import SOURCES, Checkpoint, kind_of
from components.models.errors import Code, TourError
from components.models.settings import Settings
from components.models.sources import Sources
from components.models.status import State as Stage
from components.texts import in_folder

TEXTS = in_folder(__file__)


class PausedError(Exception):
    """Raised by a method that was asked to pause, once all that it needs to go on is saved."""

    def __init__(self, step: int) -> None:
        super().__init__(f"paused at step {step}")
        self.step = step


@dataclass(frozen=True, kw_only=True)
class Work:
    """`base` is the checkpoint to start from, where the method has an option `model`."""

    run: Run
    settings: Settings
    base: Checkpoint | None
    pausing: threading.Event = field(default_factory=threading.Event)  # set: save and raise `PausedError`

    @property
    def data(self) -> Data:
        if (data := self.run.data) is None:
            raise TourError(Code.EXPIRED, TEXTS["no_data"])
        return data

    @property
    def checkpoints(self) -> Path:
        """For what a run goes on from; outlives a pause, not its end."""
        return self.run.folder / CHECKPOINTS

    @property
    def model(self) -> Path:
        """For the checkpoint that is made: config.json, safetensors, tokenizer."""
        return self.run.folder / MODEL

    def base_folder(self) -> Path:
        """The files of `base`, fetched first if this host has not got them."""
        if self.base is None:
            raise ValueError(f"{self.run.spec.method} has no option `model`")

        def report(share: float | None, stage: str, state: Stage = Stage.FETCHING) -> None:
            self.progress(stage, share)

        return Sources(self.settings).fetch(self.base, report, nullcontext)

    def progress(self, stage: str, share: float | None = None) -> None:
        self.run.tell("progress", stage=stage, share=share)

    def train(self, step: int, steps: int, loss: float, learning_rate: float) -> None:
        self.run.tell("train", step=step, steps=steps, loss=loss, learning_rate=learning_rate)

    def validation(self, step: int, **scores: float) -> None:
        self.run.tell("validation", step=step, **scores)

    def sample(self, step: int, text: str) -> None:
        self.run.tell("sample", step=step, text=text)

    def note(self, text: str) -> None:
        self.run.tell("note", text=text)

    def predict(self, validation: np.ndarray, test: np.ndarray) -> None:
        """Keeps a classifier's logits [rows of the split, classes], rows in the order of `Data.rows`."""
        np.savez(self.run.folder / PREDICTIONS, validation=validation, test=test)

    def finish(self, result: Mapping[str, Any]) -> None:
        """Keeps what was found; a method calls this once, last."""
        (self.run.folder / RESULT).write_text(json.dumps(result, ensure_ascii=False), "utf-8")


def start_message(settings: Settings, base: Checkpoint | None) -> str:
    """What a worker is told first, as a line of JSON."""
    packed = None
    if base is not None:
        packed = {**asdict(base), "source": [kind_of(base.source), asdict(base.source)]}
    packed_settings = {**asdict(settings), "cache_dir": settings.cache_dir.resolve()}
    return json.dumps({"settings": packed_settings, "base": packed}, default=str) + "\n"


def read_start_message(line: str) -> tuple[Settings, Checkpoint | None]:
    """The settings and the base of a `start_message`."""
    content = json.loads(line)
    base = content["base"]
    if base is not None:
        kind, fields = base["source"]
        base = TypeAdapter(Checkpoint).validate_python({**base, "source": SOURCES[kind](**fields)})
    return TypeAdapter(Settings).validate_python(content["settings"]), base
