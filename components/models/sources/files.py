"""What a checkpoint's folder may hold, and proof that it still holds what was put there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

# Weights and data only: nothing here can run code when it is loaded.
PATTERNS = ("*.json", "*.txt", "*.model", "*.spm", "*.jinja", "*.safetensors")
TOKENIZER_PATTERNS = tuple(pattern for pattern in PATTERNS if pattern != "*.safetensors")

_MANIFEST = "manifest.json"


def sha256(path: Path) -> str:
    """Read again only where the file has changed: hashing takes as long as loading."""
    found = path.stat()
    return _sha256(path, (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))


@lru_cache(maxsize=1000)
def _sha256(path: Path, version: tuple[int, ...]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path) -> None:
    """Write down size and SHA-256 of every file of a finished folder."""
    files = {path.name: {"size": path.stat().st_size, "sha256": sha256(path)} for path in folder.iterdir()}
    (folder / _MANIFEST).write_text(json.dumps({"files": files}, indent=1), encoding="utf-8")


def has_manifest(folder: Path) -> bool:
    """Whether every file of the manifest is there in its full size; cheap enough to ask on every request."""
    return _matches(folder, hashes=False)


def matches_manifest(folder: Path) -> bool:
    """Whether every file of the manifest has the bytes that the manifest lists."""
    return _matches(folder, hashes=True)


def _matches(folder: Path, *, hashes: bool) -> bool:
    try:
        files = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))["files"]
        return bool(files) and all(
            (folder / name).stat().st_size == known["size"]
            and (not hashes or sha256(folder / name) == known["sha256"])
            for name, known in files.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # absent or damaged in whatever way
        return False


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def size(folder: Path) -> int:
    """Bytes of the files under a folder, also while another process makes and removes them."""
    total = 0
    for place, _, names in os.walk(folder):  # which passes over folders that go meanwhile
        for name in names:
            with suppress(OSError):
                total += Path(place, name).stat().st_size
    return total
