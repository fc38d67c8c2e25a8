"""HTTP as uvicorn speaks it, with a limit on how long the head of a request may take to come.

uvicorn waits for it without end: a few hundred half-open requests then hold as many connections for good.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEAD = 15.0  # seconds
LONGEST_HEAD = 128 * 1024  # bytes; longer addresses than are taken come this far, to be told so


# Longer than clients wait between two requests: one that is sent as the connection ends is lost.
KEPT = 75  # seconds


class PunctualProtocol(H11Protocol):
    head = HEAD

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.timeout_keep_alive = KEPT
        self.conn = h11.Connection(h11.SERVER, LONGEST_HEAD)
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        answered = cycle is None or cycle.response_complete
        if answered and self.conn.their_state is h11.IDLE:
            self._watch()
        else:
            self._rest()

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(self.head, self.transport.close)

    def _rest(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
