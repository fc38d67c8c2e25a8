"""Many requests in one call: `POST /v1/<task>/batch`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.tasks.batched import MOST
from demos import TASKS
from tests.serving.interfaces import AnyTask, Http, quick

TEXTS = ["What a lovely day.", "I hate this.", "The bus was late, and nobody cared.", "Fine."]


def ask(http: Http, task: str, requests: object, status: int = 200) -> Any:
    response = http.client.post(f"/v1/{task}/batch", json={"requests": requests})
    assert response.status_code == status, response.text
    return response.json()


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_every_task_answers_each_request_or_says_why_not(http: Http, task: AnyTask) -> None:
    wrong = {**quick(task), "temprature": 1}
    first, second, last = ask(http, task.name, [quick(task), wrong, quick(task)])["answers"]
    alone = http.ask(task, quick(task))
    assert set(first) == set(last) == set(alone)
    assert first["notes"] == last["notes"] == alone["notes"]
    assert first["tokens_used"] == alone["tokens_used"]
    assert set(second) == {"error"}
    assert "temprature" in second["error"]["message"]


def test_answers_are_those_to_each_alone_in_their_order(http: Http) -> None:
    answers = ask(http, "text_classification", [{"text": text} for text in TEXTS * 16])["answers"]
    assert len(answers) == MOST
    for place, text in enumerate(TEXTS):
        alone = http.client.post("/v1/text_classification", json={"text": text}).json()["labels"]
        for answer in answers[place :: len(TEXTS)]:
            assert [one["label"] for one in answer["labels"]] == [one["label"] for one in alone]
            assert answer["labels"][0]["score"] == pytest.approx(alone[0]["score"], abs=1e-5)


def test_what_is_wrong_with_one_is_no_fault_of_the_others(http: Http) -> None:
    good = {"text": "Paris is the [MASK] of France.", "targets": "capital, city"}
    wrong = [{"text": "No gap."}, 7, {"text": ""}, {**good, "model": "nothing"}, {**good, "top_k": 0}, None]
    mixed = [one for bad in wrong for one in (good, bad)]
    answers = ask(http, "fill_mask", mixed)["answers"]
    assert {answer["candidates"][0]["token"] for answer in answers[::2]} == {"capital"}
    errors = [answer["error"] for answer in answers[1::2]]
    assert [error["field"] for error in errors] == ["text", None, "text", "model", "top_k", None]
    assert errors[3]["code"] == "unknown_model"


def test_requests_may_name_different_models(http: Http) -> None:
    requests = [
        {"text": "I am so happy.", "model": model} for model in ("sentiment", "emotions", "sentiment")
    ]
    models = [answer["model"] for answer in ask(http, "text_classification", requests)["answers"]]
    assert models == ["sentiment", "emotions", "sentiment"]


@pytest.mark.parametrize(
    ("requests", "status"),
    [([], 422), ([{"text": "a"}] * (MOST + 1), 413), ({"text": "a"}, 422), (None, 422)],
)
def test_a_list_that_cannot_be_taken_is_refused_as_a_whole(http: Http, requests: object, status: int) -> None:
    assert ask(http, "text_classification", requests, status)["error"]["field"] == "requests"


def test_a_batch_tells_its_progress_too(http: Http) -> None:
    payload = {"requests": [{"text": text} for text in TEXTS]}
    headers = {"Accept": "text/event-stream"}
    with http.client.stream("POST", "/v1/named_entities/batch", json=payload, headers=headers) as response:
        events = [block.splitlines() for block in response.read().decode().strip().split("\n\n")]
    assert [kind for kind, _ in events].count("event: progress") >= 1
    assert events[-1][0] == "event: answer"
    assert len(json.loads(events[-1][1].removeprefix("data: "))["answers"]) == len(TEXTS)
