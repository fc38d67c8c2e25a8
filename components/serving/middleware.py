"""What wraps every response: security headers, caching, compression, and limits.

All are plain ASGI, because `BaseHTTPMiddleware` would buffer Gradio's event streams.
Gradio adds its own CORS and Brotli layers outside of these.

A proxy may publish the app below a path. Some take that prefix away before they pass a request on, others
keep it; `RootPath` takes it away before anything looks at a path, so that all, Gradio included, see one kind.
"""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import parse_qs

from anyio import move_on_after
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.address import Published
from components.serving.errors import refusal
from components.serving.guards import Faults, Forwarded, Hosts, Limits, Malformed, Noted, Patience, Rates
from components.serving.listeners import Attended, Listeners
from components.serving.rendered import Rendered
from components.serving.shell import Shells, Site
from components.texts import in_folder

TEXTS = in_folder(__file__)

BODY_LIMIT = 2_000_000  # bytes
DRAINED = 16  # so many times the limit is read of a body that is refused
PATIENCE = 10.0  # seconds that a refused body may take to come
YEAR = 365 * 24 * 3600

# Gradio's pages need inline scripts, and gr.HTML compiles its templates, hence the two "unsafe" words.
# Nothing is fetched from other sites, so the app also works where there is no way out.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "form-action 'self'",
        "base-uri 'self'",
        "object-src 'none'",
        "frame-ancestors {frame_ancestors}",
    )
)


def middleware(
    site: Site, published: Published, listeners: Listeners, limits: Limits, frame_ancestors: str = "*"
) -> list[Middleware]:
    """`published` is where a proxy publishes the app.

    Framing is open by default: documentation on any site may embed a page with `?embed=1`, and there is no
    login or cookie that a hostile frame could make use of.
    """
    return [
        Middleware(SecurityHeaders, frame_ancestors=frame_ancestors),
        Middleware(Faults),
        Middleware(Forwarded, proxies=limits.proxies),
        Middleware(Hosts, hosts=limits.hosts),
        Middleware(RootPath, root_path=published.root_path),
        Middleware(Malformed),
        Middleware(Rates, limits=limits),
        Middleware(Patience),
        Middleware(CacheHeaders),
        Middleware(Rendered, site=site, published=published),
        Middleware(Compression),
        Middleware(BodyLimit, limit=BODY_LIMIT),
        Middleware(KnownPages, pages=frozenset(site.pages)),
        Middleware(Attended, listeners=listeners),
        Middleware(Shells, site=site, published=published),
        Middleware(GradioFaults),
    ]


class RootPath:
    """Takes the prefix away where the proxy has kept it, and puts it before where Gradio redirects to."""

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self.app = app
        self.root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if self.root_path and (path == self.root_path or path.startswith(f"{self.root_path}/")):
            scope = {**scope, "path": path[len(self.root_path) :] or "/"}
            raw = scope.get("raw_path")
            prefix = self.root_path.encode()
            if raw is not None and raw.startswith(prefix):
                scope["raw_path"] = raw[len(prefix) :] or b"/"

        async def send_with_prefix(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                location = headers.get("location", "")
                if location.startswith("/") and not location.startswith(("//", f"{self.root_path}/")):
                    headers["location"] = self.root_path + location
            await send(message)

        await self.app(scope, receive, send_with_prefix if self.root_path else send)


class SecurityHeaders:
    def __init__(self, app: ASGIApp, frame_ancestors: str) -> None:
        self.app = app
        self.headers = {
            "Content-Security-Policy": CONTENT_SECURITY_POLICY.format(frame_ancestors=frame_ancestors),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",  # addresses carry what a visitor typed
            "Permissions-Policy": "camera=(), microphone=(), geolocation=(), clipboard-write=(self)",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class CacheHeaders:
    """Files under `/assets/` carry a hash in their name; answers must not be kept; pages are asked again."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path: str = scope["path"]

        async def send_with_cache(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if path.startswith("/assets/") and message["status"] in (200, 304):
                    headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
                elif path.startswith(("/v1", "/data/", "/health", "/config", "/gradio_api/")):
                    headers.setdefault("Cache-Control", "no-store")
                elif headers.get("Content-Type", "").startswith("text/html"):
                    headers.setdefault("Cache-Control", "no-cache")
            await send(message)

        await self.app(scope, receive, send_with_cache)


class Compression:
    """Gzip for pages and JSON. Gradio's own layer has the files whose name ends in .js, .css and the like."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.gzip = GZipMiddleware(app, minimum_size=1000, compresslevel=5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        left_to_gradio = scope.get("path", "").startswith(("/assets/", "/static/"))
        await (self.app if left_to_gradio else self.gzip)(scope, receive, send)


class BodyTooLargeError(Exception):
    pass


class BodyLimit:
    """Refuses a body by its declared length, or while it arrives where none is declared.

    Uploads are left to `launch(max_file_size=...)`.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/gradio_api/upload"):
            await self.app(scope, receive, send)
            return
        refused = refusal(
            413,
            "too_long",
            f"The body is larger than {self.limit // 1_000_000} MB. Send less text at once.",
            headers={"Connection": "close"},
        )
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdecimal() and int(declared[:20]) > self.limit:
            if int(declared[:20]) <= DRAINED * self.limit:
                await self._drain(receive)
            await refused(scope, receive, send)
            return
        received = 0
        started = False

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.limit:
                raise BodyTooLargeError
            return message

        async def send_unless_refused(message: Message) -> None:
            nonlocal started
            if received > self.limit and not started:
                return  # what the app makes of the exception; ours is sent below
            started = True
            await send(message)

        with suppress(BodyTooLargeError):
            await self.app(scope, counted, send_unless_refused)
        if received > self.limit and not started:
            await self._drain(receive)
            await refused(scope, receive, send)

    async def _drain(self, receive: Receive) -> None:
        """Reads some of what is still coming: a proxy that cannot send all of a body tells its client that
        the app is gone instead of what it answered.
        """
        left = DRAINED * self.limit
        more = True
        with move_on_after(PATIENCE):
            while more and left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                more = message.get("more_body", False)


class KnownPages:
    """Gradio answers `/?page=<unknown>` with a bare 500; the home page is meant."""

    def __init__(self, app: ASGIApp, pages: frozenset[str]) -> None:
        self.app = app
        self.pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") == "/" and b"page=" in scope["query_string"]:
            asked = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True).get("page", [])
            if not self.pages.issuperset(asked):
                await RedirectResponse("./", status_code=303)(scope, receive, send)
                return
        await self.app(scope, receive, send)


class GradioFaults:
    """Gradio answers requests that its API cannot read, such as those with an unknown field, with a bare 500.

    Functions run behind its queue, so what these addresses raise themselves is about the request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope.get("path", "").startswith(("/gradio_api/call/", "/gradio_api/queue/join")):
            await self.app(scope, receive, send)
            return
        noted = Noted(send)
        try:
            await self.app(scope, receive, noted)
        except (TypeError, ValueError, KeyError, RecursionError):
            if noted.started:
                raise
            message = TEXTS["no_request"]
            await refusal(400, "invalid_input", message)(scope, receive, send)
