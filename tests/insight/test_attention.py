"""Attention as the page and the interfaces give it is the library's own, and nothing else."""

from __future__ import annotations

import contextlib
import copy
import io
from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.utils import logging

from components.insight import attention_extraction, reading, weights
from components.insight.attention import TASK
from components.insight.weights import Attentions, Piece, Shape, Stack
from components.models.checkpoint import INSPECTIONS, LocalSource
from components.models.errors import Code, TourError
from components.models.loading import load
from components.tasks.answer_cache import AnswerCache, key
from components.tasks.explained import LONGEST
from components.tasks.runner import Runner
from components.tasks.task import Answer
from tests.fakes.architectures import ARCHITECTURES
from tests.fakes.checkpoints import entry
from tests.tasks.suite import finish

TEXT, PAIR = "The cat sat on the mat because it was tired.", "A dog did not."
EMBEDDED = ["all-MiniLM-L6-v2", "sentiment", "entailment", "SmolLM2-135M-Instruct", "translator-en-de"]
ATTENTIVE = [name for name, tiny in ARCHITECTURES.items() if tiny.head in INSPECTIONS["attention"]]
Lease = Callable[[str], Any]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    root = tmp_path_factory.mktemp("architectures")

    def build(name: str) -> Any:
        made = ARCHITECTURES[name]
        folder = made.build(root / name)
        described = entry(name, made.head, LocalSource(folder=str(folder)), folder, made.tasks)
        cpu = torch.device("cpu")
        return load(replace(described, token_limit=made.token_limit), folder, cpu, torch.float32)

    return build


def check(model: Any, found: Attentions) -> None:
    """Weights are those of a network that was told from the start to tell them."""
    network = copy.deepcopy(model.network)
    network.set_attn_implementation("eager")
    inputs: dict[str, Any]
    if network.config.is_encoder_decoder:
        stack = found.stack("decoder")
        inputs = {
            "input_ids": [piece.id for piece in found.stack("encoder").rows],
            "decoder_input_ids": [piece.id for piece in stack.rows],
        }
    else:
        inputs = {"input_ids": [piece.id for piece in found.stacks[0].rows]}
        if getattr(network.config, "type_vocab_size", 0) > 1:
            inputs["token_type_ids"] = types(model)
    tensors = {name: torch.tensor([ids]) for name, ids in inputs.items()}
    with torch.inference_mode():
        output = network(**tensors, output_attentions=True)
    for stack in found.stacks:
        prefix = {"cross": "cross_", "encoder": "encoder_", "decoder": "decoder_"}[stack.kind]
        name = f"{prefix}attentions" if network.config.is_encoder_decoder else "attentions"
        expected = torch.stack(list(output[name]))[:, 0].numpy()
        assert stack.weights.shape == expected.shape
        assert np.abs(weights.exact(stack.weights) - expected).max() <= 1 / weights.WHOLE
        assert np.abs(weights.eight_bit(weights.exact(stack.weights)) / 255 - expected).max() <= 1 / 255
        assert np.abs(expected.sum(axis=-1) - 1).max() < 1e-5


def types(model: Any) -> list[int]:
    encoded = model.tokenizer(TEXT)
    if not getattr(model.network.config, "marks_case", False):
        return list(encoded.get("token_type_ids", [0] * len(encoded["input_ids"])))
    offsets = encoded.encodings[0].offsets
    return [int(any(map(str.isupper, TEXT[start:end]))) for start, end in offsets]


@pytest.mark.parametrize("id", EMBEDDED)
def test_weights_are_the_librarys(lease: Lease, id: str) -> None:
    model = lease(id)
    check(model, finish(attention_extraction.attend(model, TEXT, "")))


@pytest.mark.parametrize("architecture", ATTENTIVE)
def test_weights_are_the_librarys_for_each_architecture(
    tiny: Callable[[str], Any], architecture: str
) -> None:
    model = tiny(architecture)
    check(model, finish(attention_extraction.attend(model, TEXT, "")))


@pytest.mark.parametrize("id", ["all-MiniLM-L6-v2", "SmolLM2-135M-Instruct", "translator-en-de"])
def test_weights_come_from_queries_and_keys(lease: Lease, id: str) -> None:
    for stack in finish(attention_extraction.attend(lease(id), TEXT, PAIR)).stacks:
        assert stack.vectors is not None
        queries = stack.vectors.queries.astype(np.float32)
        keys = stack.vectors.keys.astype(np.float32)
        keys = keys.repeat(stack.heads // keys.shape[1], axis=1)
        scores = queries @ keys.swapaxes(-1, -2) * stack.vectors.scale
        if stack.causal:
            scores = np.where(np.tril(np.ones(scores.shape[-2:])) > 0, scores, -np.inf)
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        assert np.abs(shares - weights.exact(stack.weights)).max() < 0.01


def test_a_network_that_others_use_stays_as_it_is(lease: Lease) -> None:
    model = lease("all-MiniLM-L6-v2")
    finish(attention_extraction.attend(model, TEXT, ""))
    assert model.network.config._attn_implementation == "sdpa"
    assert not any("_watched" in vars(module) for module in model.network.modules())


def test_no_attention_is_an_error(lease: Lease, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fused attention tells none, and Transformers only warns of it."""
    logging.set_verbosity_error()
    monkeypatch.setattr(attention_extraction, "_WATCHED", "sdpa")
    with pytest.raises(TourError) as caught:
        finish(attention_extraction.attend(lease("all-MiniLM-L6-v2"), TEXT, ""))
    assert caught.value.code is Code.UNSUITABLE_MODEL
    assert "all-MiniLM-L6-v2" in caught.value.message


def test_rows_of_the_api_sum_to_one(runner: Runner) -> None:
    for id in EMBEDDED:
        body = runner.call(TASK, {"text": TEXT, "model": id, "layer": 1, "head": 1}).as_json()
        assert len(body["weights"]) == len(body["queries"])
        for row in body["weights"]:
            assert len(row) == len(body["tokens"])
            assert sum(row) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(("name", "value"), [("layer", 6), ("head", 12), ("kind", "cross")])
def test_what_the_model_lacks_is_refused(runner: Runner, name: str, value: object) -> None:
    with pytest.raises(TourError) as caught:
        runner.call(TASK, {"text": TEXT, name: value})
    assert caught.value.field == name


def test_what_is_longer_than_is_looked_at_is_told(runner: Runner) -> None:
    answer = runner.call(TASK, {"text": "word " * 700})
    assert len(answer.result.tokens) == LONGEST == answer.tokens_used
    assert "702 tokens" in answer.notes[0]


def test_a_translation_is_aligned_with_its_source(lease: Lease) -> None:
    found = finish(
        attention_extraction.attend(lease("translator-en-de"), "The small cat sat on the mat.", "")
    )
    stack = found.stack("auto")
    assert stack.kind == "cross"
    rows, columns = ([piece.text for piece in pieces] for pieces in (stack.rows, stack.columns))
    mean = weights.exact(stack.weights[-1]).mean(axis=0)
    reads = {row: columns[int(place)] for row, place in zip(rows, mean.argmax(axis=1), strict=True)}
    assert (reads["kleine"], reads["Katze"], reads["auf"]) == ("small", "cat", "on")
    given = finish(
        attention_extraction.attend(lease("translator-en-de"), "The small cat sat on the mat.", found.written)
    )
    assert np.array_equal(given.stack("cross").weights, stack.weights)


def test_a_second_text_is_told_apart(lease: Lease) -> None:
    both = finish(attention_extraction.attend(lease("entailment"), TEXT, PAIR)).stacks[0]
    assert "".join(piece.text for piece in both.rows if piece.sequence and not piece.special) == "Adogdidnot."
    on = finish(attention_extraction.attend(lease("SmolLM2-135M-Instruct"), TEXT, f" {PAIR}")).stacks[0]
    assert [piece.text for piece in on.rows if piece.sequence] == ["A", "dog", "did", "not", "."]


def test_one_token_is_changed(lease: Lease) -> None:
    model = lease("all-MiniLM-L6-v2")
    before = finish(attention_extraction.attend(model, TEXT, "")).stacks[0]
    after = finish(attention_extraction.attend(model, TEXT, "", reading.Edit(place=2, text="dog"))).stacks[0]
    gap = finish(attention_extraction.attend(model, TEXT, "", reading.Edit(place=2, text=""))).stacks[0]
    changed = [place for place, piece in enumerate(after.rows) if piece.id != before.rows[place].id]
    assert changed == [2]
    assert (after.rows[2].text, gap.rows[2].text) == ("dog", "[MASK]")
    assert not np.array_equal(after.weights, before.weights)
    with pytest.raises(TourError) as caught:
        finish(
            attention_extraction.attend(
                model, TEXT, "", reading.Edit(place=2, text="unbelievable hippopotamus")
            )
        )
    assert caught.value.field == "token"


pieces = st.lists(
    st.builds(
        Piece,
        text=st.just("x"),
        id=st.just(1),
        special=st.booleans(),
        word=st.one_of(st.none(), st.integers(0, 3)),
        sequence=st.integers(0, 1),
    ),
    min_size=1,
    max_size=9,
)


@pytest.mark.parametrize("model", ["sentiment", "entailment", "SmolLM2-135M-Instruct", "translator-en-de"])
@pytest.mark.parametrize("pair", ["", " A dog."])
def test_the_program_shown_sees_the_same(runner: Runner, model: str, pair: str) -> None:
    payload = {"text": TEXT, "text_pair": pair, "model": model, "layer": 1, "head": 2}
    request = runner.parse(TASK, payload)
    code = TASK.snippet(request.checkpoint, request.inputs, request.options)
    code = code[code.index("# The request") :]
    with runner.registry.lease(model) as leased:
        loaded = copy.deepcopy(leased.network)
        scope = {"tokenizer": leased.tokenizer, "model": loaded, "torch": torch}
        body = "\n".join(line for line in code.splitlines() if "from_pretrained" not in line)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(body.replace("model.load_adapter(ADAPTER)", ""), "snippet", "exec"), scope)  # noqa: S102 - the code under test
    found = [float(line.rsplit("(", 1)[1].rstrip(")")) for line in printed.getvalue().splitlines()]
    weights = runner.call(TASK, payload).result.weights
    assert found == pytest.approx([max(row) for row in weights], abs=1e-3)


@given(pieces=pieces, special=st.booleans(), words=st.booleans(), seed=st.integers(0, 9))
def test_what_is_shown_sums_to_one(pieces: list[Piece], special: bool, words: bool, seed: int) -> None:
    size, shape = len(pieces), Shape(special=special, words=words)
    raw = np.random.default_rng(seed).random((2, size, size), dtype=np.float32) + 0.01
    shown = weights.shaped(weights.normalized(raw), pieces, pieces, shape)
    groups = weights.groups(pieces, shape)
    assert shown.shape == (2, len(groups), len(groups))
    kept = [place for place, piece in enumerate(pieces) if special or not piece.special]
    assert [place for group in groups for place in group] == kept
    assert np.allclose(shown.sum(axis=-1), 1, atol=1e-5)
    if len(groups) == size:
        assert np.allclose(shown, weights.normalized(raw))


def test_rollout_and_entropy() -> None:
    rng = np.random.default_rng(0)
    stack = weights.fixed(weights.normalized(np.tril(rng.random((3, 2, 5, 5), dtype=np.float32))))
    through = weights.rollout(stack, 3)
    assert np.allclose(through.sum(axis=-1), 1, atol=1e-4)
    assert np.allclose(np.triu(through, 1), 0)
    one = weights.normalized(weights.exact(stack[0]).mean(axis=0))
    assert np.allclose(weights.rollout(stack, 1), (one + np.eye(5)) / 2, atol=1e-5)
    even, single = np.full((4, 4), 0.25, np.float32), np.eye(4, dtype=np.float32)
    bits = weights.entropies(weights.fixed(np.stack([even, single])[None]))
    assert np.allclose(bits, [[2, 0]], atol=1e-3)


def test_thumbnails_keep_the_greatest() -> None:
    large = np.zeros((1, 100, 70), np.uint8)
    large[0, 99, 35] = 200
    small = weights.pooled(large, 48)
    assert small.shape == (1, 48, 48)
    assert small[0, 47].max() == 200 == small.max()


def test_as_many_looks_are_kept_as_there_is_room_for() -> None:
    def look(size: int) -> Answer[Attentions]:
        made = np.zeros((1, 1, size, size), np.uint16)
        stack = Stack(kind="encoder", weights=made, rows=(), columns=(), causal=False, vectors=None)
        result = Attentions(stacks=(stack,), tokens_used=size, written="", notes=())
        return Answer(
            result=result, model="", device="cpu", seconds=0, tokens_used=size, token_limit=size, notes=()
        )

    cache: AnswerCache[Attentions] = AnswerCache(1000, attrgetter("result.nbytes"))
    for name in ("a", "b", "c"):
        cache.put(name, look(15))  # 450 bytes
    assert [cache.get(name) is not None for name in ("a", "b", "c")] == [False, True, True]
    cache.put("large", look(100))
    assert cache.get("large") is not None
    assert cache.get("c") is None
    assert key("a", 1) == key("a", 1) != key("a", 2)
