"""Pages and descriptions that are the same for everybody are made once and kept as bytes.

Gradio copies and serializes its configuration for each request: 30 to 60 ms of processor time for a page and
400 ms for `/config`. What it puts in of a request is the app's address, which page is meant, and the contents
of a deep link; the latter are not in use here. So one copy for each address, page and encoding will do.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from urllib.parse import parse_qs

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.address import Published
from components.serving.shell import Site

DESCRIPTIONS = ("/config", "/config/", "/gradio_api/info")
MOST = 40_000_000  # bytes of all copies; those of addresses that nobody uses any more go first

Key = tuple[str, str | None, str, bool]
"""A path, the page it asks for by query, the app's address for whoever asks, and whether gzip is taken."""


@dataclass(frozen=True)
class Copy:
    headers: list[tuple[bytes, bytes]]
    body: bytes
    etag: str


class Rendered:
    """Comes outside of compression, so that the copies are compressed already."""

    def __init__(self, app: ASGIApp, site: Site, published: Published) -> None:
        self.app = app
        self.pages = frozenset(site.pages)
        self.asides = site.asides
        self.kept = frozenset(f"/{slug}" for slug in (*site.pages, *site.documents)) | set(DESCRIPTIONS)
        self.published = published
        self.copies: OrderedDict[Key, Copy] = OrderedDict()
        self.making = anyio.Lock()  # of a hundred that ask for the same at once, one makes it

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = self._key(scope)
        if key is None:
            await self.app(scope, receive, send)
            return
        if key not in self.copies:
            async with self.making:
                if key not in self.copies and not await self._make(key, scope):
                    key = None
        if key is None:  # not found, or a redirect
            await self.app(scope, receive, send)
            return
        self.copies.move_to_end(key)
        await self._send(self.copies[key], scope, send)

    def _key(self, scope: Scope) -> Key | None:
        if (
            scope["type"] != "http"
            or scope["method"] not in ("GET", "HEAD")
            or scope["path"] not in self.kept
        ):
            return None
        if self.asides.aside(scope["path"].strip("/"), dict(Request(scope).query_params)) is not None:
            return None  # a stop of a tour, which is in the page
        asked = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        pages = asked.get("page", [])
        path = scope["path"]
        if path == "/gradio_api/info" and not asked.keys() <= {"page"}:
            return None
        page = pages[-1] if pages and (path == "/" or path in DESCRIPTIONS) else None
        if page is not None and (len(pages) > 1 or page not in self.pages):
            if path != "/config":  # `KnownPages` and Gradio say what is wrong with it
                return None
            page = None
        gzip = "gzip" in Headers(scope=scope).get("accept-encoding", "")
        return path, page, self.published.seen_by(Request(scope)), gzip

    async def _make(self, key: Key, scope: Scope) -> bool:
        """Whether there is such a page; it is kept then."""
        _, page, base, gzip = key
        # Nothing of this request but what is in the key: the next one is sent the same.
        scheme, _, rest = base.partition("://")
        host = rest.partition("/")[0]
        headers = {"host": host, "x-forwarded-host": host, "x-forwarded-proto": scheme, "accept": "text/html"}
        query = b"" if page is None else b"page=" + page.encode()
        if gzip:
            headers["accept-encoding"] = "gzip"
        asked = {
            **scope,
            "method": "GET",
            "query_string": query,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        messages: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        await self.app(asked, receive, send)
        start, *parts = messages
        if start["status"] != 200:
            return False
        body = b"".join(part.get("body", b"") for part in parts)
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        fixed = MutableHeaders(raw=[*start["headers"]])
        fixed["ETag"] = etag
        fixed["Content-Length"] = str(len(body))
        fixed.add_vary_header("Accept-Encoding")
        while self.copies and sum(len(one.body) for one in self.copies.values()) + len(body) > MOST:
            self.copies.popitem(last=False)
        self.copies[key] = Copy(fixed.raw, body, etag)
        return True

    async def _send(self, copy: Copy, scope: Scope, send: Send) -> None:
        known = Headers(scope=scope).get("if-none-match", "")
        fresh = copy.etag in (part.strip().removeprefix("W/") for part in known.split(","))
        headers = [*copy.headers]
        if fresh:
            headers = [
                one for one in headers if one[0].lower() not in (b"content-length", b"content-encoding")
            ]
        await send({"type": "http.response.start", "status": 304 if fresh else 200, "headers": headers})
        body = b"" if fresh or scope["method"] == "HEAD" else copy.body
        await send({"type": "http.response.body", "body": body})
