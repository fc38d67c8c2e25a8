"""From a folder to a network in memory. Imports torch and transformers: import this lazily."""

from __future__ import annotations

import gc
from copy import copy
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers.utils import logging

from components.models.checkpoint import Checkpoint, Head, LoadedModel
from components.models.errors import Code, TourError
from components.texts import in_folder

TEXTS = in_folder(__file__)

logging.disable_progress_bar()
# Every unload collects garbage. What the libraries brought along stays anyway: unless it is set aside, each
# collection walks some hundred thousand objects of theirs and takes longer than a small model to load.
gc.freeze()


def load(
    checkpoint: Checkpoint,
    folder: Path,
    device: torch.device,
    dtype: torch.dtype,
    body: LoadedModel | None = None,
) -> LoadedModel:
    """Network and tokenizer from a folder on disk: safetensors only, no code from the checkpoint.

    With a `body` the folder is an adapter's: the network shares the body's tensors, and `nbytes`
    is what comes on top of them.
    """
    if body is None:
        network, tokenizer = _whole(checkpoint, folder, dtype)
    else:
        from components.models.adapters import adapted  # brings peft

        network = adapted(checkpoint, folder, _auto(checkpoint.head), body)
        tokenizer = copy(body.tokenizer)  # for a limit of its own; the vocabulary stays shared
    network = network.eval().requires_grad_(False).to(device)
    tokenizer.model_max_length = checkpoint.token_limit
    return LoadedModel(
        checkpoint=checkpoint,
        network=network,
        tokenizer=tokenizer,
        device=device,
        dtype=dtype,
        nbytes=measure(network, body.network if body else None),
    )


def _auto(head: Head) -> Any:
    return getattr(transformers, head.auto_class)


def _whole(
    checkpoint: Checkpoint, folder: Path, dtype: torch.dtype
) -> tuple[transformers.PreTrainedModel, transformers.PreTrainedTokenizerBase]:
    network, report = _auto(checkpoint.head).from_pretrained(
        folder,
        dtype=dtype,
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=False,
        output_loading_info=True,
    )
    # Transformers fills gaps with random numbers and only warns; a pooler no task here reads may be absent.
    gaps = sorted(name for name in report["missing_keys"] if not name.startswith("pooler."))
    if gaps:
        raise TourError(
            Code.LOAD_FAILED,
            TEXTS["no_weights"].format(
                model=checkpoint.id, kind=gaps[0], count=len(gaps), head=checkpoint.head.value
            ),
        )
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False
    )
    return network, tokenizer


def measure(network: torch.nn.Module, body: torch.nn.Module | None = None) -> int:
    """Bytes of parameters and buffers; tied ones count once, a body's not at all."""
    tensors = _by_place(network)
    shared = _by_place(body) if body else {}
    return sum(tensor.nbytes for place, tensor in tensors.items() if place not in shared)


def _by_place(network: torch.nn.Module) -> dict[int, torch.Tensor]:
    return {tensor.data_ptr(): tensor for tensor in (*network.parameters(), *network.buffers())}
