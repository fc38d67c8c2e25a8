"""What a request must be before anything else looks at it: for this host, of bounded length, sent in time,
and not one of too many from one address. Plain ASGI, as all middleware here.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import ceil
from time import monotonic, time
from urllib.parse import urlsplit

from anyio import fail_after
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from components.serving.errors import InternalError, refusal, refused, reported
from components.texts import in_folder

TEXTS = in_folder(__file__)

LONGEST_ADDRESS = 60_000  # characters of path and query; Gradio's own parser fails from 65,536 on
SILENCE = 20.0  # seconds without a byte of a body that is not whole
GRACE, SLOWEST = 30.0, 10_000  # seconds before a body must have come at so many bytes a second
UPLOAD = "/gradio_api/upload"
# What asks a model. Pages and streams are not counted; look-ups of pages, some by the clock, more loosely.
COSTLY = ("/v1/", "/hf/", "/load_model", "/gradio_api/call/", "/gradio_api/mcp", "/gradio_api/queue/join")
LOOK_UPS = ("/data/", "/gradio_api/")
LOOSELY = 10  # times as many

_FORWARDED = (b"x-forwarded-", b"forwarded", b"x-gradio-server", b"x-real-ip")
_RANGE = re.compile(r"bytes\s*=\s*(\d+-\d*|-\d+)(\s*,\s*(\d+-\d*|-\d+)){0,9}", re.ASCII)
_LOCAL = ("*.localhost", "*.local", "*.internal")

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Who may ask, and how often.

    `proxies` are addresses and networks of proxies whose `X-Forwarded-*` headers are believed, "*" for all.
    `hosts` are names, with `*.` before them for all below, that the app is asked under besides those that
    nobody else can make point here. `requests` and `uploads` are for one address and minute; 0 is no limit.
    Callers on this host are not counted.
    """

    proxies: str = ""
    hosts: Sequence[str] = ()
    requests: int = 600
    uploads: int = 60


@dataclass
class Noted:
    """`send`, and whether anything was sent by it."""

    send: Send
    started: bool = False

    async def __call__(self, message: Message) -> None:
        self.started = True
        await self.send(message)


class Faults:
    """Whatever fails unforeseen is told as JSON, with a number under which the log has the rest."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        noted = Noted(send)
        try:
            with reported():
                await self.app(scope, receive, noted)
        except InternalError as error:
            if scope["type"] != "http" or noted.started:
                raise
            await refused(error)(scope, receive, send)


class Forwarded:
    """Believes what a proxy says of its client where a flag names the proxy; else takes such headers away."""

    def __init__(self, app: ASGIApp, proxies: str) -> None:
        self.app = app
        self.proxied = ProxyHeadersMiddleware(app, proxies)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        client = scope.get("client")
        trusted = client is not None and client[0] in self.proxied.trusted_hosts
        gone = (b"x-gradio-server",) if trusted else _FORWARDED  # no proxy sends Gradio's own
        headers = [one for one in scope["headers"] if not one[0].startswith(gone)]
        seen = {**scope, "headers": headers, "proxied": trusted}
        await (self.proxied if trusted else self.app)(seen, receive, send)  # type: ignore[arg-type]


class Hosts:
    """Refuses names that a foreign DNS server can make point here: a web page could then read the app of
    whoever looks at it. Addresses, single words and names of local networks cannot be such names; a proxy
    vouches for what it passes on.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self.app = app
        self.hosts = [*_LOCAL, *(one.lower() for one in hosts)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope.get("proxied"):
            host = Headers(scope=scope).get("host", "")
            if not is_known(host, self.hosts):
                message = TEXTS["unknown_host"].format(host=host[:100])
                await refusal(421, "unknown_host", message)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def is_known(host: str, hosts: Sequence[str]) -> bool:
    """Whether a `Host`, with or without a port, is one that the app may be asked under."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    if not host:  # of programs alone
        return True
    with suppress(ValueError):
        return bool(ipaddress.ip_address(name.partition("%")[0]))
    return bool(name) and ("." not in name or any(fnmatchcase(name, pattern) for pattern in hosts))


def may_call(origin: str, host: str, hosts: Sequence[str]) -> bool:
    """Whether a page of an origin may use tools: the app's own, one of this machine, or one that is named."""
    try:
        parts = urlsplit(origin)
        name = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not name:
        return False
    if parts.netloc == host or name == "localhost" or name.endswith(".localhost"):
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(name).is_loopback
    return any(fnmatchcase(name, pattern) for pattern in hosts)


class Malformed:
    """Refuses addresses that are too long, and passes over ranges of bytes that are none, as HTTP has it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_ADDRESS:
                message = TEXTS["long_address"].format(limit=LONGEST_ADDRESS)
                await refusal(414, "too_long", message)(scope, receive, send)
                return
            ranges = Headers(scope=scope).getlist("range")
            if ranges and not (len(ranges) == 1 and _RANGE.fullmatch(ranges[0])):
                kept = [one for one in scope["headers"] if one[0] not in (b"range", b"if-range")]
                scope = {**scope, "headers": kept}
            if scope["path"] == "/gradio_api/deep_link":
                # Gradio would keep what is on a visitor's page on the disk, for good.
                await refusal(404, "not_found", "Links hold all that they need: copy the page's own.")(
                    scope, receive, send
                )
                return
        await self.app(scope, receive, send)


class Patience:
    """Gives up on a body that comes too slowly: 408."""

    def __init__(self, app: ASGIApp, silence: float = SILENCE) -> None:
        self.app = app
        self.silence = silence

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = monotonic()
        received = 0
        whole = late = started = False

        async def timed() -> Message:
            nonlocal received, whole, late
            if whole:
                return await receive()  # until the client leaves, which may take any time
            allowed = max(GRACE, received / SLOWEST) - (monotonic() - begun)
            try:
                with fail_after(max(0.0, min(self.silence, allowed))):
                    message = await receive()
            except TimeoutError:
                late = True
                return {"type": "http.disconnect"}
            received += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            return message

        async def unless_late(message: Message) -> None:
            nonlocal started
            if late and not started:
                return  # what the app makes of it; ours is sent below
            started = True
            await send(message)

        try:
            await self.app(scope, timed, unless_late)
        except Exception:
            if not late:
                raise
        if late and not started:
            message = TEXTS["too_slow"]
            await refusal(408, "timeout", message, headers={"Connection": "close"})(scope, receive, send)


class Rates:
    """So many costly requests and so many uploads in a minute for one address; `Retry-After` is true."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self.counter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self.requests = limits.requests
        self.uploads = limits.uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind, most = self._limit(scope)
        if most:
            address = counted(scope)
            if address is not None:
                limit = RateLimitItemPerMinute(most)
                if not await self.counter.hit(limit, kind, address):
                    reset, _ = await self.counter.get_window_stats(limit, kind, address)
                    await _too_many(scope["path"], most, kind, min(60, max(1, ceil(reset - time()))))(
                        scope, receive, send
                    )
                    return
        await self.app(scope, receive, send)

    def _limit(self, scope: Scope) -> tuple[str, int]:
        """What a request is counted as, and how many of these one address has; 0 is any number."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return "", 0
        if scope["path"].startswith(UPLOAD):
            return "uploads", self.uploads
        if scope["path"].startswith(COSTLY):
            return "requests", self.requests
        return "look-ups", LOOSELY * self.requests if scope["path"].startswith(LOOK_UPS) else 0


def counted(scope: Scope) -> str | None:
    """The address to count by: of IPv6 the network that one subscriber has; None for this host itself."""
    client = scope.get("client")
    if client is None:
        return None
    try:
        address = ipaddress.ip_address(client[0].partition("%")[0])
    except ValueError:
        return str(client[0])[:64]
    told = scope.get("proxied") and "x-forwarded-for" in Headers(scope=scope)
    if address.is_loopback and not told:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
    return str(address)


def _too_many(path: str, most: int, kind: str, wait: int) -> Response:
    words = TEXTS["too_many"].format(count=most, kind=kind, wait=wait)
    headers = {"Retry-After": str(wait)}
    if path.startswith(UPLOAD):
        return PlainTextResponse(words, 429, headers)
    return refusal(429, "too_many_requests", words, headers=headers)
