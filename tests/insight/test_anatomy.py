"""A network taken apart: its parts add up, and a text's way through them is the library's."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from components.insight import reading
from components.insight.anatomy import TASK, journey, stored, view
from components.insight.anatomy.facts import FACTS
from components.insight.anatomy.forward import first_tensor
from components.insight.anatomy.neurons import promoted
from components.insight.anatomy.record import Journey
from components.insight.anatomy.structure import source
from components.insight.anatomy.tensor import tensor
from components.insight.instrumented import instrumented_copy
from components.models.catalog import Catalog, load_catalog
from components.models.checkpoint import LoadedModel
from components.models.errors import Code, TourError
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir
from components.tasks.runner import Runner
from tests.fakes.architectures import ARCHITECTURES
from tests.fakes.checkpoints import TINY, local_entry
from tests.tasks.suite import finish

TEXT = "She put the bread in the oven."
TABLES = "table_question_answering"
EMBEDDED = [one.id for one in load_catalog() if one.embedded and one.can(TASK.name)]
ALL = [
    *EMBEDDED,
    *(f"tiny-{name}" for name, tiny in TINY.items() if TABLES not in tiny.tasks),
    *(name for name, tiny in ARCHITECTURES.items() if TABLES not in tiny.tasks),
]
every_model = pytest.mark.parametrize("name", ALL)


@pytest.fixture(scope="module")
def anatomy(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """Over the catalog, the tiny checkpoints, and one of each architecture of the Hub's."""
    root = tmp_path_factory.mktemp("architectures")
    more = [
        local_entry(name, one.head, one.build(root / name), one.tasks) for name, one in ARCHITECTURES.items()
    ]
    settings = Settings(cache_dir=default_cache_dir(), device="cpu")
    own = Registry(Catalog([*registry.catalog, *more]), settings)
    yield Runner(own, "embedded")
    own.close()


@contextlib.contextmanager
def opened(runner: Runner, name: str, text: str = TEXT) -> Iterator[tuple[LoadedModel, Any, Journey]]:
    with runner.registry.lease(name) as model:
        read = finish(reading.read(model, text, ""))
        yield model, read, journey.opened(model, read)[0]


def sides(found: Journey) -> list[str]:
    return list(dict.fromkeys(stage.side for stage in found.stages))


@torch.inference_mode()
def own(model: LoadedModel, read: Any) -> Any:
    """What the shared network itself gives; its fused attention rounds otherwise than the eager one."""
    return model.network(**read.inputs, output_hidden_states=True)


def library_states(output: Any, side: str, found: Journey) -> list[torch.Tensor]:
    names = (f"{side}_hidden_states", "hidden_states")
    return [one[0].float() for one in next(output[name] for name in names if output.get(name) is not None)]


@torch.inference_mode()
def replayed(model: LoadedModel, found: Journey, side: str) -> tuple[list[torch.Tensor], torch.Tensor]:
    """The residual stream from what each part wrote alone: the states that enter the blocks and the one that
    leaves the last norm, and the one that leaves the last block."""
    states: list[torch.Tensor] = []
    state: Any = None
    last: Any = None
    block = -1
    for stage in (one for one in found.stages if one.side == side):
        if stage.block > block:
            states.append(state)
            block = stage.block
        if state is not None and stage.block == -1 and block >= 0:
            last = state
        if stage.writes:
            written = torch.from_numpy(stage.after - stage.before)
            state = written if state is None else state + written
        elif stage.on_stream:
            state = model.network.get_submodule(stage.part)(state)
    return [*states, state], state if last is None else last


@every_model
def test_parameters_add_up_shapes_are_true_and_the_stream_is_the_librarys(name: str, anatomy: Runner) -> None:
    with opened(anatomy, name) as (model, read, found):
        parts = found.parts
        assert sum(one.own for one in parts) == model.network.num_parameters() == parts[0].parameters
        for place, one in enumerate(parts):
            inside = sum(other.parameters for other in parts if other.parent == place)
            assert one.parameters == one.own + inside
        assert [one.name for one in parts] == [module for module, _ in model.network.named_modules()]

        shapes: dict[str, list[int]] = {}
        copy = instrumented_copy(model.network)
        for module_name, module in copy.named_modules():
            module.register_forward_hook(
                lambda _module, _given, output, name=module_name: shapes.update(
                    {name: list(first_tensor(output).shape)}
                )
            )
        with torch.inference_mode():
            copy(**read.inputs)
        assert {one.name: one.shape for one in parts if one.runs} == shapes

        output = own(model, read)
        for side in sides(found):
            states, last = replayed(model, found, side)
            expected = library_states(output, side, found)
            assert len(states) == len(expected)
            for state, library in zip(states, expected, strict=True):
                torch.testing.assert_close(state, library, rtol=1e-4, atol=1e-4)
        logits = first_logits(output)
        if logits is not None:
            torch.testing.assert_close(through_the_head(model, read, found, last), logits, rtol=0, atol=1e-3)


def first_logits(output: Any) -> torch.Tensor | None:
    found = output.get("logits", output.get("start_logits"))
    return None if found is None else found.float()


@torch.inference_mode()
def through_the_head(model: LoadedModel, read: Any, found: Journey, last: torch.Tensor) -> torch.Tensor:
    """The logits of what the last block is replaced by."""
    copy = instrumented_copy(model.network)
    block = found.sketch[-1]["blocks"][-1]["last"]
    copy.get_submodule(block).register_forward_hook(
        lambda module, given, output: (
            (last[None], *output[1:]) if isinstance(output, tuple) else last[None].to(output.dtype)
        )
    )
    logits = first_logits(copy(**read.inputs))
    assert logits is not None
    return logits


@every_model
def test_every_block_is_taken_apart(name: str, anatomy: Runner) -> None:
    """Into attention and a feed-forward network, with heads whose weights are the library's."""
    with opened(anatomy, name) as (model, read, found):
        kinds = {stage.kind for stage in found.stages if stage.block >= 0}
        assert {"self-attention", "feed-forward"} <= kinds
        assert "block" not in kinds
        assert ("cross-attention" in kinds) == model.network.config.is_encoder_decoder
        assert {one.kind for one in found.parts} <= FACTS.keys()
        with torch.inference_mode():
            output = instrumented_copy(model.network)(**read.inputs, output_attentions=True)
        for side, kind, name_ in (
            ("encoder", "self-attention", "encoder_attentions"),
            ("decoder", "self-attention", "decoder_attentions"),
            ("decoder", "cross-attention", "cross_attentions"),
        ):
            stages = [one for one in found.stages if one.side == side and one.kind == kind]
            given = output.get(name_) if model.network.config.is_encoder_decoder else output.attentions
            for stage, weights in zip(stages, given if stages else (), strict=True):
                assert stage.heads is not None
                assert stage.heads.count == weights.shape[1]
                for head in range(stage.heads.count):
                    shares = stage.heads.weights(head)
                    assert np.allclose(shares, weights[0, head].float().numpy(), atol=1e-4)


def test_blocks_that_are_the_same_are_drawn_once(anatomy: Runner) -> None:
    with opened(anatomy, "SmolLM2-135M-Instruct") as (_, _, found):
        (side,) = found.sketch
        (entry,) = side["blocks"]
        assert entry["count"] == 30
        assert [(one["kind"], bool(one["norm"]), one["after"]) for one in entry["sublayers"]] == [
            ("self-attention", True, ""),
            ("feed-forward", True, ""),
        ]
        assert side["after"] == ["model.norm", "lm_head"]
        assert found.ending.names[-1]
    with opened(anatomy, "translator-en-de") as (_, _, found):
        encoder, decoder = found.sketch
        assert [one["kind"] for one in decoder["blocks"][0]["sublayers"]] == [
            "self-attention",
            "cross-attention",
            "feed-forward",
        ]
        assert all(one["after"] and not one["norm"] for one in encoder["blocks"][0]["sublayers"])


def test_shared_parameters_count_once_and_say_so(anatomy: Runner) -> None:
    with opened(anatomy, "SmolLM2-135M-Instruct") as (_, _, found):
        (head,) = [one for one in found.parts if one.name == "lm_head"]
        assert (head.own, head.shared) == (0, "model.embed_tokens.weight")
        assert head.operations == 49152 * 576 * len(found.pieces)


def test_what_is_sent_is_what_the_arithmetic_gives(anatomy: Runner) -> None:
    """The worked line, the shares and the neurons of one token."""
    with opened(anatomy, "SmolLM2-135M-Instruct", "The capital of France is") as (model, _, found):
        place = next(at for at, one in enumerate(found.stages) if one.heads and one.block == 5)
        stage = found.stages[place]
        sent = view.stage(stage, 4, 7, 3)
        head = sent["head"]
        product = sum(one * other for one, other in zip(head["query"], head["key"], strict=True))
        assert product * head["scale"] == pytest.approx(head["scores"][3], abs=0.02)
        assert sum(head["weights"]) == pytest.approx(1, abs=1e-4)
        assert view.stage(stage, 2, 7, 1)["head"]["hidden"] == [False, False, False, True, True]
        feeds = next(one for one in found.stages if one.kind == "feed-forward" and one.block == 25)
        neurons = view.stage(feeds, 4, 0, 0)["neurons"]
        indices = [one["index"] for one in neurons["top"]]
        words = promoted(model, feeds.projection, indices).tokens
        head_weight = model.network.get_output_embeddings().weight
        projection: Any = model.network.get_submodule(feeds.projection)
        column = projection.weight[:, indices[0]]
        best = int((head_weight @ column).argmax())
        assert words[0][0] == model.tokenizer.decode([best])
        chances = view.ending(found, 4)["rows"][0]
        assert chances["names"][0] == " Paris"
        values, scale = view.strip(stage, "after")
        assert values.shape == stage.after.shape
        assert scale > 0


def test_any_tensor_is_the_modules_own(anatomy: Runner) -> None:
    with opened(anatomy, "all-MiniLM-L6-v2") as (model, read, _):
        seen: list[torch.Tensor] = []
        copy = instrumented_copy(model.network)
        copy.get_submodule("encoder.layer.2.intermediate").register_forward_hook(
            lambda module, given, output: seen.append(output)
        )
        with torch.inference_mode():
            copy(**read.inputs)
        assert np.array_equal(tensor(model, read, "encoder.layer.2.intermediate"), seen[0].numpy())
        query: Any = model.network.get_submodule("encoder.layer.0.attention.self.query")
        weight = query.weight.detach().numpy()
        assert np.array_equal(tensor(model, read, "encoder.layer.0.attention.self.query.weight"), weight)
        with pytest.raises(TourError) as refused:
            tensor(model, read, "encoder.layer.9")
        assert refused.value.code == Code.INVALID_INPUT
        assert "encoder.layer" in refused.value.message


def test_the_code_of_a_module_is_the_installed_librarys(anatomy: Runner) -> None:
    with opened(anatomy, "all-MiniLM-L6-v2") as (model, _, _):
        module: Any = model.network.get_submodule("encoder.layer.0.attention.self")
        found = source(type(module))
        assert found is not None
        assert found.file == "transformers/models/bert/modeling_bert.py"
        assert found.code.startswith("class BertSelfAttention")
        assert found.last - found.first == found.code.count("\n") - 1


def test_a_stored_journey_comes_back(anatomy: Runner, tmp_path: Path) -> None:
    """In half precision; and the one that the page opens with is what the model does."""
    payload, answer = stored.load(stored.OPENING)
    with opened(anatomy, str(payload["model"]), str(payload["text"])) as (_, _, fresh):
        assert view.described(fresh) == view.described(answer.result)
        for one, other in zip(fresh.stages, answer.result.stages, strict=True):
            assert np.allclose(one.after, other.after, atol=0.02, rtol=0.01)
    stored.save(tmp_path / "again.npz", payload, answer)
    assert view.described(stored.load(tmp_path / "again.npz")[1].result) == view.described(answer.result)


def test_a_long_text_is_bounded(anatomy: Runner) -> None:
    with opened(anatomy, "all-MiniLM-L6-v2", "one two three four " * 200) as (_, _, found):
        assert len(found.pieces) == 512
        assert "first 512" in found.notes[0]
        assert found.nbytes < 120e6


def test_the_endpoint_refuses_what_is_no_module(anatomy: Runner) -> None:
    with pytest.raises(TourError) as refused:
        anatomy.call(TASK, {"text": TEXT, "part": "encoder.layers.0"})
    assert refused.value.field == "part"
    answer = anatomy.call(TASK, {"text": TEXT, "model": "all-MiniLM-L6-v2", "part": "embeddings"}).result
    assert answer.activations.shape == [1, len(answer.tokens), 384]
    assert len(answer.activations.norms) == len(answer.tokens)
    assert answer.parts[0].parameters == answer.parameters


# What these are told beside the text, a language or a task, is not in the code.
TOLD = ("m2m100", "t5")
SAME = [name for name in ALL if name not in TOLD]


@pytest.mark.parametrize("name", SAME)
def test_the_drawers_code_gives_the_same_tensor(name: str, anatomy: Runner, reader: Path) -> None:
    with opened(anatomy, name) as (model, read, found):
        part = found.stages[-1].part
        expected = tensor(model, read, part)
    request = anatomy.parse(TASK, {"text": TEXT, "model": name, "part": part})
    code = TASK.snippet(request.checkpoint, request.inputs, request.options)
    names: dict[str, Any] = {"__name__": "__main__"}
    (reader / "tensor.npy").unlink(missing_ok=True)
    with contextlib.chdir(reader), contextlib.redirect_stdout(io.StringIO()):
        exec(compile(code, "snippet", "exec"), names)  # noqa: S102 - the code under test
    saved = np.load(reader / "tensor.npy")
    assert saved.shape == expected.shape
    assert np.allclose(saved, expected, atol=1e-3, rtol=1e-3)


def test_the_shared_network_stays_as_it_was(lease: Callable[[str], LoadedModel]) -> None:
    model = lease("all-MiniLM-L6-v2")
    read = finish(reading.read(model, TEXT, ""))
    hooks = [len(module._forward_hooks) for module in model.network.modules()]
    with torch.inference_mode():
        before = model.network(**read.inputs).last_hidden_state
        journey.opened(model, read)
        assert torch.equal(model.network(**read.inputs).last_hidden_state, before)
    assert [len(module._forward_hooks) for module in model.network.modules()] == hooks
