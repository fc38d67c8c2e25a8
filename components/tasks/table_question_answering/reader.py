"""How a network reads a question with a table's header, and scores programs by that. Imports torch.

One pass of an encoder with one logit per label of `NAMES` at every token. All tokens of the question vote
on what is asked for and on the weight of each feature; at each of its words stands what that names, at
the end of each column what part that column plays. A program's score is the sum over what it consists of.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from components.tasks.table_question_answering.programs import (
    FEATURES,
    LABEL_IDS,
    LABELS,
    WORDS,
    Enumeration,
    Program,
)
from components.tasks.table_question_answering.values import normalise, plain

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

NAMES = (*LABELS, *(f"feature:{name}" for name in FEATURES))
"""The network's labels in order."""

# The label of each place in `Program.roles`.
_ROLES = tuple(LABEL_IDS[f"column:{role}"] for role in ("answer", "order", "match", "match", "compare"))
_MATCHED, _COMPARED, _ANSWER, _ORDER = (LABEL_IDS[f"word:{name}"] for name in WORDS)

_LONGEST_QUESTION = 96  # tokens
_LONGEST_COLUMN = 16


@dataclass(frozen=True)
class Layout:
    """`input_ids` and `token_type_ids`; the index of each word's first token and each column's last;
    how many tokens of the question did not fit."""

    input_ids: list[int]
    token_type_ids: list[int]
    words: list[int]
    columns: list[int]
    left_out: int


def lay_out(tokenizer: PreTrainedTokenizerBase, enumeration: Enumeration, limit: int) -> Layout:
    """The question, and each column by its name and one cell: one that the question names, if any."""
    columns = enumeration.table.columns
    hints = [next((cell for cell in column.cells if cell.strip()), "") for column in columns]
    for selection in reversed(enumeration.selections):
        if selection.kind in ("exact", "partial", "alike") and len(selection.rows) < len(
            enumeration.table.body
        ):
            index = selection.columns[0]
            hints[index] = columns[index].cells[selection.rows[0]]
    asked = tokenizer(
        plain(enumeration.question.text), add_special_tokens=False, return_offsets_mapping=True, verbose=False
    )
    width = max(1, min(_LONGEST_QUESTION, limit - 2 - 2 * len(columns)))
    question = asked["input_ids"][:width]
    ends = [end for _, end in asked["offset_mapping"][: len(question)]]
    # A word beyond the end is read where the question ends.
    words = [1 + bisect_right(ends, start) for start in enumeration.question.starts]
    encoded = tokenizer(
        [*(column.name for column in columns), *(hint[:80] for hint in hints)],
        add_special_tokens=False,
        verbose=False,
    )["input_ids"]
    names, cells = encoded[: len(columns)], encoded[len(columns) :]
    room = max(0, min(_LONGEST_COLUMN, (limit - len(question) - 2) // len(columns) - 1))
    ids = [tokenizer.cls_token_id, *question, tokenizer.sep_token_id]
    start = len(ids)
    places = []
    for name, cell in zip(names, cells, strict=True):
        name = name[: max(room // 2, room - len(cell))]
        ids += [*name, *cell[: room - len(name)], tokenizer.sep_token_id]
        places.append(len(ids) - 1)
    return Layout(
        ids,
        [0] * start + [1] * (len(ids) - start),
        words,
        places,
        left_out=len(asked["input_ids"]) - len(question),
    )


@dataclass(frozen=True)
class Candidates:
    """What programs consist of, by index, -1 for none.

    `labels` [programs, 5], `roles` [programs, 5] (columns), `selections` [programs], `features` [programs,
    features]; `matched` and `compared` [selections, words], `named` [columns, words] are 1 where a word
    belongs to what they select or are called.
    """

    labels: torch.Tensor
    roles: torch.Tensor
    selections: torch.Tensor
    features: torch.Tensor
    matched: torch.Tensor
    compared: torch.Tensor
    named: torch.Tensor


def candidates(enumeration: Enumeration, programs: Sequence[Program]) -> Candidates:
    width = len(enumeration.question.tokens)
    chosen = {id(one): index for index, one in enumerate(enumeration.selections)}
    amounts = frozenset(quantity.at for quantity in enumeration.question.quantities)

    def table(rows: Sequence[frozenset[int]]) -> torch.Tensor:
        found = torch.zeros(len(rows), width, dtype=torch.uint8)
        for index, places in enumerate(rows):
            found[index, list(places)] = 1
        return found

    covered = [one.covered for one in enumeration.selections]
    amount = [one.covered & amounts if one.compares else frozenset() for one in enumeration.selections]
    return Candidates(
        torch.tensor([program.labels() for program in programs], dtype=torch.int16),
        torch.tensor([program.roles() for program in programs], dtype=torch.int16),
        torch.tensor([chosen[id(program.selection)] for program in programs], dtype=torch.int16),
        torch.tensor(enumeration.features(programs), dtype=torch.float16),
        table([one - other for one, other in zip(covered, amount, strict=True)]),
        table(amount),
        table(enumeration.named),
    )


def scores(logits: torch.Tensor, layout: Layout, found: Candidates) -> torch.Tensor:
    """`logits` [tokens, labels] -> one score per program."""
    nothing = logits.new_zeros(1)  # what -1 finds
    asked = logits[: layout.token_type_ids.count(0)].sum(dim=0)
    whole = torch.cat([asked, nothing])
    columns = torch.cat([logits[layout.columns], logits.new_zeros(1, logits.shape[1])])
    words = logits[layout.words]
    roles = found.roles.long()
    selected = found.matched.to(logits) @ words[:, _MATCHED] + found.compared.to(logits) @ words[:, _COMPARED]
    named = found.named.to(logits)
    answers = torch.cat([named @ words[:, _ANSWER], nothing])
    orders = torch.cat([named @ words[:, _ORDER], nothing])
    return (
        whole[found.labels.long()].sum(dim=1)
        + columns[roles, torch.tensor(_ROLES)].sum(dim=1)
        + selected[found.selections.long()]
        + answers[roles[:, 0]]
        + orders[roles[:, 1]]
        + found.features.to(logits) @ asked[len(LABELS) :]
    )


@dataclass(frozen=True)
class Answered:
    """An answer by its best program; `score` is the probability of all programs that give it."""

    program: Program
    score: float


def rank(score: torch.Tensor, programs: Sequence[Program]) -> list[Answered]:
    """Programs with the same values are one answer: their probabilities add up."""
    best: dict[tuple[str, ...], Program] = {}
    total: dict[tuple[str, ...], float] = {}
    for index in score.argsort(descending=True, stable=True).tolist():
        key = tuple(sorted(map(normalise, programs[index].values)))
        best.setdefault(key, programs[index])
    for program, share in zip(programs, score.softmax(dim=0).tolist(), strict=True):
        key = tuple(sorted(map(normalise, program.values)))
        total[key] = total.get(key, 0.0) + share
    ordered = sorted(best, key=lambda key: -total[key])
    return [Answered(best[key], min(1.0, total[key])) for key in ordered]
