"""An answer, as something to explain. Imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.models.errors import Code, TourError
from components.tasks.attribution_input import AttributionInput, Score
from components.tasks.explained import Asked, Choice
from components.tasks.explanation import (
    SHOWN,
    Predicting,
    Prediction,
    Units,
    attribution_input,
    cut_to_fit,
    found_in,
    ids_of,
    output_now,
    read_window,
    refuse_the_same,
    special_tokens,
    terms_of,
)
from components.tasks.question_answering import Inputs, Options
from components.tasks.question_answering import model as stages
from components.tasks.sentences import Span
from components.tasks.stages import whole_answer
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)


MOST = 20  # answers that can be named


def explain(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    question = asked.text_pair.strip()
    if not question:
        raise TourError(Code.INVALID_INPUT, "Write a question.", "text_pair")
    reserved = len(ids_of(model, question)) + special_tokens(model, pair=True)
    context, notes = cut_to_fit(model, asked.text, reserved, "context")
    inputs, options = (
        Inputs(question=question, context=context),
        Options(top_k=MOST, stride=0, allow_no_answer=False),
    )
    found = (yield from whole_answer(stages, model, inputs, options)).result
    if not found.answers:
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["no_passage"],
            "text",
        )
    plain, window = read_window(model, units, context, question)
    output = output_now(plain)
    begins, ends = output.start_logits[0].float().cpu(), output.end_logits[0].float().cpu()

    def edges(span: Span) -> tuple[int, int]:
        """The tokens that the passage is read from: the best pair that grows into these words."""
        here = [
            place
            for place in window.positions
            if (pair := window.offsets[place]) and pair[0] < span.end and span.start < pair[1]
        ]
        first = [place for place in here if _same_word(context, span.start, window.offsets[place])]
        last = [place for place in here if _same_word(context, span.end - 1, window.offsets[place])]
        return max(
            ((start, end) for start in first for end in last if start <= end),
            key=lambda pair: float(begins[pair[0]] + ends[pair[1]]),
        )

    def span_of(name: str, field: str) -> Span:
        for one in found.answers:
            if one.text.casefold() == name.strip().casefold():
                return Span(one.start, one.end)
        start = found_in(context, name, field)
        return Span(start, start + len(name.strip()))

    best = (
        span_of(asked.target, "target")
        if asked.target
        else Span(found.answers[0].start, found.answers[0].end)
    )
    other = span_of(asked.against, "against") if asked.against else None
    spans = {best.of(context): best} | ({other.of(context): other} if other else {})
    refuse_the_same(best.of(context), other.of(context) if other else "")
    network_input = attribution_input(model, window.row, plain.owners, sorted({*edges(best)}))

    def score(name: str) -> tuple[AttributionInput, Score]:
        start, end = edges(spans[name])
        return network_input, lambda output: (
            output.start_logits[:, start] + output.end_logits[:, end]
        ).float()

    choices = [Choice(text=one.text, score=one.score) for one in found.answers[:SHOWN]]
    if found.no_answer:
        choices = sorted([*choices, Choice(text="(no answer)", score=found.no_answer)], key=_by_score)
    return Prediction(
        target=best.of(context),
        against=other.of(context) if other else "",
        terms=terms_of(score, best.of(context), other.of(context) if other else ""),
        units=units.found,
        choices=choices,
        means=TEXTS["logits"].format(answer=best.of(context)),
        tokens=len(network_input.ids),
        notes=notes,
    )


def _by_score(choice: Choice) -> float:
    return -choice.score


def _same_word(text: str, character: int, offset: tuple[int, int] | None) -> bool:
    """Whether a token stands in the run without spaces that a character belongs to."""
    if offset is None:
        return False
    low, high = sorted((character, min(max(offset[0], 0), offset[1] - 1)))
    return not any(map(str.isspace, text[low:high]))
