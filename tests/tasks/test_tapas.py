"""TAPAS: the cells that the library picks, what is made of them, and tables that do not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
import torch

from components.models.checkpoint import LoadedModel
from components.models.errors import Code, TourError
from components.tasks.fields import validate
from components.tasks.table_question_answering import TASK, TableAnswer, tapas
from components.tasks.task import Output

COLUMNS = ["City", "Inhabitants", "Since"]
ROWS = [["Graz", "291,000", "1128"], ["Lyon", "522,000", ""], ["Porto", "232,000", "2 May 1123"]]

Lease = Callable[[str], LoadedModel]


def ask(model: LoadedModel, rows: list[list[str]], question: str = "which fox?") -> Output[TableAnswer]:
    table = {"columns": COLUMNS, "rows": rows}
    inputs = validate(TASK.inputs, {"table": table, "question": question})
    *_, last = TASK.run(model, inputs, TASK.options(top_k=20))
    assert isinstance(last, Output)
    return last


@pytest.mark.parametrize("question", ["which city?", "how many were there in 1123?", "is it late, Paris?"])
def test_picks_the_cells_that_the_library_picks(question: str, lease: Lease) -> None:
    model = lease("tiny-tapas")
    encoded = model.tokenizer(
        table=pd.DataFrame(ROWS, columns=COLUMNS), queries=question, return_tensors="pt"
    )
    with torch.inference_mode():
        output: Any = model.network(**encoded)
    (cells,), _ = model.tokenizer.convert_logits_to_predictions(
        encoded, output.logits, output.logits_aggregation
    )
    found = tapas.cell_probabilities(output.logits[0].sigmoid(), encoded["token_type_ids"][0])
    assert sorted(cell for cell, chance in found.items() if chance > 0.5) == cells
    picked = [one for one in ask(model, ROWS, question).result.candidates if "picked" in one.explanation]
    assert all(one.cells == [list(cell) for cell in cells] for one in picked if cells)
    assert "how many cells are picked" in [one.explanation for one in picked]


def test_what_is_made_of_the_picked_cells() -> None:
    cells = {(0, 1): 0.9, (1, 1): 0.7, (2, 1): 0.3, (0, 0): 0.01}
    operations = {"SUM": 0.5, "NONE": 0.3, "AVERAGE": 0.15, "COUNT": 0.05}
    found = tapas.readings(cells, ROWS, operations)
    assert [one.answer for one in found] == ["813000", "291,000, 522,000", "406500", "232,000", "2", "Graz"]
    assert [one.score for one in found] == pytest.approx([0.4, 0.24, 0.12, 0.09, 0.04, 0.003])
    assert found[0].cells == [[0, 1], [1, 1]]


def test_text_is_not_added_up() -> None:
    found = tapas.readings({(0, 0): 0.9}, ROWS, {"SUM": 0.9, "NONE": 0.1})
    assert [one.answer for one in found] == ["Graz"]


def test_the_likeliest_cell_stands_in_where_none_is_likely() -> None:
    found = tapas.readings({(0, 0): 0.2, (1, 0): 0.4}, ROWS, {"NONE": 1.0})
    assert [(one.answer, one.score) for one in found] == [("Lyon", 0.4), ("Graz", 0.2)]


def test_rows_that_do_not_fit_are_said(lease: Lease) -> None:
    output = ask(lease("tiny-tapas"), [[f"the fox {row}", "1", "2"] for row in range(1000)])
    assert output.tokens_used <= output.token_limit
    assert any("only the first" in note for note in output.notes)


def test_cells_that_are_cut_are_said(lease: Lease) -> None:
    output = ask(lease("tiny-tapas"), [["the quick brown fox " * 40, "1", "2"]])
    assert "Long cells were cut to fit." in output.notes


@pytest.mark.parametrize(("words", "field"), [(130, "question"), (60, "table")])
def test_what_cannot_fit_is_refused(words: int, field: str, lease: Lease) -> None:
    """Of 128 tokens fifty columns take as many for the header, and again for each row."""
    table = {"columns": ["a"] * 50, "rows": [["1"] * 50]}
    inputs = validate(TASK.inputs, {"table": table, "question": "a " * words})
    with pytest.raises(TourError) as caught:
        list(TASK.run(lease("tiny-tapas"), inputs, TASK.options()))
    assert (caught.value.code, caught.value.field) == (Code.TOO_LONG, field)


def test_columns_may_have_one_name_or_none(lease: Lease) -> None:
    table = {"columns": ["", "", "a"], "rows": [["1", "2", "3"]]}
    model = lease("tiny-tapas")
    inputs = validate(TASK.inputs, {"table": table, "question": "which?"})
    *_, last = TASK.run(model, inputs, TASK.options())
    assert isinstance(last, Output)
    assert last.result.answer
