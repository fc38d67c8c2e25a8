"""Adapters: small weights on a body's network, whose tensors they share. Brings torch: import this lazily."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import transformers
from peft import PeftConfig, inject_adapter_in_model, set_peft_model_state_dict
from peft.utils import ModulesToSaveWrapper
from safetensors.torch import load_file

from components.models.errors import Code, TourError
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import Checkpoint, LoadedModel

TEXTS = in_folder(__file__)

# PEFT asks networks by a name that Transformers has replaced.
warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)

_PEFT_PREFIX = "base_model.model."  # of every name in a file that PEFT wrote


class _UnfitError(Exception):
    """Body, config.json and adapter do not go together."""


def adapted(
    checkpoint: Checkpoint, folder: Path, auto: Any, body: LoadedModel
) -> transformers.PreTrainedModel:
    """The network of `auto`'s class that a folder describes, on a body's own parameters and buffers.

    The folder holds config.json (the whole network's) and what PEFT saves of an adapter. What both have
    is one storage, which nothing here writes to; what the adapter adds takes the body's precision.
    Raises `TourError` (LOAD_FAILED) if a weight is missing or has no place.
    """
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    network: transformers.PreTrainedModel
    with torch.device("meta"):
        network = auto.from_config(config, dtype=body.dtype, trust_remote_code=False)
    try:
        _share(body.network, network.base_model)
        _adapt(network, folder, body)
        if gaps := [name for name, tensor in network.named_parameters() if tensor.is_meta]:
            raise _UnfitError(f"neither its adapter nor its body has weights for {gaps[0]}")
    except _UnfitError as error:
        raise TourError(Code.LOAD_FAILED, f"{checkpoint.id} could not be loaded: {error}.") from error
    return network


def _share(body: torch.nn.Module, network: torch.nn.Module) -> None:
    """Let `network`, on the meta device, have the body's tensors."""
    try:
        # The state's tensors are detached: new objects on the same storage, so that no flag is shared.
        extra = network.load_state_dict(body.state_dict(), strict=False, assign=True).unexpected_keys
    except RuntimeError as error:
        raise _UnfitError(f"its config.json does not fit its body ({error})") from error
    extra = [name for name in extra if not name.startswith("pooler.")]  # which not every task reads
    if extra:
        raise _UnfitError(f"its config.json leaves no place for its body's {extra[0]}")
    for name, buffer in body.named_buffers():  # those that no state holds, such as position ids
        path, _, leaf = name.rpartition(".")
        setattr(network.get_submodule(path), leaf, buffer)


def _adapt(network: transformers.PreTrainedModel, folder: Path, body: LoadedModel) -> None:
    """Put PEFT's layers into `network`, with their weights; modules saved whole replace the body's."""
    adapter = PeftConfig.from_pretrained(str(folder))
    adapter.inference_mode = True
    if getattr(adapter, "init_lora_weights", True) not in (True, False, "gaussian"):
        raise _UnfitError(TEXTS["own_initialization"])
    with torch.device("meta"):  # in this thread; PEFT's own way would put other threads' parameters there too
        inject_adapter_in_model(adapter, network)
    weights = {
        name.removeprefix(_PEFT_PREFIX): tensor.to(body.device, body.dtype)
        for name, tensor in load_file(folder / "adapter_model.safetensors").items()
    }
    try:
        loaded: Any = set_peft_model_state_dict(network, weights, low_cpu_mem_usage=True)  # no copy
    except KeyError as error:
        raise _UnfitError(f"its adapter has no weights for {error.args[0]}") from error
    if loaded.unexpected_keys:
        raise _UnfitError(f"it has no place for its adapter's {loaded.unexpected_keys[0]}")
    for path, module in list(network.named_modules()):
        if isinstance(module, ModulesToSaveWrapper):  # the original inside is of no use any more
            network.set_submodule(path, module.modules_to_save["default"])
