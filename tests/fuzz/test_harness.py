"""The tool finds what it looks for in a server that was made wrong, also when it is stopped."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.fuzz.__main__ import ask
from tests.fuzz.described import Described
from tests.fuzz.hooks import TOKENS, shorten
from tests.fuzz.kind import CLOSED, LIMIT, SLACK, Kind

BODY = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
OPERATION = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": BODY}}},
    "responses": {"200": {"description": "An answer."}},
}
DESCRIPTION = {
    "openapi": "3.1.0",
    "info": {"title": "Wrong on purpose", "version": "1"},
    "paths": {"/at_times": {"post": OPERATION}},
}


class Wrong(BaseHTTPRequestHandler):
    turn = itertools.cycle([500, 422])

    def do_GET(self) -> None:
        self.answer(200, json.dumps(DESCRIPTION).encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/closed":
            self.close_connection = True
        else:
            self.answer(next(self.turn), b"{}")

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def a_server_that_is_wrong() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Wrong) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_errors_so_far_are_known_when_it_is_stopped(tmp_path: Path) -> None:
    with a_server_that_is_wrong() as url:
        described = Described(url, tmp_path, 1_000_000, ("--phases", "fuzzing"), patience=10)
        deadline = time.monotonic() + 200
        while not {500, 422} <= described.kind().statuses.keys() and time.monotonic() < deadline:
            threading.Event().wait(0.1)
        described.stop()
        found = described.kind()
        assert {500, 422} <= found.statuses.keys()
        assert found.calls < 1_000_000
        assert len(found.wrong) == found.statuses[500]
        assert all("POST /at_times" in line for line in found.wrong)
        with httpx.Client(base_url=url) as client:
            ask(found, client, "POST", "/closed")
        assert found.statuses[CLOSED] == 1


@pytest.mark.parametrize(
    ("status", "seconds", "wrong"), [(200, 1, 0), (503, 1, 0), (502, 1, 1), (CLOSED, LIMIT + SLACK + 1, 1)]
)
def test_what_is_wrong(status: int, seconds: float, wrong: int) -> None:
    kind = Kind("")
    kind.add(status, seconds, "GET /")
    assert len(kind.wrong) == wrong
    assert str(status or "closed") in str(kind)


def test_only_what_is_allowed_is_shortened() -> None:
    requests: list[dict[str, object]] = [
        {"prompt": "a", "max_new_tokens": 512},
        {"prompt": "b"},
        {"prompt": "c", "max_new_tokens": 513},
    ]
    shorten({"requests": requests}, "max_new_tokens")
    assert [one["max_new_tokens"] for one in requests] == [TOKENS, TOKENS, 513]
