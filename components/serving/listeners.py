"""Gradio's queue does what nobody waits for: a client that sends calls and reads no answer would fill it.

Here a call whose stream nobody has open is dismissed after some seconds, whether it waits or is under way,
and one address can have only so many of them. A page opens its stream as it sends its first event.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any
from urllib.parse import parse_qs

import anyio
from gradio.server_messages import ProcessCompletedMessage
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.serving.errors import refusal
from components.texts import in_folder

TEXTS = in_folder(__file__)

PATIENCE = 10.0  # seconds in which a client may open the stream of a call
FORGOTTEN = 120.0  # seconds after which the answer to nobody is thrown away
MOST_UNHEARD = 64  # calls of one address at a time, and as many events of its pages
EVERY = 1.0  # seconds between two looks
FULL = "5"  # seconds after which to ask again where the queue is full

_CALLS = ("/gradio_api/call/", "/gradio_api/queue/join")

log = logging.getLogger(__name__)


class Listeners:
    """Who listens to Gradio's queue; `queue` gives it once the app runs."""

    def __init__(
        self, queue: Callable[[], Any], patience: float = PATIENCE, forgotten: float = FORGOTTEN
    ) -> None:
        self._queue = queue
        self._patience = patience
        self._forgotten = forgotten
        self._open: Counter[str] = Counter()  # streams, by the session or the call that they are about
        self._unheard: dict[str, float] = {}  # calls, and since when nobody has listened
        self._silent: dict[str, float] = {}  # sessions that are left with an answer

    @contextmanager
    def listening(self, name: str) -> Iterator[None]:
        self._open[name] += 1
        try:
            yield
        finally:
            self._open[name] -= 1
            if not self._open[name]:
                del self._open[name]

    def unheard(self, address: str | None, kind: str) -> int:
        """How many calls of an address nobody listens to now; `kind` begins the path that they came by."""
        return sum(
            1
            for event in self._events()
            if not self._heard(event)
            and _address(event.request) == address
            and event.request.scope["path"].startswith(kind)
        )

    async def dismiss(self) -> None:
        """Dismisses what nobody listens to, until it is cancelled."""
        while True:
            await anyio.sleep(EVERY)
            try:
                await self._look()
            except Exception:
                log.exception("the queue could not be looked through")

    async def _look(self) -> None:
        queue, now = self._queue(), monotonic()
        events = {event._id: event for event in self._events()}
        silent = {id: event for id, event in events.items() if not self._heard(event)}
        self._unheard = {id: self._unheard.get(id, now) for id in silent}
        for id, since in self._unheard.items():
            if now - since <= self._patience or not silent[id].alive:
                continue
            event = silent[id]
            words = TEXTS["unheard"].format(seconds=self._patience)
            queue.send_message(event, ProcessCompletedMessage(output={"error": words}, success=False))
            await queue.clean_events(event_id=id)
            self._silent[event.session_hash] = now
        busy = {event.session_hash for event in events.values() if event.alive}
        for session, since in [*self._silent.items()]:
            if self._open[session]:
                del self._silent[session]
            elif session not in busy and now - since > self._forgotten:
                queue.pending_messages_per_session.pop(session, None)
                queue.pending_event_ids_session.pop(session, None)
                del self._silent[session]

    def _heard(self, event: Any) -> bool:
        return bool(self._open[event.session_hash] or self._open[event._id])

    def _events(self) -> list[Any]:
        """Calls that wait, and those under way."""
        queue = self._queue()
        waiting = [event for one in queue.event_queue_per_concurrency_id.values() for event in one.queue]
        return waiting + [event for job in queue.active_jobs if job for event in job]


class Attended:
    """Notes who listens; refuses calls of who left too many unheard; says when to ask a full queue again."""

    def __init__(self, app: ASGIApp, listeners: Listeners) -> None:
        self.app = app
        self.listeners = listeners

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith(("/gradio_api/call/", "/gradio_api/queue/")):
            await self.app(scope, receive, send)
        elif scope["method"] == "POST" and (kind := next(filter(path.startswith, _CALLS), None)):
            await self._call(kind, scope, receive, send)
        elif name := _listened(scope):
            with self.listeners.listening(name):
                await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _call(self, kind: str, scope: Scope, receive: Receive, send: Send) -> None:
        address = scope["client"][0] if scope.get("client") else None
        if self.listeners.unheard(address, kind) >= MOST_UNHEARD:
            message = TEXTS["too_many_unheard"].format(count=MOST_UNHEARD)
            headers = {"Retry-After": f"{PATIENCE:.0f}"}
            await refusal(429, "too_many_requests", message, headers=headers)(scope, receive, send)
            return

        async def send_with_time(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 503:
                MutableHeaders(scope=message)["Retry-After"] = FULL
            await send(message)

        await self.app(scope, receive, send_with_time)


def _listened(scope: Scope) -> str | None:
    """The session, or the call, whose stream a request opens."""
    if scope["method"] != "GET":
        return None
    if scope["path"].startswith("/gradio_api/call/"):
        return str(scope["path"]).rstrip("/").rpartition("/")[2]
    found = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash")
    return found[-1] if found else None


def _address(request: Any) -> str | None:
    client = getattr(request, "client", None)
    return str(client.host) if client else None
