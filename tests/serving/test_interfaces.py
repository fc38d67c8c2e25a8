"""Every task behind every interface: the contract, the same answer, and no to whatever is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import cache
from typing import Any

import pytest

from components.tasks.fields import input_fields, option_fields
from components.tasks.task import Task
from demos import OPERATIONS
from tests.serving.interfaces import AnyTask, Http, Interface, RefusedError, quick

CLIENTS = ("http", "gradio_client", "mcp")
RAW = ("http", "gradio", "raw_mcp")
RUN = ["model", "device", "seconds", "tokens_used", "token_limit", "notes"]

# The promise to callers, by task: inputs, keys of the answer, keys of its entries. Changing it breaks them.
CONTRACT: dict[str, tuple[list[str], dict[str, set[str] | None]]] = {
    "text_classification": (["text", "text_pair"], {"labels": {"label", "score"}}),
    "text_pair_classification": (["text", "text_pair"], {"labels": {"label", "score"}}),
    "feature_extraction": (["texts"], {"embeddings": {"text", "token", "vector"}, "dimensions": None}),
    "named_entities": (["text"], {"entities": {"text", "label", "score", "start", "end"}}),
    "question_answering": (["question", "context"], {"answers": {"text", "score", "start", "end"}}),
    "summarization": (["text"], {"summary": None}),
    "translation": (["text", "target"], {"translation": None}),
    "text_generation": (["prompt", "messages"], {"text": None}),
    "fill_mask": (["text"], {"candidates": {"token", "score", "sequence", "token_ids"}}),
    "zero_shot_classification": (["text", "labels"], {"labels": {"label", "score"}}),
    "sentence_similarity": (["source", "sentences"], {"scores": None}),
    "table_question_answering": (["table", "question"], {"answer": None, "cells": None}),
    "attention": (["text", "text_pair"], {"tokens": None, "weights": None, "layers": None, "heads": None}),
    "attribution": (["task", "text", "text_pair"], {"task": None, "target": None}),
    "layers": (["text", "text_pair"], {"tokens": None}),
    "anatomy": (
        ["text", "text_pair"],
        {
            "tokens": None,
            "network": None,
            "architecture": None,
            "parameters": None,
            "operations": None,
            "parts": {"name", "parameters", "shape"},
        },
    ),
    "tour": (
        ["text", "question", "labels", "sentences", "gap", "parts", "table", "table_question"],
        {"sentence": None, "answers": None},
    ),
    "tokenize": (["text", "tokenizers"], {"tokenizations": {"tokenizer", "tokens"}}),
}

tasks = pytest.mark.parametrize("task", OPERATIONS, ids=lambda task: task.name)
of_models = pytest.mark.parametrize(
    "task", [each for each in OPERATIONS if isinstance(each, Task)], ids=lambda task: task.name
)


def texts_of(task: AnyTask) -> list[tuple[str, int]]:
    """The inputs that take text, and how many a list of it must have; 0 where it is no list."""
    return [
        (field.name, max(1, field.min_items or 0) if field.kind == "texts" else 0)
        for field in input_fields(task.inputs)
        if field.kind in ("text", "texts")
        and (field.required or (field.kind == "text" and task.example.get(field.name)))
    ]


def with_text(task: AnyTask, text: str) -> list[dict[str, Any]]:
    """Requests with `text` in place of each of the task's texts in turn."""
    return [{**quick(task), name: [text] * fewest or text} for name, fewest in texts_of(task)]


def with_more_text(task: AnyTask, text: str) -> dict[str, Any]:
    """A valid request whose every text ends in `text`."""
    payload = quick(task)
    for name, fewest in texts_of(task):
        value = payload[name]
        payload[name] = [f"{one} {text}" for one in value] if fewest else f"{value} {text}"
    return payload


Usual = Callable[[str, AnyTask], dict[str, Any]]


@pytest.fixture(scope="module")
def usual(interfaces: dict[str, Interface]) -> Usual:
    """What a interface answers to a task's quick example, asked once."""

    @cache
    def answer(client: str, name: str) -> dict[str, Any]:
        task = next(one for one in OPERATIONS if one.name == name)
        return interfaces[client].ask(task, quick(task))

    return lambda client, task: answer(client, task.name)


def derived(task: AnyTask) -> tuple[list[str], dict[str, set[str] | None]]:
    """What a task has that no other program relies on yet."""
    return [field.name for field in input_fields(task.inputs)], {fields(task.result)[0].name: None}


@tasks
@pytest.mark.parametrize("client", CLIENTS)
def test_every_task_answers_with_the_keys_of_the_contract(usual: Usual, task: AnyTask, client: str) -> None:
    inputs, keys = CONTRACT.get(task.name) or derived(task)
    assert [field.name for field in input_fields(task.inputs)] == inputs

    answer = usual(client, task)

    assert list(answer)[: len(keys)] == list(keys)
    for key, entry in keys.items():
        assert answer[key], key
        if entry is not None:
            assert all(set(found) >= entry for found in answer[key])
    if isinstance(task, Task):
        assert list(answer)[-len(RUN) :] == RUN
        assert 0 < answer["tokens_used"] <= answer["token_limit"]
        assert answer["seconds"] > 0


@tasks
def test_the_interfaces_give_the_same_answer(usual: Usual, task: AnyTask) -> None:
    answers = [timeless(usual(client, task)) for client in (*CLIENTS, "gradio", "raw_mcp")]
    assert all(answer == answers[0] for answer in answers)


def timeless(answer: Any) -> Any:
    """An answer without the seconds of this run, also of the answers in it."""
    if isinstance(answer, dict):
        return {key: timeless(value) for key, value in answer.items() if key != "seconds"}
    return answer


@of_models
def test_the_model_can_be_chosen_and_left_empty(http: Http, usual: Usual, task: AnyTask) -> None:
    default = usual("http", task)["model"]
    assert http.ask(task, {**quick(task), "model": ""})["model"] == default
    assert http.ask(task, {**quick(task), "model": default})["model"] == default


HOSTILE = (
    "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 שלום \u202eעולם مرحبا",
    "<script>alert(1)</script></script><img src=x onerror=alert(1)>",
    "${alert(1)} {{7*7}} {% raw %} %s {0} \"'\\ \u0007\u001b[31m \u2028\ufeff\ufffd",
)


@tasks
@pytest.mark.parametrize("client", CLIENTS)
def test_odd_but_valid_text_is_answered(interfaces: dict[str, Interface], task: AnyTask, client: str) -> None:
    """Each interface and each task meets every text; a runner meets each of them alone."""
    text = HOSTILE[(CLIENTS.index(client) + OPERATIONS.index(task)) % len(HOSTILE)]
    assert interfaces[client].ask(task, with_more_text(task, text))


BAD_TEXT = {
    "empty": "",
    "blank": " \n\t\u3000",
    "null byte": "before\0after",
    "lone surrogate": "half \ud83d",
    "1 MB": "word " * 200_000,
}


@pytest.mark.parametrize(
    ("client", "task", "text"),
    [
        pytest.param(client, task, text, id=f"{kind}-{client}-{task.name}")
        for client in RAW
        for index, task in enumerate(OPERATIONS)
        for number, (kind, text) in enumerate(BAD_TEXT.items())
        # The other interfaces lead to the same checks: turned from task to task, each meets every text.
        if client == "http" or index % len(BAD_TEXT) == number
    ],
)
def test_text_that_no_task_can_take_is_refused(
    interfaces: dict[str, Interface], http: Http, task: AnyTask, client: str, text: str
) -> None:
    for payload in with_text(task, text):
        if task.name == "tokenize" and text and text.isspace():
            assert interfaces[client].ask(task, payload)  # spaces are tokens too
            continue
        with pytest.raises(RefusedError, match=r"\w+ \w+") as refusal:
            interfaces[client].ask(task, payload)
        assert len(str(refusal.value)) < 1000
        assert "Traceback" not in str(refusal.value)
    assert http.client.get("/health").json() == {"status": "ok"}


def bad_values(task: AnyTask) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Kind of field, what is wrong, and a request with that one wrong value."""
    good = quick(task)
    for wrong, id in {
        "unknown model": "nothing",
        "model of a wrong type": {"id": "all-MiniLM-L6-v2"},
        "model that breaks out": "../../etc/passwd\0<script>",
    }.items():
        yield "model", wrong, {**good, **({"model": id} if isinstance(task, Task) else {"tokenizers": [id]})}
    for name, fewest in texts_of(task):
        for value in (7, True, None, {"text": "x"}, [["x"]], [1], []):
            yield f"texts: {fewest > 0}", f"{name} = {value!r}", {**good, name: value}
    for field in option_fields(task.options):
        values: list[Any] = ["hot", [1], {}]
        if field.kind in ("int", "float"):
            values += [True, 1e300]
            values += [] if field.minimum is None else [field.minimum - 1]
            values += [] if field.maximum is None else [field.maximum + 1]
        if field.kind == "int":
            values += [field.default + 0.5]
        if field.kind in ("choice", "text"):
            values = [7, [["x"]], {}, "\0"]
        for value in values:
            yield field.kind, f"{field.name} = {value!r}", {**good, field.name: value}


@tasks
@pytest.mark.parametrize("client", RAW)
def test_wrong_values_are_refused(
    interfaces: dict[str, Interface], task: AnyTask, client: str, subtests: pytest.Subtests
) -> None:
    """Each over HTTP; one for each kind of field behind the others, which lead to the same checks."""
    wrong_values = list(bad_values(task))
    if client != "http":
        wrong_values = list({kind: (kind, wrong, payload) for kind, wrong, payload in wrong_values}.values())
    for _, wrong, payload in wrong_values:
        with subtests.test(wrong), pytest.raises(RefusedError, match=r"(?s)^(?!.*Traceback).*\w+ \w+"):
            interfaces[client].ask(task, payload)


@tasks
@pytest.mark.parametrize("client", RAW)
def test_null_is_what_is_left_out_and_a_whole_number_may_have_a_point(
    interfaces: dict[str, Interface], usual: Usual, task: AnyTask, client: str
) -> None:
    fields = option_fields(task.options)
    nulls = {
        **{field.name: None for field in input_fields(task.inputs) if not field.required},
        **({"model": None} if isinstance(task, Task) else {}),
        **{field.name: None for field in fields},
    }
    plain = {name: value for name, value in quick(task).items() if value is not None}
    pointed = {field.name: float(field.default) for field in fields if field.kind == "int"}
    answer = interfaces[client].ask(task, {**nulls, **pointed, **plain})
    assert set(answer) == set(usual(client, task))


@tasks
@pytest.mark.parametrize("client", ["http", "raw_mcp"])
def test_missing_and_unknown_fields_are_named(
    interfaces: dict[str, Interface], task: AnyTask, client: str
) -> None:
    [(name, _), *_] = texts_of(task)
    without = {key: value for key, value in quick(task).items() if key != name}
    with pytest.raises(RefusedError, match=rf"(?i){name}"):
        interfaces[client].ask(task, without)
    with pytest.raises(RefusedError, match="temprature"):
        interfaces[client].ask(task, {**quick(task), "temprature": 1})
