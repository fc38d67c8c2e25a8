"""English words that are no names."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

_FILE = Path(__file__).with_name("ordinary_words.txt")


@lru_cache(maxsize=1)
def ordinary_words() -> frozenset[str]:
    """Words, in small letters, that begin sentences, or that fewer than half of their German translations
    keep, in the pairs that the embedded translator is trained on; a few of chats; and none that is far more
    frequent in German or French."""
    return frozenset(_FILE.read_text(encoding="utf-8").split())
