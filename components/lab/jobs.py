"""Runs of all visitors, one after the other, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, cast

from filelock import FileLock, Timeout

from components.lab.methods import METHODS
from components.lab.runs import CHECKPOINTS, Phase, Run, State
from components.lab.work import start_message
from components.lab.worker import LOCK
from components.lab.workspace import remove
from components.models import disk
from components.models.checkpoint import Checkpoint
from components.models.errors import Code, TourError
from components.models.settings import Settings
from components.texts import in_folder

TEXTS = in_folder(__file__)

MOST_WAITING = 20
MOST_OF_ONE = 5  # of these, and under way, of one visitor
TURN = 300.0  # seconds after which a run that can be paused makes way for others who wait

_ROOT = Path(__file__).resolve().parents[2]

StopReason = Literal["pause", "cancel", "yield", "close"]


@dataclass
class _Entry:
    """A run that waits, or is under way; `stop_reason` is why it is to stop."""

    run: Run
    base: Checkpoint | None
    stop_reason: StopReason | None = None


class Jobs:
    """`ended` is told of each run that has come to its end, from the thread that carries runs out."""

    def __init__(self, settings: Settings, *, ended: Callable[[Run], None], turn: float = TURN) -> None:
        self._settings = settings
        self._ended = ended
        self._turn = turn
        self._waiting: deque[_Entry] = deque()
        self._current: _Entry | None = None
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def submit(self, run: Run, base: Checkpoint | None) -> None:
        """Puts a run at the end of the line, also one that goes on; raises `TourError` if it is full."""
        with self._changed:
            if self._closed:
                raise TourError(Code.BUSY, "The app is shutting down. Try again in a minute.")
            if self._find(run):
                return
            if len(self._waiting) >= MOST_WAITING:
                raise TourError(
                    Code.BUSY, f"{MOST_WAITING} runs are waiting already. Try again in some minutes."
                )
            if sum(run.folder.parent == other.folder.parent for other in self._runs()) >= MOST_OF_ONE:
                raise TourError(
                    Code.BUSY, f"{MOST_OF_ONE} of your runs are in line already. Wait, or cancel one."
                )
            run.state = State(phase=Phase.WAITING)
            self._waiting.append(_Entry(run, base))
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="lab jobs", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def place(self, run: Run) -> int | None:
        """0 while it is under way, else how many runs go before it; None if it is not in line."""
        with self._changed:
            if self._current and self._current.run.folder == run.folder:
                return 0
            ahead = 1 if self._current else 0
            places = [entry.run.folder for entry in self._waiting]
            return places.index(run.folder) + ahead if run.folder in places else None

    def under(self, folder: Path) -> bool:
        """Whether a run somewhere below a folder waits or is under way."""
        with self._changed:
            return any(run.folder.is_relative_to(folder) for run in self._runs())

    def pause(self, run: Run) -> None:
        """What it has learned is saved; a run that only waits leaves the line."""
        self._stop(run, "pause", Phase.PAUSED)

    def cancel(self, run: Run) -> None:
        """Nothing of it is kept to go on from."""
        self._stop(run, "cancel", Phase.CANCELLED)

    def wait(self, run: Run, timeout: float) -> None:
        """Until a run is no longer in line; `TimeoutError` after so many seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._find(run) is None, timeout):
                raise TimeoutError(run.id)

    def close(self) -> None:
        """The run under way saves what it has; what waits can be resumed by the next server."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            if self._current:
                self._current.stop_reason = "close"
            self._changed.notify_all()
        if self._thread:
            self._thread.join(timeout=20)

    def recover(self, run: Run) -> None:
        """Says what became of a run that another server left in line or under way."""
        if run.state.phase not in (Phase.WAITING, Phase.RUNNING) or self._find(run):
            return
        try:  # its worker may still be saving
            FileLock(run.folder / LOCK).acquire(timeout=30).lock.release()
        except Timeout:
            return
        if run.state.phase is Phase.WAITING and not run.events():
            state = State(
                phase=Phase.INTERRUPTED,
                message=TEXTS["not_begun"],
            )
        elif _last(run) == "done":
            state = State(phase=Phase.DONE)
        elif run.saved:
            state = State(
                phase=Phase.INTERRUPTED,
                message=TEXTS["interrupted"],
            )
        else:
            state = State(
                phase=Phase.LOST,
                message=TEXTS["lost"],
            )
        run.state = state
        if state.phase is Phase.DONE:
            self._ended(run)

    # Inside

    # Condition held:

    def _entries(self) -> list[_Entry]:
        return [*filter(None, [self._current]), *self._waiting]

    def _runs(self) -> list[Run]:
        return [entry.run for entry in self._entries()]

    def _find(self, run: Run) -> _Entry | None:
        return next((entry for entry in self._entries() if entry.run.folder == run.folder), None)

    def _stop(self, run: Run, stop_reason: StopReason, phase: Phase) -> None:
        with self._changed:
            entry = self._find(run)
            if entry is None:
                if stop_reason == "cancel" and run.state.phase.resumable:
                    self._end(run, State(phase=phase))
                return
            if entry is self._current:
                if entry.stop_reason != "cancel":
                    entry.stop_reason = stop_reason
            else:
                self._waiting.remove(entry)
                self._end(run, State(phase=phase))
            self._changed.notify_all()

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                entry = self._current = self._waiting.popleft()
            try:
                state = self._carry_out(entry)
            except OSError as error:  # the folder is gone, the disk is full
                full = disk.no_room("the training could not go on").message
                message = full if disk.is_full(error) else f"It could not be run ({error.strerror})."
                state = State(phase=Phase.FAILED, message=message)
            with self._changed:
                self._current = None
                if entry.stop_reason == "yield" and state.phase is Phase.PAUSED and not self._closed:
                    state = State(phase=Phase.WAITING, message="Paused to let others have a turn.")
                    self._waiting.append(_Entry(entry.run, entry.base))
                if entry.run.folder.is_dir():
                    self._end(entry.run, state)
                self._changed.notify_all()

    def _end(self, run: Run, state: State) -> None:
        if state.phase.ended:
            remove(run.folder / CHECKPOINTS)
        run.state = state
        if state.phase.ended:
            self._ended(run)

    def _carry_out(self, entry: _Entry) -> State:
        run = entry.run
        run.state = State(phase=Phase.RUNNING)
        pausable = METHODS[run.spec.method].pausable
        started = time.monotonic()
        asked = False
        with (
            (run.folder / "worker.log").open("ab") as log,
            subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "components.lab.worker", str(run.folder.resolve())],
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
            ) as process,
        ):
            pipe = cast(IO[bytes], process.stdin)
            _tell(pipe, start_message(self._settings, entry.base))
            while process.poll() is None:
                with self._changed:
                    long = pausable and time.monotonic() - started > self._turn
                    if entry.stop_reason is None and long and self._waiting:
                        entry.stop_reason = "yield"
                    stop_reason = entry.stop_reason
                    if stop_reason is None or asked:
                        self._changed.wait(0.2)
                if stop_reason == "cancel" or (stop_reason is not None and not pausable):
                    process.kill()
                    break
                if stop_reason is not None and not asked:
                    asked = True
                    _tell(pipe, "pause\n")
        return _outcome(run, entry.stop_reason, process.returncode)


def _outcome(run: Run, stop_reason: StopReason | None, status: int) -> State:
    last = _last(run)
    if stop_reason == "cancel":
        return State(phase=Phase.CANCELLED)
    if last == "done":
        return State(phase=Phase.DONE)
    if last == "paused":
        return State(phase=Phase.PAUSED)
    if last == "error":
        return State(phase=Phase.FAILED, message=str(run.events()[-1]["message"]))
    if stop_reason == "close":
        return State(phase=Phase.LOST, message="The server was stopped, and this is lost. Start it again.")
    if stop_reason is not None:  # it cannot be paused: it begins anew
        return State(phase=Phase.PAUSED)
    return State(
        phase=Phase.FAILED,
        message=TEXTS["ended"].format(status=status),
    )


def _last(run: Run) -> str | None:
    events = run.events()
    return str(events[-1]["event"]) if events else None


def _tell(pipe: IO[bytes], line: str) -> None:
    with suppress(BrokenPipeError):  # it has just ended
        pipe.write(line.encode())
        pipe.flush()
