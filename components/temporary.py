"""Files that come with a request or go out with an answer: uploads, and what visitors download."""

from __future__ import annotations

import secrets
import shutil
import threading
from contextlib import suppress
from pathlib import Path
from time import monotonic, time

from components.models import disk
from components.models.errors import Code, TourError
from components.models.sources.files import size
from components.texts import beside

TEXTS = beside(__file__)

KEEP = 2 * 3600.0  # seconds after which a file is removed; Gradio itself removes what it knows after one hour
MEASURE = 10.0  # seconds for which a look at all files holds: with thousands of them it takes a while


class TemporaryFiles:
    """A folder of this server alone below `root`, empty after a start and gone after a stop.

    Each upload and each download has a folder of its own in it, with a name that nobody can guess: two
    visitors who send the same file do not share it. `budget` is how many bytes all may take, `each` how
    many came from one address, `reserve` how many stay free on the disk.
    """

    def __init__(
        self, root: Path, *, budget: int, each: int | None = None, reserve: int = disk.RESERVE
    ) -> None:
        self._held = disk.own(root)
        self.folder = Path(self._held.lock_file).parent
        self._budget = budget
        self._each = budget if each is None else each
        self._reserve = reserve
        self._guard = threading.Lock()
        self._promised: dict[Path, int] = {}
        self._senders: dict[Path, str] = {}
        self._sizes: dict[Path, int] = {}  # of what has come, as last measured
        self._measured_at = -MEASURE
        self._empty()

    def take(self, nbytes: int, sender: str | None = None) -> Path:
        """An empty folder for so many bytes that come from an address; raises `TourError` NO_SPACE.

        None is an address that is not counted.
        """
        with self._guard:
            if monotonic() - self._measured_at > MEASURE or self._refusal(nbytes, sender):
                self._sweep()
            if refusal := self._refusal(nbytes, sender):
                raise refusal
            folder = self.folder / secrets.token_hex(16)
            with disk.explained("no more files are taken"):
                folder.mkdir()
            self._promised[folder] = nbytes
            if sender is not None:
                self._senders[folder] = sender
            return folder

    def done(self, folder: Path) -> None:
        """All that was promised has come."""
        with self._guard:
            self._promised.pop(folder, None)
            self._sizes[folder] = size(folder)

    def discard(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self.done(folder)

    def new(self, name: str) -> Path:
        """Where to write a file for a visitor to download; raises `TourError` NO_SPACE."""
        folder = self.take(0)
        self.done(folder)
        return folder / name

    def _refusal(self, nbytes: int, sender: str | None) -> TourError | None:
        """Why so many bytes more are not taken; guard held."""
        still = sum(max(0, most - size(folder)) for folder, most in self._promised.items())
        try:
            disk.check_room(self.folder, still + nbytes, reserve=self._reserve)
        except TourError as error:
            return error
        if sum([*self._sizes.values(), *self._promised.values()]) + nbytes > self._budget:
            return disk.no_room("no more files are taken")
        folders = [folder for folder, whose in self._senders.items() if whose == sender]
        sent = sum(self._promised.get(folder, self._sizes.get(folder, 0)) for folder in folders)
        if sender is not None and sent + nbytes > self._each:
            return TourError(
                Code.NO_SPACE,
                TEXTS["each"].format(limit=self._each / 1e6, hours=KEEP / 3600),
            )
        return None

    def close(self) -> None:
        self._empty()
        self._held.release()

    def _empty(self) -> None:
        for one in self._contents():
            _delete(one)

    def _sweep(self) -> None:
        """Removes what is old and measures the rest; guard held."""
        now = time()
        for one in self._contents():
            with suppress(OSError):
                last = max(part.stat().st_mtime for part in (one, *one.rglob("*")))
                if now - last > KEEP and one not in self._promised:
                    _delete(one)
        self._sizes = {one: size(one) for one in self._contents() if one not in self._promised}
        there = self._sizes.keys() | self._promised.keys()
        self._senders = {folder: whose for folder, whose in self._senders.items() if folder in there}
        self._measured_at = monotonic()

    def _contents(self) -> list[Path]:
        """Folders of uploads and downloads, and the empty file that Gradio makes for each file."""
        return [one for one in self.folder.iterdir() if one != Path(self._held.lock_file)]


def _delete(one: Path) -> None:
    if one.is_dir():
        shutil.rmtree(one, ignore_errors=True)
    else:
        one.unlink(missing_ok=True)


def remove(file: Path) -> None:
    """Removes a file that was taken over, and the folders that it leaves empty."""
    file.unlink(missing_ok=True)
    for folder in file.parents:
        try:
            folder.rmdir()
        except OSError:  # something else is in it
            return
