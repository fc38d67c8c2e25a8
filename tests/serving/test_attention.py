"""What the attention page is sent: one layer at a time, small, and an error for whatever is not there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from components.insight.attention import TASK
from tests.serving.interfaces import Http

MINILM = "all-MiniLM-L6-v2"


def view(http: Http, **payload: object) -> dict[str, Any]:
    response = http.client.post("/data/attention/view", json={"model": MINILM, "text_pair": "", **payload})
    assert response.status_code == 200
    answer: dict[str, Any] = response.json()
    return answer


def part(http: Http, look: dict[str, Any], name: str, **query: object) -> tuple[np.ndarray[Any, Any], int]:
    """An array, and the bytes that it takes before compression."""
    kind = look["stacks"][0]["kind"]
    response = http.client.get(f"/data/attention/{look['key']}/{kind}/{name}", params=query)  # type: ignore[arg-type]
    assert response.status_code == 200
    shape = [int(size) for size in response.headers["X-Shape"].split(",")]
    return np.frombuffer(response.content, np.uint8).reshape(shape), len(response.content)


@pytest.mark.parametrize(("tokens", "most"), [(128, 300_000), (512, 4_500_000)])
def test_a_layer_is_small(http: Http, tokens: int, most: int) -> None:
    look = view(http, text="word " * (tokens - 2))
    assert look["tokens_used"] == tokens
    weights, size = part(http, look, "layer", layer=3)
    assert weights.shape == (12, tokens, tokens)
    assert size <= most
    assert np.abs(weights.sum(axis=-1) / 255 - 1).max() <= tokens / 2 / 255
    assert len(http.client.post("/data/attention/view", json={"model": MINILM, "text": "x"}).content) < 10_000


def test_a_layer_is_what_the_interface_answers(http: Http) -> None:
    look = view(http, text="The cat sat.", text_pair="A dog.")
    told = http.ask(TASK, {"text": "The cat sat.", "text_pair": "A dog.", "layer": 4, "head": 7})
    weights, _ = part(http, look, "layer", layer=4)
    assert np.abs(weights[7] / 255 - np.array(told["weights"])).max() <= 1 / 255
    assert [piece["text"] for piece in look["stacks"][0]["columns"]] == told["tokens"]
    small, _ = part(http, look, "thumbnails")
    assert np.array_equal(small[4, 7], weights[7])  # nine tokens fit


@pytest.mark.parametrize("special", [0, 1])
@pytest.mark.parametrize("words", [0, 1])
def test_each_row_and_column_of_a_slice_has_its_tokens(http: Http, special: int, words: int) -> None:
    look = view(http, text="The untokenizable cat.", text_pair="Untokenizable!")
    stack = look["stacks"][0]
    groups = stack["groups"][f"special={special}&words={words}"]
    weights, _ = part(http, look, "layer", special=special, words=words)
    assert weights.shape[1:] == (len(groups["rows"]), len(groups["columns"]))
    shown = ["".join(stack["rows"][place]["text"] for place in places) for places in groups["rows"]]
    assert shown.count("[SEP]") == 2 * special
    assert ("untokenizable" in shown) == bool(words)
    kept = [place for place, token in enumerate(stack["rows"]) if special or not token["special"]]
    assert [place for places in groups["rows"] for place in places] == kept


def test_the_same_look_is_not_computed_again(http: Http) -> None:
    first, second = (view(http, text="Once is enough.") for _ in range(2))
    assert first == second  # seconds and all


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nothing/encoder/layer", 410),
        ("{key}/cross/layer", 422),
        ("{key}/encoder/layer?layer=6", 422),
        ("{key}/encoder/layer?layer=-1", 422),
        ("{key}/encoder/layer?layer=x", 422),
        ("{key}/encoder/vectors?layer=0&head=0&row=99&column=0", 422),
        ("{key}/encoder/nothing", 404),
    ],
)
def test_what_is_not_there_is_an_error_with_a_message(http: Http, path: str, status: int) -> None:
    look = view(http, text="The cat sat.")
    response = http.client.get(f"/data/attention/{path.format(key=look['key'])}")
    assert response.status_code == status
    assert response.json()["error"]["message"].endswith(".")


@pytest.mark.parametrize(
    "wrong", [{"text": ""}, {"model": "nothing"}, {"place": 99, "token": "dog"}, {"unlisted": 1}]
)
def test_a_refused_look_says_why(http: Http, wrong: dict[str, object]) -> None:
    assert view(http, **{"text": "The cat sat.", **wrong})["error"]["message"].endswith(".")
