"""What a network is given for a look inside it, and what its tokens are called. Imports torch."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from components.insight.weights import Piece
from components.models.checkpoint import Head
from components.models.errors import Code, TourError
from components.tasks import stepwise
from components.tasks.explained import LONGEST
from components.tasks.fill_mask import MASK
from components.tasks.languages import AUTO
from components.tasks.task import Progress, map_progress
from components.tasks.translation import beam_search, routes
from components.tasks.windows import case_types
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

BEAMS = 4  # as the translation and summarization pages write
WRITTEN = 64  # tokens that an encoder-decoder writes at most where nothing is given


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A token put in the place of another, by which a second look differs from the first; no text for the
    token that stands for a gap, or for what is not known."""

    place: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Reading:
    """`inputs` [1, tokens] are the network's. `pieces` are the tokens that it reads; `given` those that an
    encoder-decoder's decoder is given, what is `written` after a token to begin with; empty if there is no
    such decoder."""

    inputs: Mapping[str, torch.Tensor]
    pieces: tuple[Piece, ...]
    given: tuple[Piece, ...] = ()
    written: str = ""
    notes: tuple[str, ...] = ()


def read(
    model: LoadedModel, text: str, text_pair: str = "", edit: Edit | None = None
) -> Generator[Progress, None, Reading]:
    """Two texts are read together by encoders, one after the other by decoders. An encoder-decoder reads the
    first and is given the second, or writes it itself. Raises `TourError`."""
    head = model.checkpoint.head
    if head is Head.SEQ2SEQ_LM:
        return (yield from _read_and_write(model, text, text_pair, edit))
    if head is Head.MASKED_LM:
        text, text_pair = (one.replace(MASK, str(model.tokenizer.mask_token)) for one in (text, text_pair))
    if head is Head.CAUSAL_LM:
        row = _row(model, model.tokenizer, [text + text_pair], second=len(text))
    else:
        row = _row(model, model.tokenizer, [text, *([text_pair] if text_pair.strip() else [])])
    row = _changed(model, row, edit)
    return Reading(inputs=_tensors(model, row.row), pieces=row.pieces, notes=row.cut("text"))


def reads(model: LoadedModel) -> int:
    """How many tokens are looked at: as many as the network has positions for, which may be more than the
    checkpoint is used with."""
    positions = getattr(model.network.config, "max_position_embeddings", model.checkpoint.token_limit)
    return min(LONGEST, positions)


@torch.inference_mode()
def _read_and_write(
    model: LoadedModel, text: str, text_pair: str, edit: Edit | None
) -> Generator[Progress, None, Reading]:
    route = _route(model)
    tokenizer = beam_search.tokenizer_for(model, route)
    row = _changed(model, _row(model, tokenizer, [route.prefix + text]), edit)
    source = _tensors(model, {name: row.row[name] for name in ("input_ids", "attention_mask")})
    config: Any = model.network.generation_config
    forced = route.first_token if route.first_token is not None else config.forced_bos_token_id
    first = [config.decoder_start_token_id, *([] if forced is None else [forced])]
    notes = row.cut("text")
    if text_pair.strip():
        own = tokenizer(text_target=text_pair, add_special_tokens=False, verbose=False)["input_ids"]
        ids = [*first, *own][: reads(model)]
        if len(ids) < len(first) + len(own):
            notes += (_cut("second text", len(ids), len(first) + len(own)),)
    else:
        longest = min(WRITTEN, reads(model) - 1)
        work = stepwise.generate(
            model.network,
            **source,
            max_new_tokens=longest,
            min_length=0,
            num_beams=BEAMS,
            do_sample=False,
            **({} if route.first_token is None else {"forced_bos_token_id": route.first_token}),
        )
        whole = yield from map_progress(work, lambda tokens: Progress("Writing", tokens / longest))
        ids = whole[0].tolist()
        if not _ends(ids[-1], config.eos_token_id) or len(ids) > longest:
            notes += (f"The model wrote more than {longest} tokens; the first {longest} are shown.",)
        ids = ids[:-1]  # nothing follows the last one
    return Reading(
        inputs={**source, "decoder_input_ids": torch.tensor([ids], device=model.device)},
        pieces=row.pieces,
        given=pieces_of(model, ids, sequence=1),
        written=str(tokenizer.decode(ids, skip_special_tokens=True)).strip(),
        notes=notes,
    )


def _ends(token: int, ends: int | Sequence[int]) -> bool:
    return token in (ends if isinstance(ends, Sequence) else (ends,))


def _route(model: LoadedModel) -> routes.Route:
    """To German where there is a choice, as the translation page opens with; of others, what they were told
    to do in training."""
    if "translation" not in model.checkpoint.tasks:
        tasks = getattr(model.network.config, "task_specific_params", None) or {}
        return routes.Route(source=AUTO, prefix=tasks.get("summarization", {}).get("prefix", ""))
    try:
        return routes.route(model, AUTO, "de")
    except TourError:
        return routes.route(model, AUTO, model.checkpoint.languages[-1])


# Tokens


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One row for the network, without what did not fit in."""

    row: Mapping[str, list[int]]
    pieces: tuple[Piece, ...]
    whole: int  # tokens that there were

    def cut(self, what: str) -> tuple[str, ...]:
        return () if self.whole <= len(self.pieces) else (_cut(what, len(self.pieces), self.whole),)


def _cut(what: str, looked_at: int, whole: int) -> str:
    return f"Only the first {looked_at:,} of {whole:,} tokens of the {what} are shown."


def _row(model: LoadedModel, tokenizer: Any, texts: Sequence[str], second: int | None = None) -> _Row:
    """`second` is where in a single text the second one begins."""
    whole = len(tokenizer(*texts, verbose=False)["input_ids"])
    encoded = tokenizer(*texts, truncation=True, max_length=reads(model))
    row = {name: encoded[name] for name in tokenizer.model_input_names if name in encoded}
    ids = row["input_ids"]
    if not tokenizer.is_fast:
        return _Row(row=row, pieces=pieces_of(model, ids, sequence=0), whole=whole)
    offsets, sequences = encoded.encodings[0].offsets, encoded.sequence_ids()
    if getattr(model.network.config, "marks_case", False):
        own = [pair if which == 0 else None for pair, which in zip(offsets, sequences, strict=True)]
        row["token_type_ids"] = case_types(texts[0], own)
    special = {*tokenizer.all_special_ids}
    names = tokenizer.convert_ids_to_tokens(ids)
    pieces = tuple(
        Piece(
            text=(texts[which or 0][start:end].strip() or "␣" * (end - start)) if end > start else name,
            id=id,
            special=which is None or id in special,
            word=word,
            sequence=int(which is not None and start >= second) if second is not None else which or 0,
        )
        for id, name, which, word, (start, end) in zip(
            ids, names, sequences, encoded.word_ids(), offsets, strict=True
        )
    )
    return _Row(row=row, pieces=pieces, whole=whole)


def pieces_of(model: LoadedModel, ids: Sequence[int], sequence: int) -> tuple[Piece, ...]:
    """Of tokens that are known by their ids alone; a word begins where a space does."""
    return tuple(_numbered(model.tokenizer, ids, sequence))


def _numbered(tokenizer: Any, ids: Sequence[int], sequence: int) -> Iterator[Piece]:
    special = {*tokenizer.all_special_ids}
    word = -1
    joins = False
    for id, name in zip(ids, tokenizer.convert_ids_to_tokens(list(ids)), strict=True):
        own = id in special
        shown = str(name) if own else str(tokenizer.convert_tokens_to_string([name]))
        opens = str(name).startswith(("▁", "Ġ")) or not any(map(str.isalnum, shown))
        if not own and (opens or not joins):
            word += 1
        joins = not own and any(map(str.isalnum, shown))
        yield Piece(
            text=shown.strip() or str(name),
            id=id,
            special=own,
            word=None if own else word,
            sequence=sequence,
        )


def _changed(model: LoadedModel, row: _Row, edit: Edit | None) -> _Row:
    if edit is None:
        return row
    tokenizer: Any = model.tokenizer
    if not 0 <= edit.place < len(row.pieces):
        raise TourError(
            Code.INVALID_INPUT,
            f"There is no token {edit.place} in this text. Pick one from 0 to {len(row.pieces) - 1}.",
            "place",
        )
    if edit.text.strip():
        found = tokenizer(f" {edit.text.strip()}", add_special_tokens=False)["input_ids"]
        if len(found) != 1:
            raise TourError(
                Code.INVALID_INPUT,
                TEXTS["several_tokens"].format(text=edit.text[:40], tokens=len(found)),
                "token",
            )
        id = found[0]
    else:
        gaps = (f"{kind}_token_id" for kind in ("mask", "unk", "pad", "eos"))
        id = next(found for name in gaps if (found := getattr(tokenizer, name)) is not None)
    ids = [*row.row["input_ids"]]
    ids[edit.place] = id
    name = tokenizer.convert_ids_to_tokens([id])[0]
    piece = replace(row.pieces[edit.place], id=id, text=edit.text.strip() or str(name))
    pieces = (*row.pieces[: edit.place], piece, *row.pieces[edit.place + 1 :])
    return replace(row, row={**row.row, "input_ids": ids}, pieces=pieces)


def _tensors(model: LoadedModel, row: Mapping[str, list[int]]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor([ids], device=model.device) for name, ids in row.items()}
