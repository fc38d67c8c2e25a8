"""Sends a text through a network and keeps what a visitor steps through. Imports torch."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from components.insight import lens, reading
from components.insight.anatomy import sketch, structure
from components.insight.anatomy.blocks import Block, Side, Sublayer, blocks, is_norm
from components.insight.anatomy.forward import Attended, Call, Pass, forward
from components.insight.anatomy.record import Ending, Heads, Journey, Stage
from components.insight.instrumented import instrumented_copy
from components.insight.weights import Floats
from components.models.checkpoint import Head
from components.tasks.task import Progress

if TYPE_CHECKING:
    from torch import Tensor

    from components.insight.reading import Reading
    from components.models.checkpoint import LoadedModel

TOP = 10  # tokens that a language model's head is shown with
SHOWN_LABELS = 50


def travel(model: LoadedModel, text: str, text_pair: str) -> Generator[Progress, None, Journey]:
    """One pass of a text, or of two that are read together. Raises `TourError`."""
    yield Progress("Reading the text")
    read = yield from reading.read(model, text, text_pair)
    yield Progress("Taking the network apart")
    return opened(model, read)[0]


@torch.inference_mode()
def opened(model: LoadedModel, read: Reading) -> tuple[Journey, Pass]:
    """With the pass that it was made from."""
    done = forward(instrumented_copy(model.network), read.inputs)
    found = blocks(done)
    parts = structure.parts(done, found)
    stages: list[Stage] = []
    for side in ("encoder", "decoder"):
        own = [block for block in found if block.side == side]
        if own:
            stages += _stages(done, side, own)
    journey = Journey(
        network=type(model.network).__name__,
        architecture=str(model.network.config.model_type),
        dtype=str(model.dtype).removeprefix("torch."),
        parts=parts,
        sketch=sketch.sketch(done, found),
        pieces=read.pieces,
        given=read.given,
        written=read.written,
        stages=stages,
        ending=_ending(model, read, done),
        notes=read.notes,
    )
    return journey, done


def _stages(done: Pass, side: Side, own: Sequence[Block]) -> Iterator[Stage]:
    """Of one side, from its embeddings to its final norm."""
    entering = _floats(own[0].call.given[0])
    yield from _embedded(done, side, own[0])
    state = entering
    for block in own:
        for step in block.steps:
            own_sublayers = [one for one in block.sublayers if one.step is step]
            for sublayer in own_sublayers:
                norm = next((one for one in sublayer.calls if one.name == sublayer.norm), None)
                if norm is not None:
                    yield _norm(side, block.index, norm, state, _floats(norm.output[0]), on_stream=False)
                ends = sublayer is own_sublayers[-1] and step.norm is None
                whole = ends or sublayer.kind == "block"
                before = state
                state = _floats(step.state[0]) if whole else state + _floats(sublayer.writer.output[0])
                yield _written(side, block, sublayer, before, state)
            if step.norm is not None:
                before, state = state, _floats(step.state[0])
                yield _norm(side, block.index, step.norm, before, state, on_stream=True)
    last = own[-1].call
    for call in done.calls:
        if call.begin > last.end and is_norm(call) and call.given is last.output:
            yield _norm(side, -1, call, state, _floats(call.output[0]), on_stream=True)
            return


def _norm(side: Side, block: int, call: Call, before: Floats, after: Floats, *, on_stream: bool) -> Stage:
    kind = structure.norm_kind(call.module)
    return Stage(
        kind=kind, side=side, block=block, part=call.name, before=before, after=after, on_stream=on_stream
    )


def _written(side: Side, block: Block, sublayer: Sublayer, before: Floats, after: Floats) -> Stage:
    neurons = None
    if sublayer.kind == "feed-forward" and sublayer.projection:
        down = next(one for one in reversed(sublayer.calls) if one.name == sublayer.projection)
        if down.given.dim() == 3 and down.given.numel():
            neurons = down.given[0].half().cpu().numpy()
    return Stage(
        kind=sublayer.kind,
        side=side,
        block=block.index,
        part=sublayer.attention.name if sublayer.attention else sublayer.module,
        before=before,
        after=after,
        on_stream=True,
        heads=None if sublayer.attention is None else _heads(sublayer.attention),
        neurons=neurons,
        projection=sublayer.projection,
    )


def _heads(one: Attended) -> Heads:
    return Heads(
        queries=_floats(one.queries),
        keys=_floats(one.keys),
        values=_floats(one.values),
        added=None if one.added is None else _floats(one.added),
        scale=one.scale,
    )


# Where the stream begins


def _embedded(done: Pass, side: Side, first: Block) -> Iterator[Stage]:
    """Tables whose rows are added up, and a norm; as a whole where that is not what makes the stream."""
    entering = first.call.given[0]
    before = [one for one in done.calls if one.end < first.call.begin and _of_side(done, one, side)]
    norm = next((one for one in before if is_norm(one) and one.output is first.call.given), None)
    target = entering if norm is None else norm.given[0]
    tables = [one for one in before if _is_table(one) and one.output.shape[-1] == target.shape[-1]]
    rows = [one.output.reshape(-1, target.shape[-1]) for one in tables]
    rows = [one.expand_as(target) for one in rows if len(one) in (1, len(target))]
    whole = sum(rows, torch.zeros_like(target))
    zero = np.zeros(target.shape, np.float32)
    if len(rows) != len(tables) or not torch.allclose(whole.float(), target.float(), rtol=1e-2, atol=1e-4):
        part = tables[0].name if tables else ""
        yield Stage(
            kind="embeddings",
            side=side,
            block=-1,
            part=part,
            before=zero,
            after=_floats(entering),
            on_stream=True,
        )
        return
    state = zero
    for call, row in zip(tables, rows, strict=True):
        after = state + _floats(row)
        kind = structure.kind_of(call.name, call.module, done.network.config)
        yield Stage(kind=kind, side=side, block=-1, part=call.name, before=state, after=after, on_stream=True)
        state = after
    if norm is not None:
        yield _norm(side, -1, norm, state, _floats(entering), on_stream=True)


def _of_side(done: Pass, call: Call, side: Side) -> bool:
    if not done.network.config.is_encoder_decoder:
        return True
    return side in call.name.split(".")


def _is_table(call: Call) -> bool:
    """A lookup: a table of vectors that takes no numbers but ids."""
    weight = dict(call.module.named_parameters(recurse=False)).get("weight")
    looked_up = "Embedding" in type(call.module).__name__ and not any(True for _ in call.module.children())
    return looked_up and (weight is None or weight.dim() == 2) and call.output.dim() >= 2


def _floats(tensor: Tensor) -> Floats:
    return tensor.float().cpu().numpy()


# Where it ends


def _ending(model: LoadedModel, read: Reading, done: Pass) -> Ending:
    head, output = model.checkpoint.head, done.output
    if head in (Head.CAUSAL_LM, Head.SEQ2SEQ_LM, Head.MASKED_LM):
        logits = output.logits[0].float()
        best = logits.topk(TOP, dim=-1)
        chances = (best.values - logits.logsumexp(dim=-1, keepdim=True)).exp()
        return Ending(
            kind="tokens",
            names=[lens.shown(model.tokenizer, row) for row in best.indices.tolist()],
            logits=_rounded(best.values),
            probabilities=_rounded(chances),
            next=head is not Head.MASKED_LM,
        )
    if head is Head.QUESTION_ANSWERING:
        places = [f"{place}: {piece.text}" for place, piece in enumerate(read.pieces)]
        both = torch.stack([output.start_logits[0], output.end_logits[0]]).float()
        best = both.topk(min(TOP, both.shape[-1]), dim=-1)
        return Ending(
            kind="spans",
            names=[[places[place] for place in row] for row in best.indices.tolist()],
            logits=_rounded(best.values),
            probabilities=_rounded(both.softmax(dim=-1).gather(-1, best.indices)),
            next=False,
        )
    if getattr(output, "logits", None) is not None:
        logits = output.logits.float()
        rows = logits[0] if logits.dim() == 3 else logits
        count = min(SHOWN_LABELS, rows.shape[-1])
        best = rows.topk(count, dim=-1)
        names: Any = model.network.config.id2label
        multiple = model.network.config.problem_type == "multi_label_classification"
        chances = rows.sigmoid() if multiple else rows.softmax(dim=-1)
        return Ending(
            kind="token-labels" if logits.dim() == 3 else "labels",
            names=[[str(names[place]) for place in row] for row in best.indices.tolist()],
            logits=_rounded(best.values),
            probabilities=_rounded(chances.gather(-1, best.indices)),
            next=False,
        )
    vector = output.last_hidden_state[0].float().mean(dim=0)
    return Ending(kind="vector", names=[[]], logits=_rounded(vector[None]), probabilities=None, next=False)


def _rounded(rows: Tensor) -> list[list[float]]:
    return [[round(value, 6) for value in row] for row in rows.cpu().double().tolist()]
