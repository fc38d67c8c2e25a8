"""The records that are kept for a while, so that another part of the same text costs no forward pass."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from typing import Generic, Protocol, TypeVar

from components.tasks.task import Answer


class Record(Protocol):
    @property
    def nbytes(self) -> int: ...


R = TypeVar("R", bound=Record)

ROOM = 600_000_000  # bytes: three looks at 512 tokens of SmolLM2, or fifteen of MiniLM


class RecordCache(Generic[R]):
    """The latest records, as many as there is room for; the last one stays however large it is."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._kept: OrderedDict[str, Answer[R]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Answer[R] | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: str, look: Answer[R]) -> None:
        with self._lock:
            self._kept[key] = look
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and sum(one.result.nbytes for one in self._kept.values()) > self._room:
                self._kept.popitem(last=False)


def key(*asked: object) -> str:
    """A name for what was asked; nobody finds it out without knowing that."""
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:32]
