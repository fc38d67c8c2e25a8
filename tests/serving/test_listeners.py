"""Calls that nobody listens to do not shut others out, and do not go on for nobody."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import gradio as gr
import httpx
from gradio.routes import App

from components.serving.listeners import EVERY, MOST_UNHEARD, PATIENCE, Listeners
from demos import TASKS
from tests.server import running_app

GENERATION = next(task for task in TASKS if task.name == "text_generation")
# To count has no end, so that no call is done before it is dismissed.
LONG = {
    "prompt": "1, 2, 3, 4,",
    "mode": "plain",
    "max_new_tokens": 512,
    "temperature": 0.0,
    "repetition_penalty": 1.0,
}


def event_of(client: httpx.Client, elem_id: str) -> tuple[int, list[Any]]:
    """A page's Run, as its button sends it: the event's number and its values."""
    config = client.get("/config").json()
    kinds = {one["id"]: one for one in config["components"]}
    button = next(one["id"] for one in kinds.values() if one["props"].get("elem_id") == elem_id)
    event = next(
        one for one in config["dependencies"] if [button, "click"] in one["targets"] and one["backend_fn"]
    )
    return event["id"], [kinds[id]["props"].get("value") for id in event["inputs"]]


def test_a_page_is_answered_beside_a_hundred_calls_that_nobody_reads() -> None:
    # Without kept answers: the first call's, if it is done in time, would be that of all others too.
    with (
        running_app("--answer-cache", "0") as url,
        httpx.Client(base_url=url, timeout=120) as client,
    ):
        number, values = event_of(client, "fill-mask-run")
        calls = [client.post(f"/gradio_api/call/v2/{GENERATION.name}", json=LONG) for _ in range(100)]
        dismissed = time.monotonic() + PATIENCE + 5 * EVERY  # at the latest
        states = [call.status_code for call in calls]
        assert states.count(200) >= MOST_UNHEARD / 2
        refused = client.post(f"/gradio_api/call/v2/{GENERATION.name}", json=LONG)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) <= PATIENCE

        begun = time.monotonic()
        joined = client.post(
            "/gradio_api/queue/join", json={"fn_index": number, "data": values, "session_hash": "page"}
        )
        assert joined.status_code == 200, joined.text
        ended = False
        with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": "page"}) as stream:
            for line in stream.iter_lines():
                if "process_completed" in line:
                    ended = True
                    assert '"success":true' in line
                    break
        assert ended
        print(f"answered after {time.monotonic() - begun:.1f} s beside {states.count(200)} unheard calls")

        # And none of them goes on. Between two of them no model is leased either; who reads one before it is
        # dismissed is answered.
        deadline = dismissed + 60
        while time.monotonic() < dismissed or any(
            one["leases"] for one in client.get("/v1/models").json()["models"]
        ):
            assert time.monotonic() < deadline
            threading.Event().wait(0.2)
        late = [call for call in calls if call.status_code == 200][-1].json()["event_id"]
        events = []  # its turn may have come before it was dismissed
        with client.stream("GET", f"/gradio_api/call/{GENERATION.name}/{late}") as stream:
            for line in stream.iter_lines():
                if line.startswith("event: "):
                    events.append(line)
                elif "Nobody listened" in line:
                    break
        assert events[-1] == "event: error"
        assert "event: complete" not in events
        assert client.post(f"/gradio_api/call/v2/{GENERATION.name}", json=LONG).status_code == 200


def test_a_session_is_not_forgotten_while_a_call_of_it_goes_on() -> None:
    """Gradio puts the answer where the messages of the session are, and breaks if there is no such place."""
    go = threading.Event()
    with gr.Blocks() as blocks:
        gr.Button().click(lambda: go.wait(60), api_name="wait", concurrency_limit=1)
    queue = blocks._queue
    listeners = Listeners(lambda: queue, patience=0.0, forgotten=0.0)

    async def visit() -> None:
        app = App.create_app(blocks)
        blocks.run_startup_events()
        await blocks.run_extra_startup_events()
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:

            async def call() -> None:
                asked = {"fn_index": 0, "data": [], "session_hash": "visitor"}
                assert (await client.post("/gradio_api/queue/join", json=asked)).status_code == 200

            await call()
            while not listeners._silent:  # until the call is dismissed
                await listeners._look()
                await asyncio.sleep(0)
            await call()
            await listeners._look()
            assert "visitor" in queue.pending_messages_per_session
            go.set()

    asyncio.run(visit())


def test_a_call_of_a_session_without_a_name_is_answered(app_url: str) -> None:
    with httpx.Client(base_url=app_url, timeout=120) as client:
        asked = {"data": ["Two words."], "session_hash": ""}
        id = client.post("/gradio_api/call/tokenize", json=asked).json()["event_id"]
        answer = client.get(f"/gradio_api/call/tokenize/{id}").text
    assert "event: complete" in answer or "event: error" in answer
