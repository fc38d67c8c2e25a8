"""Python imports this first where its folder is on the path: a wall clock that jumps by the seconds in a
file."""

import os
import time
from pathlib import Path

_file = Path(os.environ["CLOCK"])
_real = time.time


def _jumped() -> float:
    try:
        return _real() + float(_file.read_text())
    except (OSError, ValueError):
        return _real()


time.time = _jumped
