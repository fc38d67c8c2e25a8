"""A translator that begins where a smaller one is, with another vocabulary and more layers."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import torch
from sentencepiece.sentencepiece_model_pb2 import ModelProto  # type: ignore[attr-defined]
from torch import nn
from transformers import MarianMTModel, MarianTokenizer

# Times that a character occurs from which on it gets a piece of its own.
_FREQUENT = 100
_SPACE = "\u2581"
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")


@torch.no_grad()
def grown(network: MarianMTModel, tokenizer: MarianTokenizer, folder: Path) -> None:
    """Give `network` what the translator in `folder`, of the same width, has learned.

    A piece that its vocabulary has not begins as the mean of the pieces that spell it. Layers beyond its last
    change nothing at first: they are that layer with nothing coming out of it.
    """
    old = MarianMTModel.from_pretrained(folder, dtype=torch.float32)
    known = MarianTokenizer.from_pretrained(folder)
    _embed(network, tokenizer, old, known)
    for stack, old_stack in (
        (network.model.encoder, old.model.encoder),
        (network.model.decoder, old.model.decoder),
    ):
        last = len(old_stack.layers) - 1
        for index, layer in enumerate(stack.layers):
            layer.load_state_dict(old_stack.layers[min(index, last)].state_dict())
            if index > last:
                _pass_on(layer)


def _embed(
    network: MarianMTModel, tokenizer: MarianTokenizer, old: MarianMTModel, known: MarianTokenizer
) -> None:
    table, bias = old.model.shared.weight, old.final_logits_bias[0]
    ids = known.get_vocab()
    rare = bias.new_tensor(float(bias.min()))
    for piece, index in tokenizer.get_vocab().items():
        if piece in ids:
            parts = [ids[piece]]
        elif _BYTE.fullmatch(piece):
            parts = []
        else:
            written = known.spm_source.encode(piece.replace(_SPACE, " ").strip(), out_type=str)
            if not piece.startswith(_SPACE) and written and written[0].startswith(_SPACE):
                written = [written[0][1:], *written[1:]]
            parts = [ids[part] for part in written if part in ids]
        if parts:
            network.model.shared.weight[index] = table[parts].mean(dim=0)
            network.final_logits_bias[0, index] = bias[parts].mean() if len(parts) == 1 else rare
        else:
            network.model.shared.weight[index] = table.mean(dim=0) + 0.1 * table.std() * torch.randn_like(
                table[0]
            )


def _pass_on(layer: nn.Module) -> None:
    """Make a layer's output its input: no branch adds anything, and norms restore what they take away."""
    for name, module in layer.named_modules():
        if isinstance(module, nn.Linear) and name.rsplit(".", 1)[-1] in ("out_proj", "fc2"):
            module.weight.zero_()
            module.bias.zero_()
    norms = [module for module in layer.modules() if isinstance(module, nn.LayerNorm)]
    # What the last norm gives out has this mean and deviation: Marian's layers end in it.
    mean = float(norms[-1].bias.mean())
    deviation = float((norms[-1].weight.square().mean() + norms[-1].bias.var()).sqrt())
    for norm in norms:
        norm.weight.fill_(deviation)
        norm.bias.fill_(mean)


def widened(folder: Path, place: Path, sentences: Iterable[str]) -> tuple[Path, list[str]]:
    """The SentencePiece model of the translator in `folder`, written into `place` so that it can write
    everything: with the characters that are frequent in the sentences, and bytes for all others. Text of
    characters that it knew has the pieces that it had.

    Returns the model's path and the words of its vocabulary, those that it had first.
    """
    model = ModelProto()
    model.ParseFromString((folder / "source.spm").read_bytes())
    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    words = sorted(vocabulary, key=lambda word: vocabulary[word])
    known = {piece.piece for piece in model.pieces}
    counts = Counter(chain.from_iterable(sentences))
    characters = [one for one, count in counts.most_common() if count >= _FREQUENT and not one.isspace()]
    lowest = min(piece.score for piece in model.pieces)
    for word, kind in (
        *((f"<0x{byte:02X}>", ModelProto.SentencePiece.BYTE) for byte in range(256)),
        *((character, ModelProto.SentencePiece.NORMAL) for character in characters),
    ):
        if word not in known:
            model.pieces.add(piece=word, score=lowest, type=kind)
            words.append(word)
    model.trainer_spec.byte_fallback = True
    model.trainer_spec.vocab_size = len(model.pieces)
    path = place / "shared.model"
    path.write_bytes(model.SerializeToString())
    return path, words
