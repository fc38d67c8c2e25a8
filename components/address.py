"""Where visitors reach the app: what a proxy or a flag says, else what the request says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

# A host name, an IPv4 address or one in brackets, with or without a port: what may stand in an address.
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")


class Address(Protocol):
    @property
    def scheme(self) -> str: ...


class Request(Protocol):
    """What of a request tells its address; Starlette's and Gradio's have it."""

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def url(self) -> Address: ...


@dataclass(frozen=True, kw_only=True)
class Published:
    """Where the app is published. `local` is its address on this host; `root_path` the path below which a
    proxy publishes it, empty for the root; `url` the whole public address, where a flag gives it.
    """

    local: str
    root_path: str = ""
    url: str | None = None

    @property
    def address(self) -> str:
        """Without a request at hand."""
        return self.url or self.local + self.root_path

    def seen_by(self, request: Request) -> str:
        """The app's address for whoever sent the request, without a trailing slash.

        `url` wins; then `X-Forwarded-Proto` and `X-Forwarded-Host`, of whose values the first counts; then
        the request's own scheme and `Host`. Show it to the sender and nobody else, as the headers are theirs.
        """
        if self.url:
            return self.url
        headers = request.headers
        host = _first(headers.get("x-forwarded-host")) or headers.get("host", "")
        if not _HOST.fullmatch(host):
            return self.address
        forwarded = _first(headers.get("x-forwarded-proto"))
        scheme = forwarded if forwarded in ("http", "https") else request.url.scheme
        return f"{scheme}://{host}{self.root_path}"


def root_path_of(url_or_path: str) -> str:
    """`/tour` for `/tour/`, `tour` or `https://example.org/tour`; empty for the root."""
    path = urlsplit(url_or_path).path if "://" in url_or_path else url_or_path
    return "/" + path.strip("/") if path.strip("/") else ""


def _first(value: str | None) -> str:
    return (value or "").partition(",")[0].strip()
