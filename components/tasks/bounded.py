"""Files that visitors bring are read in a process of its own, bounded in memory, time and what it may write,
so that a file made to blow up ends as a message.

The process is `python -m MODULE`; its input is an order as JSON, its output lines of JSON.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import IO, Any, cast

from components.models.errors import Code, TourError
from components.tasks.fields import shorten
from components.texts import in_folder

TEXTS = in_folder(__file__)

MEMORY = 3_000_000_000  # bytes of address space
SECONDS = 120  # of processor time
PATIENCE = SECONDS + 30.0  # seconds for one reading
BEYOND = 2  # status of a process that needs more memory

_log = logging.getLogger(__name__)
_ROOT = Path(__file__).resolve().parents[2]


def ask(module: str, order: bytes, name: str) -> Generator[dict[str, Any], None, None]:
    """What the process of `module` tells; raises `TourError` where it tells an error or ends without "done".

    Closing it ends the process. `name` is what the visitor calls the file.
    """
    with subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", module],
        cwd=_ROOT,
        # Arrow's own allocators reserve more address space than they use, which is bounded here.
        env={**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        late = threading.Timer(PATIENCE, process.kill)
        late.daemon = True
        late.start()
        try:
            asked, told = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
            asked.write(order)
            asked.close()
            for line in told:
                words = json.loads(line)
                if error := words.get("error"):
                    raise TourError(Code(error["code"]), error["message"], "file")
                yield words
                if "done" in words:
                    return
            process.wait()
        finally:
            late.cancel()
            process.kill()
    if process.returncode == 1:  # an error of the module's own, and not one of the limits
        _log.error("%s broke off", module)
        raise TourError(Code.INVALID_INPUT, TEXTS["broke_off"].format(name=shorten(name)), "file")
    raise TourError(
        Code.TOO_LONG,
        TEXTS["too_slow"].format(name=shorten(name), seconds=SECONDS, memory=MEMORY / 1e9),
        "file",
    )


def bound(written: int) -> None:
    """Limits this process, as far as the system can: whatever a file has the libraries do. `written` is the
    largest file in bytes that it may write."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (written, written))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def tell(**words: Any) -> None:
    """A line for whoever asked; "error" and "done" end the conversation."""
    print(json.dumps(words, ensure_ascii=False, default=str), flush=True)
