"""From GGUF to safetensors, once. Imports torch and transformers: import this lazily."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from components.models import devices

logging.disable_progress_bar()


def convert(folder: Path, file: str, into: Path, token_limit: int) -> None:
    """Write the GGUF's weights as float32 safetensors, with config, tokenizer and chat template.

    Reading a GGUF takes some 20 times as long as reading safetensors, and Transformers refuses to
    save a network that came from one. Its state dict under a config that knows nothing of the
    quantisation is an ordinary checkpoint with the same logits.
    """
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file, local_files_only=True)
    tokenizer.model_max_length = token_limit
    tokenizer.save_pretrained(into)
    quantised = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=file, dtype=torch.float32, local_files_only=True
    )
    fields = quantised.config.to_dict()
    for stray in ("quantization_config", "_name_or_path", "_model_name_or_path"):
        fields.pop(stray, None)
    config = type(quantised.config).from_dict(fields)
    with torch.device("meta"):
        network = type(quantised)(config)
    network.load_state_dict(quantised.state_dict(), assign=True)
    network.tie_weights()
    network.generation_config = quantised.generation_config
    network.save_pretrained(into)
    del quantised, network
    devices.release(None)
