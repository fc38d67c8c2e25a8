"""What a network says of a text, whatever its head is, so that two runs can be compared. Imports torch."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from components.insight import reading
from components.insight.difference import Choice, Difference, Predicts
from components.insight.lens import shown
from components.models.checkpoint import Head
from components.tasks import network as networks
from components.tasks import stepwise
from components.tasks.scores import several_labels
from components.tasks.task import Progress, map_progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from transformers import PreTrainedModel

    from components.insight.reading import Reading
    from components.models.checkpoint import LoadedModel

WRITTEN = 12  # tokens that a model goes on with
SHOWN = 5  # of the likeliest
ANSWER = 30  # tokens that an answer has at most


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`states` [tokens, width] are those after the last layer, of what writes its decoder's.
    `scores` [rows, choices] are probabilities, one row but for labels of tokens; a vector has none. `name`
    spells a choice."""

    predicts: Predicts
    states: Tensor
    scores: Tensor
    name: Callable[[int], str]

    @property
    def best(self) -> Tensor:
        """[rows]"""
        return self.scores.argmax(dim=-1)


@torch.inference_mode()
def outcome(model: LoadedModel, network: PreTrainedModel, read: Reading) -> Outcome:
    """One forward pass of `network`, which is the model's own or a copy of it."""
    decodes = model.checkpoint.head is Head.SEQ2SEQ_LM
    both = network.config.is_encoder_decoder
    stack: Any = network.get_decoder() if decodes else network.get_encoder() if both else network.base_model
    kept: list[Tensor] = []
    hook = stack.register_forward_hook(lambda _module, _given, output: kept.append(output[0]))
    try:
        output = network(**read.inputs, return_dict=True, use_cache=False)
    finally:
        hook.remove()
    states = kept[-1][0].float()
    return _READERS.get(model.checkpoint.head, _vector)(model, read, output, states)


def written(model: LoadedModel, network: PreTrainedModel, read: Reading) -> Generator[Progress, None, str]:
    """How a language model goes on, always with the likeliest token; empty for others."""
    head = model.checkpoint.head
    if head not in (Head.CAUSAL_LM, Head.SEQ2SEQ_LM):
        return ""
    inputs = dict(read.inputs)
    given = inputs.pop("decoder_input_ids") if head is Head.SEQ2SEQ_LM else inputs["input_ids"]
    if head is Head.SEQ2SEQ_LM:
        inputs["decoder_input_ids"] = given[:, : _begins(read)]
        longest, start = max(WRITTEN, min(reading.WRITTEN, 2 * given.shape[1])), 0
    else:
        longest, start = WRITTEN, given.shape[1]
    positions = getattr(network.config, "max_position_embeddings", None)
    if positions is not None:
        longest = min(longest, positions - start - 1)
    if longest < 1:
        return ""
    work = stepwise.generate(
        network, **inputs, max_new_tokens=longest, min_length=0, num_beams=1, do_sample=False
    )
    ids = yield from map_progress(work, lambda tokens: Progress("Writing on", tokens / longest))
    return str(model.tokenizer.decode(ids[0, start:], skip_special_tokens=True)).strip()


def difference(
    before: Outcome, after: Outcome, written_before: str = "", written_after: str = ""
) -> Difference:
    """Of two outcomes of the same tokens, and of how the model went on."""
    distance = _distance(before.states, after.states)
    if before.predicts == "vector":
        cosine = float(cosine_similarity(before.states.mean(dim=0), after.states.mean(dim=0), dim=0))
        return Difference(
            predicts="vector",
            before="the vector of the text",
            after="the vector of the text" if cosine > 1 - 1e-6 else "another vector",
            had=1.0,
            kept=cosine,
            choices=(),
            distance=distance,
        )
    first, second = before.best, after.best
    rows = torch.arange(len(first), device=first.device)
    had, kept = before.scores[rows, first], after.scores[rows, first]
    if before.predicts == "labels of tokens":
        choices = tuple(
            Choice(
                text=before.name(int(label)),
                before=float(one),
                after=float(two),
                becomes=after.name(int(new)),
            )
            for label, one, two, new in zip(first, had, kept, second, strict=True)
        )
        said = (_listed(before, first), _listed(after, second))
    elif before.predicts == "answer":  # the tokens of a span may have moved
        own, other = _answers(before), _answers(after)
        said = (next(iter(own)), next(iter(other)))
        kept = had.new_tensor([other.get(said[0], 0.0)])
        listed_spans = dict.fromkeys([*list(own)[:SHOWN], *list(other)[:SHOWN]])
        choices = tuple(
            Choice(text=text, before=own.get(text, 0.0), after=other.get(text, 0.0)) for text in listed_spans
        )
    else:
        listed = dict.fromkeys([*_top(before.scores[0]), *_top(after.scores[0])])
        choices = tuple(
            Choice(
                text=before.name(choice),
                before=float(before.scores[0, choice]),
                after=float(after.scores[0, choice]),
            )
            for choice in listed
        )
        said = (before.name(int(first[0])), after.name(int(second[0])))
    return Difference(
        predicts=before.predicts,
        before=said[0],
        after=said[1],
        had=float(had.mean()),
        kept=float(kept.mean()),
        choices=choices,
        distance=distance,
        written_before=written_before,
        written_after=written_after,
    )


def _distance(before: Tensor, after: Tensor) -> tuple[float, ...]:
    cosine = cosine_similarity(before, after, dim=-1).clamp(-1, 1)
    return tuple(round(1 - value, 6) for value in cosine.cpu().double().tolist())


def _top(scores: Tensor) -> list[int]:
    found: list[int] = scores.topk(min(SHOWN, len(scores))).indices.tolist()
    return found


def _answers(outcome: Outcome) -> dict[str, float]:
    """The likeliest spans by their text."""
    found: dict[str, float] = {}
    scores, spans = outcome.scores[0].topk(min(100, outcome.scores.shape[-1]))
    for span, score in zip(spans.tolist(), scores.tolist(), strict=True):
        if score > 0:
            found.setdefault(outcome.name(span), score)
    return found


def _listed(outcome: Outcome, labels: Tensor) -> str:
    """The labels that tokens have, without those outside of any entity."""
    names = [name for label in labels.tolist() if (name := outcome.name(label)) != "O"]
    return ", ".join(names) or "no label"


# What each head says: (model, what was read, the network's output, last states)


def _vector(model: LoadedModel, read: Reading, output: Any, states: Tensor) -> Outcome:
    return Outcome(predicts="vector", states=states, scores=states.new_zeros(1, 1), name=str)


def _next(model: LoadedModel, read: Reading, output: Any, states: Tensor) -> Outcome:
    return _token("next token", model, output.logits[0, -1], states)


def _first(model: LoadedModel, read: Reading, output: Any, states: Tensor) -> Outcome:
    place = min(_begins(read), output.logits.shape[1]) - 1
    return _token("first token", model, output.logits[0, place], states)


def _gap(model: LoadedModel, read: Reading, output: Any, states: Tensor) -> Outcome:
    return _token("gap", model, output.logits[0, gap(model, read)], states)


def _token(predicts: Predicts, model: LoadedModel, logits: Tensor, states: Tensor) -> Outcome:
    return Outcome(
        predicts=predicts,
        states=states,
        scores=logits.float().softmax(dim=-1)[None],
        name=lambda id: shown(model.tokenizer, [id])[0],
    )


def _label(model: LoadedModel, read: Reading, output: Any, states: Tensor) -> Outcome:
    names = networks.labels(model)
    logits = output.logits[0].float()
    scores = logits.sigmoid() if several_labels(model.network.config) else logits.softmax(dim=-1)
    return Outcome(predicts="label", states=states, scores=scores[None], name=lambda label: names[label])


def _labels(model: LoadedModel, read: Reading, output: Any, states: Tensor) -> Outcome:
    names = networks.labels(model)
    return Outcome(
        predicts="labels of tokens",
        states=states,
        scores=output.logits[0].float().softmax(dim=-1),
        name=lambda label: names[label],
    )


def _answer(model: LoadedModel, read: Reading, output: Any, states: Tensor) -> Outcome:
    """Spans of the last text that is read, by the product of how likely both ends are."""
    last = max(piece.sequence for piece in read.pieces)
    own = [not piece.special and piece.sequence == last for piece in read.pieces]
    inside = torch.tensor(own, device=states.device)
    closed = ~inside if bool(inside.any()) else torch.zeros_like(inside)
    starts, ends = (
        logits[0].float().masked_fill(closed, -torch.inf).softmax(dim=-1)
        for logits in (output.start_logits, output.end_logits)
    )
    size = len(starts)
    whole = torch.ones(size, size, device=states.device).triu().tril(ANSWER - 1)
    spans = (starts[:, None] * ends[None, :] * whole).flatten()

    def name(span: int) -> str:
        start, end = divmod(span, size)
        ids = [piece.id for piece in read.pieces[start : end + 1]]
        return str(model.tokenizer.decode(ids)).strip()

    return Outcome(predicts="answer", states=states, scores=spans[None], name=name)


_READERS: Mapping[Head, Callable[[LoadedModel, Reading, Any, Tensor], Outcome]] = {
    Head.CAUSAL_LM: _next,
    Head.SEQ2SEQ_LM: _first,
    Head.MASKED_LM: _gap,
    Head.SEQUENCE_CLASSIFICATION: _label,
    Head.TOKEN_CLASSIFICATION: _labels,
    Head.QUESTION_ANSWERING: _answer,
}


def gap(model: LoadedModel, read: Reading) -> int:
    """The place of the gap, or of the last word where there is none."""
    ids = [piece.id for piece in read.pieces]
    if model.tokenizer.mask_token_id in ids:
        return ids.index(model.tokenizer.mask_token_id)
    ordinary = [place for place, piece in enumerate(read.pieces) if not piece.special]
    words = [place for place in ordinary if any(map(str.isalnum, read.pieces[place].text))]
    return (words or ordinary or [len(ids) - 1])[-1]


def _begins(read: Reading) -> int:
    """Tokens that a decoder is given before it writes: to begin with, and to name a language."""
    own = (place for place, piece in enumerate(read.given) if not piece.special)
    return max(1, next(own, len(read.given)))


def tokens(model: LoadedModel, read: Reading) -> list[str]:
    """Those that `Outcome.states` belong to, in the decoder's words where there is one."""
    pieces: Sequence[Any] = read.given or read.pieces
    return [piece.text for piece in pieces]
