"""Questions about tables, learned from answers alone (Pasupat and Liang 2015, https://arxiv.org/abs/1508.00305)."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from tqdm import tqdm

from components.tasks.table_question_answering import reader
from components.tasks.table_question_answering.programs import Enumeration, Program
from components.tasks.table_question_answering.table import Table
from components.tasks.table_question_answering.table import read as read_table
from components.tasks.table_question_answering.values import normalise
from components.training import adapter
from components.training.run import Example, Job

if TYPE_CHECKING:
    from components.training.recipe import Recipe


@dataclass(frozen=True)
class Asked:
    """A question about a table, and the answer: one value or several in any order."""

    identity: str
    question: str
    table: str  # its name in the data set
    answers: tuple[str, ...]


@dataclass(frozen=True)
class WikiTables:
    """WikiTableQuestions as published: questions by split, tables by name as (header, rows)."""

    splits: dict[str, list[Asked]]
    tables: dict[str, tuple[list[str], list[list[str]]]]


ARCHIVE = "wikitablequestions/wtq.tar.gz"
TRAINING, TEST = "training", "pristine-unseen-tables"


def read(path: Path) -> WikiTables:
    """The archive `wtq.tar.gz`."""
    splits: dict[str, list[Asked]] = {}
    tables = {}
    with tarfile.open(path) as archive:
        for member in archive:
            name = member.name.removeprefix("./")
            file = archive.extractfile(member) if name.endswith((".csv", ".tsv")) else None
            if file is None:
                continue
            content = file.read().decode("utf-8")
            if name.endswith(".csv"):
                # Quotes are escaped by backslashes, unlike in other CSV.
                lines = csv.reader(io.StringIO(content, newline=""), doublequote=False, escapechar="\\")
                header, *rows = lines
                tables[name] = (header, rows)
            else:
                splits[Path(name).stem] = list(_questions(content))
    return WikiTables(splits, tables)


def _questions(content: str) -> Iterator[Asked]:
    for line in content.rstrip("\n").split("\n")[1:]:  # not splitlines: texts hold U+2028
        identity, question, table, answer = line.removesuffix("\r").split("\t")
        yield Asked(identity, _unescape(question), table, tuple(map(_unescape, answer.split("|"))))


def _unescape(text: str) -> str:
    return text.replace("\\n", "\n").replace("\\p", "|").replace("\\\\", "\\")


def held_back(asked: Asked) -> bool:
    """Whether a question of the training file is kept for tuning: those of one table in eight."""
    return hashlib.sha256(asked.table.encode()).digest()[0] < 32


@lru_cache(maxsize=100_000)
def _number(text: str) -> float | None:
    return float(text.replace(",", "")) if re.fullmatch(r"[-+]?(\d[\d,]*)?\.?\d+", text) else None


def same(predicted: Iterable[str], answers: Iterable[str]) -> bool:
    """Whether two answers are the same set, as the data set's own evaluation has it: each value as a
    number if it is one, otherwise normalised text."""
    left = {normalise(value) for value in predicted}
    right = {normalise(value) for value in answers}
    return len(left) == len(right) and all(any(_equal(one, other) for other in left) for one in right)


def _equal(one: str, other: str) -> bool:
    if one == other:
        return True
    first, second = _number(one), _number(other)
    return first is not None and second is not None and abs(first - second) < 1e-6


def prepare(recipe: Recipe, data: Path) -> Job:
    """Every question of the training file that some program answers rightly; the loss is the negative
    log of the probability of all right programs together, since nobody said which one is meant."""
    tokenizer = adapter.body_tokenizer()
    published = read(data / ARCHIVE)
    asked = [one for one in published.splits[TRAINING] if not held_back(one)]
    network = adapter.adapted(
        recipe,
        "BertForTokenClassification",
        ["classifier"],
        num_labels=len(reader.NAMES),
        id2label=dict(enumerate(reader.NAMES)),
        label2id={name: index for index, name in enumerate(reader.NAMES)},
    )
    # All readings are equally likely at first: votes of random weights would drown what little is learned.
    for name, parameter in network.named_parameters():
        if parameter.requires_grad and "classifier" in name:
            torch.nn.init.zeros_(parameter)
    rows: list[Example] = []
    choices: list[tuple[reader.Layout, reader.Candidates, torch.Tensor]] = []
    for one, enumeration, programs in enumerated(published, tqdm(asked, desc="enumerating programs")):
        right = torch.tensor(rightness(programs, one))
        if right.any() and not right.all():
            layout = reader.lay_out(tokenizer, enumeration, recipe.length)
            rows.append({"index": len(choices), "length": len(layout.input_ids)})
            choices.append((layout, reader.candidates(enumeration, programs), right))
    print(f"{len(rows):,} of {len(asked):,} questions have a program with the right answer")

    def collate(batch: Sequence[Example]) -> dict[str, Any]:
        chosen = [choices[row["index"]] for row in batch]
        inputs = [
            {"input_ids": layout.input_ids, "token_type_ids": layout.token_type_ids}
            for layout, _, _ in chosen
        ]
        return {**tokenizer.pad(inputs, return_tensors="pt"), "rows": chosen}

    return Job(
        network=network,
        train=rows,
        collate=collate,
        export=lambda folder: adapter.export(network, folder),
        loss=loss,
    )


def enumerated(
    published: WikiTables, asked: Iterable[Asked]
) -> Iterator[tuple[Asked, Enumeration, list[Program]]]:
    """Each question with all programs that it may mean."""
    tables: dict[str, Table] = {}
    for one in asked:
        if one.table not in tables:
            tables[one.table] = read_table(*published.tables[one.table])
        enumeration = Enumeration(tables[one.table], one.question)
        yield one, enumeration, enumeration.programs()


def rightness(programs: Sequence[Program], asked: Asked) -> list[bool]:
    """Of each program, whether its values are the answer."""
    known: dict[tuple[str, ...], bool] = {}
    for program in programs:
        if program.values not in known:
            known[program.values] = same(program.values, asked.answers)
    return [known[program.values] for program in programs]


def loss(network: torch.nn.Module, batch: dict[str, Any]) -> torch.Tensor:
    rows = batch.pop("rows")
    losses = []
    for logits, (layout, candidates, right) in zip(network(**batch).logits.cpu(), rows, strict=True):
        scores = reader.scores(logits, layout, candidates)
        losses.append(scores.logsumexp(0) - scores[right].logsumexp(0))
    return torch.stack(losses).mean()
