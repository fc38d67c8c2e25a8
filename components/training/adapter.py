"""Networks under a new head: with low-rank adapters (Hu et al. 2021, https://arxiv.org/abs/2106.09685), most
often on the shared MiniLM body, or with every weight to be trained."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model, set_peft_model_state_dict
from safetensors.torch import load_file
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from components.models.catalog import load_catalog
from components.models.settings import Settings, default_cache_dir
from components.models.sources import Sources

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from components.training.recipe import Recipe

BODY = "all-MiniLM-L6-v2"
UPSTREAM = f"sentence-transformers/{BODY}"

# What configurations call the dropout of hidden states, and that of attention weights.
_DROPOUT = ("hidden_dropout_prob", "dropout", "resid_pdrop", "embd_pdrop")
_ATTENTION_DROPOUT = ("attention_probs_dropout_prob", "attention_dropout", "attn_pdrop")


def body_folder() -> Path:
    """The body's files, fetched first if this host has not got them."""
    return Sources(Settings(cache_dir=default_cache_dir())).fetch(
        load_catalog()[BODY], lambda *_: None, nullcontext
    )


def body_tokenizer(folder: Path | None = None) -> PreTrainedTokenizerBase:
    """That of the body, or of another checkpoint; one without a token to fill rows with takes its last one,
    as classifiers on decoders look for the last token before those."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder or body_folder(), local_files_only=True)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.bos_token or tokenizer.unk_token
    return tokenizer


def headed(recipe: Recipe, architecture: str, folder: Path, **config: Any) -> PreTrainedModel:
    """The network of a folder's checkpoint with a new head, in fp32; `config` goes into its config.json."""
    settings = transformers.AutoConfig.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, **config
    )
    for name in _DROPOUT:
        if hasattr(settings, name):
            setattr(settings, name, recipe.dropout)
    for name in _ATTENTION_DROPOUT:  # with it, PyTorch's attention takes its slow path on CPUs
        if hasattr(settings, name):
            setattr(settings, name, 0.0)
    network: PreTrainedModel = getattr(transformers, architecture).from_pretrained(
        folder,
        config=settings,
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=False,
        dtype=torch.float32,
    )
    return network


def adapted(
    recipe: Recipe,
    architecture: str,
    save: list[str] | None = None,
    *,
    folder: Path | None = None,
    **config: Any,
) -> PeftModel:
    """The body, or the checkpoint in `folder`, with a new head and LoRA matrices on every linear layer.

    `save` names the modules that are trained in full, the head among them; by default they are what is not
    the pretrained network, and its pooler. `config` goes into the checkpoint's config.json.
    """
    network = headed(recipe, architecture, folder or body_folder(), **config)
    lora = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.rank,
        target_modules=_linear_layers(network),
        modules_to_save=_head(network) if save is None else save,
    )
    return get_peft_model(network, lora)


def load(network: PeftModel, folder: Path) -> None:
    """Give an adapted network what the adapter in `folder`, of the same rank, has learned."""
    weights = {
        name: tensor.float() for name, tensor in load_file(folder / "adapter_model.safetensors").items()
    }
    found: Any = set_peft_model_state_dict(network, weights)
    if found.unexpected_keys:
        raise ValueError(f"{folder} has weights for which there is no place: {found.unexpected_keys[0]}")


def export(network: PeftModel, folder: Path, base: str = UPSTREAM, **config: Any) -> None:
    """Write the adapter in half precision and the whole network's config.json; `base` is the name by which
    others know the body."""
    network.peft_config["default"].base_model_name_or_path = base
    inner = cast(PreTrainedModel, network.base_model.model)
    inner.config.update(config)
    inner.config.architectures = [type(inner).__name__]
    network.half().save_pretrained(str(folder), save_embedding_layers=False)  # "auto" would ask the Hub
    inner.config.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's template; the card is written from the evaluation


def export_whole(network: torch.nn.Module, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write all weights in half precision, an adapter's added to those that they change."""
    whole = network.merge_and_unload() if isinstance(network, PeftModel) else network
    cast(PreTrainedModel, whole).half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _linear_layers(network: PreTrainedModel) -> str:
    """A pattern of the names of a pretrained network's linear layers, without the pooler's."""
    linear = {
        name.rpartition(".")[2]
        for name, module in network.base_model.named_modules()
        if isinstance(module, torch.nn.Linear | Conv1D) and not name.startswith("pooler.")
    }
    return rf"{network.base_model_prefix}\.(?!pooler\.).*\.({'|'.join(sorted(linear))})"


def _head(network: PreTrainedModel) -> list[str]:
    """The modules with weights of which the checkpoint below has none, or has learned for another end."""
    head = [
        name
        for name, module in network.named_children()
        if name != network.base_model_prefix and any(True for _ in module.parameters())
    ]
    pooler = getattr(network.base_model, "pooler", None)
    return head if pooler is None else ["pooler", *head]
