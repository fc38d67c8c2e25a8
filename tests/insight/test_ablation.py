"""A part that is switched off is off, exactly, and only where and while it is."""

from __future__ import annotations

import copy
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
import transformers

from components.insight import outcomes, reading, switching
from components.insight.instrumented import instrumented_copy
from components.insight.parts import Part, What
from components.insight.reading import Reading
from components.insight.switching import Parts
from components.models.catalog import Catalog, load_catalog
from components.models.checkpoint import Head, LoadedModel
from components.models.errors import Code, TourError
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir
from tests.fakes.architectures import ARCHITECTURES
from tests.fakes.checkpoints import TINY, local_entry
from tests.tasks.suite import finish

Opened = Callable[..., tuple[LoadedModel, Any, Reading, Parts]]

TEXT = "She put the bread in the oven."
EMBEDDED = [one.id for one in load_catalog() if one.embedded]
EVERYTHING = [*EMBEDDED, *(f"tiny-{name}" for name in TINY), *ARCHITECTURES]
# Of each model type, by hand: the blocks, and in them what is given the heads' results (self-attention
# first), what the feed-forward part ends with, and where positions come from.
BLOCKS, PROJECTIONS, ENDS, POSITIONS = (
    {
        "bert": r"encoder\.layer\.\d+",
        "roberta": r"encoder\.layer\.\d+",
        "tapas": r"encoder\.layer\.\d+",
        "distilbert": r"transformer\.layer\.\d+",
        "modernbert": r"layers\.\d+",
        "gpt2": r"h\.\d+",
        "llama": r"layers\.\d+",
        "qwen3": r"layers\.\d+",
        "bart": r"(encoder|decoder)\.layers\.\d+",
        "marian": r"(encoder|decoder)\.layers\.\d+",
        "m2m_100": r"(encoder|decoder)\.layers\.\d+",
        "t5": r"(encoder|decoder)\.block\.\d+",
    },
    {
        "bert": ["attention.output.dense"],
        "roberta": ["attention.output.dense"],
        "tapas": ["attention.output.dense"],
        "distilbert": ["attention.out_lin"],
        "modernbert": ["attn.Wo"],
        "gpt2": ["attn.c_proj"],
        "llama": ["self_attn.o_proj"],
        "qwen3": ["self_attn.o_proj"],
        "bart": ["self_attn.out_proj", "encoder_attn.out_proj"],
        "marian": ["self_attn.out_proj", "encoder_attn.out_proj"],
        "m2m_100": ["self_attn.out_proj", "encoder_attn.out_proj"],
        "t5": ["layer.0.SelfAttention.o", "layer.1.EncDecAttention.o"],
    },
    {
        "bert": "output.dense",
        "roberta": "output.dense",
        "tapas": "output.dense",
        "distilbert": "ffn.lin2",
        "modernbert": "mlp.Wo",
        "gpt2": "mlp.c_proj",
        "llama": "mlp.down_proj",
        "qwen3": "mlp.down_proj",
        "bart": "fc2",
        "marian": "fc2",
        "m2m_100": "fc2",
        "t5": "wo",
    },
    {
        "bert": "learned",
        "roberta": "learned",
        "tapas": "learned",
        "distilbert": "learned",
        "modernbert": "rotary",
        "gpt2": "learned",
        "llama": "rotary",
        "qwen3": "rotary",
        "bart": "learned",
        "marian": "sinusoidal",
        "m2m_100": "sinusoidal",
        "t5": "relative",
    },
)


@pytest.fixture(scope="module")
def models(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """The catalog, the tiny checkpoints, and one of each architecture of the Hub's."""
    root = tmp_path_factory.mktemp("architectures")
    more = [
        local_entry(name, one.head, one.build(root / name), one.tasks) for name, one in ARCHITECTURES.items()
    ]
    own = Registry(Catalog([*registry.catalog, *more]), Settings(cache_dir=default_cache_dir(), device="cpu"))
    yield own
    own.close()


def read(model: LoadedModel, text: str = TEXT) -> Reading:
    if model.checkpoint.head is Head.TABLE_QUESTION_ANSWERING:  # its tokens have seven types
        tokens = ["[CLS]", "bread", "oven", "[SEP]", "paris", "france"]
        ids = [int(model.tokenizer.get_vocab()[token]) for token in tokens]
        pieces = reading.pieces_of(model, ids, 0)
        inputs = {"input_ids": torch.tensor([ids]), "token_type_ids": torch.zeros(1, len(ids), 7).long()}
        return Reading(inputs=inputs, pieces=pieces)
    return finish(reading.read(model, text, ""))


@pytest.fixture(scope="module")
def opened(models: Registry) -> Iterator[Opened]:
    """A copy of a model's network, what it reads, and its parts; made once and held until the end."""
    with ExitStack() as held:

        @cache
        def opened(name: str, text: str = TEXT) -> tuple[LoadedModel, Any, Reading, Parts]:
            model = held.enter_context(models.lease(name))
            given = read(model, text)
            network = instrumented_copy(model.network)
            return model, network, given, switching.trace(network, given.inputs)

        yield opened


def output(network: Any, given: Reading) -> torch.Tensor:
    """All numbers that a network gives last, and the states before its head."""
    kept = []
    hook = network.base_model.register_forward_hook(lambda _module, _given, output: kept.append(output[0]))
    with torch.inference_mode():
        made = network(**given.inputs, return_dict=True, use_cache=False)
    hook.remove()
    said = [made[name] for name in ("logits", "start_logits", "end_logits") if made.get(name) is not None]
    return torch.cat([one.flatten() for one in (*said, *kept)])


def silenced(network: Any, path: str, start: int, stop: int) -> Any:
    """The reference: a network with a projection of its own, to which the head's results are as zero.

    Written as zeros in the matrix, so that whatever comes in there comes to nothing.
    """
    reference: Any = instrumented_copy(network)
    projection: Any = copy.deepcopy(reference.get_submodule(path))
    reference.set_submodule(path, projection)
    layers = [projection]
    if hasattr(projection, "base_layer"):  # an adapter reads its input beside the matrix
        layers = [projection.base_layer, *projection.lora_A.values()]
    with torch.no_grad():
        for layer in layers:
            if type(layer).__name__ == "Conv1D":  # [inputs, outputs]
                layer.weight[start:stop] = 0
            else:
                layer.weight[:, start:stop] = 0
    return reference


def by_hand(network: Any) -> dict[str, list[str]]:
    """The output projections of every block."""
    kind = network.config.model_type
    blocks = [
        path
        for path, _ in network.named_modules()
        if re.fullmatch(rf"([a-z0-9]+\.)*?{BLOCKS[kind]}", path) and not re.search(r"\.\d+\..*\.\d+$", path)
    ]
    return {
        path: [f"{path}.{own}" for own in PROJECTIONS[kind] if _has(network, f"{path}.{own}")]
        for path in blocks
    }


def _has(network: Any, path: str) -> bool:
    try:
        network.get_submodule(path)
    except AttributeError:
        return False
    return True


@pytest.mark.parametrize("name", EVERYTHING)
def test_what_is_found_is_what_stands_in_the_librarys_code(name: str, opened: Opened) -> None:
    _model, network, _given, parts = opened(name)
    kind = network.config.model_type
    expected = by_hand(network)
    blocks = [block for own in parts.blocks.values() for block in own]
    assert {block.name for block in blocks} == set(expected)
    for block in blocks:
        attention = [one for one in block.sublayers if one.heads]
        assert [one.projection for one in attention] == expected[block.name]
        assert [one.kind for one in attention] == ["self-attention", "cross-attention"][: len(attention)]
        [feed] = [one for one in block.sublayers if one.kind == "feed-forward"]
        assert feed.projection.endswith(ENDS[kind])
        heads = {
            getattr(network.config, key)
            for key in (
                "num_attention_heads",
                "decoder_attention_heads",
                "n_heads",
                "n_head",
                "num_heads",
            )
            if hasattr(network.config, key)
        }
        assert {one.heads for one in attention} <= heads
    assert {one.kind for one in parts.positions} == {POSITIONS[kind]}


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_head_that_is_off_is_as_if_its_projection_were_given_zeros(name: str, opened: Opened) -> None:
    """The first and last head of the first and last layer, in self- and cross-attention."""
    _model, network, given, parts = opened(name)
    whole = output(network, given)
    projections = by_hand(network)
    for side in parts.sides:
        blocks = parts.blocks[side]
        for block in {blocks[0].name: blocks[0], blocks[-1].name: blocks[-1]}.values():
            for cross, path in enumerate(projections[block.name]):
                own = next(one for one in block.sublayers if one.projection == path)
                for head in (0, own.heads - 1):
                    part = Part(what="head", layer=block.index, head=head, side=side, cross=bool(cross))
                    with switching.switched_off(network, parts, part):
                        found = output(network, given)
                    reference = silenced(network, path, head * own.size, (head + 1) * own.size)
                    expected = output(reference, given)
                    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
                    assert not torch.equal(found, whole), (path, head)
    assert torch.equal(output(network, given), whole)


def by_hand_off(network: Any, block: str, what: str) -> Any:
    """The reference for the rest: the library's own code, with zeros where the part was."""
    reference = instrumented_copy(network)
    module = reference.get_submodule(block)
    if what == "layer":
        original = module.forward

        def skip(hidden_states: torch.Tensor, *arguments: Any, **more: Any) -> Any:
            made = original(hidden_states, *arguments, **more)
            return (hidden_states, *made[1:]) if isinstance(made, tuple) else hidden_states

        module.forward = skip
    else:
        kind = network.config.model_type
        ending = ENDS[kind] if what == "feed-forward" else PROJECTIONS[kind][0]
        if ending == "output.dense":  # which the attention has, too
            module, ending = module.get_submodule("output"), "dense"
        path = next(
            path for path, _ in module.named_modules() if path == ending or path.endswith(f".{ending}")
        )
        parent, _, name = path.rpartition(".")

        class Nothing(torch.nn.Module):
            weight = torch.zeros(1)

            def forward(self, given: torch.Tensor) -> torch.Tensor:
                return torch.zeros(*given.shape[:-1], width, dtype=given.dtype)

        width = network.get_input_embeddings().embedding_dim
        setattr(module.get_submodule(parent), name, Nothing())
    return reference


@pytest.mark.parametrize("what", ["attention", "feed-forward", "layer"])
@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "sentiment", "translator-en-de", *ARCHITECTURES])
def test_a_part_that_is_off_writes_nothing(name: str, what: Any, opened: Opened) -> None:
    _model, network, given, parts = opened(name)
    whole = output(network, given)
    for side in parts.sides:
        block = parts.blocks[side][-1]
        with switching.switched_off(network, parts, Part(what=what, layer=block.index, side=side)):
            found = output(network, given)
        expected = output(by_hand_off(network, block.name, what), given)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
        assert not torch.equal(found, whole)
    assert torch.equal(output(network, given), whole)


def test_without_its_residual_path_a_layer_gives_what_it_wrote_alone(opened: Opened) -> None:
    """By hand, for a norm before each part (GPT-2) and one after it (BERT)."""
    _model, network, _given, parts = opened("gpt2")
    for block in (network.transformer.h[0], network.transformer.h[1]):
        state = torch.randn(1, 5, 32)
        number = int(block is network.transformer.h[1])
        with switching.switched_off(network, parts, Part(what="residual", layer=number)):
            made = block(state)
        attention = block.attn(block.ln_1(state))[0]
        expected = block.mlp(block.ln_2(attention))
        torch.testing.assert_close(made[0] if isinstance(made, tuple) else made, expected)
    _model, network, _given, parts = opened("multilingual-bert")
    block = network.encoder.layer[1]
    state = torch.randn(1, 5, 32)
    with switching.switched_off(network, parts, Part(what="residual", layer=1)):
        made = block(state)
    own = block.attention.output
    attention = own.LayerNorm(own.dense(block.attention.self(state)[0]))
    expected = block.output.LayerNorm(block.output.dense(block.intermediate(attention)))
    torch.testing.assert_close(made[0] if isinstance(made, tuple) else made, expected)


@pytest.mark.parametrize("name", EVERYTHING)
def test_every_residual_path_and_all_positions_can_be_switched_off(name: str, opened: Opened) -> None:
    _model, network, given, parts = opened(name)
    whole = output(network, given)
    for side in parts.sides:
        assert switching.offered(parts)[0].missing == ()
        for part in (Part(what="residual", side=side), Part(what="residual", layer=0, side=side)):
            with switching.switched_off(network, parts, part):
                assert not torch.allclose(output(network, given), whole), part
    with switching.switched_off(network, parts, Part(what="positions")):
        assert not torch.equal(output(network, given), whole)
    assert torch.equal(output(network, given), whole)


@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "sentiment", "modernbert", "distilbert-classifier"])
def test_without_positions_an_encoder_reads_a_bag_of_words(name: str, opened: Opened) -> None:
    model, network, given, parts = opened(name, "The quick fox.")  # within the reach of local attention
    order = torch.randperm(len(given.pieces), generator=torch.Generator().manual_seed(1))
    shuffled = Reading(
        inputs={key: value[:, order] for key, value in given.inputs.items()}, pieces=given.pieces
    )
    with switching.switched_off(network, parts, Part(what="positions")):
        states = [outcomes.outcome(model, network, one).states for one in (given, shuffled)]
    torch.testing.assert_close(states[0][order], states[1], atol=1e-4, rtol=1e-3)


def test_others_answers_stay_the_same_meanwhile(opened: Opened) -> None:
    """The shared network answers in another thread while every layer of the copy is switched off."""
    model, network, given, parts = opened("all-MiniLM-L6-v2")
    with torch.inference_mode():
        expected = model.network(**given.inputs).last_hidden_state
    found: list[torch.Tensor] = []

    def ask() -> None:
        with torch.inference_mode():
            found.append(model.network(**given.inputs).last_hidden_state)

    for what in ("head", "attention", "feed-forward", "layer", "residual", "positions"):
        with switching.switched_off(network, parts, Part(what=what)):
            changed = output(network, given)
            other = threading.Thread(target=ask)
            other.start()
            other.join()
        assert not torch.allclose(changed, output(network, given))
    assert len(found) == 6
    assert all(torch.equal(one, expected) for one in found)
    assert not any(_hooked(module) for module in model.network.modules())


def _hooked(module: torch.nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module))


def test_hooks_are_gone_after_an_error(opened: Opened) -> None:
    _model, network, _given, parts = opened("t5")
    for what in ("head", "attention", "feed-forward", "layer", "residual", "positions"):
        with (
            pytest.raises(RuntimeError, match="midway"),
            switching.switched_off(
                network,
                parts,
                Part(what=what),
            ),
        ):
            raise RuntimeError("midway")
    with pytest.raises(TourError), switching.switched_off(network, parts, Part(what="head", head=99)):
        pass
    assert not any(_hooked(module) for module in network.modules())


@pytest.mark.parametrize(
    ("part", "field"),
    [
        (Part(what="head", layer=6, head=0), "layer"),
        (Part(what="head", layer=0, head=12), "head"),
        (Part(what="layer", layer=0, side="decoder"), "side"),
        (Part(what="cross-attention"), "what"),
    ],
)
def test_what_the_network_lacks_is_refused(part: Part, field: str, models: Registry) -> None:
    with models.lease("all-MiniLM-L6-v2") as model, pytest.raises(TourError) as caught:
        finish(switching.ablate(model, TEXT, "", part))
    assert caught.value.field == field
    assert caught.value.code in (Code.INVALID_INPUT, Code.UNSUITABLE_MODEL)


_SIZES: dict[str, Any] = {
    "vocab_size": 60,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
}
_ENDS: dict[str, Any] = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), 0)
_GROUPED: dict[str, Any] = {**_SIZES, **_ENDS, "num_key_value_heads": 2}
_T: Any = transformers
# Architectures that no checkpoint here has: parallel parts, norms after parts, experts, scaled sums, an
# attention of their own. By name: the network, and what can be switched off of it.
PARTS: tuple[What, ...] = ("head", "attention", "feed-forward", "layer", "residual", "positions")
OTHERS: dict[str, tuple[Callable[[], Any], tuple[What, ...]]] = {
    "mpnet": (lambda: _T.MPNetForMaskedLM(_T.MPNetConfig(**_SIZES)), PARTS),
    "albert": (lambda: _T.AlbertForMaskedLM(_T.AlbertConfig(**_SIZES, embedding_size=16)), PARTS),
    "gpt-neox": (lambda: _T.GPTNeoXForCausalLM(_T.GPTNeoXConfig(**_SIZES, **_ENDS)), PARTS),
    "phi": (lambda: _T.PhiForCausalLM(_T.PhiConfig(**_SIZES, **_ENDS)), PARTS),
    "gemma2": (lambda: _T.Gemma2ForCausalLM(_T.Gemma2Config(**_GROUPED, head_dim=8)), PARTS),
    "mixtral": (lambda: _T.MixtralForCausalLM(_T.MixtralConfig(**_GROUPED, num_local_experts=4)), PARTS),
    "granite": (
        lambda: _T.GraniteForCausalLM(_T.GraniteConfig(**_GROUPED, residual_multiplier=0.22)),
        PARTS,
    ),
    "deberta": (lambda: _T.DebertaV2ForMaskedLM(_T.DebertaV2Config(**_SIZES)), PARTS[1:]),
    "bloom": (
        lambda: _T.BloomForCausalLM(
            _T.BloomConfig(vocab_size=60, hidden_size=32, n_layer=2, n_head=4, **_ENDS)
        ),
        PARTS[1:-1],
    ),
    "mamba": (
        lambda: _T.MambaForCausalLM(_T.MambaConfig(vocab_size=60, hidden_size=32, num_hidden_layers=2)),
        ("layer", "residual"),
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_architectures_that_are_not_here_are_told_apart_or_said_not_to_be(name: str) -> None:
    build, expected = OTHERS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = instrumented_copy(build().eval())
        ids = torch.randint(3, 50, (1, 9))
    given = Reading(inputs={"input_ids": ids}, pieces=())
    parts = switching.trace(network, given.inputs)
    whole = output(network, given)
    [offered] = switching.offered(parts)
    assert offered.what == expected
    assert bool(offered.missing) == (expected != PARTS)
    for what in expected:
        with switching.switched_off(network, parts, Part(what=what)):
            assert not torch.equal(output(network, given), whole), what
    assert torch.equal(output(network, given), whole)
    if "head" in expected:
        first = next(one for one in parts.blocks[""][0].sublayers if one.heads)
        assert first.heads == 4
        with switching.switched_off(network, parts, Part(what="head", layer=0, head=3)):
            found = output(network, given)
        if name != "albert":  # whose layers are one
            reference = silenced(network, first.projection, 3 * first.size, 4 * first.size)
            torch.testing.assert_close(found, output(reference, given), atol=1e-5, rtol=1e-4)


def test_a_network_without_anything_known_says_so(opened: Opened) -> None:
    nothing = Parts(blocks={}, positions=())
    [unknown] = switching.offered(nothing)
    assert (unknown.layers, unknown.what) == (0, ())
    assert "not recognized" in unknown.missing[0]
    with (
        pytest.raises(TourError, match="its layers cannot be told"),
        switching.switched_off(torch.nn.Module(), nothing, Part(what="layer")),
    ):
        pass
    [block, *_] = opened("gpt2")[-1].blocks[""]
    attention = replace(block.sublayers[0], heads=0)
    strange = Parts(blocks={"": [replace(block, sublayers=(attention,))]}, positions=())
    [offered] = switching.offered(strange)
    assert offered.what == ("attention", "layer", "residual")
    assert len(offered.missing) == 3
    with (
        pytest.raises(TourError, match="cannot be told"),
        switching.switched_off(torch.nn.Module(), strange, Part(what="head")),
    ):
        pass


@pytest.mark.parametrize(
    ("name", "predicts"),
    [
        ("all-MiniLM-L6-v2", "vector"),
        ("sentiment", "label"),
        ("emotions", "label"),
        ("entities", "labels of tokens"),
        ("answers", "answer"),
        ("SmolLM2-135M-Instruct", "next token"),
        ("translator-en-de", "first token"),
        ("roberta-masked", "gap"),
        ("bart-inference", "label"),
        ("m2m100", "first token"),
        ("t5", "first token"),
    ],
)
def test_the_prediction_runs_again_beside_the_first(name: str, predicts: str, models: Registry) -> None:
    with models.lease(name) as model:
        side = "encoder" if name == "bart-inference" else ""  # whose states are compared
        part = Part(what="layer", layer=0, side=side)
        found = finish(switching.ablate(model, TEXT, "", part))
        difference = found.difference
        assert difference.predicts == predicts
        assert len(difference.distance) == len(found.tokens)
        assert max(difference.distance) > 0
        assert -1 <= difference.kept <= difference.had <= 1 or predicts != "vector"
        writes = model.checkpoint.head in (Head.CAUSAL_LM, Head.SEQ2SEQ_LM)
        assert bool(difference.written_before) == (writes and difference.before != "</s>")
        if predicts == "label":
            own = torch.tensor([choice.before for choice in difference.choices])
            assert float(own.max()) == difference.had


def test_what_a_part_costs(models: Registry) -> None:
    """The first layer carries all of SmolLM2; one head hardly anything of the prediction."""
    with models.lease("SmolLM2-135M-Instruct") as model:
        text = "The capital of France is"
        layer = finish(switching.ablate(model, text, "", Part(what="layer", layer=0))).difference
        head = finish(switching.ablate(model, text, "", Part(what="head", layer=3, head=2))).difference
    assert layer.before == head.before == " Paris"
    assert layer.had == head.had == pytest.approx(0.77, abs=0.01)
    assert layer.kept < 0.01
    assert layer.after != " Paris"
    assert head.kept > 0.5
    assert "Paris" in layer.written_before
    assert layer.written_after != layer.written_before


def test_the_translation_without_its_cross_attention_is_another(models: Registry) -> None:
    with models.lease("translator-en-de") as model:
        found = finish(
            switching.ablate(model, "The house is small.", "", Part(what="cross-attention", side="decoder"))
        ).difference
    assert found.written_before == "Das Haus ist klein."
    assert found.written_after != found.written_before


@pytest.mark.parametrize("heads", [False, True])
def test_every_part_is_switched_off_by_itself(heads: bool, models: Registry) -> None:
    with models.lease("sentiment") as model:
        found = finish(switching.costs(model, "A wonderful film.", "", heads=heads))
        assert len(found.costs) == (6 * 12 if heads else 6 * 4)
        assert (found.says, round(found.had, 2)) == ("positive", 1.0)
        for one in (found.costs[0], found.costs[5], found.costs[-1]):
            alone = finish(switching.ablate(model, "A wonderful film.", "", one.part)).difference
            assert one.kept == pytest.approx(alone.kept, abs=1e-6)
            assert one.says == alone.after


@pytest.mark.parametrize("name", ["translator-en-de", "t5", "modernbert", "qwen3", "bart-inference", "gpt2"])
def test_layers_that_did_not_run_again_gave_the_same(name: str, models: Registry) -> None:
    with models.lease(name) as model:
        for one in finish(switching.costs(model, TEXT, "")).costs[-3:]:
            alone = finish(switching.ablate(model, TEXT, "", one.part)).difference
            assert one.kept == pytest.approx(alone.kept, abs=1e-6)
            assert one.says == alone.after
