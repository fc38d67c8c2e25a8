"""What a network holds of texts between its layers, as one vector per text. Imports torch."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
import transformers

from components.lab.work import Work
from components.models import devices
from components.models.checkpoint import Checkpoint, Head, LoadedModel
from components.models.errors import Code, TourError
from components.models.loading import load
from components.tasks.network import batches
from components.texts import in_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXTS = in_folder(__file__)

Pooling = Literal["mean", "first"]

_BLOCK = 1000  # texts that are tokenised at a time
_ALL = 64_000_000  # bytes of vectors up to which every layer is kept, so that showing another costs nothing


@dataclass(frozen=True, kw_only=True, eq=False)
class Hidden:
    """`vectors` fp32 [rows, width] of layer `layer` of `layers` (0: the embeddings; `layers`: the last).
    `cut` counts texts that are longer than the checkpoint's token limit, of which the start was read."""

    vectors: np.ndarray
    layer: int
    layers: int
    cut: int


def hidden_states(work: Work, rows: np.ndarray, layer: int, pooling: Pooling) -> Hidden:
    """Of rows of the run's data, from its base; a layer of -1 is the last.

    Of two texts u and v in a row the vectors are [u, v, |u - v|, u v] (Conneau et al. 2017,
    https://arxiv.org/abs/1705.02364).

    `mean` is the mean over a text's tokens, special ones too. `first` is the first token, where encoders
    such as BERT gather what a classifier reads (CLS); of a decoder it is the last token, the only one that
    has seen the whole text. Vectors are kept beside the data, and the network is only loaded if some are
    missing. Raises `TourError` for a layer that there is none of.
    """
    about = work.data.about
    first = _of_column(work, about.text, rows, layer, pooling)
    if about.pair is None:
        return first
    second = _of_column(work, about.pair, rows, layer, pooling)
    u, v = first.vectors, second.vectors
    return replace(
        first, vectors=np.concatenate([u, v, np.abs(u - v), u * v], axis=1), cut=first.cut + second.cut
    )


def _of_column(work: Work, column: str, rows: np.ndarray, layer: int, pooling: Pooling) -> Hidden:
    base, data = work.base, work.data
    if base is None:
        raise ValueError("there is no base to read texts with")
    folder = work.base_folder()
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    layers = int(config.get_text_config().num_hidden_layers)
    if layer > layers:
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["no_layer"].format(model=base.title, layers=layers),
            "layer",
        )
    wanted = layers if layer < 0 else layer
    name = json.dumps([column, base.id, repr(base.source), pooling])
    store = _Store(data.folder / "hidden" / hashlib.sha256(name.encode()).hexdigest()[:24])
    missing = store.missing(wanted, rows)
    if len(missing):
        width = int(config.get_text_config().hidden_size)
        every = len(missing) * width * 4 * (layers + 1) <= _ALL
        kept = range(layers + 1) if every else range(wanted, wanted + 1)
        work.progress("Loading the model")
        model = load(base, folder, devices.pick(work.settings.device), torch.float32)
        vectors, cut = _compute(work, model, data.column(column, missing), kept, pooling)
        for index, part in zip(kept, vectors, strict=True):
            store.add(index, missing, part, cut)
    found, cut = store.read(wanted, rows)
    return Hidden(vectors=found, layer=wanted, layers=layers, cut=int(cut.sum()))


def cut_note(cut: int, limit: int) -> str | None:
    """What to tell the visitor of texts that were cut."""
    if not cut:
        return None
    texts = "1 text is" if cut == 1 else f"{cut:,} texts are"
    return f"{texts} longer than {limit:,} tokens: what comes after was not read."


@torch.inference_mode()
def _compute(
    work: Work, model: LoadedModel, texts: Sequence[str], layers: range, pooling: Pooling
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors fp32 [layers, texts, width], and whether a text was cut [texts]."""
    network = model.network.base_model
    limit = model.checkpoint.token_limit
    parts = None
    cut = np.zeros(len(texts), dtype=bool)
    done = 0
    for start in range(0, len(texts), _BLOCK):
        encoded = model.tokenizer(texts[start : start + _BLOCK], truncation=True, max_length=limit)
        tokens = [ids or [0] for ids in encoded["input_ids"]]
        cut[start : start + len(tokens)] = [bool(one.overflowing) for one in encoded.encodings]
        for batch in batches([len(ids) for ids in tokens], model):
            rows = [torch.tensor(tokens[index]) for index in batch]
            input_ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True).to(model.device)
            lengths = torch.tensor([len(row) for row in rows], device=model.device)
            mask = torch.arange(input_ids.shape[1], device=model.device) < lengths[:, None]
            states = network(
                input_ids=input_ids, attention_mask=mask.long(), output_hidden_states=True
            ).hidden_states
            pooled = torch.stack([_pool(states[layer], mask, pooling, model.checkpoint) for layer in layers])
            if parts is None:
                parts = np.empty((len(layers), len(texts), pooled.shape[2]), dtype=np.float32)
            parts[:, [start + index for index in batch]] = pooled.float().cpu().numpy()
            done += len(batch)
            work.progress("Reading texts", done / len(texts))
    if parts is None:
        raise ValueError("there are no texts")
    return parts, cut


def _pool(states: torch.Tensor, mask: torch.Tensor, pooling: Pooling, checkpoint: Checkpoint) -> torch.Tensor:
    """Hidden states [texts, tokens, width] to [texts, width]; `mask` [texts, tokens] is of real tokens."""
    if pooling == "mean":
        return (states * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
    if checkpoint.head is Head.CAUSAL_LM:
        return states[torch.arange(len(states), device=states.device), mask.sum(dim=1) - 1]
    return states[:, 0]


class _Store:
    """A file for each layer: vectors of some rows, in the rows' order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def missing(self, layer: int, rows: np.ndarray) -> np.ndarray:
        return np.setdiff1d(rows, self._load(layer)[0])

    def read(self, layer: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Vectors [rows, width], and whether a text was cut [rows]."""
        known, vectors, cut = self._load(layer)
        places = np.searchsorted(known, rows)
        return vectors[places], cut[places]

    def add(self, layer: int, rows: np.ndarray, vectors: np.ndarray, cut: np.ndarray) -> None:
        known = self._load(layer)
        if len(known[0]):
            rows, vectors, cut = (
                np.concatenate(pair) for pair in zip(known, (rows, vectors, cut), strict=True)
            )
        rows, first = np.unique(rows, return_index=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        written = self._folder / f"{layer}.new.npz"
        np.savez(written, rows=rows, vectors=vectors[first], cut=cut[first])
        written.replace(self._folder / f"{layer}.npz")

    def _load(self, layer: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        file = self._folder / f"{layer}.npz"
        if not file.is_file():
            return np.empty(0, np.int64), np.empty((0, 0), np.float32), np.empty(0, bool)
        with np.load(file) as content:
            return content["rows"], content["vectors"], content["cut"]
