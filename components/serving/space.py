"""Hugging Face Spaces: `Spacefile` is the one place for the Space's metadata.

`space:` in it is what the Hub reads, but from the front matter of README.md, so
`write` copies it there and `check` tells whether the two still agree. `app:` holds
what the app itself sets differently on a Space, which it knows by `SPACE_ID`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from components.models.settings import PROFILES, Profile

ROOT = Path(__file__).parents[2]
FRONT_MATTER = re.compile(r"\A---\n.*?^---\n\n?", re.DOTALL | re.MULTILINE)
NOTE = "# Written by `python app.py --space write` from Spacefile; edit that."


def read(root: Path = ROOT) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((root / "Spacefile").read_text("utf-8"))
    return content


def on_space(environ: Mapping[str, str] = os.environ) -> bool:
    return bool(environ.get("SPACE_ID"))


def profile(root: Path = ROOT) -> Profile:
    chosen = read(root)["app"]["profile"]
    if chosen not in PROFILES:
        raise ValueError(f"Spacefile: app.profile must be one of {', '.join(PROFILES)}, not {chosen!r}")
    return cast(Profile, chosen)


def with_front_matter(readme: str, metadata: Mapping[str, Any]) -> str:
    """The README with its front matter replaced, or added; not a character after it changes."""
    block = yaml.safe_dump(dict(metadata), sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{NOTE}\n{block}---\n\n" + FRONT_MATTER.sub("", readme, count=1)


def write(root: Path = ROOT) -> None:
    readme = root / "README.md"
    readme.write_text(with_front_matter(readme.read_text("utf-8"), read(root)["space"]), "utf-8")


def agrees(root: Path = ROOT) -> bool:
    readme = (root / "README.md").read_text("utf-8")
    return readme == with_front_matter(readme, read(root)["space"])
