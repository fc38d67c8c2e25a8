"""What is Gradio's own: the endpoint's description, answers as they grow, leaving early, odd requests."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import httpx
import pytest
from gradio_client import Client

from components.tasks.fields import input_fields, option_fields
from demos import OPERATIONS
from tests.serving.interfaces import AnyTask, Http, of_the_model, quick
from tests.serving.test_v1 import LONG, by_name, freed, leases, until

JSON = {"Content-Type": "application/json"}
tasks = pytest.mark.parametrize("task", OPERATIONS, ids=lambda task: task.name)


@pytest.fixture(scope="module")
def client(app_url: str) -> Client:
    return Client(app_url, verbose=False)


@tasks
def test_an_endpoint_is_described_by_its_task(http: Http, task: AnyTask) -> None:
    described = http.client.get("/gradio_api/info").json()["named_endpoints"][f"/{task.name}"]
    assert described["description"].startswith(task.about)
    parameters = {parameter["parameter_name"]: parameter for parameter in described["parameters"]}
    options = option_fields(task.options)
    names = [field.name for field in input_fields(task.inputs)] + [field.name for field in options]
    assert set(parameters) == {*of_the_model(task), *names}
    for field in options:
        assert parameters[field.name]["parameter_has_default"]
        assert parameters[field.name]["parameter_default"] == field.default


def test_no_other_endpoint_is_advertised(http: Http) -> None:
    named = http.client.get("/gradio_api/info").json()["named_endpoints"]
    assert set(named) == {f"/{task.name}" for task in OPERATIONS}


def test_text_grows_while_it_is_generated(client: Client) -> None:
    task = by_name("text_generation")
    steps = list(client.submit(**{**quick(task), "max_new_tokens": 8}, api_name=f"/{task.name}"))
    texts = [step["text"] for step in steps if "text" in step]
    assert len(texts) >= 8
    assert all(later.startswith(earlier) for earlier, later in pairwise(texts))


@pytest.mark.parametrize("outputs", [0, 5])
def test_cancelling_frees_the_model(client: Client, http: Http, outputs: int) -> None:
    http.ask(by_name("text_generation"), quick(by_name("text_generation")))
    job = client.submit(**LONG, api_name="/text_generation")
    assert until(lambda: leases(http) == 1 and len(job.outputs()) >= outputs)
    job.cancel()
    assert freed(http)


def test_leaving_frees_the_model(http: Http) -> None:
    joined = http.client.post("/gradio_api/call/v2/text_generation", json=LONG).json()
    address = f"/gradio_api/call/text_generation/{joined['event_id']}"
    with http.client.stream("GET", address) as stream:
        assert next(stream.iter_lines())
        assert until(lambda: leases(http) == 1)
    assert freed(http)


ODD: dict[str, Any] = {
    "nothing": b"",
    "a list": b"[1]",
    "unknown fields": {"data": ["a"], "nothing": 1},
    "NaN": b'{"data": [NaN]}',
    "nested deeply": b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "not UTF-8": b'{"data": ["\xff"]}',
    "an unknown function": {"data": [], "fn_index": 99_999, "session_hash": "x"},
    "a function that is no number": {"data": [], "fn_index": "x", "session_hash": "x"},
}


@pytest.mark.parametrize("body", ODD.values(), ids=ODD.keys())
@pytest.mark.parametrize("path", ["call/v2/sentence_similarity", "queue/join", "component_server/", "mcp/"])
def test_a_request_that_gradio_cannot_read_is_refused(http: Http, path: str, body: Any) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body)
    headers = {**JSON, "Accept": "application/json, text/event-stream"}
    response = http.client.post(f"/gradio_api/{path}", content=content, headers=headers)
    assert 400 <= response.status_code < 500, response.text
    assert "Traceback" not in response.text
    assert http.client.get("/health").status_code == 200


def test_a_session_whose_name_is_no_text_does_no_harm_to_others(app_url: str) -> None:
    task = by_name("sentence_similarity")
    body = json.dumps(
        {"data": [task.example["source"], task.example["sentences"], ""], "session_hash": "\ud83d"}
    )
    with httpx.Client(base_url=f"{app_url}/gradio_api/call", timeout=60) as raw:
        for _ in range(10):
            raw.post(f"/{task.name}", content=body, headers=JSON)
        joined = raw.post(f"/v2/{task.name}", json=dict(task.example)).json()
        assert "event: complete" in raw.get(f"/{task.name}/{joined['event_id']}").text


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("text_generation", ["prompt", "model", "mode"], "messages"),
        ("text_classification", ["text", "model", "top_k"], "text_pair"),
        ("translation", ["text", "target", "model"], None),
    ],
)
def test_what_came_later_takes_no_place_of_what_was_there(
    http: Http, name: str, first: list[str], last: str | None
) -> None:
    described = http.client.get("/gradio_api/info").json()["named_endpoints"][f"/{name}"]
    names = [parameter["parameter_name"] for parameter in described["parameters"]]
    assert names[: len(first)] == first
    assert last is None or names[-1] == last
