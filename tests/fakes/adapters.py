"""Tiny adapters on tiny bodies: random weights in the files that PEFT writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

from components.models.catalog import Catalog
from components.models.checkpoint import Checkpoint, Head, LocalSource
from components.models.registry import Registry
from components.models.settings import Settings
from components.tasks.runner import Runner
from tests.fakes.checkpoints import TOKEN_LIMIT, local_entry


def tiny_adapter(
    folder: Path,
    body: Path,
    head: Head,
    *,
    rank: int = 4,
    seed: int = 0,
    saved: Sequence[str] = (),
    **config: Any,
) -> Path:
    """LoRA on every linear layer of a body's encoder and a new head, as `components.training` saves them.

    `saved` names further modules that are saved whole; `config` goes into config.json. The weights are
    random throughout (LoRA's B too), in half precision. Without the tokenizer: that is the body's.
    """
    from peft import LoraConfig, get_peft_model

    auto, own = {
        Head.SEQUENCE_CLASSIFICATION: (transformers.AutoModelForSequenceClassification, "classifier"),
        Head.TOKEN_CLASSIFICATION: (transformers.AutoModelForTokenClassification, "classifier"),
        Head.QUESTION_ANSWERING: (transformers.AutoModelForQuestionAnswering, "qa_outputs"),
    }[head]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = auto.from_pretrained(body, **config)
        lora = LoraConfig(
            r=rank,
            lora_alpha=rank,
            target_modules=r".*\.encoder\..*\.(query|key|value|dense)",
            modules_to_save=[own, *saved],
            init_lora_weights=False,
        )
        adapter = get_peft_model(network, lora).half()
    adapter.save_pretrained(str(folder))
    network.config.architectures = [type(network).__name__]
    network.config.save_pretrained(folder)
    return folder


def adapter_runner(folder: Path, body: Path, head: Head, task: str, cache: Path) -> Runner:
    """Answers one task with the adapter in `folder`, under the id "adapter", as the app does it."""
    entry = local_entry("body", Head.ENCODER, body)
    adapter = adapter_entry("adapter", head, folder, entry, (task,))
    return Runner(Registry(Catalog([entry, adapter]), Settings(cache_dir=cache, device="cpu")), "embedded")


def adapter_entry(
    id: str, head: Head, folder: Path, body: Checkpoint, tasks: tuple[str, ...] = ("fill_mask",)
) -> Checkpoint:
    """The catalog entry of an adapter on the body of another entry."""
    return Checkpoint(
        id=id,
        title=id,
        tasks=tasks,
        head=head,
        source=LocalSource(folder=str(folder)),
        licence="Apache-2.0",
        parameters=(folder / "adapter_model.safetensors").stat().st_size // 2,
        download_bytes=0,
        token_limit=TOKEN_LIMIT // 2,
        languages=("en",),
        about="Random weights on a body, for tests.",
        body=body,
    )
