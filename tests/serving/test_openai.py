"""OpenAI's own client against the running app."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import openai
import pytest

from tests.server import clean_environment
from tests.serving.interfaces import Http

CHAT = "SmolLM2-135M-Instruct"
TURNS: list[Any] = [
    {"role": "system", "content": "Answer in one word."},
    {"role": "user", "content": "The capital of France?"},
    {"role": "assistant", "content": "Paris"},
    {"role": "user", "content": [{"type": "text", "text": "And of Italy?"}]},
]


@pytest.fixture(scope="module")
def client(app_url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{app_url}/v1", api_key="none", max_retries=0) as client:
        yield client


def chat(client: openai.OpenAI, **options: Any) -> Any:
    return client.chat.completions.create(
        **{"model": CHAT, "messages": TURNS, "max_tokens": 6, "temperature": 0, **options}
    )


def test_a_conversation_is_answered_as_the_task_answers_it(client: openai.OpenAI, http: Http) -> None:
    answer = chat(client)
    turns = [*TURNS[:-1], {"role": "user", "content": "And of Italy?"}]
    options = {"max_new_tokens": 6, "temperature": 0}
    expected = http.client.post("/v1/text_generation", json={"messages": turns, **options}).json()
    (choice,) = answer.choices
    assert choice.message.content == expected["text"]
    assert choice.message.role == "assistant"
    assert choice.finish_reason == {"end": "stop", "length": "length"}[expected["finish_reason"]]
    assert answer.model == CHAT
    assert answer.usage.completion_tokens == expected["generated_tokens"]
    assert answer.usage.total_tokens == expected["tokens_used"]


def test_a_stream_says_the_same_piece_by_piece(client: openai.OpenAI) -> None:
    whole = chat(client)
    chunks = list(chat(client, stream=True, stream_options={"include_usage": True}))
    *pieces, last, counted = chunks
    texts = [piece.choices[0].delta.content or "" for piece in pieces]
    assert pieces[0].choices[0].delta.role == "assistant"
    assert len([text for text in texts if text]) > 1
    assert "".join(texts) == whole.choices[0].message.content
    assert last.choices[0].finish_reason == whole.choices[0].finish_reason
    assert counted.usage == whole.usage
    assert len({chunk.id for chunk in chunks}) == 1


def test_choices_are_drawn_with_seeds_of_their_own(client: openai.OpenAI) -> None:
    several = chat(client, n=2, temperature=1.5, seed=3, max_tokens=12)
    second = chat(client, temperature=1.5, seed=4, max_tokens=12)
    assert [choice.index for choice in several.choices] == [0, 1]
    assert several.choices[1].message.content == second.choices[0].message.content
    assert several.choices[0].message.content != several.choices[1].message.content


def test_log_probabilities_of_tokens_and_of_what_was_likely(client: openai.OpenAI) -> None:
    (choice,) = chat(client, logprobs=True, top_logprobs=3).choices
    tokens = choice.logprobs.content
    assert "".join(token.token for token in tokens).startswith(choice.message.content)
    for token in tokens:
        likely = [one.logprob for one in token.top_logprobs]
        assert len(likely) == 3
        assert 0 >= likely[0] >= likely[1] >= likely[2]
        assert token.logprob <= likely[0]
        assert bytes(token.bytes).decode() == token.token


def test_a_prompt_is_continued(client: openai.OpenAI) -> None:
    def go_on(**options: Any) -> Any:
        return client.completions.create(
            **{"model": CHAT, "prompt": "One, two, three,", "max_tokens": 8, "temperature": 0, **options}
        )

    (whole,) = go_on(logprobs=2).choices
    assert whole.finish_reason == "length"
    assert "".join(whole.logprobs.tokens) == whole.text
    likely = [max(one.values()) for one in whole.logprobs.top_logprobs]
    assert all(one <= best for one, best in zip(whole.logprobs.token_logprobs, likely, strict=True))
    word = whole.text.split()[1]
    (stopped,) = go_on(stop=[word]).choices
    assert stopped.finish_reason == "stop"
    assert stopped.text == whole.text[: whole.text.index(word)]
    assert "".join(chunk.choices[0].text for chunk in go_on(stop=[word], stream=True)) == stopped.text


def test_several_prompts_are_continued_in_their_order(client: openai.OpenAI) -> None:
    prompts = ["One, two,", "Red, green,"]
    together = client.completions.create(model=CHAT, prompt=prompts, max_tokens=3, temperature=0)
    alone = [
        client.completions.create(model=CHAT, prompt=one, max_tokens=3, temperature=0) for one in prompts
    ]
    assert [one.text for one in together.choices] == [one.choices[0].text for one in alone]


def test_vectors_are_the_tasks_own(client: openai.OpenAI, http: Http) -> None:
    texts = ["The ferry leaves at nine.", "Boats depart in the morning."]
    packed = client.embeddings.create(model="all-MiniLM-L6-v2", input=texts)  # base64 under the hood
    plain = client.embeddings.create(model="all-MiniLM-L6-v2", input=texts, encoding_format="float")
    expected = http.client.post("/v1/feature_extraction", json={"texts": texts}).json()["embeddings"]
    for one, other, own in zip(packed.data, plain.data, expected, strict=True):
        assert one.embedding == pytest.approx(own["vector"], abs=1e-6)
        assert other.embedding == pytest.approx(own["vector"], abs=1e-6)
    assert client.embeddings.create(model="", input=texts[0]).data[0].embedding == pytest.approx(
        packed.data[0].embedding, abs=1e-5
    )


def test_models_are_listed_and_described(client: openai.OpenAI) -> None:
    listed = [model.id for model in client.models.list()]
    assert CHAT in listed
    assert "openai-community/gpt2" in listed
    assert client.models.retrieve("openai-community/gpt2").owned_by == "openai-community"
    with pytest.raises(openai.NotFoundError, match="nothing"):
        client.models.retrieve("nothing")


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"frequency_penalty": 1.5}, "frequency_penalty"),
        ({"max_tokens": 100_000}, "max_tokens"),
        ({"n": 2, "stream": True}, "n"),
        ({"top_logprobs": 50, "logprobs": True}, "top_logprobs"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(
    client: openai.OpenAI, options: dict[str, Any], param: str
) -> None:
    with pytest.raises((openai.UnprocessableEntityError, openai.APIStatusError)) as refused:
        chat(client, **options)
    assert 400 <= refused.value.status_code < 500
    assert refused.value.body["param"] == param  # type: ignore[index]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/load_model"])
def test_an_object_or_a_list_is_answered_anywhere(path: str, http: Http) -> None:
    parts = http.client.get("/v1/openapi.json").json()
    described = parts["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    names = {"model", "tools", "generation_config", *described["example"]}
    names |= parts["components"]["schemas"]["openai.Common"]["properties"].keys()
    shortest = {"max_tokens": 1} if "completions" in path else {}
    for name in names:
        for value in ({"a": None}, [[None]]):
            body = {**described["example"], **shortest, name: value}
            answer = http.client.post(path, json=body)
            assert answer.status_code < 500, (body, answer.text)


def test_a_model_that_is_not_there_is_said_also_to_a_stream(client: openai.OpenAI) -> None:
    for stream in (False, True):
        with pytest.raises(openai.NotFoundError, match=r"gpt-4o.*SmolLM2"):
            list(chat(client, model="gpt-4o", stream=stream))


def test_any_task_is_told_as_it_goes_on(http: Http) -> None:
    payload = {"prompt": "One, two,", "mode": "plain", "max_new_tokens": 5}
    with http.client.stream(
        "POST", "/v1/text_generation", json=payload, headers={"Accept": "text/event-stream"}
    ) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        events = [block.splitlines() for block in response.read().decode().strip().split("\n\n")]
    kinds = [kind.removeprefix("event: ") for kind, _ in events]
    assert kinds[-1] == "answer"
    assert kinds.count("partial") >= 2
    last = json.loads(events[-1][1].removeprefix("data: "))
    assert last["text"] == http.client.post("/v1/text_generation", json=payload).json()["text"]


def test_a_refusal_of_a_stream_is_an_ordinary_one(http: Http) -> None:
    response: httpx.Response = http.client.post(
        "/v1/text_classification", json={"text": ""}, headers={"Accept": "text/event-stream"}
    )
    assert response.status_code == 422
    assert response.json()["error"]["field"] == "text"


def test_transformers_chat_talks_to_it(app_url: str, tmp_path: Path) -> None:
    """The command of Transformers itself, typed into; at the limit it asks whether to go on."""
    command = [sys.executable, "-m", "transformers.cli.transformers", "chat", CHAT, f"{app_url}/v1"]
    flags = ["do_sample=False", "max_new_tokens=6"]
    run = subprocess.run(
        [*command, *flags],
        input="Count: one, two,\nn\n!exit\n",
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**clean_environment(), "COLUMNS": "200"},
        timeout=200,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    payload = {"prompt": "Count: one, two,", "max_new_tokens": 6, "temperature": 0}
    expected = httpx.post(f"{app_url}/v1/text_generation", json=payload, timeout=60).json()["text"]
    assert " ".join(expected.split()) in " ".join(run.stdout.split())
    assert "token limit" in run.stdout


def test_gradio_makes_a_chat_of_it(app_url: str, client: openai.OpenAI) -> None:
    interface = gr.load_chat(f"{app_url}/v1", model=CHAT, token="none", file_types=None, streaming=True)
    turns = [("user", "Say one word."), ("assistant", "Yes."), ("user", "And another?")]
    given = [{"role": role, "content": [{"type": "text", "text": text}]} for role, text in turns]
    *_, last = interface.fn("And another?", given[:-1])
    whole = client.chat.completions.create(model=CHAT, messages=given)  # type: ignore[arg-type]
    assert last == whole.choices[0].message.content


def test_a_model_is_loaded_before_it_is_talked_to(http: Http) -> None:
    response = http.client.post("/load_model", json={"model": CHAT})
    *_, last = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]
    assert last["status"] == "ready"
    response = http.client.post("/load_model", json={"model": "nothing"})
    assert response.status_code == 404
    assert CHAT in response.json()["error"]["message"]


def test_a_generation_config_is_taken_as_far_as_it_is_known(client: openai.OpenAI) -> None:
    def chat_with(**config: Any) -> Any:
        body = {"generation_config": json.dumps({**config, "transformers_version": "5.23.0"})}
        given = {"model": CHAT, "messages": TURNS, "extra_body": body}
        return client.chat.completions.create(**given).choices[0].message.content  # type: ignore[call-overload]

    assert chat_with(do_sample=False, max_new_tokens=6) == chat(client).choices[0].message.content
    with pytest.raises(openai.APIStatusError, match="no_repeat_ngram_size"):
        chat_with(no_repeat_ngram_size=2)
    with pytest.raises(openai.APIStatusError, match="generation_config"):
        client.chat.completions.create(model=CHAT, messages=TURNS, extra_body={"generation_config": "x"})
