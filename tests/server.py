"""Starts the real app as visitors meet it: its own process, a port of its own, plain HTTP."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from components.models.settings import default_cache_dir

ROOT = Path(__file__).parent.parent

# Nothing listens there: the Hub is out of reach in every test that does not start one of its own.
NO_HUB = "http://127.0.0.1:9"


_taken: list[FileLock] = []  # of the ports of this process, until its end


def free_port() -> int:
    """Below those that the system gives to clients, one of which might take it before the server does; and
    given to no other process of tests, since a server takes seconds to open it."""
    while True:
        port = random.randrange(20_000, 32_000)
        lock = FileLock(
            Path(tempfile.gettempdir()) / "transformers-tour-ports" / f"{port}.lock", blocking=False
        )
        with socket.socket() as probe, suppress(OSError, Timeout):
            probe.bind(("127.0.0.1", port))
            Path(lock.lock_file).parent.mkdir(exist_ok=True)
            lock.acquire()
            _taken.append(lock)
            return port


def clean_environment() -> dict[str, str]:
    """The caller's environment without what would change how the app or its libraries behave."""
    foreign = ("GRADIO_", "HF_", "HUGGINGFACE_", "TRANSFORMERS_", "SPACE", "PYTHON", "PORT", "HOST")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "HF_ENDPOINT": NO_HUB, "PYTHONUNBUFFERED": "1"}


@contextmanager
def running(
    command: list[str],
    url: str,
    environment: Mapping[str, str],
    patience: float = 180,
    *,
    with_children: bool = False,
) -> Iterator[str]:
    """Runs `command` until the block ends; enters it once `url` answers, raises with the output if not.

    `with_children`: it starts the server as a process of its own and does not end that one.
    """
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(environment),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=with_children,
        )
        try:
            if not comes_up(process, url, patience):
                output.seek(0)
                raise RuntimeError(
                    f"{command} gave no answer at {url}:\n{output.read().decode(errors='replace')}"
                )
            yield url
        finally:
            if with_children:
                os.killpg(process.pid, signal.SIGTERM)
            end(process)


def end(process: subprocess.Popen[bytes], patience: float = 20) -> None:
    """Asks it to stop; after so many seconds it is killed."""
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def comes_up(process: subprocess.Popen[bytes], url: str, patience: float = 180) -> bool:
    """Whether a server answers before it ends, and before seconds have passed; asks without pressing it."""
    deadline = time.monotonic() + patience
    while not answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


@contextmanager
def running_app(*flags: str, **environment: str) -> Iterator[str]:
    """The app's address, without a trailing slash. It keeps no answers, so that each request is run."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    usual = ["--host", "127.0.0.1", "--port", str(port), "--no-prefetch", "--answer-cache", "0"]
    command = [sys.executable, "app.py", *usual, *flags]
    with running(command, f"{url}/health", {**clean_environment(), **environment}):
        yield url


@dataclass(frozen=True)
class Observed:
    """A running app, what it has written so far, and its process."""

    url: str
    log: Path
    process: psutil.Process

    @property
    def descriptors(self) -> int:
        return self.process.num_fds()

    @property
    def threads(self) -> int:
        return self.process.num_threads()

    @property
    def memory(self) -> int:
        """Bytes that are resident."""
        return int(self.process.memory_info().rss)

    @property
    def files(self) -> dict[str, tuple[int, int]]:
        """How many files there are, and their bytes: what visitors sent or downloaded, the lab's, and what
        lies in the system's folder for temporary files.
        """
        found = {name: _files(self.log.parent / name) for name in (TEMPORARY, LAB, SYSTEM)}
        return {name: (len(sizes), sum(sizes)) for name, sizes in found.items()}

    def left_behind(self, before: tuple[int, int]) -> list[str]:
        """Prints descriptors, threads and files, once idle connections have ended; returns what is wrong with
        them. `before` are the descriptors and threads that there were.
        """
        deadline = time.monotonic() + 30
        while self.descriptors > before[0] + 5 and time.monotonic() < deadline:
            time.sleep(0.5)
        after, files = (self.descriptors, self.threads), self.files
        print(f"descriptors and threads: {before} before, {after} after")
        for name, (count, nbytes) in files.items():
            print(f"files in {name}: {count}, {nbytes / 1e6:.1f} MB")
        over = [name for name, most in BUDGETS.items() if files[name][1] > most]
        wrong = {
            "descriptors were left open": after[0] > before[0] + 5,
            "threads were left": after[1] > before[1] + 60,  # pools keep theirs
            "files were left in the system's folder": files[SYSTEM][0] > 0,
            f"more than their budget lies in {over}": bool(over),
        }
        return [words for words, is_so in wrong.items() if is_so]


TEMPORARY, SYSTEM, LAB = "temporary", "system", "cache/lab"
BUDGETS = {TEMPORARY: 3_000_000_000, LAB: 6_000_000_000}  # bytes, as SECURITY.md promises
SHARED = ("wheels", "hub", "numba")  # of the cache: what is fetched or compiled once for this host


def _files(folder: Path) -> list[int]:
    """Sizes of the files below a folder but for locks, while others come and go."""
    found = []
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                if not name.endswith(".lock"):
                    found.append((Path(place) / name).stat().st_size)
    return found


@contextmanager
def observed_app(folder: Path, *flags: str, **environment: str) -> Iterator[Observed]:
    """The app with all that it writes in a folder, but for weights, which come from this host's cache."""
    for name in SHARED:
        shared = default_cache_dir() / name
        shared.mkdir(parents=True, exist_ok=True)
        (folder / "cache").mkdir(exist_ok=True)
        (folder / "cache" / name).symlink_to(shared)
    (folder / SYSTEM).mkdir()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(port), *flags]
    places = {
        "GRADIO_TEMP_DIR": str(folder / TEMPORARY),
        "TMPDIR": str(folder / SYSTEM),
        "TOUR_CACHE": str(folder / "cache"),
    }
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**clean_environment(), **places, **environment},
            stdout=output,
            stderr=output,
        )
        try:
            if not comes_up(process, f"{url}/health"):
                raise RuntimeError(log.read_text("utf-8", errors="replace"))
            yield Observed(url, log, psutil.Process(process.pid))
        finally:
            end(process, 30)
