"""What kinds of parts do, as a textbook says it: data in `facts.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A kind of part. Modules that blocks do not tell are of the first kind whose `type` is found in their
    class's name, or whose `name` is theirs (regular expressions)."""

    title: str
    what: str
    formula: str = ""
    type: str = ""
    name: str = ""


def _load() -> Mapping[str, Fact]:
    data = tomllib.loads((Path(__file__).parent / "facts.toml").read_text("utf-8"))
    return {kind: Fact(**fact) for kind, fact in data.items()}


FACTS = _load()
