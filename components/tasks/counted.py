"""Numbers of things in words."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """1, "page" -> "1 page"; 3000, "page" -> "3,000 pages". For nouns whose plural ends with a mere s."""
    return f"{number:,} {noun}{'s' * (number != 1)}"
