"""Questions about tables: the data's format, its idea of a right answer, and learning from answers."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import set_seed

from components.tasks.table_question_answering import reader
from components.training import adapter, tables
from components.training.evaluation.tables import baselines
from components.training.recipe import recipes
from components.training.run import train
from tests.fakes.checkpoints import tiny_encoder

CITIES = """"City","Country","Inhabi
tants"
"Graz","Austria","291"
"Lyon \\"L\\"","France","522"
"Nantes","France","323"
"""


def archive(folder: Path, questions: list[str]) -> None:
    header = "id\tutterance\tcontext\ttargetValue"
    files = {
        "./csv/1-csv/2.csv": CITIES,
        "./data/training.tsv": "\n".join([header, *questions, ""]),
        "./data/pristine-unseen-tables.tsv": "\n".join([header, *questions, ""]),
    }
    (folder / "wikitablequestions").mkdir()
    with tarfile.open(folder / tables.ARCHIVE, "w:gz") as packed:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content.encode())
            packed.addfile(member, io.BytesIO(content.encode()))


def test_the_archive_as_published(tmp_path: Path) -> None:
    archive(tmp_path, ["nt-1\ta\\pb\u2028\\\\ c\tcsv/1-csv/2.csv\tx\\ny|z"])
    published = tables.read(tmp_path / tables.ARCHIVE)
    assert published.splits[tables.TEST] == [
        tables.Asked("nt-1", "a|b\u2028\\ c", "csv/1-csv/2.csv", ("x\ny", "z"))
    ]
    header, rows = published.tables["csv/1-csv/2.csv"]
    assert header == ["City", "Country", "Inhabi\ntants"]
    assert rows[1] == ['Lyon "L"', "France", "522"]


@pytest.mark.parametrize(
    ("predicted", "answers", "right"),
    [
        (["1200"], ["1,200"], True),
        (["1200.0"], ["1200"], True),
        (["5"], ["5 years"], False),
        (["b", "A"], ["a", "B"], True),
        (["a", "a"], ["a"], True),
        (["a"], ["a", "b"], False),
        (["Zoë (live)"], ["zoe"], True),
        (["1", "2"], ["1", "3"], False),
    ],
)
def test_a_right_answer(predicted: list[str], answers: list[str], right: bool) -> None:
    assert tables.same(predicted, answers) is right


def test_it_learns_from_answers_which_program_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "Most" and "fewest" are told apart, though many programs give the right answer by chance."""
    archive(
        tmp_path,
        [
            f"nt-{index}\twhich city has the {word} inhabitants {index}\tcsv/1-csv/2.csv\t{city}"
            for index in range(24)
            for word, city in {"most": 'Lyon "L"', "fewest": "Graz"}.items()
        ],
    )
    body = tiny_encoder(tmp_path / "body", width=64)
    monkeypatch.setattr(adapter, "body_folder", lambda: body)
    monkeypatch.setattr(tables, "held_back", lambda asked: False)
    recipe = replace(
        recipes()["tables"], epochs=12, batch=8, rank=8, length=96, dropout=0.0, learning_rate=1e-2
    )
    set_seed(recipe.seed)
    job = tables.prepare(recipe, tmp_path)
    train(recipe, job, tmp_path / "run")
    batch = job.collate(job.examples)
    rows = batch.pop("rows")
    with torch.inference_mode():
        outputs = job.network.eval()(**batch).logits
    hits = [
        bool(right[reader.scores(logits, layout, candidates).argmax()])
        for logits, (layout, candidates, right) in zip(outputs, rows, strict=True)
    ]
    assert sum(hits) == len(hits) == 48


def test_trivial_answers_are_counted(tmp_path: Path) -> None:
    questions = ["how many cities\t{}\t3", "which city is in austria\t{}\tGraz", "x\t{}\tnothing of it"]
    archive(tmp_path, [f"nt-{i}\t{one.format('csv/1-csv/2.csv')}" for i, one in enumerate(questions)])
    published = tables.read(tmp_path / tables.ARCHIVE)
    reached = baselines(published, published.splits[tables.TEST])
    assert list(reached.values()) == sorted(reached.values(), reverse=True)
    assert reached["the first cell"] == pytest.approx(1 / 3)
    assert reached["the number of rows"] == pytest.approx(1 / 3)
    assert max(reached.values()) == pytest.approx(2 / 3)
