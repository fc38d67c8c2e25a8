"""Low-rank adapters on the shared MiniLM body (Hu et al. 2021, https://arxiv.org/abs/2106.09685)."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel

from components.models.catalog import load_catalog
from components.models.settings import Settings, default_cache_dir
from components.models.sources import Sources

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from components.training.recipe import Recipe

BODY = "all-MiniLM-L6-v2"
UPSTREAM = f"sentence-transformers/{BODY}"


def body_folder() -> Path:
    """The body's files, fetched first if this host has not got them."""
    return Sources(Settings(cache_dir=default_cache_dir())).fetch(
        load_catalog()[BODY], lambda *_: None, nullcontext
    )


def body_tokenizer() -> PreTrainedTokenizerBase:
    return transformers.AutoTokenizer.from_pretrained(body_folder(), local_files_only=True)


def adapted(recipe: Recipe, architecture: str, save: list[str], **config: Any) -> PeftModel:
    """The body with a new head and LoRA matrices on every linear layer of its encoder.

    `save` names the modules that are trained in full, the head among them. `config` goes into
    the checkpoint's config.json.
    """
    network = getattr(transformers, architecture).from_pretrained(
        body_folder(),
        local_files_only=True,
        hidden_dropout_prob=recipe.dropout,
        attention_probs_dropout_prob=0.0,  # with it, PyTorch's attention takes its slow path on CPUs
        dtype=torch.float32,
        **config,
    )
    lora = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.rank,
        target_modules=r".*\.encoder\..*\.(query|key|value|dense)",
        modules_to_save=save,
    )
    return get_peft_model(network, lora)


def export(network: PeftModel, folder: Path, **config: Any) -> None:
    """Write the adapter in half precision and the whole network's config.json."""
    network.peft_config["default"].base_model_name_or_path = UPSTREAM
    base = cast(PreTrainedModel, network.base_model.model)
    base.config.update(config)
    base.config.architectures = [type(base).__name__]
    network.half().save_pretrained(str(folder), save_embedding_layers=False)  # "auto" would ask the Hub
    base.config.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's template; the card is written from the evaluation
