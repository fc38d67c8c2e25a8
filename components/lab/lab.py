"""The lab as one instance of the app has it: visitors' workspaces, their runs, and what these have made."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from components.lab.data import Data
from components.lab.jobs import Jobs
from components.lab.methods import METHODS
from components.lab.runs import KEY, MODEL, Phase, Run, Spec, find
from components.lab.workspace import Workspace, Workspaces, remove
from components.models import disk
from components.models.checkpoint import Checkpoint, Head
from components.models.errors import Code, TourError
from components.models.registry import Registry
from components.models.settings import Settings
from components.models.sources.folder import trained
from components.tasks.fields import validate
from components.texts import in_folder

TEXTS = in_folder(__file__)

BUDGET = 6_000_000_000  # bytes of all workspaces together
EACH = 2_000_000_000  # of one
MOST_RUNS = 30  # of one visitor

# Heads whose network a classifier can be put on.
BASES = (Head.ENCODER, Head.MASKED_LM, Head.CAUSAL_LM)

# A classifier of emotions says nothing about whether one text follows from another.
_TASKS = {Head.SEQUENCE_CLASSIFICATION: ("text_classification",)}


class Lab:
    """What the lab's pages are handed; visitors' folders are under `root`."""

    def __init__(
        self,
        registry: Registry,
        settings: Settings,
        *,
        root: Path | None = None,
        budget: int = BUDGET,
        each: int = EACH,
        reserve: int = disk.RESERVE,
    ) -> None:
        self.registry = registry
        self.settings = settings
        self.jobs = Jobs(settings, ended=self._ended)
        self._held = disk.own(root or settings.cache_dir / "lab")
        self.workspaces = Workspaces(
            Path(self._held.lock_file).parent,
            budget=budget,
            each=each,
            removing=self._may_go,
            reserve=reserve,
        )

    def recover(self) -> None:
        """After a start: cleans up, offers again what was trained, says what became of runs under way."""
        self.workspaces.sweep()
        for workspace in self.workspaces:
            for run in find(workspace.runs):
                self.jobs.recover(run)
                self._publish(run)

    def close(self) -> None:
        self.jobs.close()
        self._held.release()

    # Data

    def data(self, workspace: Workspace) -> Data | None:
        """What a visitor works on; None before they have chosen."""
        folder = workspace.data / workspace.chosen if workspace.chosen else None
        return Data(folder) if folder and folder.is_dir() else None

    # Runs

    def bases(self, key: object, *heads: Head) -> list[Checkpoint]:
        """What a run may start from: whole checkpoints with one of these heads, the visitor's own too."""
        known = [*self.registry.catalog, *self.own(key)]
        return [one for one in known if one.body is None and one.head in (heads or BASES)]

    @disk.explained("no training can begin")
    def start(self, workspace: Workspace, method: str, options: Mapping[str, Any], data: Data | None) -> Run:
        """Puts a run in line; raises `TourError` for what does not fit."""
        made = METHODS[method]
        checked = validate(made.options, options)
        if made.needs_data:
            _check(made.kind, data)
        base = self._base(getattr(checked, "model", None))
        if sum(1 for _ in find(workspace.runs)) >= MOST_RUNS:
            raise TourError(Code.BUSY, TEXTS["too_many_runs"].format(limit=MOST_RUNS))
        self.workspaces.sweep()
        each = made.disk(checked) if callable(made.disk) else made.disk
        self.workspaces.make_room(workspace, round(each * base.parameters) if base else 1_000_000)
        run = Run.create(
            workspace.runs,
            Spec(
                method=method,
                title=made.title,
                data=data.id if made.needs_data and data else None,
                options=asdict(checked),
                created=time.time(),
            ),
        )
        try:
            self.jobs.submit(run, base)
        except TourError:
            remove(run.folder)
            raise
        return run

    def resume(self, run: Run) -> None:
        if run.state.phase.resumable:
            self.jobs.submit(run, self._base(run.spec.options.get("model")))

    def remove(self, run: Run) -> None:
        """The run and what it has made; raises `TourError` while it is under way, or its model answers."""
        if self.jobs.place(run) is not None:
            raise TourError(Code.IN_USE, "This run is in line or under way. Cancel it first.")
        self._withdraw(run)
        remove(run.folder)

    def run(self, workspace: Workspace, id: str) -> Run:
        """One of a visitor's own runs; raises `TourError` for any other."""
        for run in find(workspace.runs):
            if run.id == id:
                return run
        raise TourError(Code.EXPIRED, "This run is no longer there. Load the page again.")

    # What they have made

    def model_id(self, run: Run) -> str | None:
        """What the registry calls the checkpoint that a run has made; None if it has made none.

        The id is the model's key as well: nobody can guess it, and who has it can use the model.
        """
        if run.model is None or run.state.phase is not Phase.DONE:
            return None
        data = run.data
        name = re.sub(r"[^a-z0-9]+", "-", (data.about.title if data else "text").lower()).strip("-")[:30]
        return f"local/{name or 'data'}-{run.spec.method.replace('_', '-')}-{run.id[-KEY:]}"

    def title(self, run: Run) -> str:
        """What pages call the checkpoint that a run has made: its id without most of the key."""
        return str(self.model_id(run)).removeprefix("local/")[: 6 - KEY or None]

    def own(self, key: object) -> list[Checkpoint]:
        """What a visitor has trained and keeps to themselves, newest first; empty for what opens nothing."""
        workspace = self.workspaces.find(key)
        runs = reversed(list(find(workspace.runs))) if workspace else ()
        ids = (self.model_id(run) for run in runs if not run.shared)
        return [self.registry.catalog[id] for id in ids if id and id in self.registry.catalog]

    def share(self, run: Run, shared: bool) -> None:
        """Lets everybody pick what a run has made, or nobody but who has its id."""
        run.shared = shared
        id = self.model_id(run)
        if id is not None and id in self.registry.catalog:
            self.registry.list(id, shared)

    def _ended(self, run: Run) -> None:
        self._publish(run)

    def _publish(self, run: Run) -> None:
        id = self.model_id(run)
        if id is not None and id not in self.registry.catalog:
            made = trained(run.folder / MODEL, id, tuple(self.registry.catalog))
            data = run.data
            learned = f"{run.spec.title} on {data.about.title}" if data else run.spec.title
            self.registry.add(
                replace(
                    made,
                    title=self.title(run),
                    listed=run.shared,
                    tasks=_TASKS.get(made.head, made.tasks),
                    about=f"{learned}, trained in the lab of this app. {made.about}",
                )
            )

    def _withdraw(self, run: Run) -> None:
        id = self.model_id(run)
        if id is not None and id in self.registry.catalog:
            self.registry.remove(id)

    def _base(self, id: str | None) -> Checkpoint | None:
        if id is None:
            return None
        base = self.registry.describe(id)
        if base.body is not None or base.head not in BASES:
            raise TourError(
                Code.UNSUITABLE_MODEL,
                TEXTS["untrainable"].format(model=base.title),
                "model",
            )
        return self.registry.adopt(id)  # no more of the Hub's are taken here than elsewhere

    def _may_go(self, folder: Path) -> bool:
        """Whether a workspace can be deleted; takes its models out of the registry first."""
        if self.jobs.under(folder):
            return False
        try:
            for run in find(folder / "runs"):
                self._withdraw(run)
        except TourError:  # one of them is answering somebody
            return False
        return True


def _check(kind: str, data: Data | None) -> None:
    if data is None:
        raise TourError(Code.INVALID_INPUT, "There is no data yet. Pick or upload some on the tab Data.")
    if kind != "classifier":
        return
    if data.about.label is None:
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["no_labels"],
        )
    for split in ("train", "validation", "test"):
        rows = data.rows(split)
        if not len(rows):
            raise TourError(Code.INVALID_INPUT, TEXTS["no_rows"].format(split=split))
    if not data.about.several and len(set(data.classes(data.rows("train")).tolist())) < 2:
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["one_label"],
        )
