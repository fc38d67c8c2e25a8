"""Requests that nobody would write, against the real app: `python -m tests.fuzz`, or `make fuzz`.

Schemathesis makes them from /v1/openapi.json; Hypothesis makes files, links, events and MCP messages.
Prints how many of each there were, also when it is interrupted. Ends with status 1 where an answer was a 5xx
that promises nothing (500 to 502), took longer than it may or never came, or where the log has a traceback.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st

from demos import PAGES, TASKS
from tests.fuzz.described import BOUNDARIES, Described
from tests.fuzz.kind import CLOSED, FLAGS, LIMIT, ROW, SLACK, Kind
from tests.server import observed_app


def ask(kind: Kind, client: httpx.Client, method: str, path: str, **sent: Any) -> None:
    begun = time.monotonic()
    try:
        status = client.request(method, path, **sent).status_code
    except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeEncodeError, ValueError):
        reject()  # no client can send it: another one is made in its place
    except (httpx.RemoteProtocolError, httpx.TimeoutException):
        status = CLOSED
    kind.add(status, time.monotonic() - begun, f"{method} {path[:200]} {str(sent)[:500]}")


TEXT = st.text(max_size=200)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=10,
)
HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=80)


def links() -> dict[str, st.SearchStrategy[Any]]:
    pages = ["/", *(f"/{page.slug}" for page in PAGES), "/config", "/api", "/v1/models", "/gradio_api/info"]
    names = (
        st.sampled_from(["text", "model", "page", "embed", "deep_link", "__theme", "run", "labels", "layer"])
        | TEXT
    )
    headers = st.dictionaries(
        st.sampled_from(
            ["Range", "If-None-Match", "Accept", "Accept-Encoding", "Cookie", "Origin", "Content-Type"]
        ),
        HEADER,
        max_size=3,
    )
    strays = TEXT.map(lambda text: "/" + text)
    return {
        "path": st.sampled_from(pages) | strays,
        "params": st.dictionaries(names, TEXT, max_size=4),
        "headers": headers.map(
            lambda found: {name: value.encode("latin-1") for name, value in found.items()}
        ),
    }


def get(kind: Kind, client: httpx.Client, path: str, params: Any, headers: Any) -> None:
    ask(kind, client, "GET", path, params=params, headers=headers)


def upload(kind: Kind, client: httpx.Client, name: str, content: bytes, parts: int, raw: bool) -> None:
    if raw:
        ask(
            kind,
            client,
            "POST",
            "/gradio_api/upload",
            content=content,
            headers={"Content-Type": "multipart/form-data; boundary=x"},
        )
    else:
        ask(kind, client, "POST", "/gradio_api/upload", files=[("files", (name, content))] * parts)


def message(kind: Kind, client: httpx.Client, method: str, params: Any, id: Any, raw: bytes | None) -> None:
    headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    body = (
        raw
        if raw is not None
        else json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).encode()
    )
    ask(kind, client, "POST", "/gradio_api/mcp/", content=body, headers=headers)


def event(kind: Kind, client: httpx.Client, path: str, body: Any) -> None:
    ask(kind, client, "POST", path, json=body)


TOOL = st.fixed_dictionaries(
    {
        "name": st.sampled_from([task.name for task in TASKS]) | TEXT,
        "arguments": st.dictionaries(TEXT, JSON, max_size=3),
    }
)
EVENTS = st.sampled_from(
    [
        "/gradio_api/queue/join",
        "/gradio_api/component_server/",
        "/gradio_api/cancel",
        "/gradio_api/reset",
        "/gradio_api/call/v2/fill_mask",
        "/gradio_api/call/tokenize",
    ]
)
BODIES = JSON | st.fixed_dictionaries(
    {"data": st.lists(JSON, max_size=3)}, optional={"fn_index": JSON, "session_hash": TEXT, "event_id": TEXT}
)


def kinds() -> list[tuple[str, Callable[..., None], dict[str, st.SearchStrategy[Any]]]]:
    return [
        ("links", get, links()),
        (
            "files",
            upload,
            {
                "name": TEXT,
                "content": st.binary(max_size=2000),
                "parts": st.integers(0, 3),
                "raw": st.booleans(),
            },
        ),
        (
            "MCP",
            message,
            {
                "method": st.sampled_from(["initialize", "tools/list", "tools/call", "ping"]) | TEXT,
                "params": TOOL | JSON,
                "id": st.integers() | TEXT | st.none(),
                "raw": st.none() | st.binary(max_size=200),
            },
        ),
        ("events", event, {"path": EVENTS, "body": BODIES}),
    ]


def generate(url: str, calls: int, found: list[Kind], *, always_the_same: bool = False) -> None:
    """Adds a kind to those found as soon as its first call is made."""
    for name, send, strategies in kinds():
        kind = Kind(name)
        found.append(kind)
        with httpx.Client(base_url=url, timeout=LIMIT + SLACK + 5) as client:

            @settings(
                max_examples=calls // 4,
                deadline=None,
                database=None,
                derandomize=always_the_same,
                phases=[Phase.generate],
                suppress_health_check=[*HealthCheck],
            )
            @given(**strategies)
            def run(**values: Any) -> None:
                send(kind, client, **values)  # noqa: B023 - run right here

            run()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=3000, help="after which it ends as if interrupted")
    options = parser.parse_args()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(each, signal.default_int_handler)
    signal.alarm(options.seconds)
    with tempfile.TemporaryDirectory() as folder, observed_app(Path(folder), *FLAGS) as app:
        before = (app.descriptors, app.threads)
        found: list[Kind] = []
        wrong: list[str] = []
        described = Described(app.url, Path(folder), options.calls // 2 - BOUNDARIES)
        try:
            generate(app.url, options.calls // 2, found)
            described.wait()
        except KeyboardInterrupt:
            wrong.append("broken off before all calls were made")
        finally:
            signal.alarm(0)
            described.stop()
        found.append(described.kind())
        print(ROW.format("", "calls", "longest", "statuses"))
        for kind in found:
            print(kind)
            wrong += kind.wrong
        log = app.log.read_text("utf-8", errors="replace")
        print(f"{sum(kind.calls for kind in found):,} calls; {log.count('Traceback')} tracebacks in the log")
        wrong += app.left_behind(before)
        for line in wrong[:20]:
            print("  ", line)
        if "Traceback" in log:
            print(log[log.index("Traceback") :][:3000])
        return 1 if wrong or "Traceback" in log else 0


if __name__ == "__main__":
    sys.exit(main())
