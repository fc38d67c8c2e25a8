"""One look at a text: the attention of every layer and head, and what it was made of. Imports torch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import eager_mask

from components.insight import weights as shares
from components.insight.attention import LONGEST
from components.insight.twin import twin
from components.insight.weights import Attentions, Kind, Piece, Stack, Vectors
from components.models.checkpoint import Head
from components.models.errors import Code, TourError
from components.tasks import stepwise, translating, translators
from components.tasks.languages import AUTO
from components.tasks.task import Progress, told
from components.tasks.windows import case_types

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from components.models.checkpoint import LoadedModel

BEAMS = 4
WRITTEN = 64  # tokens that an encoder-decoder writes at most where nothing is given
_WATCHED = "eager-watched"


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A token put in the place of another, by which a second look differs from the first; no text for the
    token that stands for a gap, or for what is not known."""

    place: int
    text: str


@dataclass(frozen=True)
class _Read:
    """A row for the network, and what its tokens are."""

    row: dict[str, list[int]]
    pieces: tuple[Piece, ...]
    all_tokens: int

    @property
    def ids(self) -> list[int]:
        return self.row["input_ids"]


def attend(
    model: LoadedModel, text: str, text_pair: str, edit: Edit | None = None
) -> Generator[Progress, None, Attentions]:
    """The attention of a text, or of two that are read together. Raises `TourError`."""
    yield Progress("Reading the text")
    network = twin(model.network)
    record = _watch(network)
    if model.network.config.is_encoder_decoder:
        return (yield from _attend_both(model, network, record, text, text_pair, edit))
    causal = model.checkpoint.head is Head.CAUSAL_LM
    read = _changed(model, _read(model, text, text_pair, causal=causal), edit)
    output = _forward(network, **_tensors(model, read.row))
    kind: Kind = "decoder" if causal else "encoder"
    return Attentions(
        stacks=(_stack(model, kind, output.attentions, record, read.pieces, read.pieces),),
        tokens_used=len(read.ids),
        written="",
        notes=_cut(read, "text"),
    )


def _attend_both(
    model: LoadedModel,
    network: PreTrainedModel,
    record: list[tuple[Any, ...]],
    text: str,
    text_pair: str,
    edit: Edit | None,
) -> Generator[Progress, None, Attentions]:
    writes = model.checkpoint.head is Head.SEQ2SEQ_LM
    route = _route(model)
    read = _read(model, route.prefix + text, "" if writes else text_pair, route=route)
    read = _changed(model, replace(read, row={"input_ids": read.ids}), edit)
    source = _tensors(model, read.row)
    source["attention_mask"] = torch.ones_like(source["input_ids"])
    written: list[int] = []
    notes = _cut(read, "text")
    if writes:
        written, more = yield from _writing(model, source, text_pair, route)
        notes += more
        source["decoder_input_ids"] = torch.tensor([written], device=model.device)
    output = _forward(network, **source)
    # A classifier's decoder reads the text again; otherwise it is what is written.
    end = model.network.config.eos_token_id
    given = written or [model.network.config.decoder_start_token_id, *read.ids[:-1]]
    rows = _pieces_of(model, given, sequence=int(writes))
    # Each step reads the source for the token that comes next (alignment with the output, as in Kobayashi et
    # al. 2020), so that is what its row is called.
    steps = _pieces_of(model, [*written[1:], end], sequence=1) if writes else read.pieces
    yield Progress("Drawing")
    layers = len(output.encoder_attentions or ())
    return Attentions(
        stacks=(
            _stack(model, "cross", output.cross_attentions, record[layers + 1 :: 2], steps, read.pieces),
            _stack(model, "encoder", output.encoder_attentions, record[:layers], read.pieces, read.pieces),
            _stack(model, "decoder", output.decoder_attentions, record[layers::2], rows, rows),
        ),
        tokens_used=len(read.ids),
        written=str(model.tokenizer.decode(written, skip_special_tokens=True)).strip(),
        notes=notes,
    )


def _writing(
    model: LoadedModel, source: dict[str, torch.Tensor], given: str, route: translators.Route
) -> Generator[Progress, None, tuple[list[int], tuple[str, ...]]]:
    """What the decoder is given: `given`, or what the model writes itself. And what is to be told of it."""
    config = model.network.config
    first = [config.decoder_start_token_id]
    if route.first_token is not None:
        first.append(route.first_token)
    if given.strip():
        ids = list(model.tokenizer(text_target=given, verbose=False)["input_ids"])
        ids = first + [id for id in ids if id not in (*first, config.eos_token_id)]
        most = reads(model)
        notes = f"Of the second text, the first {most:,} of {len(ids):,} tokens are looked at."
        return ids[:most], (notes,) if len(ids) > most else ()
    work = stepwise.generate(
        model.network,
        **source,
        max_new_tokens=WRITTEN,
        num_beams=BEAMS,
        do_sample=False,
        **({} if route.first_token is None else {"forced_bos_token_id": route.first_token}),
    )
    whole = yield from told(work, lambda tokens: Progress("Writing", tokens / WRITTEN))
    ids = whole[0].tolist()
    ended = config.eos_token_id in ids[1:]
    ids = ids[:1] + [id for id in ids[1:] if id != config.eos_token_id]
    return ids, () if ended else (f"What is written ends after {WRITTEN} tokens, before the model was done.",)


@torch.inference_mode()
def _forward(network: PreTrainedModel, **inputs: torch.Tensor) -> Any:
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
            f"{model.checkpoint.id} does not tell its {kind} attention in a way that could be shown. Pick "
            "another model.",
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


def _watch(network: PreTrainedModel) -> list[tuple[Any, ...]]:
    """Has a twin note (queries, keys, scale) of each attention, in the order in which they are made."""
    record: list[tuple[Any, ...]] = []
    network.set_attn_implementation(_WATCHED)
    for module in network.modules():
        module.__dict__["_watched"] = record
    return record


def _watched(
    module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *rest: Any, **more: Any
) -> Any:
    """The architecture's own eager attention, with a note of what went in."""
    eager: Callable[..., Any] = vars(sys.modules[type(module).__module__])["eager_attention_forward"]
    scale = more.get("scaling")
    module._watched.append((query.half(), key.half(), query.shape[-1] ** -0.5 if scale is None else scale))
    return eager(module, query, key, value, *rest, **more)


AttentionInterface.register(_WATCHED, _watched)
AttentionMaskInterface.register(_WATCHED, eager_mask)


# Tokens


def _read(
    model: LoadedModel,
    text: str,
    text_pair: str = "",
    *,
    causal: bool = False,
    route: translators.Route | None = None,
) -> _Read:
    """At most `LONGEST` tokens, or as many as the model reads; special ones are kept."""
    tokenizer: Any = model.tokenizer if route is None else translating.tokenizer_for(model, route)
    limit = reads(model)
    texts = [text + text_pair] if causal or not text_pair.strip() else [text, text_pair]
    whole = len(tokenizer(*texts, verbose=False)["input_ids"])
    encoded = tokenizer(*texts, truncation=True, max_length=limit)
    row = {name: encoded[name] for name in tokenizer.model_input_names if name in encoded}
    ids = row["input_ids"]
    if not tokenizer.is_fast:
        return _Read(row, _pieces_of(model, ids, sequence=0), whole)
    offsets = encoded.encodings[0].offsets
    sequences = encoded.sequence_ids()
    if getattr(model.network.config, "marks_case", False):
        own = [pair if which == 0 else None for pair, which in zip(offsets, sequences, strict=True)]
        row["token_type_ids"] = case_types(text, own)
    special = set(tokenizer.all_special_ids)
    pieces = tuple(
        Piece(
            text=(texts[which or 0][start:end].strip() or "␣" * (end - start)) if end > start else token,
            id=id,
            special=which is None or id in special,
            word=word,
            sequence=_second(texts, which, start, len(text)),
        )
        for id, token, which, word, (start, end) in zip(
            ids, tokenizer.convert_ids_to_tokens(ids), sequences, encoded.word_ids(), offsets, strict=True
        )
    )
    return _Read(row, pieces, whole)


def reads(model: LoadedModel) -> int:
    """How many tokens are looked at: as many as the network has positions for, which may be more than the
    checkpoint is used with."""
    return min(
        LONGEST, getattr(model.network.config, "max_position_embeddings", model.checkpoint.token_limit)
    )


def _second(texts: Sequence[str], which: int | None, start: int, first: int) -> int:
    """Which text a token is of; what goes on after the first is the second of a causal model."""
    if len(texts) == 1:
        return int(which is not None and start >= first)
    return which or 0


def _pieces_of(model: LoadedModel, ids: Sequence[int], sequence: int) -> tuple[Piece, ...]:
    """Of tokens that are known by their ids alone; a word begins where a space does."""
    tokenizer: Any = model.tokenizer
    special = set(tokenizer.all_special_ids)
    return tuple(_numbered(tokenizer, ids, special, sequence))


def _numbered(tokenizer: Any, ids: Sequence[int], special: set[int], sequence: int) -> Iterator[Piece]:
    word = -1
    joins = False
    for id, token in zip(ids, tokenizer.convert_ids_to_tokens(list(ids)), strict=True):
        own = id in special
        shown = str(tokenizer.convert_tokens_to_string([token])) if not own else str(token)
        opens = str(token).startswith(("▁", "Ġ")) or not any(map(str.isalnum, shown))
        if not own and (opens or not joins):
            word += 1
        joins = not own and any(map(str.isalnum, shown))
        yield Piece(
            text=shown.strip() or str(token),
            id=id,
            special=own,
            word=None if own else word,
            sequence=sequence,
        )


def _changed(model: LoadedModel, read: _Read, edit: Edit | None) -> _Read:
    if edit is None:
        return read
    tokenizer: Any = model.tokenizer
    if not 0 <= edit.place < len(read.ids):
        raise TourError(Code.INVALID_INPUT, f"There is no token {edit.place} in this text.", "place")
    if edit.text.strip():
        found = tokenizer(f" {edit.text.strip()}", add_special_tokens=False)["input_ids"]
        if len(found) != 1:
            raise TourError(
                Code.INVALID_INPUT,
                f"“{edit.text[:40]}” is {len(found)} tokens of this model; put a single token there, so that "
                "the two runs can be laid over each other.",
                "token",
            )
        id = found[0]
    else:
        gaps = (f"{kind}_token_id" for kind in ("mask", "unk", "pad", "eos"))
        id = next(found for name in gaps if (found := getattr(tokenizer, name)) is not None)
    ids = [*read.ids]
    ids[edit.place] = id
    token = tokenizer.convert_ids_to_tokens([id])[0]
    piece = replace(read.pieces[edit.place], id=id, text=edit.text.strip() or str(token))
    pieces = (*read.pieces[: edit.place], piece, *read.pieces[edit.place + 1 :])
    return replace(read, row={**read.row, "input_ids": ids}, pieces=pieces)


def _route(model: LoadedModel) -> translators.Route:
    """To German where there is a choice, as the translation page opens with."""
    if "translation" not in model.checkpoint.tasks:
        return translators.Route(source=AUTO)
    try:
        return translators.route(model, AUTO, "de")
    except TourError:
        return translators.route(model, AUTO, model.checkpoint.languages[-1])


def _tensors(model: LoadedModel, row: dict[str, list[int]]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor([ids], device=model.device) for name, ids in row.items()}


def _cut(read: _Read, what: str) -> tuple[str, ...]:
    if read.all_tokens <= len(read.ids):
        return ()
    return (f"The {what} has {read.all_tokens:,} tokens; the first {len(read.ids):,} are looked at.",)
