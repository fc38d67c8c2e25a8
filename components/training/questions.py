"""Questions on texts, with the passages that answer them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.training import text


@dataclass(frozen=True)
class Question:
    """`answers` are (text, start) in the context; none if the context does not answer."""

    question: str
    context: str
    answers: tuple[tuple[str, int], ...]


def questions(path: Path) -> list[Question]:
    """A file in SQuAD's JSON, or in JSON Lines with one flat object per question."""
    if path.suffix == ".jsonl":
        return [
            Question(row["question"], row["context"], _answers(row["answers"]))
            for row in text.records(path)
            if not row.get("in_subset")  # asked again in a file of paragraphs
        ]
    articles = json.loads(text.read(path))["data"]
    return [
        Question(
            entry["question"],
            paragraph["context"],
            tuple((answer["text"], answer["answer_start"]) for answer in entry["answers"]),
        )
        for article in articles
        for paragraph in article["paragraphs"]
        for entry in paragraph["qas"]
    ]


def held_back(question: Question) -> bool:
    """Whether a question of the training files is kept for tuning: one paragraph in thirty."""
    return hashlib.sha256(question.context.encode()).digest()[0] < 256 // 30


def _answers(answers: dict[str, list[Any]]) -> tuple[tuple[str, int], ...]:
    return tuple(zip(answers["text"], answers["answer_start"], strict=True))
