"""Data sets on the Hub: what there is, before more than that is asked for; then its files, as a draft.

Only data files are read, never a repository's code.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

from components.lab.convert import Source
from components.lab.intake import Draft, begin
from components.lab.workspace import Workspace, Workspaces, remove
from components.models import disk
from components.models.errors import Code, TourError
from components.models.sources.lookup import MOST_FOUND, PATIENCE, asked, is_repo
from components.tasks.fields import shorten
from components.texts import in_folder

TEXTS = in_folder(__file__)

LARGEST = 200_000_000  # bytes of a download
MOST_FILES = 100
_LONGEST_ABOUT = 120  # characters
SUFFIXES = (".parquet", ".jsonl", ".ndjson", ".csv", ".tsv", ".json", ".txt")  # the first is preferred
CONVERTED = "refs/convert/parquet"  # where the Hub keeps its own conversion of what it could read

_SPLITS = {
    "train": re.compile(r"(?<![a-z])(train|training)(?![a-z])"),
    "validation": re.compile(r"(?<![a-z])(validation|valid|dev|val)(?![a-z])"),
    "test": re.compile(r"(?<![a-z])(test|testing)(?![a-z])"),
}
_ADDRESS = re.compile(r"^https?://[^/]+/datasets/")  # what one copies from a browser begins with it
_NO_DATA = re.compile(r"(?i)(^|/)(readme|license|licence|requirements|dataset_infos?|state|config)\b|^\.")


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A file of a repository."""

    path: str
    nbytes: int
    split: str


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """One of the tables that a repository holds."""

    name: str
    files: tuple[Remote, ...]

    @property
    def nbytes(self) -> int:
        return sum(file.nbytes for file in self.files)

    @property
    def splits(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(file.split for file in self.files))


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a repository holds, at the commit that it had when it was asked for."""

    repo: str
    revision: str
    licence: str
    configurations: tuple[Configuration, ...]


def look(endpoint: str, repo: str) -> Listing:
    """Lists what can be read; raises `TourError` with what to do instead."""
    repo = _ADDRESS.sub("", repo.strip()).strip("/")
    if not is_repo(repo):
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["no_id"].format(repo=shorten(repo)),
        )
    info = _info(endpoint, repo, None)
    found = tuple(_configurations(info))
    if not found:
        try:
            info = _info(endpoint, repo, CONVERTED)
        except TourError as error:
            if error.code is not Code.UNKNOWN_MODEL:
                raise
        else:
            found = tuple(_configurations(info))
    if not found:
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["unreadable"].format(repo=repo),
        )
    return Listing(repo=repo, revision=str(info.sha), licence=_licence(info), configurations=found)


@dataclass(frozen=True, kw_only=True)
class Found:
    """A data set as the Hub lists it."""

    repo: str
    downloads: int
    licence: str
    about: str
    gated: bool


def search(endpoint: str, words: str) -> list[Found]:
    """Data sets of texts by words, most downloaded first; raises `TourError`."""
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint, token=False)
    fields: Any = ["downloads", "tags", "gated", "description"]
    found = asked(
        lambda: list(
            api.list_datasets(
                search=words, filter="modality:text", sort="downloads", limit=MOST_FOUND, expand=fields
            )
        ),
        "the search",
    )
    if isinstance(found, Exception):
        raise _unreachable(endpoint, "the search")
    return [
        Found(
            repo=one.id,
            downloads=one.downloads or 0,
            licence=_licence(one),
            about=" ".join((one.description or "").split())[:_LONGEST_ABOUT],
            gated=bool(one.gated),
        )
        for one in found
        if is_repo(one.id)
    ]


def download(
    endpoint: str, listing: Listing, name: str, workspaces: Workspaces, workspace: Workspace
) -> Generator[float, None, Draft]:
    """Fetches one configuration into a draft; tells the share that is there. Raises `TourError`."""
    import httpx2
    from huggingface_hub import get_session, hf_hub_url

    chosen = next((one for one in listing.configurations if one.name == name), None)
    if chosen is None:
        raise TourError(Code.INVALID_INPUT, f"{listing.repo} has no configuration {shorten(name)}. Pick one.")
    _check(listing.repo, chosen)
    folder = begin(workspaces, workspace, chosen.nbytes)
    sources, there = [], 0
    try:
        for number, file in enumerate(chosen.files):
            url = hf_hub_url(
                listing.repo,
                file.path,
                repo_type="dataset",
                revision=listing.revision,
                endpoint=endpoint,
            )
            target = folder / f"source-{number}"
            with get_session().stream("GET", url, timeout=PATIENCE) as response, target.open("wb") as out:
                response.raise_for_status()
                for block in response.iter_bytes(1 << 20):
                    there += len(block)
                    if there > LARGEST:
                        raise _too_large(listing.repo, there)
                    out.write(block)
                    yield min(1.0, there / max(1, chosen.nbytes))
            sources.append(Source(path=target, name=PurePosixPath(file.path).name, split=file.split))
    except httpx2.HTTPError as error:
        remove(folder)
        raise _unreachable(endpoint, listing.repo) from error
    except BaseException as error:
        remove(folder)
        if disk.is_full(error):
            raise disk.no_room(f"{listing.repo} could not be kept") from error
        raise
    title = listing.repo.rpartition("/")[2]
    draft = Draft(
        folder=folder,
        title=title if name == "default" else f"{title} {name}",
        source=listing.repo,
        licence=listing.licence,
        sources=tuple(sources),
    )
    draft.save()
    return draft


def _info(endpoint: str, repo: str, revision: str | None) -> Any:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    # Without the host's own token: what only its owner may read is not for visitors.
    api = HfApi(endpoint=endpoint, token=False)
    match asked(
        lambda: api.dataset_info(repo, revision=revision, files_metadata=True, timeout=PATIENCE), repo
    ):
        case GatedRepoError():
            raise _gated(repo)
        case RepositoryNotFoundError() | RevisionNotFoundError():
            raise TourError(
                Code.UNKNOWN_MODEL,
                TEXTS["unknown"].format(repo=repo),
            )
        case Exception():
            raise _unreachable(endpoint, repo)
        case info:
            if info.gated:
                raise _gated(repo)
            return info


def _configurations(info: Any) -> Iterator[Configuration]:
    """Tables as the data card lists them, else as folders and names of files tell."""
    sizes = {
        one.rfilename: int(one.size or 0)
        for one in info.siblings or ()
        if one.rfilename.lower().endswith(SUFFIXES)
        and not _NO_DATA.search(one.rfilename)
        and ".." not in PurePosixPath(one.rfilename).parts
    }
    declared = list(_declared(info, sizes))
    if declared:
        yield from declared
        return
    grouped: dict[str, list[str]] = {}
    for path in sizes:
        folders = [part for part in PurePosixPath(path).parts[:-1] if part != "data" and not _split(part)]
        grouped.setdefault(folders[0] if folders else "default", []).append(path)
    for name, paths in sorted(grouped.items(), key=lambda pair: (pair[0] != "default", pair[0])):
        kind = min((_kind(path) for path in paths), key=SUFFIXES.index)
        yield Configuration(
            name=name,
            files=tuple(
                Remote(path=path, nbytes=sizes[path], split=_split(path) or "train")
                for path in _in_order(path for path in paths if _kind(path) == kind)
            ),
        )


def _declared(info: Any, sizes: Mapping[str, int]) -> Iterator[Configuration]:
    """What the front matter of the data card says, as far as it has the form that it should."""
    card = info.card_data.to_dict() if info.card_data else {}
    listed = card.get("configs")
    for one in listed if isinstance(listed, list) else ():
        parts = one.get("data_files") if isinstance(one, dict) else None
        parts = parts if isinstance(parts, list) else [parts]
        files = []
        for part in parts:
            split = str(part.get("split") or "train") if isinstance(part, dict) else "train"
            patterns = part.get("path") if isinstance(part, dict) else part
            for pattern in patterns if isinstance(patterns, list) else [patterns]:
                files += [
                    Remote(path=path, nbytes=sizes[path], split=split)
                    for path in sorted(sizes)
                    if isinstance(pattern, str) and fnmatchcase(path, pattern.removeprefix("./"))
                ]
        if files:
            yield Configuration(name=str(one.get("config_name") or "default"), files=tuple(files))


def _in_order(paths: Iterator[str]) -> list[str]:
    """Training files first: their columns are what the others are held to."""
    order = [*_SPLITS, None]
    return sorted(paths, key=lambda path: (order.index(_split(path)), path))


def _kind(path: str) -> str:
    return next(suffix for suffix in SUFFIXES if path.lower().endswith(suffix))


def _split(path: str) -> str | None:
    return next((name for name, words in _SPLITS.items() if words.search(path.lower())), None)


def _licence(info: Any) -> str:
    tags: Sequence[str] = info.tags or ()
    return next((tag.removeprefix("license:") for tag in tags if tag.startswith("license:")), "not stated")


def _check(repo: str, chosen: Configuration) -> None:
    if chosen.nbytes > LARGEST:
        raise _too_large(repo, chosen.nbytes)
    if len(chosen.files) > MOST_FILES:
        raise TourError(
            Code.TOO_LONG,
            f"{repo} has {len(chosen.files):,} files; up to {MOST_FILES} are fetched. Pick another one.",
        )


def _too_large(repo: str, nbytes: int) -> TourError:
    return TourError(
        Code.TOO_LONG,
        TEXTS["too_large"].format(repo=repo, size=nbytes / 1e6, limit=LARGEST / 1e6),
    )


def _gated(repo: str) -> TourError:
    return TourError(
        Code.INVALID_INPUT,
        TEXTS["gated"].format(repo=repo),
    )


def _unreachable(endpoint: str, repo: str) -> TourError:
    return TourError(
        Code.UNREACHABLE,
        TEXTS["unreachable"].format(endpoint=endpoint, repo=repo),
    )
