"""The catalog: which checkpoints there are, read from `catalog.toml` and checked."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from components.models.checkpoint import (
    SOURCES,
    Checkpoint,
    Head,
    LocalSource,
    RepoSource,
    Source,
    WheelSource,
)
from components.models.errors import Code, TourError
from components.models.settings import PROFILES, Profile
from components.texts import in_folder

TEXTS = in_folder(__file__)

_PINNED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9._+!-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")

T = TypeVar("T")


class CatalogError(ValueError):
    """The catalog file is wrong; the message names the table and the field."""


class Catalog:
    """Checkpoints by id, in the order of the file.

    Those that are not listed are there for who has their id, and in nothing that names several.
    """

    def __init__(self, checkpoints: Iterable[Checkpoint]) -> None:
        self._by_id: dict[str, Checkpoint] = {}
        for checkpoint in checkpoints:
            if checkpoint.id in self._by_id:
                raise CatalogError(f"[{checkpoint.id}]: this id is in the catalog twice")
            self._by_id[checkpoint.id] = checkpoint
        for checkpoint in self._by_id.values():
            _check_body(checkpoint, self._by_id)
        self._defaults: dict[tuple[str, str], Checkpoint] = {}
        for checkpoint in self:
            for profile, tasks in checkpoint.default_for.items():
                for task in tasks:
                    other = self._defaults.setdefault((task, profile), checkpoint)
                    if other is not checkpoint:
                        raise CatalogError(
                            TEXTS["second_default"].format(
                                model=checkpoint.id, other=other.id, task=task, profile=profile
                            )
                        )

    def __getitem__(self, id: str) -> Checkpoint:
        try:
            return self._by_id[id]
        except KeyError:
            raise TourError(
                Code.UNKNOWN_MODEL,
                f"There is no model {id[:80]!r}. Pick one of: {', '.join(one.id for one in self)}.",
                "model",
            ) from None

    def __contains__(self, id: object) -> bool:
        return id in self._by_id

    def __iter__(self) -> Iterator[Checkpoint]:
        return (one for one in self._by_id.values() if one.listed)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def including(self, checkpoint: Checkpoint) -> Catalog:
        """A catalog with one more, or with another one of that id."""
        return Catalog({**self._by_id, checkpoint.id: checkpoint}.values())

    def without(self, id: str) -> Catalog:
        return Catalog(one for one in self._by_id.values() if one.id != id)

    def for_task(self, task: str) -> tuple[Checkpoint, ...]:
        """The checkpoints that can do a task."""
        return tuple(checkpoint for checkpoint in self if checkpoint.can(task))

    def default(self, task: str, profile: Profile) -> Checkpoint:
        """What a task starts with under a profile; the first that can do it if none is marked."""
        if marked := self._defaults.get((task, profile)):
            return marked
        if able := self.for_task(task):
            return able[0]
        raise TourError(Code.UNSUITABLE_MODEL, f"No model in the catalog can do {task}.", "model")


def load_catalog(path: Path | None = None) -> Catalog:
    """Read a catalog file (the app's own by default); raises `CatalogError` where it is wrong."""
    path = path or Path(__file__).with_name("catalog.toml")
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(f"{path.name} is not valid TOML: {error}") from error
    return Catalog(_checkpoint(id, tables) for id in tables)


def _checkpoint(id: str, tables: Mapping[str, Any]) -> Checkpoint:
    table = tables[id]
    if not isinstance(table, dict):
        raise CatalogError(f"[{id}]: must be a table, one per checkpoint")
    source = table.get("source")
    if not isinstance(source, dict) or source.get("kind") not in SOURCES:
        raise CatalogError(f"[{id}.source] kind: must be one of {', '.join(SOURCES)}")
    where = f"[{id}.source]"
    origin = _build(SOURCES[source["kind"]], {k: v for k, v in source.items() if k != "kind"}, where)
    _check_source(origin, where)
    values = {"id": id, **table, "source": origin}
    if "body" in table:
        values["body"] = _body(id, table["body"], tables)
    checkpoint = _build(Checkpoint, values, f"[{id}]")
    _check(checkpoint)
    return checkpoint


def _body(id: str, body: object, tables: Mapping[str, Any]) -> Checkpoint:
    """The checkpoint that a table names as its body."""
    if not isinstance(body, str) or body not in tables:
        raise CatalogError(f"[{id}] body: there is no checkpoint {body!r} in the catalog")
    if isinstance(tables[body], dict) and "body" in tables[body]:
        raise CatalogError(f"[{id}] body: {body} has a body itself; take a whole checkpoint")
    return _checkpoint(body, tables)


def _build(cls: type[T], table: Mapping[str, Any], where: str) -> T:
    known = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    if unknown := [key for key in table if key not in known]:
        raise CatalogError(f"{where} {unknown[0]}: unknown field; known are {', '.join(known)}")
    try:
        built: T = _validator(cast(Hashable, cls)).validate_python(dict(table))
        return built
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise CatalogError(f"{where} {name}: {first['msg']}") from error


@cache
def _validator(cls: Hashable) -> TypeAdapter[Any]:
    """Built once per class: building takes longer than reading the whole catalog with it."""
    return TypeAdapter(cls)


def _check_source(source: Source, where: str) -> None:
    match source:
        case WheelSource():
            if not _PINNED.fullmatch(source.package):
                raise CatalogError(
                    f"{where} package: must be pinned as name==version, not {source.package!r}"
                )
            if not _SHA256.fullmatch(source.sha256):
                raise CatalogError(f"{where} sha256: must be 64 lower-case hexadecimal digits")
            if "/" in source.file or Path(source.folder).is_absolute() or ".." in Path(source.folder).parts:
                raise CatalogError(TEXTS["outside_wheel"].format(where=where))
        case RepoSource():
            if Path(source.folder).is_absolute() or ".." in Path(source.folder).parts:
                raise CatalogError(f"{where} folder: must stay inside components/models/embedded/")


def _check(checkpoint: Checkpoint) -> None:
    where = f"[{checkpoint.id}]"
    for name in ("title", "tasks", "licence", "languages", "about"):
        if not getattr(checkpoint, name):
            raise CatalogError(f"{where} {name}: must not be empty")
    for name in ("parameters", "download_bytes", "token_limit"):
        if getattr(checkpoint, name) < (0 if name == "download_bytes" else 1):
            raise CatalogError(f"{where} {name}: must be positive")
    for profile, tasks in checkpoint.default_for.items():
        if profile not in PROFILES:
            raise CatalogError(
                f"{where} default_for.{profile}: no such profile; there are {', '.join(PROFILES)}"
            )
        if unlisted := [task for task in tasks if task not in checkpoint.tasks]:
            raise CatalogError(f"{where} default_for.{profile}: {unlisted[0]} is not among its tasks")
        if profile == "embedded" and not checkpoint.embedded:
            raise CatalogError(f"{where} default_for.embedded: this checkpoint needs the Hub")


def _check_body(checkpoint: Checkpoint, by_id: Mapping[str, Checkpoint]) -> None:
    where, body = f"[{checkpoint.id}] body:", checkpoint.body
    if body is None:
        return
    if by_id.get(body.id) != body:
        raise CatalogError(f"{where} there is no checkpoint {body.id!r} in the catalog")
    if body.body is not None:
        raise CatalogError(f"{where} {body.id} has a body itself; take a whole checkpoint")
    if body.head is not Head.ENCODER:
        raise CatalogError(f"{where} {body.id} has the head {body.head.value}; a body must be an encoder")
    if not isinstance(checkpoint.source, RepoSource | LocalSource):
        raise CatalogError(TEXTS["unshared"].format(where=where))
