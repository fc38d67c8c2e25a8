"""The process in which a run happens: `python -m components.lab.worker FOLDER`.

The first line of its input is its start message (see `work.start_message`); a line "pause", or the end of
the input (the server is gone), has it save what it has and stop.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

from filelock import FileLock

from components.lab.methods import METHODS
from components.lab.runs import Run
from components.lab.work import PausedError, Work, read_start_message
from components.models import devices, disk
from components.models.errors import TourError
from components.tasks.fields import validate

LOCK = "lock"  # held as long as the worker lives

_log = logging.getLogger(__name__)


def main(folder: str) -> int:
    # Visitors who wait for an answer come first, but the run goes on: a process that is always busy leaves
    # it a quarter of a processor.
    os.nice(5)
    with suppress(OSError):  # where there is such a thing: out of memory, this goes and the server stays
        Path("/proc/self/oom_score_adj").write_text("800")
    run = Run(Path(folder))
    method = METHODS[run.spec.method]
    settings, base = read_start_message(sys.stdin.readline())
    work = Work(run=run, settings=settings, base=base)
    work.progress("Starting")
    threading.Thread(target=_listen, args=(sys.stdin, work, method.pausable), daemon=True).start()
    with FileLock(run.folder / LOCK):
        try:
            method.run(work, validate(method.options, run.spec.options))
        except PausedError as paused:
            run.tell("paused", step=paused.step)
        except TourError as error:
            run.tell("error", message=error.message)
        except Exception as error:  # noqa: BLE001 - a method may raise anything; its visitor must hear of it
            _log.exception("%s failed", run.id)
            if disk.is_full(error):
                run.tell("error", message=disk.no_room("the training could not go on").message)
                return 1
            if devices.out_of_memory(error):
                run.tell("error", message="Memory ran out. Take a smaller batch or model, or less text.")
                return 1
            run.tell("error", message=f"It failed unexpectedly ({type(error).__name__}: {error}).")
            return 1
        else:
            run.tell("done")
    return 0


def _listen(lines: IO[str], work: Work, pausable: bool) -> None:
    if lines.readline() == "" and not pausable:
        os._exit(1)  # nobody waits for it any more
    work.pausing.set()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
