"""The Hub's own client against the running app, each of its methods for text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from huggingface_hub import InferenceClient

from components.serving.hugging_face import FORMS
from components.tasks.catalog import TASKS
from tests.serving.interfaces import Http

TEXT = "Marie lives in Paris and works for Acme."
TABLE = {"City": ["Oslo", "Rome"], "People": ["700000", "2800000"]}
CALLS: dict[str, tuple[Callable[[InferenceClient], Any], dict[str, object], Callable[[Any, Any], bool]]] = {
    "text-classification": (
        lambda client: client.text_classification("What a lovely day."),
        {"text": "What a lovely day."},
        lambda found, own: found.label == own["labels"][0]["label"],
    ),
    "token-classification": (
        lambda client: client.token_classification(TEXT, aggregation_strategy="first"),
        {"text": TEXT, "aggregation_strategy": "first"},
        lambda found, own: (
            [(one.word, one.entity_group, one.start) for one in found]
            == [(one["text"], one["label"], one["start"]) for one in own["entities"]]
        ),
    ),
    "question-answering": (
        lambda client: client.question_answering(question="Where does Marie live?", context=TEXT),
        {"question": "Where does Marie live?", "context": TEXT, "allow_no_answer": False},
        lambda found, own: (
            (found.answer, found.start) == (own["answers"][0]["text"], own["answers"][0]["start"])
        ),
    ),
    "fill-mask": (
        lambda client: client.fill_mask("The capital of France is [MASK].", top_k=3),
        {"text": "The capital of France is [MASK].", "top_k": 3},
        lambda found, own: [one.token_str for one in found] == [one["token"] for one in own["candidates"]],
    ),
    "zero-shot-classification": (
        lambda client: client.zero_shot_classification(TEXT, candidate_labels=["job", "food"]),
        {"text": TEXT, "labels": ["job", "food"]},
        lambda found, own: [one.label for one in found] == [one["label"] for one in own["labels"]],
    ),
    "summarization": (
        lambda client: client.summarization(TEXT),
        {"text": TEXT},
        lambda found, own: found.summary_text == own["summary"],
    ),
    "translation": (
        lambda client: client.translation("The house is big.", src_lang="en", tgt_lang="de"),
        {"text": "The house is big.", "source": "en", "target": "de"},
        lambda found, own: found.translation_text == own["translation"],
    ),
    "text-generation": (
        lambda client: client.text_generation("One, two,", max_new_tokens=4, seed=1, stop=["."]),
        {"prompt": "One, two,", "mode": "plain", "max_new_tokens": 4, "seed": 1, "stop": ["."]},
        lambda found, own: found == own["text"],
    ),
    "feature-extraction": (
        lambda client: client.feature_extraction([TEXT, "Rain."], normalize=True),
        {"texts": [TEXT, "Rain."]},
        lambda found, own: (
            found.tolist() == [pytest.approx(one["vector"], abs=1e-5) for one in own["embeddings"]]
        ),
    ),
    "sentence-similarity": (
        lambda client: client.sentence_similarity("A cat.", other_sentences=["A kitten.", "A bus."]),
        {"source": "A cat.", "sentences": ["A kitten.", "A bus."]},
        lambda found, own: found == pytest.approx(own["scores"], abs=1e-5),
    ),
    "table-question-answering": (
        lambda client: client.table_question_answering(TABLE, "How many people live in Rome?"),
        {
            "table": {
                "columns": list(TABLE),
                "rows": [list(row) for row in zip(*TABLE.values(), strict=True)],
            },
            "question": "How many people live in Rome?",
        },
        lambda found, own: found.answer == own["answer"] and found.coordinates == own["cells"],
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_clients_method_gives_what_the_task_gives(app_url: str, http: Http, name: str) -> None:
    call, payload, same = CALLS[name]
    own = http.client.post(f"/v1/{FORMS[name].task}", json=payload).json()
    assert same(call(InferenceClient(model=f"{app_url}/hf/{name}")), own), own


def test_every_task_with_one_input_form_of_the_hub_is_there() -> None:
    assert {form.task for form in FORMS.values()} == {*TASKS} - {"text_pair_classification"}


def test_its_chat_goes_to_the_other_addresses(app_url: str) -> None:
    client = InferenceClient(base_url=f"{app_url}/v1")
    answer = client.chat_completion([{"role": "user", "content": "Hello"}], max_tokens=4)
    assert answer.choices[0].message.content
    stream = client.chat_completion([{"role": "user", "content": "Hello"}], max_tokens=4, stream=True)
    assert "".join(one.choices[0].delta.content or "" for one in stream if one.choices)


def test_several_inputs_are_answered_in_their_order(http: Http) -> None:
    texts = ["What a lovely day.", "I hate this."]
    found = http.client.post("/hf/text-classification", json={"inputs": texts}).json()
    assert [one[0]["label"] for one in found] == ["positive", "negative"]


def test_a_model_is_picked_in_the_address(http: Http) -> None:
    answer = http.client.post("/hf/text-classification?model=emotions", json={"inputs": "I am so happy."})
    assert "joy" in {one["label"] for one in answer.json()}


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("text-classification", {"inputs": ""}, "text"),
        ("text-classification", {"inputs": "a", "parameters": {"watermark": 3}}, "watermark"),
        ("text-classification", {"inputs": "a", "parameters": 3}, "parameters"),
        ("question-answering", {"inputs": "a"}, "question"),
        ("table-question-answering", {"inputs": {"query": "a", "table": {"a": [1], "b": []}}}, "table"),
        ("zero-shot-classification", {"inputs": "a"}, "labels"),
    ],
)
def test_what_is_wrong_is_said(http: Http, name: str, body: dict[str, object], field: str) -> None:
    response: httpx.Response = http.client.post(f"/hf/{name}", json=body)
    assert response.status_code == 422
    assert response.json()["error"]["field"] == field
