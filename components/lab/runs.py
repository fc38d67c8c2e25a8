"""Runs: what was asked to be trained, their state and their events so far; each in a folder of its own."""

from __future__ import annotations

import itertools
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from components.lab.data import Data

CHECKPOINTS = "checkpoints"  # what a run goes on from; removed when it has ended
MODEL = "model"  # what it has made, if that is a checkpoint
PREDICTIONS = "predictions.npz"  # `validation` and `test`: logits [rows of the split, classes]
RESULT = "result.json"  # what else it has found
KEY = 24  # hexadecimal digits at the end of a run's id, which nobody can guess
_SPEC, _STATE, _EVENTS, _SHARED = "run.json", "state.json", "events.jsonl", "shared"


class Phase(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"  # the server stopped; what was saved is there to go on from
    LOST = "lost"  # the server stopped before anything was saved
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        return self in (Phase.DONE, Phase.CANCELLED, Phase.FAILED, Phase.LOST)

    @property
    def resumable(self) -> bool:
        return self in (Phase.PAUSED, Phase.INTERRUPTED)


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What a run is asked to do. `options` are those of its method; `data` is the id of a data set of the
    same workspace, None for a run that needs none."""

    method: str
    title: str
    data: str | None
    options: Mapping[str, Any] = field(default_factory=dict)
    created: float = 0.0  # seconds since the epoch


@dataclass(frozen=True, kw_only=True)
class State:
    phase: Phase
    message: str = ""


class Run:
    """A folder with the files named above. Only the server writes the state, only the worker the events."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        content = json.loads((folder / _SPEC).read_text("utf-8"))
        self.spec = Spec(**content)

    @classmethod
    def create(cls, runs: Path, spec: Spec) -> Run:
        # By name they stand in the order in which they were made, two of one second too.
        folder = runs / f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(KEY // 2)}"
        folder.mkdir(parents=True)
        (folder / _SPEC).write_text(json.dumps(asdict(spec), ensure_ascii=False), "utf-8")
        run = cls(folder)
        run.state = State(phase=Phase.WAITING)
        return run

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def data(self) -> Data | None:
        """The data set it is about; None if it has none, or none any more."""
        if self.spec.data is None:
            return None
        folder = self.folder.parents[1] / "data" / self.spec.data
        return Data(folder) if folder.is_dir() else None

    @property
    def state(self) -> State:
        content = json.loads((self.folder / _STATE).read_text("utf-8"))
        return State(phase=Phase(content["phase"]), message=content["message"])

    @state.setter
    def state(self, state: State) -> None:
        written = self.folder / f"{_STATE}.new"
        written.write_text(json.dumps(asdict(state)), "utf-8")
        written.replace(self.folder / _STATE)

    def tell(self, event: str, **values: Any) -> None:
        """Appends an event; see `components.lab.work` for those that there are."""
        line = json.dumps({"event": event, "at": round(time.time(), 2), **values}, ensure_ascii=False)
        with (self.folder / _EVENTS).open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def events(self) -> list[dict[str, Any]]:
        """The worker's events, oldest first; a line that is being written is left for the next time."""
        try:
            text = (self.folder / _EVENTS).read_text("utf-8", errors="replace")
        except FileNotFoundError:
            return []
        # Not splitlines: texts hold characters such as U+2028 that end no record.
        return [json.loads(line) for line in text.split("\n")[:-1]]

    @property
    def seconds(self) -> float:
        """How long its worker has been at it; time in which it was paused does not count."""
        events = self.events()
        gaps = [
            float(later["at"] - earlier["at"])
            for earlier, later in itertools.pairwise(events)
            if earlier["event"] != "paused"
        ]
        return sum(gaps)

    @property
    def result(self) -> dict[str, Any]:
        """What it has found; empty before its end."""
        file = self.folder / RESULT
        content: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
        return content

    @property
    def model(self) -> Path | None:
        """The folder of the checkpoint that it made."""
        folder = self.folder / MODEL
        return folder if (folder / "config.json").is_file() else None

    @property
    def shared(self) -> bool:
        """Whether its visitor has let everybody pick the checkpoint that it made."""
        return (self.folder / _SHARED).is_file()

    @shared.setter
    def shared(self, shared: bool) -> None:
        if shared:
            (self.folder / _SHARED).touch()
        else:
            (self.folder / _SHARED).unlink(missing_ok=True)

    @property
    def saved(self) -> bool:
        """Whether there is something to go on from."""
        folder = self.folder / CHECKPOINTS
        return folder.is_dir() and any(folder.iterdir())


def find(runs: Path) -> Iterator[Run]:
    """The runs of a workspace, oldest first; what is half written or half removed is passed over."""
    for folder in sorted(runs.iterdir()) if runs.is_dir() else ():
        if (folder / _STATE).is_file():
            yield Run(folder)
