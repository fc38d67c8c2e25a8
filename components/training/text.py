"""Lines of text files, compressed or not."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def read(path: Path) -> str:
    """A UTF-8 file; `path` or, where that is missing, `path` with `.gz` after it."""
    if path.is_file():
        return path.read_text(encoding="utf-8")
    with gzip.open(path.with_name(path.name + ".gz"), "rt", encoding="utf-8", newline="") as file:
        return file.read()


def lines(path: Path) -> Iterator[str]:
    # Not splitlines: texts hold characters such as U+2028 that end no record.
    yield from (line.removesuffix("\r") for line in read(path).removesuffix("\n").split("\n"))


def rows(path: Path) -> Iterator[list[str]]:
    """Fields of a tab-separated file without quoting."""
    yield from (line.split("\t") for line in lines(path))


def records(path: Path) -> Iterator[dict[str, Any]]:
    """Objects of a JSON Lines file."""
    yield from (json.loads(line) for line in lines(path) if line)
