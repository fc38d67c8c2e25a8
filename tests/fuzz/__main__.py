"""Requests that nobody would write, against the real app: `python -m tests.fuzz`, or `make fuzz`.

Schemathesis makes them from /v1/openapi.json; Hypothesis makes files, links, events and MCP messages.
Prints how many of each there were. Ends with status 1 where an answer was a 5xx that promises nothing (500,
502), took longer than it may, or where the log has a traceback.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import httpx
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from demos import PAGES, TASKS
from tests.server import ROOT, Observed, clean_environment, observed_app

LIMIT = 30.0  # seconds for one request, which is also told to the app
SLACK = 15.0  # what a busy host adds
FLAGS = ("--time-limit", str(LIMIT))
WRONG = (500, 501, 502)
ROW = "{:<14} {:>8} {:>10}   {}"


@dataclass
class Kind:
    """What became of the requests of one kind."""

    name: str
    statuses: Counter[int] = field(default_factory=Counter)
    longest: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def ask(self, client: httpx.Client, method: str, path: str, **sent: Any) -> None:
        begun = time.monotonic()
        try:
            answer = client.request(method, path, **sent)
        except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeEncodeError, ValueError):
            return  # no client can send it
        except httpx.RemoteProtocolError:
            self.statuses[0] += 1  # refused by closing the connection
            return
        took = time.monotonic() - begun
        self.longest = max(self.longest, took)
        self.statuses[answer.status_code] += 1
        if answer.status_code in WRONG or took > LIMIT + SLACK:
            self.wrong.append(
                f"{answer.status_code} after {took:.1f} s: {method} {path[:200]} {str(sent)[:500]}"
            )

    def __str__(self) -> str:
        found = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        return ROW.format(self.name, sum(self.statuses.values()), f"{self.longest:.1f} s", found)


TEXT = st.text(max_size=200)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=10,
)
HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=80)


def links(kind: Kind, client: httpx.Client) -> dict[str, st.SearchStrategy[Any]]:
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
    kind.ask(client, "GET", path, params=params, headers=headers)


def upload(kind: Kind, client: httpx.Client, name: str, content: bytes, parts: int, raw: bool) -> None:
    if raw:
        kind.ask(
            client,
            "POST",
            "/gradio_api/upload",
            content=content,
            headers={"Content-Type": "multipart/form-data; boundary=x"},
        )
    else:
        kind.ask(client, "POST", "/gradio_api/upload", files=[("files", (name, content))] * parts)


def message(kind: Kind, client: httpx.Client, method: str, params: Any, id: Any, raw: bytes | None) -> None:
    headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    body = (
        raw
        if raw is not None
        else json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).encode()
    )
    kind.ask(client, "POST", "/gradio_api/mcp/", content=body, headers=headers)


def event(kind: Kind, client: httpx.Client, path: str, body: Any) -> None:
    kind.ask(client, "POST", path, json=body)


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
        ("links", get, links(Kind(""), httpx.Client())),
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


def generated(app: Observed, calls: int) -> Iterator[Kind]:
    for name, ask, strategies in kinds():
        kind = Kind(name)
        with httpx.Client(base_url=app.url, timeout=LIMIT + SLACK + 30) as client:

            @settings(
                max_examples=calls // 4,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=[*HealthCheck],
            )
            @given(**strategies)
            def run(**values: Any) -> None:
                ask(kind, client, **values)  # noqa: B023 - run right here

            run()
        yield kind


def described(app: Observed, folder: Path, calls: int, seconds: int) -> Kind:
    """Schemathesis over the description of /v1, until there were so many calls."""
    kind = Kind("/v1")
    report = folder / "calls.ndjson"
    operations = len(httpx.get(f"{app.url}/v1/openapi.json", timeout=LIMIT + SLACK).json()["paths"])
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{app.url}/v1/openapi.json"]
    command += [
        "--checks",
        "not_a_server_error",
        "--phases",
        "examples,coverage,fuzzing",
        "--continue-on-failure",
    ]
    command += ["--max-examples", str(max(5, calls // operations)), "--max-time", str(seconds), "--no-color"]
    command += [
        "--request-timeout",
        str(LIMIT + SLACK),
        "--report",
        "ndjson",
        "--report-ndjson-path",
        str(report),
    ]
    subprocess.run(
        command, cwd=folder, env=clean_environment() | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL
    )
    for line in report.read_text("utf-8", errors="replace").splitlines():
        for call in interactions(json.loads(line)):
            answer = call.get("response") or {}
            status, took = int(answer.get("status_code") or 0), float(answer.get("elapsed") or 0)
            kind.statuses[status] += 1
            kind.longest = max(kind.longest, took)
            if status in WRONG or took > LIMIT + SLACK:
                kind.wrong.append(f"{status} after {took:.1f} s: {str(call.get('request'))[:500]}")
    return kind


def interactions(part: Any) -> list[dict[str, Any]]:
    """The calls in an event of the report, wherever they stand in it."""
    if isinstance(part, dict):
        if "request" in part and isinstance(part.get("response"), dict | None):
            return [part]
        return [one for value in part.values() for one in interactions(value)]
    return [one for value in part for one in interactions(value)] if isinstance(part, list) else []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument(
        "--seconds", type=int, default=1800, help="at most, for those made from the description"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, observed_app(Path(folder), *FLAGS) as app:
        before = (app.descriptors, app.threads)
        found: list[Kind] = []
        with ThreadPoolExecutor() as pool:
            rest = pool.submit(described, app, Path(folder), options.calls // 2, options.seconds)
            print(ROW.format("", "calls", "longest", "statuses"))
            for kind in chain(generated(app, options.calls // 2), map(Future.result, [rest])):
                found.append(kind)
                print(kind, flush=True)
        log = app.log.read_text("utf-8", errors="replace")
        wrong = [line for kind in found for line in kind.wrong]
        calls = sum(sum(kind.statuses.values()) for kind in found)
        print(f"{calls:,} calls; {log.count('Traceback')} tracebacks in the log")
        wrong += app.left_behind(before)
        for line in wrong[:20]:
            print("  ", line)
        if "Traceback" in log:
            print(log[log.index("Traceback") :][:3000])
        return 1 if wrong or "Traceback" in log else 0


if __name__ == "__main__":
    sys.exit(main())
