"""Room on the disk: whether there is enough, what to say where there is not, and folders of one server."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from components.models.errors import Code, TourError
from components.texts import in_folder

TEXTS = in_folder(__file__)

RESERVE = 200_000_000  # bytes that visitors never fill: logs and the system need some
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_WORDS = [os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT)]
_UNWRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS}


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or what it was raised from, says that nothing more can be written."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        if any(words in str(error) for words in _WORDS):  # of libraries in Rust and C++
            return True
        error = error.__cause__ or error.__context__
    return False


def no_room(what: str) -> TourError:
    return TourError(
        Code.NO_SPACE,
        TEXTS["full"].format(what=what),
    )


@contextmanager
def explained(what: str) -> Iterator[None]:
    """A full disk becomes a `TourError` NO_SPACE that says what could not be done; other errors pass."""
    try:
        yield
    except (TourError, GeneratorExit):
        raise
    except Exception as error:
        if is_full(error):
            raise no_room(what) from error
        raise


def check_room(folder: Path, nbytes: int, *, reserve: int = RESERVE) -> None:
    """Raises `TourError` NO_SPACE where `nbytes` more would leave less than `reserve` bytes free."""
    if shutil.disk_usage(folder).free - nbytes < reserve:
        raise no_room(f"{nbytes / 1e6:,.0f} MB more are not taken")


def own(root: Path) -> FileLock:
    """The first of `root`, `root`-2 and so on that no other server on this host works in, held."""
    for number in itertools.count(1):
        folder = root if number == 1 else root.with_name(f"{root.name}-{number}")
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(Timeout):
            return FileLock(folder / "server.lock", thread_local=False).acquire(timeout=0).lock
    raise AssertionError("unreachable")


def unusable(folder: Path) -> str | None:
    """Why a folder cannot be written to, in a sentence; None if it can, made if it is not there yet."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{id(folder):x}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        if error.errno in _FULL:
            return f"The disk that holds {folder} is full."
        if error.errno in _UNWRITABLE:
            return f"{folder} cannot be written to by this user ({error.strerror})."
        return f"{folder} cannot be used ({error.strerror})."
    return None
