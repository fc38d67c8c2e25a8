"""The app with its models in replicas of Ray Serve; runs where requirements-ray.txt is installed."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import psutil
import pytest

from tests.server import clean_environment, free_port, running

pytest.importorskip("ray")

TEXTS = ["What a lovely day.", "I hate this.", "Fine."]


@dataclass(frozen=True)
class Served:
    client: httpx.Client
    process: psutil.Process

    @property
    def replicas(self) -> list[psutil.Process]:
        found = []
        for one in self.process.children(recursive=True):
            try:
                if one.cmdline()[0].startswith("ray::ServeReplica"):
                    found.append(one)
            except (psutil.Error, IndexError):
                continue
        return found


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    port = free_port()
    command = [sys.executable, "serve_ray.py", "--replicas", "2:2", "--no-prefetch", "--port", str(port)]
    command += ["--answer-cache", "0"]  # each request is to be run
    command += ["--host", "127.0.0.1"]
    url = f"http://127.0.0.1:{port}"
    with (
        running(command, f"{url}/health", clean_environment()),
        httpx.Client(base_url=url, timeout=240) as client,
    ):
        process = next(
            one for one in psutil.Process().children(recursive=True) if str(port) in " ".join(one.cmdline())
        )
        yield Served(client, process)


def test_tasks_and_looks_inside_are_answered_by_replicas(served: Served) -> None:
    answer = served.client.post("/v1/text_classification", json={"text": TEXTS[0]}).json()
    assert answer["labels"][0]["label"] == "positive"
    models = served.client.get("/v1/models").json()["models"]
    assert not any(one["bytes_in_memory"] for one in models)  # of the page server itself
    assert len(served.replicas) == 2
    record = served.client.post("/data/attention/view", json={"text": "The cat sat here."}).json()
    layer = f"/data/attention/{record['key']}/encoder/layer?layer=0"
    assert served.client.get(layer).headers["x-shape"].startswith("12,")
    layers = served.client.post("/v1/layers", json={"text": "The cat sat."})
    assert layers.status_code == 200


def test_batches_refusals_and_streams_are_as_without(served: Served) -> None:
    requests = [{"text": TEXTS[0]}, {"text": ""}, {"text": TEXTS[1]}]
    answers = served.client.post("/v1/text_classification/batch", json={"requests": requests}).json()[
        "answers"
    ]
    assert [one.get("chosen") for one in answers] == [["positive"], None, ["negative"]]
    assert answers[1]["error"]["field"] == "text"
    long = {"text": "[MASK] " * 600}
    assert served.client.post("/v1/fill_mask", json=long).status_code in (413, 422)
    payload = {"prompt": "One, two,", "mode": "plain", "max_new_tokens": 4}
    headers = {"Accept": "text/event-stream"}
    events = (
        served.client.post("/v1/text_generation", json=payload, headers=headers).text.strip().split("\n\n")
    )
    assert sum(one.startswith("event: partial") for one in events) >= 2
    last = json.loads(events[-1].splitlines()[1].removeprefix("data: "))
    assert last["generated_tokens"] == 4


def test_a_replica_that_dies_costs_no_answer(served: Served) -> None:
    statuses: list[int] = []
    stop = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=served.client.base_url, timeout=240) as client:
            while not stop.is_set():
                statuses.append(client.post("/v1/text_classification", json={"text": TEXTS[2]}).status_code)

    callers = [threading.Thread(target=ask) for _ in range(16)]
    for one in callers:
        one.start()
    victim = served.replicas[0]
    while len(statuses) < 50:
        assert any(one.is_alive() for one in callers)
        stop.wait(0.05)
    before = len(statuses)
    victim.kill()
    while len(statuses) < before + 100:
        assert any(one.is_alive() for one in callers)
        stop.wait(0.05)
    stop.set()
    for one in callers:
        one.join()
    assert set(statuses) == {200}
    assert not victim.is_running()
