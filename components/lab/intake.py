"""How data comes into a workspace: first as a draft that can be read in other ways, then as a data set."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from filelock import FileLock, Timeout
from pydantic import TypeAdapter

from components import temporary
from components.lab import roles
from components.lab.convert import MOST_BYTES, ConversionJob, Converted, Source, convert
from components.lab.data import Data
from components.lab.roles import Roles
from components.lab.runs import find
from components.lab.workspace import Workspace, Workspaces, remove
from components.models import disk
from components.models.errors import Code, TourError
from components.tasks import bounded
from components.tasks.fields import shorten
from components.texts import in_folder

TEXTS = in_folder(__file__)

LARGEST = 150_000_000  # bytes of an upload
SHIPPED = Path(__file__).with_name("emotions.csv")

_EXAMPLE_PREFIX = "emotions-"  # begins the id of the example set
_FOLDER, _TABLE, _ABOUT = "draft", "table.arrow", "draft.json"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What was brought last. `converted` is None where it could not be read; the visitor was told why."""

    folder: Path
    title: str
    source: str  # for `About`, as `licence`
    licence: str
    sources: tuple[Source, ...]
    converted: Converted | None = None
    notes: tuple[str, ...] = ()

    @property
    def table(self) -> Path:
        return self.folder / _TABLE

    def save(self) -> None:
        content = TypeAdapter(Draft).dump_json(self)
        (self.folder / _ABOUT).write_bytes(content)


def draft_of(workspace: Workspace) -> Draft | None:
    """The draft that a visitor has not finalized yet."""
    file = workspace.folder / _FOLDER / _ABOUT
    return TypeAdapter(Draft).validate_json(file.read_bytes()) if file.is_file() else None


def upload(workspaces: Workspaces, workspace: Workspace, file: Path, name: str) -> Draft:
    """Begins a draft with a file, which is moved into the workspace."""
    nbytes = file.stat().st_size
    if nbytes > LARGEST:
        temporary.remove(file)
        raise TourError(
            Code.TOO_LONG,
            TEXTS["too_large"].format(name=shorten(name), size=nbytes / 1e6, limit=LARGEST / 1e6),
            "file",
        )
    folder = begin(workspaces, workspace, nbytes)
    kept = folder / "source-0"
    try:
        with disk.explained(f"{shorten(name)} could not be kept"):
            shutil.move(file, kept)
        temporary.remove(file)
    except BaseException:
        remove(folder)
        raise
    draft = Draft(
        folder=folder,
        title=Path(name).stem[:60] or "data",
        source=name[:200],
        licence="not stated",
        sources=(Source(path=kept, name=name[:200]),),
    )
    draft.save()
    return draft


@disk.explained("no file can be taken")
def begin(workspaces: Workspaces, workspace: Workspace, nbytes: int) -> Path:
    """An empty folder for a draft of so many bytes; the one before it is gone."""
    folder = workspace.folder / _FOLDER
    remove(folder)
    workspaces.make_room(workspace, nbytes + 2 * min(MOST_BYTES, 4 * nbytes))
    folder.mkdir()
    return folder


def read(workspace: Workspace, settings: Mapping[str, Any]) -> Generator[int, None, Draft]:
    """Reads the draft's files in a process of its own, with the settings of `Format` that are not guessed.

    Tells how many rows are read. Raises `TourError`; closing it ends the process.
    """
    if (draft := draft_of(workspace)) is None:
        raise TourError(Code.EXPIRED, "The file is no longer here. Upload it again.", "file")
    with _alone(draft.folder), disk.explained("the file could not be read"):
        job = ConversionJob(sources=draft.sources, settings=settings, target=draft.table)
        converted = yield from _apart(job)
        read = replace(draft, converted=converted)
        read.save()
    return read


@disk.explained("the data could not be kept")
def finalize(workspace: Workspace, chosen: Roles) -> Data:
    """Makes the draft the data set that is worked on; raises `TourError` for roles that do not fit."""
    draft = draft_of(workspace)
    if draft is None or draft.converted is None or not draft.table.is_file():
        raise TourError(Code.EXPIRED, "The file is no longer here. Upload it again.", "file")
    with _alone(draft.folder):
        data = roles.make(
            draft.table,
            chosen,
            workspace.data / _new_id(),
            title=draft.title,
            source=draft.source,
            licence=draft.licence,
            notes=(*draft.converted.notes, *draft.notes),
        )
    remove(draft.folder)
    _choose(workspace, data)
    return data


@disk.explained("the example set could not be opened")
def shipped(workspace: Workspace) -> Data:
    """Opens the example set; being this project's own file, it is read right here."""
    for folder in workspace.data.iterdir():
        if folder.name.startswith(_EXAMPLE_PREFIX) and (folder / "data.json").is_file():
            _choose(workspace, data := Data(folder))
            return data
    target = workspace.folder / f"{_EXAMPLE_PREFIX}{secrets.token_hex(4)}.arrow"
    converted = _last(
        convert(ConversionJob(sources=(Source(path=SHIPPED, name=SHIPPED.name),), settings={}, target=target))
    )
    data = roles.make(
        target,
        Roles(text="text", label="label", split="split"),
        workspace.data / _new_id(_EXAMPLE_PREFIX),
        title="emotions",
        source="the example set of this project",
        licence="Apache-2.0",
        notes=converted.notes,
    )
    _choose(workspace, data)
    return data


def is_shipped(data: Data) -> bool:
    return data.id.startswith(_EXAMPLE_PREFIX)


def _choose(workspace: Workspace, data: Data) -> None:
    """What is neither worked on nor was trained on is removed."""
    workspace.choose(data.id)
    used = {data.id, *(run.spec.data for run in find(workspace.runs))}
    for folder in workspace.data.iterdir():
        if folder.name not in used:
            remove(folder)


def _new_id(prefix: str = "") -> str:
    return prefix + secrets.token_hex(6)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        with FileLock(folder.with_name(f"{folder.name}.lock"), timeout=0):
            yield
    except Timeout as error:
        raise TourError(
            Code.BUSY,
            TEXTS["still_reading"],
        ) from error


def _last(work: Generator[int, None, Converted]) -> Converted:
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return cast(Converted, stop.value)


def _apart(job: ConversionJob) -> Generator[int, None, Converted]:
    """`convert` in a process of its own."""
    name = job.sources[0].name
    try:
        for words in bounded.ask("components.lab.convert", TypeAdapter(ConversionJob).dump_json(job), name):
            if "done" in words:
                return TypeAdapter(Converted).validate_python(words["done"])
            yield words["rows"]
    finally:
        job.target.with_name(job.target.name + ".part").unlink(missing_ok=True)
    raise AssertionError("unreachable")
