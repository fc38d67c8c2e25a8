"""Runs on the example set that are shipped, so that the lab has something to show before anybody has waited.

Each is the folder of a run that was really made, without what it only needed while it ran. A visitor gets
a copy beside their own runs, never among them: it is shown where they have none.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from components.lab import intake
from components.lab.data import Data
from components.lab.runs import Run
from components.lab.workspace import Workspace

CARD, FILES = (
    "card.md",
    "files.json",
)  # of a checkpoint that a run has made: its card, {name: bytes} of its files
FOLDER = Path(__file__).parent / "prepared_runs"


def prepared(workspace: Workspace, data: Data, method: str) -> Run | None:
    """The shipped run of a method, about this copy of the example set; None about other data."""
    source = FOLDER / method
    if not intake.is_shipped(data) or not source.is_dir():
        return None
    target = workspace.folder / "prepared" / f"{method}-{data.id}"
    if not target.is_dir():
        _copy(source, target, data)
    return Run(target)


def _copy(source: Path, target: Path, data: Data) -> None:
    """Several tabs may want it at once: it is there as a whole or not at all, and whoever is first wins."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        copied = Path(shutil.copytree(source, Path(folder) / source.name))
        spec = json.loads((copied / "run.json").read_text("utf-8"))
        spec["data"] = data.id
        (copied / "run.json").write_text(json.dumps(spec, ensure_ascii=False), "utf-8")
        with suppress(OSError):  # there is one by now
            copied.rename(target)
