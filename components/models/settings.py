"""How one instance of the app is set up; made by `app.py`, handed down, never global."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

Profile = Literal["embedded", "hub"]
PROFILES: tuple[Profile, ...] = get_args(Profile)


def default_cache_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """`TOUR_CACHE`, or a folder of our own where the platform keeps caches (XDG)."""
    if chosen := environ.get("TOUR_CACHE"):
        return Path(chosen).expanduser()
    root = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(root).expanduser() / "transformers-tour"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`memory_budget` is in bytes of device memory; None takes a share of what is free at start."""

    cache_dir: Path
    profile: Profile = "embedded"
    models_dir: Path | None = None
    device: str | None = None  # "cuda", "mps", "cpu"; None picks the best there is
    memory_budget: int | None = None
    hub_endpoint: str | None = None  # None follows HF_ENDPOINT
    hub_cache: Path | None = None  # where downloads from the Hub lie; None is a folder of `cache_dir`
    any_checkpoint: bool = True  # whether visitors may name repositories that the catalog does not have
    visitors_unload: bool = False  # whether visitors may take models out of the memory that all share
