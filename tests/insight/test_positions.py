"""What is said of positions is what the network's own table, frequencies or biases say."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from components.insight import position_maps, switching
from components.insight.placement import Map, Positions
from components.insight.position_maps import FARTHEST
from components.insight.weights import Piece
from components.models.catalog import Catalog
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir
from tests.fakes.architectures import ARCHITECTURES
from tests.fakes.checkpoints import local_entry
from tests.tasks.suite import finish

TEXT = "The dog bites the man."
REAL = ["all-MiniLM-L6-v2", "sentiment", "entities", "answers", "SmolLM2-135M-Instruct", "translator-en-de"]
READERS = [name for name in ARCHITECTURES if name != "tapas"]


@pytest.fixture(scope="module")
def models(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    root = tmp_path_factory.mktemp("architectures")
    more = [
        local_entry(name, one.head, one.build(root / name), one.tasks) for name, one in ARCHITECTURES.items()
    ]
    own = Registry(Catalog([*registry.catalog, *more]), Settings(cache_dir=default_cache_dir(), device="cpu"))
    yield own
    own.close()


@pytest.fixture(scope="module")
def look(models: Registry) -> Callable[..., tuple[Any, Positions]]:
    def look(name: str, text: str = TEXT, seed: int = 0) -> tuple[Any, Positions]:
        with models.lease(name) as model:
            return model.network, finish(position_maps.look(model, text, "", seed))

    return look


Look = Callable[..., tuple[Any, Positions]]


def cosine(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(torch.nn.functional.cosine_similarity(one.double(), other.double(), dim=-1))


@pytest.mark.parametrize(
    ("name", "table", "first"),
    [
        ("all-MiniLM-L6-v2", "embeddings.position_embeddings.weight", 0),
        ("roberta-tagger", "roberta.embeddings.position_embeddings.weight", 2),
        ("gpt2", "transformer.wpe.weight", 0),
        ("bart-summarizer", "model.encoder.embed_positions.weight", 2),
        ("translator-en-de", "model.encoder.embed_positions.weight", 0),
        ("m2m100", "model.encoder.embed_positions.weights", 2),
    ],
)
def test_a_map_is_the_networks_table(name: str, table: str, first: int, look: Look) -> None:
    network, found = look(name)
    rows = {**dict(network.named_parameters()), **dict(network.named_buffers())}[table]
    drawn = found.maps[0]
    assert drawn.path == table.rpartition(".")[0]
    for one, other in ((0, 1), (3, 10), (5, 40)):
        expected = cosine(rows[first + drawn.places[one]], rows[first + drawn.places[other]])
        assert drawn.similarity[one][other] == pytest.approx(expected, abs=1e-5)
        assert drawn.similarity[other][one] == drawn.similarity[one][other]
    [(_, mean)] = drawn.by_distance
    near = [cosine(rows[place], rows[place + 7]) for place in range(first, min(len(rows), first + 512) - 7)]
    assert mean[7] == pytest.approx(sum(near) / len(near), abs=1e-4)
    assert mean[0] == pytest.approx(1, abs=1e-5)


def test_sinusoidal_embeddings_repeat_the_formula(look: Look) -> None:
    """Cosines of sines and cosines depend on the distance alone: the mean of cos(distance x frequency)."""
    _, found = look("translator-en-de")
    encoder, decoder = found.maps
    assert (encoder.kind, encoder.side, decoder.side) == ("sinusoidal", "encoder", "decoder")
    pairs = 128
    for distance in (1, 5, 50):
        expected = sum(math.cos(distance * 10_000 ** (-pair / pairs)) for pair in range(pairs)) / pairs
        assert encoder.by_distance[0][1][distance] == pytest.approx(expected, abs=2e-3)


def test_rotary_similarity_is_that_of_vectors_that_are_turned(look: Look, models: Registry) -> None:
    """By the library's own rotation, of a vector whose pairs have the same length."""
    from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

    _, found = look("SmolLM2-135M-Instruct")
    [drawn] = found.maps
    with models.lease("SmolLM2-135M-Instruct") as model:
        network: Any = model.network
        size = network.config.head_dim
        vector = torch.ones(1, 1, FARTHEST + 1, size) / size**0.5
        place = torch.arange(FARTHEST + 1)[None]
        turned, _ = apply_rotary_pos_emb(vector, vector, *network.model.rotary_emb(vector, place))
    mean = dict(drawn.by_distance)["mean of all pairs"]
    for distance in (0, 1, 9, 100):
        assert mean[distance] == pytest.approx(cosine(turned[0, 0, 0], turned[0, 0, distance]), abs=1e-4)
    assert drawn.similarity[3][12] == pytest.approx(mean[9], abs=1e-5)


def test_a_network_with_two_sets_of_frequencies_has_two_maps(look: Look) -> None:
    _network, found = look("modernbert")
    assert len(found.maps) == 2
    assert {one.kind for one in found.maps} == {"rotary"}
    names = {one.path.rpartition(".")[2] for one in found.maps}
    assert names == {"full_attention_inv_freq", "sliding_attention_inv_freq"}


def test_relative_biases_are_those_that_are_added(look: Look) -> None:
    network, found = look("t5")
    encoder, decoder = found.maps
    own = network.encoder.block[0].layer[0].SelfAttention
    bias = own.compute_bias(60, 60)[0]
    series = dict(encoder.by_distance)
    for distance in (-30, -1, 0, 1, 29):
        expected = float(bias[1, 30, 30 + distance])
        assert series["head 1"][distance - encoder.nearest] == pytest.approx(expected, abs=1e-5)
    assert len(dict(decoder.by_distance)["head 0"]) == FARTHEST + 1  # nothing after the token


@pytest.mark.parametrize("name", [*REAL, *READERS])
def test_every_checkpoint_is_shuffled(name: str, look: Look) -> None:
    _network, found = look(name)
    count = len(found.tokens)
    assert sorted(found.moved_to) == list(range(count))
    for place, to in enumerate(found.moved_to):
        assert found.shuffled[to] == found.tokens[place]
    assert found.shuffled != found.tokens
    assert found.missing == ""
    assert found.order_without is not None
    assert found.without is not None
    for difference in (found.order, found.order_without, found.without):
        assert len(difference.distance) == len(found.compared)
    if name in REAL:  # others have random weights, and may say the same whatever they read
        assert max(found.order.distance) > 0
        assert max(found.without.distance) > 0


@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "sentiment", "entities", "distilbert-classifier"])
def test_order_is_nothing_to_an_encoder_without_positions(name: str, look: Look) -> None:
    _, found = look(name)
    assert found.order_without is not None
    assert max(found.order_without.distance) < 1e-4
    assert max(found.order.distance) > 10 * max(found.order_without.distance)
    assert found.order_without.before == found.order_without.after
    assert not found.causal


def test_a_causal_mask_tells_a_decoder_something_of_the_order(look: Look) -> None:
    _, found = look("SmolLM2-135M-Instruct", "The capital of France is")
    assert found.causal
    assert found.order_without is not None
    assert max(found.order_without.distance) > 1e-3
    assert found.order.before == " Paris"
    assert found.without is not None
    assert found.without.kept < found.without.had


def test_every_seed_is_an_order_of_its_own(look: Look) -> None:
    first, again, other = (look("sentiment", "one two three four five six", seed)[1] for seed in (0, 0, 1))
    assert first.shuffled == again.shuffled != other.shuffled


def test_other_visitors_network_stays_as_it_was(models: Registry) -> None:
    with models.lease("sentiment") as model:
        own = dict(model.tokenizer(TEXT, return_tensors="pt"))
        with torch.inference_mode():
            before = model.network(**own).logits
            finish(position_maps.look(model, TEXT, "", 0))
            assert torch.equal(model.network(**own).logits, before)
        assert not any(one._forward_hooks or one._forward_pre_hooks for one in model.network.modules())


def test_a_network_whose_positions_are_not_recognized_says_so(
    models: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blind(network: Any, inputs: Any) -> switching.Parts:
        return switching.Parts(blocks=trace(network, inputs).blocks, positions=())

    trace = switching.trace
    monkeypatch.setattr(switching, "trace", blind)
    with models.lease("gpt2") as model:
        found = finish(position_maps.look(model, TEXT, "", 0))
    assert (found.maps, found.without, found.order_without) == ((), None, None)
    assert "gpt2" in found.missing


words = st.lists(st.tuples(st.integers(0, 1), st.integers(1, 3)), min_size=1, max_size=8)


@given(words=words, seed=st.integers(0, 50))
def test_words_move_as_wholes_within_their_text(words: list[tuple[int, int]], seed: int) -> None:
    pieces = [_piece("[CLS]", None, 0, special=True)]
    for number, (sequence, size) in enumerate(sorted(words)):
        pieces += [_piece(f"{number}.{part}", number, sequence) for part in range(size)]
    order = position_maps.shuffled(pieces, seed)
    assert sorted(order) == list(range(len(pieces)))
    moved = [pieces[origin] for origin in order]
    assert moved[0].special
    assert [piece.sequence for piece in moved] == [piece.sequence for piece in pieces]
    for place, piece in enumerate(moved):
        word, _, part = piece.text.partition(".")
        if part and part != "0":
            assert moved[place - 1].text == f"{word}.{int(part) - 1}"
    counts = [sum(sequence == one for sequence, _ in words) for one in (0, 1)]
    assert (order != list(range(len(pieces)))) == (max(counts) > 1)


def _piece(text: str, word: int | None, sequence: int, *, special: bool = False) -> Piece:
    return Piece(text=text, id=1, special=special, word=word, sequence=sequence)


def test_a_map_of_many_positions_is_thinned(models: Registry) -> None:
    with models.lease("all-MiniLM-L6-v2") as model:
        network, _, parts = finish(switching.opened(model, TEXT, ""))
        [drawn] = position_maps.position_maps(network, parts)
    assert isinstance(drawn, Map)
    assert drawn.count == 512
    assert len(drawn.places) == len(drawn.similarity) == position_maps.SHOWN
    assert drawn.places[:3] == (0, 4, 8)
