"""A file at an address, as a draft. Nothing but https leads there, and only to hosts of the public internet.

Each connection, also after a redirect, goes to an address that was looked up and checked for it: a name that
means another host a moment later reaches nothing else.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit

from components.lab.convert import Source
from components.lab.intake import LARGEST, Draft, begin
from components.lab.workspace import Workspace, Workspaces, remove
from components.models import disk
from components.models.errors import Code, TourError
from components.tasks.fields import shorten
from components.texts import in_folder

if TYPE_CHECKING:
    from httpcore2 import NetworkBackend, Response

TEXTS = in_folder(__file__)

PATIENCE = 10.0  # seconds for an answer to begin, or to go on
LONGEST = 300.0  # seconds for a download
MOST_REDIRECTS = 5
_PORT = 443
_NAMED = re.compile(r"filename\*?=(?:UTF-8'')?\"?([^\";]+)", re.IGNORECASE)
# Networks of IPv6 in which an IPv4 address is contained, which is what is reached.
_TRANSLATED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))


def resolve(host: str) -> list[str]:
    """The addresses of a host."""
    found = socket.getaddrinfo(host, _PORT, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _backend() -> NetworkBackend:
    from httpcore2 import SyncBackend

    return SyncBackend()


@dataclass(frozen=True, kw_only=True)
class Network:
    """How hosts are looked up and connected to, and whose certificates are trusted (None: the usual ones)."""

    resolve: Callable[[str], Sequence[str]] = resolve
    backend: NetworkBackend = field(default_factory=_backend)
    trust: ssl.SSLContext | None = None


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A file that is there; `address` is where it lies after all redirects."""

    address: str
    name: str
    nbytes: int


def look(address: str, network: Network | None = None) -> Remote:
    """What lies at an address, without its content; raises `TourError`."""
    with _opened(address.strip(), network or Network()) as (found, _):
        return found


def download(
    address: str, workspaces: Workspaces, workspace: Workspace, network: Network | None = None
) -> Generator[float, None, Draft]:
    """Fetches a file into a draft; tells the share that is there. Raises `TourError`."""
    deadline = time.monotonic() + LONGEST
    with _opened(address.strip(), network or Network()) as (found, response):
        folder = begin(workspaces, workspace, found.nbytes)
        kept = folder / "source-0"
        there = 0
        try:
            with kept.open("wb") as out:
                for block in response.iter_stream():
                    there += len(block)
                    if there > found.nbytes or time.monotonic() > deadline:
                        raise (
                            _too_slow(found.name) if there <= found.nbytes else _too_large(found.name, there)
                        )
                    out.write(block)
                    yield there / max(1, found.nbytes)
        except BaseException:
            remove(folder)
            raise
    draft = Draft(
        folder=folder,
        title=Path(found.name).stem[:60] or "data",
        source=found.address[:300],
        licence="not stated",
        sources=(Source(path=kept, name=found.name),),
    )
    draft.save()
    return draft


@contextmanager
def _opened(address: str, network: Network) -> Iterator[tuple[Remote, Response]]:
    """The answer of whoever has the file, before its content."""
    import httpcore2

    guarded = _guarded(network)
    context = network.trust or httpcore2.default_ssl_context()
    timeouts = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), PATIENCE)}
    headers = {"Accept-Encoding": "identity", "User-Agent": "transformers-tour"}
    try:
        with httpcore2.ConnectionPool(ssl_context=context, network_backend=guarded) as pool:
            for _ in range(MOST_REDIRECTS + 1):
                host = _host(address)
                request = pool.stream(
                    "GET", address, headers=[("Host", host), *headers.items()], extensions=timeouts
                )
                with request as response:
                    said = {
                        name.decode("latin-1").lower(): value.decode("latin-1")
                        for name, value in response.headers
                    }
                    if response.status in (301, 302, 303, 307, 308) and "location" in said:
                        address = urljoin(address, said["location"])
                        continue
                    yield _found(address, response.status, said), response
                    return
    except (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError, OSError) as error:
        if disk.is_full(error):
            raise disk.no_room("the file could not be kept") from error
        raise TourError(
            Code.UNREACHABLE,
            TEXTS["no_answer"].format(host=shorten(urlsplit(address).hostname), error=type(error).__name__),
            "address",
        ) from error
    raise _no(address, TEXTS["too_many_redirects"].format(limit=MOST_REDIRECTS))


def _guarded(network: Network) -> NetworkBackend:
    """Connects to hosts of the public internet alone."""
    import httpcore2

    class Guarded(httpcore2.NetworkBackend):
        def connect_tcp(self, host: str, port: int, *arguments: Any, **options: Any) -> Any:
            address = public_address(host, network.resolve)
            return network.backend.connect_tcp(address, port, *arguments, **options)

    return Guarded()


def public_address(host: str, resolve: Callable[[str], Sequence[str]]) -> str:
    """The address to connect to; raises `TourError` where a host has any outside the public internet."""
    try:
        found = [ipaddress.ip_address(one.partition("%")[0]) for one in resolve(host)]
    except (OSError, UnicodeError, ValueError) as error:
        raise TourError(
            Code.UNREACHABLE, f"There is no host {shorten(host)}. Check the address.", "address"
        ) from error
    if not found or not all(map(_is_public, found)):
        raise _no(host, TEXTS["private_host"])
    return str(found[0])


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if any(address in network for network in _TRANSLATED):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner:
            return _is_public(inner)
    return address.is_global and not address.is_multicast


def _host(address: str) -> str:
    """The host of an address that may be asked; raises `TourError`."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise _no(address, "is no address. Copy it whole, as https://…") from error
    if parts.scheme != "https" or not host:
        raise _no(address, "does not begin with https://, and no other way is taken")
    if port not in (None, _PORT):
        raise _no(address, f"names the port {port}; only {_PORT}, that of https, is asked")
    if parts.username is not None or parts.password is not None:
        raise _no(address, TEXTS["password"])
    if not address.isascii() or not address.isprintable() or " " in address:
        raise _no(address, TEXTS["other_characters"])
    return host


def _found(address: str, status: int, said: dict[str, str]) -> Remote:
    if status != 200:
        raise TourError(
            Code.UNREACHABLE if status >= 500 else Code.INVALID_INPUT,
            TEXTS["status"].format(address=shorten(address), status=status),
            "address",
        )
    if said.get("content-type", "").lower().startswith("text/html"):
        raise _no(address, TEXTS["web_page"])
    length = said.get("content-length", "")
    if not length.isdecimal() or said.get("content-encoding", "identity") != "identity":
        raise _no(
            address,
            TEXTS["no_size"],
        )
    named = _NAMED.search(said.get("content-disposition", ""))
    path = unquote(named[1] if named else urlsplit(address).path)
    name = PurePosixPath(path.replace("\\", "/")).name[:200] or "data"
    if int(length) > LARGEST:
        raise _too_large(name, int(length))
    return Remote(address=address, name=name, nbytes=int(length))


def _no(address: str, what: str) -> TourError:
    return TourError(Code.INVALID_INPUT, f"{shorten(address)} {what}.", "address")


def _too_large(name: str, nbytes: int) -> TourError:
    return TourError(
        Code.TOO_LONG,
        TEXTS["too_large"].format(name=shorten(name), size=nbytes / 1e6, limit=LARGEST / 1e6),
        "address",
    )


def _too_slow(name: str) -> TourError:
    return TourError(
        Code.TIMEOUT,
        TEXTS["too_slow"].format(name=shorten(name), seconds=LONGEST),
        "address",
    )
