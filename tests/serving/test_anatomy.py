"""What the anatomy page is sent: one stage at a time, and an error for whatever is not there."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from components.insight.anatomy import TASK
from tests.serving.interfaces import Http

MINILM = "all-MiniLM-L6-v2"
MOST = 150_000  # bytes of the description of MiniLM's 120 modules


def post(http: Http, name: str, **payload: object) -> Any:
    return http.client.post(f"/data/anatomy/{name}", json={"model": MINILM, **payload})


def test_one_stage_at_a_time(http: Http) -> None:
    look = post(http, "view", text="word " * 62, text_pair="").json()
    told = http.ask(TASK, {"text": "word " * 62, "part": "encoder.layer.3"})
    assert look["parts"][0]["parameters"] == told["parameters"]
    assert len(look["stages"]) == 28
    assert len(str(look)) < MOST
    place = next(at for at, one in enumerate(look["stages"]) if one["heads"] and one["block"] == 3)
    address = f"/data/anatomy/{look['key']}/stages/{place}"
    found = http.client.get(address, params={"token": 5, "head": 11, "column": 63}).json()
    assert len(found["after"]) == 384
    assert len(found["head"]["weights"]) == 64
    assert len(str(found)) < 40_000
    weights = http.client.get(f"{address}/weights", params={"head": 11})
    shape = [int(size) for size in weights.headers["X-Shape"].split(",")]
    shares = np.frombuffer(weights.content, np.uint8).reshape(shape)
    assert np.abs(shares[5] / 255 - np.array(found["head"]["weights"])).max() <= 1 / 255
    strip = http.client.get(f"{address}/strip", params={"of": "written"})
    assert len(strip.content) == 64 * 384
    ending = http.client.get(f"/data/anatomy/{look['key']}/ending").json()
    assert len(ending["rows"][0]["logits"]) == 384


def test_tensors_come_whole(http: Http) -> None:
    asked = {"text": "The cat sat.", "text_pair": "", "part": "encoder.layer.0.attention.self"}
    array = np.load(io.BytesIO(post(http, "tensor", **asked).content))
    told = post(http, "tensor", **asked, format="json").json()
    assert told["name"] == asked["part"]
    assert np.array_equal(np.array(told["values"], np.float32), array)
    assert array.dtype == np.float32
    assert tuple(told["shape"]) == array.shape


def test_code_and_neurons(http: Http) -> None:
    found = post(http, "source", part="embeddings.LayerNorm").json()["found"]
    assert found["code"].startswith("class LayerNorm")
    projection = "model.layers.3.mlp.down_proj"
    promoted = post(http, "neurons", model="SmolLM2-135M-Instruct", part=projection, neurons="1,1535").json()[
        "found"
    ]["tokens"]
    assert [len(words) for words in promoted] == [6, 6]
    assert post(http, "neurons", part="encoder.layer.0.output.dense", neurons="1").json()["found"] == {
        "tokens": []
    }


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("stages/99", "stage"),
        ("stages/x", "stage"),
        ("stages/4?token=99", "token"),
        ("stages/4?head=99", "head"),
        ("stages/4?of=all", "of"),
        ("stages/0/weights", "stage"),
    ],
)
def test_what_is_not_there_is_refused(http: Http, path: str, field: str) -> None:
    look = post(http, "view", text="The cat sat.", text_pair="").json()
    response = http.client.get(f"/data/anatomy/{look['key']}/{path}")
    assert response.status_code == 422
    assert response.json()["error"]["field"] == field


def test_refusals_say_what_to_do(http: Http) -> None:
    assert http.client.get("/data/anatomy/nothing/stages/0").json()["error"]["code"] == "expired"
    assert "no module" in post(http, "source", part="<b>").json()["error"]["message"]
    assert post(http, "tensor", text="x", part="nothing").json()["error"]["field"] == "part"
    assert post(http, "view", text="").json()["error"]["field"] == "text"
