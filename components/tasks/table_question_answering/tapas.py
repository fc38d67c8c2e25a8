"""Questions about tables with TAPAS (Herzig et al. 2020, https://arxiv.org/abs/2004.02349). Imports torch
and pandas.

The network reads question and table together. It says of each cell how likely that is selected, and what
is to be done with the selected cells: take them as they are, count, add or average them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch

from components.models.errors import Code, TourError
from components.tasks.stages import Forward
from components.tasks.table_question_answering import Inputs, Options, Reading, TableAnswer
from components.tasks.table_question_answering.numbers import numbers
from components.tasks.table_question_answering.values import say
from components.tasks.task import Output, Progress
from components.texts import in_folder

if TYPE_CHECKING:
    from transformers import BatchEncoding

    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

Cell = tuple[int, int]  # row and column, both from 0

_SELECTED = 0.5  # the probability from which on a cell belongs to the answer
_WORDS = {
    "NONE": "the cells picked",
    "SUM": "the sum of the cells picked",
    "AVERAGE": "the mean of the cells picked",
    "COUNT": "how many cells are picked",
}  # in the order of the published checkpoints, for configs that do not name their operations


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Question and table as the network reads them, and how many of the table's rows there are in it."""

    rows: tuple[BatchEncoding]
    kept: int


@dataclass(frozen=True, kw_only=True)
class Picked:
    """How likely each cell is selected, and each operation on those that are."""

    cells: Mapping[Cell, float]
    operations: Mapping[str, float]


def preprocess(model: LoadedModel, inputs: Inputs, options: Options) -> Prepared:
    encoded, kept = _encode(model, inputs.table["columns"], inputs.table["rows"], inputs.question)
    return Prepared(rows=(encoded,), kept=kept)


def forward(model: LoadedModel, rows: Sequence[BatchEncoding]) -> Forward[Picked]:
    picked = []
    for encoded in rows:
        output = model.network(**{name: tensor.to(model.device) for name, tensor in encoded.items()})
        cells = cell_probabilities(output.logits[0].float().sigmoid().cpu(), encoded["token_type_ids"][0])
        picked.append(Picked(cells=cells, operations=_operations(model, output.logits_aggregation)))
        yield Progress("Reading the table", len(picked) / len(rows))
    return picked


def postprocess(
    model: LoadedModel, inputs: Inputs, options: Options, prepared: Prepared, outputs: Sequence[Picked]
) -> Output[TableAnswer]:
    """Readings: each operation on the selected cells, and other cells by themselves.

    A reading's score is the probability of its operation times the mean probability of its cells.
    """
    (encoded,), (picked,) = prepared.rows, outputs
    columns, rows, kept = inputs.table["columns"], inputs.table["rows"], prepared.kept
    found = readings(picked.cells, rows, picked.operations)
    notes = []
    if kept < len(rows):
        notes.append(
            f"{model.checkpoint.id} reads only the first {kept:,} of the table's {len(rows):,} rows."
        )
    if _trimmed(model, encoded, columns, rows[:kept]):
        notes.append("Long cells were cut to fit.")
    if max(picked.cells.values(), default=0.0) <= _SELECTED:
        notes.append(TEXTS["unlikely_cell"])
    return Output(
        result=TableAnswer(answer=found[0].answer, cells=found[0].cells, candidates=found[: options.top_k]),
        tokens_used=encoded["input_ids"].shape[1],
        token_limit=model.checkpoint.token_limit,
        notes=tuple(notes),
    )


def _encode(
    model: LoadedModel, columns: Sequence[str], rows: Sequence[Sequence[str]], question: str
) -> tuple[BatchEncoding, int]:
    """The network's inputs, and how many rows they hold: as many from the first as fit."""
    limit = model.checkpoint.token_limit
    # The tokenizer drops one row at a time and counts anew: it is spared rows that can never fit.
    frame = pd.DataFrame([list(row) for row in rows[: max(1, limit // len(columns))]], columns=list(columns))
    try:
        encoded = model.tokenizer(
            table=frame,
            queries=question,
            truncation="drop_rows_to_fit",
            padding=False,
            max_length=limit,
            return_tensors="pt",
        )
    except ValueError as error:
        raise TourError(
            Code.TOO_LONG,
            TEXTS["long_question"].format(limit=limit, model=model.checkpoint.id),
            "question",
        ) from error
    kept = int(encoded["token_type_ids"][0, :, 2].max())
    if kept < 1:
        raise TourError(
            Code.TOO_LONG,
            TEXTS["long_row"].format(limit=limit, model=model.checkpoint.id),
            "table",
        )
    return encoded, kept


def _trimmed(
    model: LoadedModel, encoded: BatchEncoding, columns: Sequence[str], rows: Sequence[Sequence[str]]
) -> bool:
    """Whether cells were cut: the table's tokens are fewer than those of its cells, one for an empty one."""
    written = sum(max(1, len(model.tokenizer.tokenize(text))) for row in (columns, *rows) for text in row)
    return int((encoded["token_type_ids"][0, :, 0] == 1).sum()) < written


def cell_probabilities(probabilities: torch.Tensor, token_types: torch.Tensor) -> dict[Cell, float]:
    """`probabilities` [tokens] and `token_types` [tokens, 7] -> the mean over the tokens of each cell."""
    tokens: dict[Cell, list[float]] = {}
    for chance, (segment, column, row, *_) in zip(probabilities.tolist(), token_types.tolist(), strict=True):
        if segment == 1 and column > 0 and row > 0:
            tokens.setdefault((row - 1, column - 1), []).append(chance)
    return {cell: sum(chances) / len(chances) for cell, chances in tokens.items()}


def _operations(model: LoadedModel, logits: torch.Tensor | None) -> dict[str, float]:
    """The probability of each operation; a network without that head takes cells as they are."""
    if logits is None:
        return {"NONE": 1.0}
    names: Mapping[int, str] = model.network.config.aggregation_labels or dict(enumerate(_WORDS))
    chances = logits[0].float().softmax(0).tolist()
    return {names[index]: chance for index, chance in enumerate(chances) if names.get(index) in _WORDS}


def readings(
    cells: Mapping[Cell, float], rows: Sequence[Sequence[str]], operations: Mapping[str, float]
) -> list[Reading]:
    """What may be meant, the likeliest first: an operation on the selected cells, or one cell alone."""
    ranked = sorted(cells, key=lambda cell: (-cells[cell], cell))
    selected = sorted(cell for cell in ranked if cells[cell] > _SELECTED) or ranked[:1]
    sure = sum(cells[cell] for cell in selected) / len(selected)
    texts = [rows[row][column] for row, column in selected]
    read = {column: numbers(tuple(row[column] for row in rows)).values for _, column in selected}
    known = [value for row, column in selected if (value := read[column][row]) is not None]
    found = []
    for name, chance in operations.items():
        values = _result(name, texts, known)
        if values is not None:
            found.append(_reading(values, chance * sure, _WORDS[name], selected))
    for row, column in ranked:
        if (row, column) not in selected:
            score = operations.get("NONE", 0.0) * cells[row, column]
            found.append(_reading([rows[row][column]], score, "this cell alone", [(row, column)]))
    return sorted(found, key=lambda one: -one.score)


def _result(operation: str, texts: Sequence[str], known: Sequence[float]) -> list[str] | None:
    """An operation's values; None where it needs numbers and a cell has none. `known` are the cells'."""
    if operation == "NONE":
        return list(texts)
    if operation == "COUNT":
        return [str(len(texts))]
    if len(known) < len(texts):
        return None
    return [say(sum(known) / (len(known) if operation == "AVERAGE" else 1))]


def _reading(values: list[str], score: float, explanation: str, cells: Sequence[Cell]) -> Reading:
    marked: list[Any] = [list(cell) for cell in cells]
    return Reading(
        answer=", ".join(values), score=score, explanation=explanation, cells=marked, values=values
    )
