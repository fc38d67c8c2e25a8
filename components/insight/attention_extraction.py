"""One look at a text: the attention of every layer and head, and what it was made of. Imports torch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import eager_mask

from components.insight import reading
from components.insight import weights as shares
from components.insight.instrumented import instrumented_copy
from components.insight.reading import Edit, Reading
from components.insight.weights import Attentions, Kind, Piece, Stack, Vectors
from components.models.checkpoint import Head
from components.models.errors import Code, TourError
from components.tasks.task import Progress
from components.texts import in_folder

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

_WATCHED = "eager-watched"


def attend(
    model: LoadedModel, text: str, text_pair: str, edit: Edit | None = None
) -> Generator[Progress, None, Attentions]:
    """The attention of a text, or of two that are read together. Raises `TourError`."""
    yield Progress("Reading the text")
    read = yield from reading.read(model, text, text_pair, edit)
    network = instrumented_copy(model.network)
    record = _watch(network)
    output = _forward(network, read.inputs)
    if network.config.is_encoder_decoder:
        stacks = _both(model, read, output, record)
    else:
        kind: Kind = "decoder" if model.checkpoint.head is Head.CAUSAL_LM else "encoder"
        stacks = (_stack(model, kind, output.attentions, record, read.pieces, read.pieces),)
    return Attentions(stacks=stacks, tokens_used=len(read.pieces), written=read.written, notes=read.notes)


def _both(
    model: LoadedModel, read: Reading, output: Any, record: Sequence[tuple[Any, ...]]
) -> tuple[Stack, ...]:
    """Encoder, decoder and what is between them; a classifier's decoder reads the text again."""
    config = model.network.config
    if read.given:
        given = read.given
        # Each step reads the source for the token that comes next (alignment with the output, as in Kobayashi
        # et al. 2020), so that is what its row is called.
        ids = [*(piece.id for piece in given[1:]), config.eos_token_id]
        steps = reading.pieces_of(model, ids, sequence=1)
    else:
        ids = [config.decoder_start_token_id, *(piece.id for piece in read.pieces[:-1])]
        given, steps = reading.pieces_of(model, ids, sequence=0), read.pieces
    layers = len(output.encoder_attentions or ())
    return (
        _stack(model, "cross", output.cross_attentions, record[layers + 1 :: 2], steps, read.pieces),
        _stack(model, "encoder", output.encoder_attentions, record[:layers], read.pieces, read.pieces),
        _stack(model, "decoder", output.decoder_attentions, record[layers::2], given, given),
    )


@torch.inference_mode()
def _forward(network: PreTrainedModel, inputs: Mapping[str, torch.Tensor]) -> Any:
    return network(**inputs, output_attentions=True, return_dict=True, use_cache=False)


def _stack(
    model: LoadedModel,
    kind: Kind,
    attentions: Sequence[torch.Tensor | None] | None,
    record: Sequence[tuple[Any, ...]],
    rows: tuple[Piece, ...],
    columns: tuple[Piece, ...],
) -> Stack:
    expected = (len(rows), len(columns))
    if not attentions or any(one is None or one.shape[-2:] != expected for one in attentions):
        raise TourError(
            Code.UNSUITABLE_MODEL,
            TEXTS["no_attention"].format(model=model.checkpoint.id, kind=kind),
            "model",
        )
    return Stack(
        kind=kind,
        weights=np.stack(
            [shares.fixed(one[0].float().cpu().numpy()) for one in attentions if one is not None]
        ),
        rows=rows,
        columns=columns,
        causal=kind == "decoder",
        vectors=_vectors(record, len(attentions), expected),
    )


def _vectors(record: Sequence[tuple[Any, ...]], layers: int, size: tuple[int, int]) -> Vectors | None:
    queries, keys = [one[0] for one in record], [one[1] for one in record]
    shapes = {(query.shape[2], key.shape[2]) for query, key in zip(queries, keys, strict=True)}
    alike = len({query.shape for query in queries}) == 1 and len({key.shape for key in keys}) == 1
    if len(record) != layers or shapes != {size} or not alike:
        return None
    return Vectors(
        queries=np.concatenate([query.cpu().numpy() for query in queries]),
        keys=np.concatenate([key.cpu().numpy() for key in keys]),
        scale=float(record[0][2]),
    )


# Watching


Note = Callable[[Any, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor | None, float], None]


def watch(network: PreTrainedModel, note: Note) -> None:
    """Has an instrumented copy tell of each attention what goes into it: the module that computes it, queries
    [1, heads, rows, size], keys and values [1, heads, columns, size] (fewer heads where they are shared),
    what is added to the scores (mask and position bias), and what these are scaled by."""
    network.set_attn_implementation(_WATCHED)
    for module in network.modules():
        module.__dict__["_watched"] = note


def _watch(network: PreTrainedModel) -> list[tuple[Any, ...]]:
    """Has a copy note (queries, keys, scale) of each attention, in the order in which they are made."""
    record: list[tuple[Any, ...]] = []
    watch(network, lambda _, query, key, value, mask, scale: record.append((query.half(), key.half(), scale)))
    return record


def _watched(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *rest: Any,
    **more: Any,
) -> Any:
    """The architecture's own eager attention, with a note of what went in."""
    eager: Callable[..., Any] = vars(sys.modules[type(module).__module__])["eager_attention_forward"]
    scale = more.get("scaling")
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    added = [one for one in (attention_mask, more.get("position_bias")) if one is not None]
    module._watched(module, query, key, value, sum(added[1:], added[0]) if added else None, scale)
    return eager(module, query, key, value, attention_mask, *rest, **more)


AttentionInterface.register(_WATCHED, _watched)
AttentionMaskInterface.register(_WATCHED, eager_mask)
