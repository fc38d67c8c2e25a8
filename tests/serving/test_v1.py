"""What is HTTP's own: malformed bodies, wrong addresses, the catalog, OpenAPI, and leaving early."""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from openapi_spec_validator import OpenAPIV31SpecValidator

from components.models.catalog import load_catalog
from components.serving.inference import LONGEST_LINE, SIDE_BY_SIDE
from components.tasks.fields import option_fields
from demos import OPERATIONS, TASKS
from tests.serving.interfaces import AnyTask, Http, RefusedError, quick

JSON = {"Content-Type": "application/json"}
tasks = pytest.mark.parametrize("task", OPERATIONS, ids=lambda task: task.name)


def refusal(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "field"}
    assert body["error"]["message"]
    return body["error"]


MALFORMED = {
    "empty": (b"", 400),
    "not JSON": (b"{'text': 1}", 400),
    "cut off": (b'{"text": "a', 400),
    "a list": (b'["a"]', 400),
    "a string": (b'"a"', 400),
    "null": (b"null", 400),
    "NaN": (b'{"text": NaN}', 400),
    "infinite": (b'{"text": 1e999}', 400),
    "a huge integer": (b'{"text": ' + b"9" * 10_000 + b"}", 400),
    "nested deeply": (b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
    "a key twice": (b'{"text": "a", "text": "b"}', 400),
    "not UTF-8": (b'{"text": "\xff"}', 400),
    "surrogates as UTF-8": (b'{"text": "\xed\xa0\xbd"}', 400),
    "half a character as key": (b'{"\\ud83d": 1}', 422),
    "a null byte as key": (b'{"\\u0000": 1}', 422),
    "above the limit": (b'{"text": "' + b"a" * 2_000_000 + b'"}', 413),
}


@pytest.mark.parametrize(("body", "status"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_body_is_refused(http: Http, body: bytes, status: int) -> None:
    response = http.client.post(f"/v1/{TASKS[0].name}", content=body, headers=JSON)
    assert response.status_code == status
    refusal(response)
    assert http.client.get("/health").status_code == 200


def test_a_body_of_undeclared_length_is_refused_while_it_arrives(http: Http) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b'{"text": "'
        while sent < 50_000_000:
            sent += 65_536
            yield b"a" * 65_536

    try:
        response = http.client.post(f"/v1/{TASKS[0].name}", content=endless(), headers=JSON)
    except httpx.WriteError:
        pass  # the server had answered and hung up
    else:
        assert response.status_code == 413
        assert refusal(response)["code"] == "too_long"
    assert sent < 50_000_000
    assert http.client.get("/health").status_code == 200


def test_a_body_larger_than_declared_numbers_can_say_is_refused(http: Http) -> None:
    address = urlsplit(str(http.client.base_url))
    with socket.create_connection((address.hostname, address.port), timeout=60) as raw:
        raw.sendall(
            f"POST /v1/{TASKS[0].name} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Content-Length: 999999999999\r\n\r\n".encode()
        )
        assert b" 413 " in raw.recv(200)


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_only_json_is_taken(http: Http, media_type: str) -> None:
    task = TASKS[0]
    headers = {"Content-Type": media_type}
    response = http.client.post(f"/v1/{task.name}", content=json.dumps(quick(task)), headers=headers)
    assert response.status_code == 415
    assert "application/json" in refusal(response)["message"]


def test_json_may_say_its_charset(http: Http) -> None:
    task = TASKS[0]
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    response = http.client.post(f"/v1/{task.name}", content=json.dumps(quick(task)), headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize(
    "path", ["/v1/nothing", "/v1/sentence_similarity/more", "/v1/%2e%2e/config", "/v1/<script>"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_address_is_refused_in_the_same_form(http: Http, path: str, method: str) -> None:
    response = http.client.request(method, path, content=b"{}", headers=JSON)
    assert response.status_code == 404
    assert refusal(response)["code"] == "not_found"


@tasks
def test_a_wrong_method_is_refused_in_the_same_form(http: Http, task: AnyTask) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        response = http.client.request(method, f"/v1/{task.name}")
        assert response.status_code == 405
        assert response.headers["allow"] == "POST"
        assert refusal(response)["code"] == "method_not_allowed"


def test_refusals_name_the_field_and_the_code(http: Http) -> None:
    def refused(**payload: Any) -> tuple[int, dict[str, Any]]:
        response = http.client.post("/v1/sentence_similarity", json=payload)
        return response.status_code, refusal(response)

    status, error = refused(source="a", sentences=["b"], model="nothing")
    assert (status, error["code"], error["field"]) == (404, "unknown_model", "model")
    assert "all-MiniLM-L6-v2" in error["message"]
    status, error = refused(source="a", sentences=["b"], model="SmolLM2-135M-Instruct")
    assert (status, error["code"], error["field"]) == (422, "unsuitable_model", "model")
    status, error = refused(source="a" * 1_000_000, sentences=["b"])
    assert (status, error["code"], error["field"]) == (413, "too_long", "source")
    status, error = refused(source="a", sentences=[])
    assert (status, error["code"], error["field"]) == (422, "invalid_input", "sentences")


def test_a_model_whose_source_is_out_of_reach_is_refused_quickly(http: Http) -> None:
    started = time.monotonic()
    model = "sentence-transformers/all-MiniLM-L6-v2"
    response = http.client.post(
        "/v1/sentence_similarity", json={**quick(by_name("sentence_similarity")), "model": model}
    )
    assert response.status_code == 503
    assert refusal(response)["code"] == "unreachable"
    assert "retry-after" in response.headers
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("model", ["nobody/nothing", "meta-llama/Llama-2-7b", "google/flan-t5-small"])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_model_of_a_hub_that_does_not_answer_is_unreachable(http: Http, task: AnyTask, model: str) -> None:
    response = http.client.post(f"/v1/{task.name}", json={**task.example, "model": model})
    error = refusal(response)
    assert (response.status_code, error["code"], error["field"]) == (503, "unreachable", "model")


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("tokenize", {"text": "a", "tokenizers": ["nobody/nothing"]}),
        ("attention", {"text": "a", "model": "nobody/nothing"}),
        ("layers", {"text": "a", "model": "nobody/nothing"}),
    ],
)
def test_so_is_that_of_a_look_inside(http: Http, name: str, payload: dict[str, Any]) -> None:
    response = http.client.post(f"/v1/{name}", json=payload)
    assert (response.status_code, refusal(response)["code"]) == (503, "unreachable")


def by_name(name: str) -> AnyTask:
    return next(task for task in TASKS if task.name == name)


def test_the_catalog_is_listed_with_states(http: Http) -> None:
    http.ask(TASKS[0], quick(TASKS[0]))
    body = http.client.get("/v1/models").json()
    models = {model["id"]: model for model in body["models"]}
    assert [id for id, model in models.items() if model["source"] != "local"] == [
        checkpoint.id for checkpoint in load_catalog()
    ]  # other tests may have trained some
    ready = [model for model in models.values() if model["state"] == "ready"]
    assert ready
    listed = sum(model["bytes_in_memory"] for model in ready)
    # What visitors of other tests have trained is in memory too, and in nobody else's list.
    assert 0 < listed <= body["memory"]["used"] <= body["memory"]["budget"]
    for model in models.values():
        assert model["availability"] in {"loaded", "cached", "download", "unreachable"}
        assert model["source"] in {"hub", "wheel", "repo", "local"}
        assert model["licence"]
        assert model["about"]
        assert model["download_bytes"] >= 0


def test_openapi_is_valid_and_its_examples_are_answered(http: Http) -> None:
    description = http.client.get("/v1/openapi.json").json()
    OpenAPIV31SpecValidator(description).validate()
    paths = description["paths"]
    assert {f"/v1/{task.name}" for task in OPERATIONS} <= set(paths)
    assert {f"/v1/{task.name}/batch" for task in TASKS} <= set(paths)
    assert {"/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/hf/fill-mask"} <= set(paths)
    schemas = {"components": description["components"]}
    for path, methods in paths.items():
        for method, operation in methods.items():
            ((media, told),) = operation["responses"]["200"]["content"].items()
            body = operation.get("requestBody")
            if body:
                (content,) = body["content"].values()
                Draft202012Validator({**schemas, **content["schema"]}).validate(content["example"])
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    path = path.replace(f"{{{parameter['name']}}}", parameter["example"])
            if path.endswith("/batch"):
                continue  # the same work again; test_batch.py asks each
            response = http.client.request(method, path, json=shortened(content, schemas) if body else None)
            assert response.status_code == 200, response.text
            checked = Draft202012Validator({**schemas, **told["schema"]})
            if media == "application/json":
                checked.validate(response.json())
            else:
                assert response.headers["content-type"].startswith(media)
                for line in response.text.split("\n\n")[:-1]:
                    checked.validate(json.loads(line.removeprefix("data: ")))


def shortened(content: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """A request's example, with little to write or to compute where it can be asked for that."""
    schema = content["schema"]
    if name := schema.get("$ref", "").rpartition("/")[2]:
        schema = schemas["components"]["schemas"][name]
    brief = {"max_new_tokens": 8, "max_tokens": 8, "steps": 4}
    return {**content["example"], **{name: brief[name] for name in brief if name in schema["properties"]}}


@tasks
def test_openapi_says_what_the_options_say(http: Http, task: AnyTask) -> None:
    schemas = http.client.get("/v1/openapi.json").json()["components"]["schemas"]
    request = schemas[f"{task.name}.request"]
    assert request["additionalProperties"] is False
    for field in option_fields(task.options):
        described = request["properties"][field.name]
        assert described["default"] == field.default
        assert described["title"] == field.title
        assert described.get("minimum") == field.minimum
        assert described.get("maximum") == field.maximum
        choices = [value for value in described.get("enum", ()) if value is not None]
        assert tuple(choices) == field.choices
        assert "null" in described.get("type", ()) or {"type": "null"} in described["anyOf"]
        assert described["description"]
    answer = http.ask(task, quick(task))
    assert set(answer) == set(schemas[f"{task.name}.answer"]["required"])


@pytest.mark.parametrize(
    ("name", "field", "forms"),
    [
        ("text_generation", "stop", ["END", ["END", "\n\n"]]),
        ("fill_mask", "targets", ["dog, cat", ["dog", "cat"]]),
        ("zero_shot_classification", "labels", [["sports", "politics"], "sports, politics"]),
    ],
)
def test_openapi_names_every_form_that_a_field_takes(
    http: Http, name: str, field: str, forms: Sequence[object]
) -> None:
    schemas = http.client.get("/v1/openapi.json").json()["components"]["schemas"]
    checked = Draft202012Validator(schemas[f"{name}.request"])
    for form in forms:
        request = {**quick(by_name(name)), field: form}
        checked.validate(request)
        http.ask(by_name(name), request)
    assert not checked.is_valid({**quick(by_name(name)), field: {"a": 1}})


LONG = {"prompt": "Tell a very long story about the sea.", "max_new_tokens": 512, "temperature": 1.0}


def leases(http: Http) -> int:
    return sum(model["leases"] for model in http.client.get("/v1/models").json()["models"])


def until(condition: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def freed(http: Http) -> bool:
    """Whether a long text that nobody waits for any more is given up: by when others, who take turns with it,
    have had a fraction of its tokens, however long these take.
    """
    for _ in range(8):
        http.ask(by_name("text_generation"), quick(by_name("text_generation")))
        if until(lambda: leases(http) == 0, 0.5):
            return True
    return False


def test_leaving_during_generation_frees_the_model(http: Http) -> None:
    task = by_name("text_generation")
    http.ask(task, quick(task))  # so that it is loaded
    assert until(lambda: leases(http) == 0)
    body = json.dumps(LONG).encode()
    address = urlsplit(str(http.client.base_url))
    with socket.create_connection((address.hostname, address.port), timeout=60) as raw:
        raw.sendall(
            f"POST /v1/{task.name} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        assert until(lambda: leases(http) == 1)
    assert freed(http)


def test_health_and_other_tasks_answer_while_a_generation_runs(http: Http, app_url: str) -> None:
    """Before the text is written, whose tokens take longer than these: none of them waits for it."""
    generation, similarity = by_name("text_generation"), by_name("sentence_similarity")
    for task in (generation, similarity):
        http.ask(task, quick(task))
    answers: list[dict[str, Any]] = []
    running = threading.Thread(
        target=lambda: answers.append(
            Http(app_url).ask(generation, {**LONG, "max_new_tokens": 64, "temperature": 0})
        )
    )
    running.start()
    assert until(lambda: leases(http) == 1)
    for _ in range(8):
        assert http.client.get("/health").status_code == 200
    assert http.ask(similarity, quick(similarity))["scores"]
    assert running.is_alive()
    running.join()
    assert answers[0]["text"]


def ask_at_once(
    app_url: str, task: AnyTask, payload: Mapping[str, object], callers: int
) -> list[httpx.Response]:
    def ask(_: int) -> httpx.Response:
        with httpx.Client(base_url=app_url, timeout=60) as client:
            return client.post(f"/v1/{task.name}", json=payload)

    with ThreadPoolExecutor(callers) as pool:
        return list(pool.map(ask, range(callers)))


def test_a_class_that_asks_at_once_is_answered(app_url: str, http: Http) -> None:
    task = by_name("text_classification")
    http.ask(task, quick(task))
    responses = ask_at_once(app_url, task, quick(task), 2 * SIDE_BY_SIDE)
    assert {response.status_code for response in responses} == {200}


@pytest.mark.timeout(900)
def test_more_requests_than_can_wait_are_turned_away(app_url: str, http: Http) -> None:
    task = by_name("text_generation")
    http.ask(task, quick(task))
    body = json.dumps(LONG).encode()
    address = urlsplit(app_url)
    request = (
        f"POST /v1/{task.name} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    with ExitStack() as stack:
        callers = [
            stack.enter_context(socket.create_connection((address.hostname, address.port), timeout=240))
            for _ in range(SIDE_BY_SIDE + LONGEST_LINE + 8)
        ]
        for caller in callers:
            caller.sendall(request)
        answered, _, _ = select.select(callers, [], [], 240)
        response = HTTPResponse(answered[0])
        response.begin()
        assert response.status == 503
        assert json.loads(response.read())["error"]["code"] == "busy"
        assert int(response.headers["Retry-After"]) >= 1

    def served() -> bool:
        return http.client.post(f"/v1/{task.name}", json=quick(task)).status_code == 200

    assert until(served, 240)  # they have left; to answer all would take longer
    assert until(lambda: leases(http) == 0, 240)


def test_answers_hold_no_word_that_json_lacks(http: Http) -> None:
    def refuse(word: str) -> float:
        raise AssertionError(f"{word} in an answer")

    for task in OPERATIONS:
        response = http.client.post(f"/v1/{task.name}", json=quick(task))
        json.loads(response.text, parse_constant=refuse)


def test_an_unknown_field_is_refused_even_where_its_name_cannot_be_written(http: Http) -> None:
    with pytest.raises(RefusedError):
        http.ask(TASKS[0], {**quick(TASKS[0]), "half \ud83d": 1})


@pytest.mark.parametrize("path", ["/v1", "/v1/"])
def test_the_root_leads_to_the_description(http: Http, path: str) -> None:
    response = http.client.get(path, follow_redirects=True)
    assert response.json()["openapi"].startswith("3.1")
