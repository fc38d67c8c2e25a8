"""The HTML that every page is served in: title, link preview, styles, header and heading, before any
script runs.

Gradio serves all pages in one template, with its own title and picture; here each page gets its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.address import Published
from components.javascript import preloads
from components.shell import ASIDE, BASE, Aside, Asides, Shell

HOME = ""

# Gradio's own: what previews read, and what sets the title again.
FOREIGN_META = re.compile(rb'<meta\s+(?:property|name)="(?:og|twitter):[^>]*?/?>\s*')
TITLE_SWITCH = (b'control_page_title="true"', b'control_page_title="false"')
CURRENT_PAGE = re.compile(rb'"current_page":\s*"([\w-]*)"')
# Addresses that programs ask: an error there stays JSON.
PROGRAMS = ("v1", "data", "gradio_api", "assets", "static", "hf", "load_model")


@dataclass(frozen=True, kw_only=True)
class Site:
    """`pages` are built by Gradio and `documents` by us alone, each by the one segment of its address; `lost`
    is for addresses that do not exist: `%PATH%` stands for the address, `%GUESS%` for what may be meant.
    `asides` are added to pages by what their address says."""

    pages: Mapping[str, Shell]
    documents: Mapping[str, Shell]
    lost: Shell
    asides: Asides


class Shells:
    """Puts Gradio's pages into their shells, and answers for the pages that need no Gradio."""

    def __init__(self, app: ASGIApp, site: Site, published: Published) -> None:
        self.app = app
        self.site = site
        self.published = published

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        base = self.published.seen_by(Request(scope)) + "/"
        path = unquote(scope["path"]).strip("/")  # `RootPath` has taken a prefix away
        aside = Aside()
        if path in (*self.site.documents, *self.site.pages) and not (path and scope["path"].endswith("/")):
            aside = self.site.asides.aside(path, dict(Request(scope).query_params)) or aside
        if aside.elsewhere:
            # Relative, for whatever path a proxy publishes the app below; pages are one segment deep.
            await RedirectResponse(aside.elsewhere, 303, {"Cache-Control": "no-store"})(scope, receive, send)
            return
        if path in self.site.documents:
            await _page(self.site.documents[path], base, path, aside)(scope, receive, send)
            return
        reads_html = "text/html" in Headers(scope=scope).get("accept", "")
        programs = path.split("/")[0] in PROGRAMS
        start: Message | None = None
        parts: list[bytes] = []

        async def send_in_shell(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                found = Headers(raw=message["headers"]).get("content-type", "")
                lost = message["status"] == 404 and reads_html and not programs
                if lost or (found.startswith("text/html") and not programs):
                    start = message
                    return
            if start is None:
                await send(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            if start["status"] == 404 and reads_html:
                await self._lost(path, base)(scope, receive, send)
                return
            body = self._dressed(b"".join(parts), base, aside)
            headers = MutableHeaders(raw=start["headers"])
            headers["content-length"] = str(len(body))
            await send(start)
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

        await self.app(scope, receive, send_in_shell)

    def _dressed(self, html: bytes, base: str, aside: Aside) -> bytes:
        """Gradio's HTML of one of its pages in that page's shell; other HTML as it is."""
        current = CURRENT_PAGE.search(html)
        if b"<gradio-app" not in html or current is None:
            return html
        slug = current[1].decode()
        shell = self.site.pages.get(slug)
        if shell is None:
            return html
        html = FOREIGN_META.sub(b"", html).replace(*TITLE_SWITCH)
        html = html.replace(b"</head>", _bytes(_filled(shell.head + aside.head, base), "</head>"), 1)
        html = html.replace(b"<gradio-app", _bytes(_filled(shell.before, base, aside), "<gradio-app"), 1)
        end = html.rfind(b"</body>")
        html = html[:end] + _bytes(_filled(shell.after, base)) + html[end:]
        # Readers of previews stop after some kilobytes, and Gradio's own data is long.
        first = _meta(shell, base, slug) + shell.scripts + preloads(shell.scripts + html.decode())
        return html.replace(b"<head>", _bytes("<head>", first), 1)

    def _lost(self, path: str, base: str) -> HTMLResponse:
        pages = {**self.site.pages, **self.site.documents}
        known = {slug: shell.title.partition(" · ")[0] for slug, shell in pages.items() if slug}
        guess = meant(path, known)
        link = f'<a href="{base}{guess}">{escape(known[guess])}</a>' if guess else ""
        words = f"Did you mean {link}?" if link else "The pages are in the navigation above."
        lost = self.site.lost
        html = (
            _document(lost, base, None).replace("%PATH%", escape("/" + path[:200])).replace("%GUESS%", words)
        )
        return HTMLResponse(html, 404)


def pictures(folder: Path) -> Route:
    """Serves what link previews show."""

    async def picture(request: Request) -> Response:
        name = request.path_params["name"]
        if not re.fullmatch(r"[\w-]+\.png", name) or not (folder / name).is_file():
            return Response("There is no such picture.", 404, media_type="text/plain")
        return FileResponse(folder / name, headers={"Cache-Control": "public, max-age=86400"})

    return Route("/cards/{name}", picture)


def meant(path: str, known: Mapping[str, str]) -> str | None:
    """The page whose address or title is most like a wrong address; None if none is."""
    names = {_plain(name): slug for slug, title in known.items() for name in (slug, title)}
    for asked in map(_plain, (path, *reversed(path.split("/")))):
        if close := get_close_matches(asked, names, n=1):
            return names[close[0]]
        if len(asked) > 3 and (parts := [name for name in names if asked in name]):
            return names[parts[0]]
    return None


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")


def _page(shell: Shell, base: str, slug: str, aside: Aside) -> HTMLResponse:
    return HTMLResponse(_document(shell, base, slug, aside))


def _document(shell: Shell, base: str, slug: str | None, aside: Aside = Aside()) -> str:  # noqa: B008 - frozen
    scripts = shell.scripts + preloads(shell.scripts + aside.head)
    head = _meta(shell, base, slug) + scripts + _filled(shell.head + aside.head, base)
    body = _filled(shell.before + shell.after, base, aside)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><base href="{escape(base)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{head}</head><body>{body}</body></html>"
    )


def _meta(shell: Shell, base: str, slug: str | None) -> str:
    title, description, picture = map(escape, (shell.title, shell.description, base + shell.picture))
    tags: list[tuple[str, Any]] = [("description", description)]
    if slug is not None:
        address = escape(base + slug)
        tags += [("og:url", address)]
    tags += [
        ("og:type", "website"),
        ("og:site_name", "Transformers Tour"),
        ("og:title", title),
        ("og:description", description),
        ("og:image", picture),
        ("og:image:width", "1200"),
        ("og:image:height", "630"),
        ("og:image:alt", title),
        ("twitter:card", "summary_large_image"),
        ("twitter:title", title),
        ("twitter:description", description),
        ("twitter:image", picture),
    ]
    meta = "".join(
        f'<meta {"property" if name.startswith("og:") else "name"}="{name}" content="{content}">'
        for name, content in tags
    )
    canonical = "" if slug is None else f'<link rel="canonical" href="{address}">'
    return f"<title>{title}</title>{canonical}{meta}"


def _filled(html: str, base: str, aside: Aside | None = None) -> str:
    # A plain text again: what is marked as HTML would escape what is put before it.
    return str(html).replace(BASE, escape(base.rstrip("/"))).replace(ASIDE, str(aside.html) if aside else "")


def _bytes(*html: str) -> bytes:
    return "".join(html).encode()
