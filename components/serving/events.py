"""Server-sent events: what is told while an answer is worked on.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, cast

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from components.serving.errors import DisconnectedError, Told, refused, reported

Named = AsyncIterator[tuple[str | None, object]]
"""Names and contents of events; texts go out as they are, all else as JSON."""


class Events(Response):
    """Sends events as they come. What fails before the first is an ordinary refusal, later one an event.

    `refuse` is the refusal for what was raised.
    """

    media_type = "text/event-stream"

    def __init__(self, events: Named, refuse: Callable[[Exception], Response] = refused) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events = events
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def put(event: str | None, content: object) -> None:
            nonlocal started
            if not started:
                started = True
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": encoded(event, content), "more_body": True})

        try:
            with reported():
                async with aclosing(cast(Any, self._events)) as events:
                    async for event, content in events:
                        await put(event, content)
        except DisconnectedError:
            return
        except Told as error:
            refusal = self._refuse(error)
            if not started:
                await refusal(scope, receive, send)
                return
            await put("error", bytes(refusal.body).decode())
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def encoded(event: str | None, content: object) -> bytes:
    text = content if isinstance(content, str) else json.dumps(content, allow_nan=False)
    return (f"event: {event}\n" if event else "").encode() + f"data: {text}\n\n".encode()
