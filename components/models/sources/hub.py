"""Checkpoints on the Hugging Face Hub, or on whatever `HF_ENDPOINT` points to."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from components.models import disk
from components.models.checkpoint import HubSource
from components.models.errors import Code, TourError
from components.models.sources import files
from components.models.status import Report
from components.texts import in_folder

TEXTS = in_folder(__file__)

_IGNORED = ["*/*"]  # subfolders: other formats of the same weights
_LARGEST_TOKENIZER = 100_000_000  # bytes
_STALLED = 60.0  # seconds without a new byte
# The Hub's own converter opens a pull request of this title in repositories without safetensors.
_CONVERTER, _CONVERSION = "SFconvertbot", "Adding `safetensors` variant of this model"


class Hub:
    """One cache folder and one endpoint. huggingface_hub is imported when first needed."""

    def __init__(self, cache: Path, endpoint: str | None) -> None:
        self._cache = cache
        self._chosen = endpoint
        self._probe = _Probe()

    @property
    def endpoint(self) -> str:
        """Read anew each time, so that a changed `HF_ENDPOINT` counts."""
        from huggingface_hub import constants

        return (self._chosen or os.environ.get("HF_ENDPOINT") or constants._HF_DEFAULT_ENDPOINT).rstrip("/")

    def reachable(self, wait: float = 0.0, max_age: float = 60.0) -> bool | None:
        """Whether the Hub answers; None while unknown.

        Probes in the background when the last result is older than `max_age` seconds, and waits
        at most `wait` seconds for the outcome.
        """
        return self._probe.result(self.endpoint, wait, max_age)

    def cached(self, source: HubSource) -> bool:
        return self._snapshot(source) is not None

    def fetch(self, source: HubSource, nbytes: int, report: Report) -> Path:
        """The repository's snapshot: configuration, tokenizer and safetensors weights, verified."""
        report(None, "checking files")
        if (folder := self._snapshot(source)) and _discard_damaged(folder) == 0:
            return folder
        report(None, "looking for the Hub")
        if not self.reachable(wait=3.0, max_age=5.0):
            raise self._unreachable(source)
        report(None, "downloading")
        folder = self._download(source, nbytes, report)
        report(None, "checking files")
        if _discard_damaged(folder):
            folder = self._download(source, nbytes, report)
            if _discard_damaged(folder):
                raise TourError(
                    Code.CORRUPT,
                    TEXTS["damaged"].format(repo=source.repo),
                )
        if not _has_weights(folder):
            raise TourError(
                Code.LOAD_FAILED,
                TEXTS["no_safetensors"].format(repo=source.repo),
            )
        return folder

    def fetch_tokenizer(self, source: HubSource, report: Report) -> Path:
        """The repository's files without its weights, verified; from the cache where they are."""
        folder = self._cached_revision(source.repo, source.revision)
        if folder and _has_tokenizer(folder):
            return folder
        if not self.reachable(wait=3.0, max_age=5.0):
            raise self._unreachable(source)
        folder = self._download(source, 0, report, weights=False)
        if _discard_damaged(folder) or not _has_tokenizer(folder):
            raise TourError(
                Code.UNSUITABLE_MODEL,
                TEXTS["no_tokenizer"].format(repo=source.repo),
                "tokenizers",
            )
        return folder

    def _snapshot(self, source: HubSource) -> Path | None:
        """The complete snapshot in the cache, without network."""
        from huggingface_hub.file_download import repo_folder_name

        conversions = self._cache / repo_folder_name(repo_id=source.repo, repo_type="model") / "refs/refs/pr"
        revisions = [source.revision, *(f"refs/pr/{reference.name}" for reference in conversions.glob("*"))]
        folders = (self._cached_revision(source.repo, revision) for revision in revisions)
        return next((folder for folder in folders if folder and _has_weights(folder)), None)

    def _cached_revision(self, repo: str, revision: str) -> Path | None:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError

        try:
            return Path(
                snapshot_download(
                    repo,
                    revision=revision,
                    cache_dir=self._cache,
                    local_files_only=True,
                    allow_patterns=list(files.PATTERNS),
                    ignore_patterns=_IGNORED,
                )
            )
        except (LocalEntryNotFoundError, OSError, ValueError):
            return None

    def _download(self, source: HubSource, nbytes: int, report: Report, *, weights: bool = True) -> Path:
        """Run `snapshot_download` in a thread of its own and watch over it.

        Its first requests have no time-out: a server that falls silent would hold them forever.
        """
        patterns = list(files.PATTERNS if weights else files.TOKENIZER_PATTERNS)
        import httpx2
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

        self._discard_parts(2 * _STALLED)  # no download is waited for that long
        meter = _Meter()
        outcome: list[Path | Exception] = []
        done = threading.Event()

        def download(revision: str) -> Path:
            return Path(
                snapshot_download(
                    source.repo,
                    revision=revision,
                    cache_dir=self._cache,
                    endpoint=self.endpoint,
                    etag_timeout=5,
                    max_workers=4,
                    tqdm_class=meter.bar_class(),
                    allow_patterns=patterns,
                    ignore_patterns=_IGNORED,
                )
            )

        def work() -> None:
            try:
                folder = download(source.revision)
                if weights and not _has_weights(folder) and (revision := self._conversion(source.repo)):
                    folder = download(revision)
                outcome.append(folder)
            except Exception as error:  # noqa: BLE001 - raised again by the thread that waits
                outcome.append(error)
            finally:
                done.set()

        threading.Thread(target=work, name=f"download {source.repo}", daemon=True).start()
        try:
            while not done.wait(0.2):
                report(min(meter.nbytes / nbytes, 1.0) if nbytes and meter.nbytes else None, "downloading")
                if time.monotonic() - meter.moved > _STALLED:
                    raise self._unreachable(source)
                if not weights and meter.nbytes > _LARGEST_TOKENIZER:
                    raise TourError(
                        Code.UNSUITABLE_MODEL,
                        TEXTS["too_many_files"].format(repo=source.repo, limit=_LARGEST_TOKENIZER / 1e6),
                        "tokenizers",
                    )
        except BaseException:
            meter.cancelled = True
            raise
        match outcome[0]:
            case Path() as folder:
                return folder
            case GatedRepoError() as error:
                raise TourError(
                    Code.LOAD_FAILED,
                    TEXTS["gated"].format(repo=source.repo),
                ) from error
            case (RepositoryNotFoundError() | RevisionNotFoundError()) as error:
                raise TourError(
                    Code.LOAD_FAILED,
                    TEXTS["unknown"].format(repo=source.repo, revision=source.revision),
                ) from error
            case (httpx2.HTTPError() | OSError()) as error if getattr(error, "errno", None) is None:
                raise self._unreachable(source) from error
            case error:
                if disk.is_full(error):  # what came of it keeps the disk full for everybody
                    self._discard_parts()
                raise error

    def _discard_parts(self, idle: float = 0.0) -> None:
        """Parts of files to which nothing was written for so many seconds. A process that is killed leaves
        them, and none that comes after it goes on with them: each has a name of its own."""
        for part in self._cache.rglob("*.incomplete"):
            with suppress(FileNotFoundError):
                if time.time() - part.stat().st_mtime >= idle:
                    part.unlink()

    def _conversion(self, repo: str) -> str | None:
        """The pull request in which the Hub's converter offers the same weights as safetensors."""
        from huggingface_hub import HfApi

        requests = HfApi(endpoint=self.endpoint).get_repo_discussions(
            repo, author=_CONVERTER, discussion_type="pull_request", discussion_status="open"
        )
        return next(
            (
                request.git_reference
                for request in requests
                if (request.author, request.title) == (_CONVERTER, _CONVERSION)
            ),
            None,
        )

    def _unreachable(self, source: HubSource) -> TourError:
        return TourError(
            Code.UNREACHABLE,
            TEXTS["unreachable"].format(repo=source.repo, endpoint=self.endpoint),
            "model",
        )


def loading_lines(source: HubSource) -> list[str]:
    if source.revision == "main":
        return [f'MODEL = "{source.repo}"']
    return [
        "from huggingface_hub import snapshot_download",
        "",
        f'MODEL = snapshot_download("{source.repo}", revision="{source.revision}")',
    ]


def _has_weights(folder: Path) -> bool:
    return any(folder.glob("*.safetensors"))


def _has_tokenizer(folder: Path) -> bool:
    return any(any(folder.glob(name)) for name in ("tokenizer.json", "vocab.*", "*.model", "*.spm"))


def _discard_damaged(snapshot: Path) -> int:
    """Remove files whose bytes are not what the cache's name for them says; returns how many."""
    damaged = 0
    for link in snapshot.iterdir():
        blob = link.resolve()
        if not _as_named(blob):
            link.unlink()
            blob.unlink(missing_ok=True)
            damaged += 1
    return damaged


def _as_named(blob: Path) -> bool:
    """The cache names large files by SHA-256 and small ones as git does; snapshots link to them."""
    match len(blob.name):
        case 64:
            return files.sha256(blob) == blob.name
        case 40:
            data = blob.read_bytes()
            return (
                hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest() == blob.name
            )
    return True  # a file system without links keeps the file under its own name


class _GivenUpError(Exception):
    pass


class _Meter:
    """Counts bytes over all of a download's progress bars."""

    def __init__(self) -> None:
        self.nbytes = 0
        self.moved = time.monotonic()
        self.cancelled = False

    def check(self) -> None:
        """End a download that nobody waits for any more, as soon as it moves."""
        if self.cancelled:
            raise _GivenUpError

    def bar_class(self) -> type[Any]:
        from huggingface_hub.utils.tqdm import tqdm

        meter = self

        class Bar(tqdm):
            """Draws nothing; tells the meter."""

            def __init__(self, *args: Any, **kwargs: Any) -> None:
                meter.check()
                self._nbytes = 0
                self._counts = kwargs.get("unit") == "B"
                super().__init__(*args, **{**kwargs, "disable": True})  # type: ignore[no-untyped-call]

            def update(self, n: float | None = 1) -> None:
                meter.check()
                meter.moved = time.monotonic()
                if self._counts:
                    self._nbytes += int(n or 0)
                    meter.nbytes = max(meter.nbytes, self._nbytes)

        return Bar


class _Probe:
    """One cheap request, remembered; never more than one under way."""

    _LIMIT = 2.5  # seconds in all; silence beyond that is an answer too

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._endpoint = ""
        self._answer: bool | None = None
        self._at = 0.0
        self._started: float | None = None  # when the probe under way began

    def result(self, endpoint: str, wait: float, max_age: float) -> bool | None:
        with self._changed:
            if endpoint != self._endpoint:
                self._endpoint, self._answer, self._started = endpoint, None, None
            if self._answer is not None and time.monotonic() - self._at <= max_age:
                return self._answer
            if self._started is None:
                self._started = time.monotonic()
                threading.Thread(target=self._ask, args=(endpoint,), name="probe hub", daemon=True).start()
            began = self._started
            patience = min(wait, began + self._LIMIT - time.monotonic())
            if patience > 0:
                self._changed.wait_for(lambda: self._started != began, patience)
            if self._started == began and time.monotonic() - began >= self._LIMIT:
                return False
            return self._answer

    def _ask(self, endpoint: str) -> None:
        from huggingface_hub import get_session

        try:
            answer = get_session().head(endpoint, timeout=self._LIMIT).status_code < 500
        except Exception:  # noqa: BLE001 - whatever went wrong, it did not answer
            answer = False
        with self._changed:
            if endpoint == self._endpoint:
                self._answer, self._at, self._started = answer, time.monotonic(), None
            self._changed.notify_all()
