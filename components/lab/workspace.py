"""A folder for each visitor of the lab: what they bring and train lies in it, bounded and cleaned."""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from components.models import disk
from components.models.errors import Code, TourError
from components.models.sources.files import size
from components.texts import in_folder

TEXTS = in_folder(__file__)

KEEP = 24 * 3600.0  # seconds after its last use
_KEY = re.compile(r"[A-Za-z0-9_-]{20,64}")


def new_key() -> str:
    """The only thing that opens a workspace; kept by the visitor's browser."""
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """One visitor's folder. Its name tells nothing of the key, since paths of models are shown to others."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    @property
    def chosen(self) -> str | None:
        """The id of the data set that is worked on."""
        file = self.folder / "chosen"
        return file.read_text("utf-8") if file.is_file() else None

    def choose(self, data: str) -> None:
        (self.folder / "chosen").write_text(data, "utf-8")

    @property
    def nbytes(self) -> int:
        return size(self.folder)

    def touch(self) -> None:
        (self.folder / "used").touch()

    @property
    def used_at(self) -> float:
        """Seconds since the epoch."""
        file = self.folder / "used"
        return file.stat().st_mtime if file.is_file() else 0.0


class Workspaces:
    """The workspaces under one folder, which together take at most `budget` bytes and `each` at most its own.

    `reserve` bytes stay free on the disk. `removing` is called with a workspace's folder before it is
    deleted, and may refuse by returning False.
    """

    def __init__(
        self,
        root: Path,
        *,
        budget: int,
        each: int,
        removing: Callable[[Path], bool],
        reserve: int = disk.RESERVE,
    ) -> None:
        self.root = root
        self._budget = budget
        self._each = each
        self._removing = removing
        self._reserve = reserve
        self._guard = threading.Lock()

    @disk.explained("your workspace could not be opened")
    def open(self, key: object) -> Workspace:
        """The workspace of a key, made at its first use; raises `TourError` for what is no key."""
        folder = self._folder(key)
        if folder is None:
            raise TourError(Code.INVALID_INPUT, "This page has lost its workspace. Reload the page.")
        workspace = Workspace(folder=folder)
        for folder in (workspace.data, workspace.runs):
            folder.mkdir(parents=True, exist_ok=True)
        workspace.touch()
        return workspace

    def find(self, key: object) -> Workspace | None:
        """The workspace of a key; None where there is none, which is not an error and makes none."""
        folder = self._folder(key)
        return Workspace(folder=folder) if folder and folder.is_dir() else None

    def _folder(self, key: object) -> Path | None:
        """None for what is no key."""
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            return None
        return self.root / hashlib.sha256(key.encode()).hexdigest()[:24]

    def __iter__(self) -> Iterator[Workspace]:
        """Every workspace there is, the one used longest ago first."""
        folders = [one for one in self.root.iterdir() if one.is_dir()] if self.root.is_dir() else []
        return iter(sorted((Workspace(folder=one) for one in folders), key=lambda one: one.used_at))

    def sweep(self) -> None:
        """Removes what nobody has used for `KEEP` seconds, and the oldest until all fit the budget."""
        now = time.time()
        with self._guard:
            sizes = {one.folder: one.nbytes for one in self}
            total = sum(sizes.values())
            for one in list(self):
                old = now - one.used_at > KEEP
                if (old or total > self._budget) and self._removing(one.folder):
                    remove(one.folder)
                    total -= sizes[one.folder]

    def make_room(self, workspace: Workspace, nbytes: int) -> None:
        """Before `nbytes` are written into a workspace; raises `TourError` where they are too many."""
        workspace.touch()
        disk.check_room(self.root, nbytes, reserve=self._reserve)
        used = workspace.nbytes
        if used + nbytes > self._each:
            raise TourError(
                Code.TOO_LONG,
                TEXTS["too_large"].format(size=nbytes / 1e6, limit=self._each / 1e6, taken=used / 1e6),
            )
        others = sum(one.nbytes for one in self if one.folder != workspace.folder)
        if others + used + nbytes > self._budget:
            self._free(workspace, others + used + nbytes - self._budget)

    def _free(self, keep: Workspace, nbytes: int) -> None:
        with self._guard:
            for one in list(self):
                if nbytes <= 0:
                    return
                held = one.nbytes
                if one.folder != keep.folder and self._removing(one.folder):
                    remove(one.folder)
                    nbytes -= held
        if nbytes > 0:
            raise TourError(
                Code.BUSY,
                TEXTS["all_taken"],
            )


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
