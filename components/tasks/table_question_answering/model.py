"""Answers from programs over a table, scored by a network that reads question and header. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from components.models.errors import Code, TourError
from components.tasks import network
from components.tasks.network import Row
from components.tasks.stages import Forward
from components.tasks.table_question_answering import Inputs, Options, Reading, TableAnswer, doubts, reader
from components.tasks.table_question_answering.programs import Enumeration, Program
from components.tasks.table_question_answering.reader import Layout
from components.tasks.table_question_answering.table import read
from components.tasks.task import Output
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

# Of the embedded model's answers to the 1,891 questions about held-back training tables, 26 % of those below
# it are right and 69 % of the others; from it on, about half of the answers with such a score are.
UNSURE = 0.5


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The question with the header as one row, and the programs that it may ask for."""

    rows: tuple[Row]
    layout: Layout
    enumeration: Enumeration
    programs: Sequence[Program]


def preprocess(model: LoadedModel, inputs: Inputs, options: Options) -> Prepared:
    if list((model.network.config.id2label or {}).values()) != list(reader.NAMES):
        raise TourError(
            Code.UNSUITABLE_MODEL,
            TEXTS["no_table_model"].format(model=model.checkpoint.id),
            "model",
        )
    enumeration = Enumeration(read(inputs.table["columns"], inputs.table["rows"]), inputs.question)
    programs = enumeration.programs()
    layout = reader.lay_out(model.tokenizer, enumeration, model.checkpoint.token_limit)
    row = Row(row={"input_ids": layout.input_ids, "token_type_ids": layout.token_type_ids})
    return Prepared(rows=(row,), layout=layout, enumeration=enumeration, programs=programs)


def forward(model: LoadedModel, rows: Sequence[Row]) -> Forward[torch.Tensor]:
    """Logits [tokens, labels] of each question."""
    return network.forward(model, rows, "Reading the question", network.logits)


def postprocess(
    model: LoadedModel,
    inputs: Inputs,
    options: Options,
    prepared: Prepared,
    outputs: Sequence[torch.Tensor],
) -> Output[TableAnswer]:
    """Different answers, the likeliest first."""
    enumeration, layout, programs = prepared.enumeration, prepared.layout, prepared.programs
    (logits,) = outputs
    score = reader.scores(logits, layout, reader.candidates(enumeration, programs))
    answers = reader.rank(score, programs)
    found = [
        Reading(
            answer=one.program.text,
            score=one.score,
            explanation=one.program.explanation,
            cells=[list(cell) for cell in one.program.cells],
            values=list(one.program.values),
        )
        for one in answers[: options.top_k]
    ]
    best = answers[0]
    return Output(
        result=TableAnswer(answer=found[0].answer, cells=found[0].cells, candidates=found),
        tokens_used=len(layout.input_ids),
        token_limit=model.checkpoint.token_limit,
        notes=(
            *doubts.notes(enumeration.table, enumeration.question, best.program),
            *([TEXTS["unsure"].format(percent=100 * best.score)] * (best.score < UNSURE)),
            *(
                [f"The question is long: its last {layout.left_out:,} tokens were not read."]
                * bool(layout.left_out)
            ),
            *(
                [f"Only the first {len(programs):,} readings of the question were compared."]
                * enumeration.cut
            ),
        ),
    )
