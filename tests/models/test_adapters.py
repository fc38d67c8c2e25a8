"""Adapters on a shared body: the same answers as PEFT's own, no second copy of the body, loud refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from components.models import loading
from components.models.checkpoint import Checkpoint, Head, LoadedModel
from components.models.errors import Code, TourError
from tests.fakes.adapters import adapter_entry, tiny_adapter
from tests.fakes.checkpoints import local_entry, tiny_encoder

CPU = torch.device("cpu")
TEXTS = ["Paris is the capital of France.", "one two three"]
KINDS: dict[str, tuple[Head, type, list[str]]] = {
    "classifier": (Head.SEQUENCE_CLASSIFICATION, transformers.BertForSequenceClassification, []),
    "classifier and pooler": (
        Head.SEQUENCE_CLASSIFICATION,
        transformers.BertForSequenceClassification,
        ["pooler"],
    ),
    "tokens": (Head.TOKEN_CLASSIFICATION, transformers.BertForTokenClassification, []),
    "spans": (Head.QUESTION_ANSWERING, transformers.BertForQuestionAnswering, []),
}


@pytest.fixture(scope="module")
def body_entry(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return local_entry("body", Head.ENCODER, tiny_encoder(tmp_path_factory.mktemp("body") / "body"))


@pytest.fixture
def body(body_entry: Checkpoint) -> LoadedModel:
    return loading.load(body_entry, folder_of(body_entry), CPU, torch.float32)


@pytest.fixture
def adapter(body_entry: Checkpoint, tmp_path: Path) -> Checkpoint:
    head = Head.SEQUENCE_CLASSIFICATION
    folder = tiny_adapter(tmp_path / "adapter", folder_of(body_entry), head, saved=["pooler"], num_labels=3)
    return adapter_entry("adapter", head, folder, body_entry)


def folder_of(checkpoint: Checkpoint) -> Path:
    return Path(checkpoint.source.folder)  # type: ignore[union-attr]


def load(checkpoint: Checkpoint, body: LoadedModel) -> LoadedModel:
    return loading.load(checkpoint, folder_of(checkpoint), CPU, torch.float32, body)


def outputs(model: LoadedModel, network: torch.nn.Module) -> list[torch.Tensor]:
    encoded = model.tokenizer(TEXTS, padding=True, return_tensors="pt")
    with torch.inference_mode():
        return list(network(**encoded).to_tuple())


@pytest.mark.parametrize("kind", KINDS)
def test_answers_as_peft_does_and_leaves_the_body_alone(
    kind: str, body: LoadedModel, body_entry: Checkpoint, tmp_path: Path
) -> None:
    head, architecture, saved = KINDS[kind]
    more: dict[str, Any] = {} if head is Head.QUESTION_ANSWERING else {"num_labels": 3}
    folder = tiny_adapter(tmp_path / "adapter", folder_of(body_entry), head, saved=saved, seed=3, **more)
    before = {name: tensor.clone() for name, tensor in body.network.state_dict().items()}
    answers = outputs(body, body.network)

    model = load(adapter_entry("adapter", head, folder, body_entry), body)
    ours = outputs(model, model.network)
    network = architecture.from_pretrained(  # type: ignore[attr-defined]
        folder_of(body_entry), config=transformers.AutoConfig.from_pretrained(folder)
    )
    reference = peft.PeftModel.from_pretrained(network, str(folder)).eval()
    assert type(model.network) is architecture
    for mine, theirs in zip(ours, outputs(model, reference), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-6)
    for mine, theirs in zip(ours, outputs(model, reference.merge_and_unload()), strict=True):
        assert torch.allclose(mine, theirs, atol=1e-5)

    after = body.network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(torch.equal(a, b) for a, b in zip(answers, outputs(body, body.network), strict=True))


def test_holds_only_what_it_adds(adapter: Checkpoint, body: LoadedModel) -> None:
    model = load(adapter, body)
    assert not model.network.training
    assert not any(module.training for module in model.network.modules())
    assert not any(parameter.requires_grad for parameter in model.network.parameters())
    assert {parameter.dtype for parameter in model.network.parameters()} == {torch.float32}
    assert not any(tensor.is_meta for tensor in (*model.network.parameters(), *model.network.buffers()))
    added = load_file(folder_of(adapter) / "adapter_model.safetensors")
    assert model.nbytes == 2 * sum(tensor.nbytes for tensor in added.values())  # half precision on disk
    shared = {tensor.data_ptr() for tensor in (*body.network.parameters(), *body.network.buffers())}
    ours = {tensor.data_ptr() for tensor in (*model.network.parameters(), *model.network.buffers())}
    assert len(ours & shared) == len(shared) - 2, "all but the pooler, which this adapter brings"
    assert body.tokenizer.model_max_length == body.checkpoint.token_limit != model.tokenizer.model_max_length


def without(part: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        file = folder / "adapter_model.safetensors"
        weights = load_file(file)
        del weights[next(name for name in weights if part in name)]
        save_file(weights, file)

    return change


def with_unknown_tensor(folder: Path) -> None:
    file = folder / "adapter_model.safetensors"
    save_file({**load_file(file), "base_model.model.unknown.weight": torch.zeros(2)}, file)


def with_config(name: str, **values: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        file = folder / name
        file.write_text(json.dumps({**json.loads(file.read_text()), **values}))

    return change


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (without("lora_B"), "lora_B"),
        (without("classifier.weight"), "classifier.weight"),
        (without("pooler.dense.bias"), "pooler.dense.bias"),
        (with_unknown_tensor, "unknown"),
        (with_config("config.json", num_hidden_layers=1), "no place for its body's"),
        (with_config("config.json", num_hidden_layers=3), "encoder.layer.2"),
        (with_config("config.json", vocab_size=7), "does not fit its body"),
        (with_config("adapter_config.json", init_lora_weights="pissa"), "initialization"),
    ],
    ids=["lora", "head", "pooler", "unknown tensor", "fewer layers", "more layers", "vocabulary", "pissa"],
)
def test_what_does_not_fit_is_refused(
    damage: Callable[[Path], None], words: str, adapter: Checkpoint, body: LoadedModel
) -> None:
    damage(folder_of(adapter))
    with pytest.raises(TourError) as error:
        load(adapter, body)
    assert error.value.code is Code.LOAD_FAILED
    assert error.value.message.startswith("adapter could not be loaded: ")
    assert words in error.value.message


def test_pickled_weights_are_refused(adapter: Checkpoint, body: LoadedModel) -> None:
    file = folder_of(adapter) / "adapter_model.safetensors"
    torch.save(load_file(file), file.with_name("adapter_model.bin"))
    file.unlink()
    with pytest.raises(FileNotFoundError):
        load(adapter, body)
