"""What a visitor sends is not in the log, whatever is wrong with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server import ROOT, clean_environment, comes_up, end, free_port

KEY, TOKEN, TEXT = "SENTINELkey" + "a" * 21, "hf_SENTINELtoken", "SENTINELtext"


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    log = tmp_path_factory.mktemp("log") / "log"
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=clean_environment(), stdout=output, stderr=output)
        try:
            assert comes_up(process, f"{url}/health")
            yield url, log
        finally:
            end(process, 60)


def test_what_does_not_fit_an_event_is_not_written_down(logged: tuple[str, Path]) -> None:
    url, log = logged
    with httpx.Client(base_url=url, timeout=60) as client:
        config = client.get("/config").json()
        kinds = {one["id"]: one for one in config["components"]}
        token = next(one for one in kinds.values() if one["props"].get("elem_id") == "lab-token")
        pushes = [one for one in config["dependencies"] if token["id"] in one["inputs"]]
        assert pushes
        batches: list[list[Any]] = []
        for event in config["dependencies"]:
            values = [
                TOKEN if id == token["id"] else KEY if "state" in kinds[id]["type"] else TEXT
                for id in event["inputs"]
            ]
            if event in pushes:
                batches.extend([event["id"], values[:-count]] for count in range(1, len(values)))
                batches.append([event["id"], [{"SENTINEL": [TOKEN]}] * len(values)])
                batches.append([event["id"], values])
            elif event["id"] % 12 == 0 and {kinds[id]["type"] for id in event["inputs"]} - {"textbox"}:
                # Text boxes take anything: with no other inputs, or none at all, an event would run.
                batches.append([event["id"], values[:-1]])
                batches.append([event["id"], [{"path": TEXT, "SENTINEL": TOKEN}] * len(values)])
        for number, (event, values) in enumerate(batches):
            asked = {"fn_index": event, "data": values, "session_hash": f"log{number % 8}"}
            answer = client.post("/gradio_api/queue/join", json=asked)
            assert answer.status_code in (200, 400, 422, 503), answer.text
            if answer.status_code == 200 and number % 8 == 7:
                for session in range(8):
                    with client.stream(
                        "GET", "/gradio_api/queue/data", params={"session_hash": f"log{session}"}
                    ) as stream:
                        for line in stream.iter_lines():
                            if "process_completed" in line or "close_stream" in line:
                                break
        assert client.get("/health").status_code == 200
    text = log.read_text("utf-8", errors="replace")
    print(f"{len(batches)} events; {len(text)} characters of log")
    assert "SENTINEL" not in text, [line for line in text.splitlines() if "SENTINEL" in line][:5]
    assert "do not fit" in text  # something was logged


def test_what_does_not_fit_the_mcp_server_is_not_written_down(logged: tuple[str, Path]) -> None:
    url, log = logged
    headers = {"Accept": "application/json, text/event-stream"}
    strange: list[dict[str, Any]] = [
        {"id": 1, "method": TEXT},
        {"id": 2, "method": "tools/call", "params": {"name": [TEXT], "arguments": {"text": TEXT}}},
        {"id": 3, "method": "tools/call", "params": {"name": TEXT, "arguments": [TEXT]}},
        {"id": 4, "method": "completion/complete", "params": {"ref": TEXT, "argument": TOKEN}},
        {"id": 5, "method": "tools/call", "params": {"name": TEXT, "arguments": {"text": TEXT}}},
        {"method": TEXT, "params": {"text": TEXT}},
        {"method": "notifications/progress", "params": {"progressToken": [TEXT]}},
        {"method": "notifications/cancelled", "params": {"requestId": [TEXT], "reason": TOKEN}},
        {"id": TEXT, "result": {"text": TEXT}},
        {"id": TEXT, "error": {"code": 1, "message": TEXT}},
        {"id": {"text": TEXT}, "method": "ping"},
    ]
    with httpx.Client(base_url=url, timeout=60, headers=headers) as client:
        for message in strange:
            answer = client.post("/gradio_api/mcp", json={"jsonrpc": "2.0", **message})
            assert answer.status_code in (200, 202, 400), answer.text
            if message.get("id") in (1, 2, 3, 4):
                assert answer.json()["error"]["code"] == -32602
                assert answer.json()["id"] == message["id"]
        listed = client.post("/gradio_api/mcp", json={"jsonrpc": "2.0", "id": 9, "method": "tools/list"})
        assert "fill_mask" in listed.text
    text = log.read_text("utf-8", errors="replace")
    assert "SENTINEL" not in text, [line for line in text.splitlines() if "SENTINEL" in line][:5]
