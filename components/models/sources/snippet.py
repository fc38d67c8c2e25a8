"""What a code snippet needs to load a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FromPretrained:
    """Python that runs as it stands.

    `lines` fetch the weights if need be and define MODEL; `arguments` goes between the
    parentheses of every `from_pretrained(...)`.
    """

    lines: tuple[str, ...]
    arguments: str = "MODEL"
