"""Texts, or pairs of texts, to labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from components.training import adapter
from components.training.data import Labelled, load
from components.training.run import Collate, Example, Job, predict

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from components.training.recipe import Recipe


def prepare(recipe: Recipe, data: Path) -> Job:
    return job(recipe, _texts(recipe, data, "train"), lambda: _texts(recipe, data, "dev"))


def _texts(recipe: Recipe, data: Path, split: str) -> list[Labelled]:
    return [one for name in recipe.data for one in cast(list[Labelled], load(name, data, split))]


def job(recipe: Recipe, train: Sequence[Labelled], dev: Callable[[], Sequence[Labelled]]) -> Job:
    """`dev` reads what thresholds are tuned on, where several labels may fit."""
    labels: list[str] = recipe.extra["labels"]
    several = bool(recipe.extra.get("several"))
    tokenizer = adapter.body_tokenizer()
    network = adapter.adapted(
        recipe,
        "BertForSequenceClassification",
        ["pooler", "classifier"],
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        problem_type="multi_label_classification" if several else "single_label_classification",
    )
    batch = collate(tokenizer, labels, several=several)

    def export(folder: Path) -> None:
        settings = {}
        if several:
            tune = examples(tokenizer, dev(), recipe.length)
            settings["thresholds"] = thresholds(network, tune, batch, labels)
        adapter.export(network, folder, **settings)

    return Job(network=network, train=examples(tokenizer, train, recipe.length), collate=batch, export=export)


def examples(tokenizer: PreTrainedTokenizerBase, texts: Sequence[Labelled], length: int) -> list[Example]:
    encoded = tokenizer(
        [one.text for one in texts],
        [one.pair for one in texts] if texts[0].pair is not None else None,
        truncation=True,
        max_length=length,
        return_token_type_ids=True,
    )
    return [
        {"input_ids": ids, "token_type_ids": types, "labels": list(one.labels), "length": len(ids)}
        for ids, types, one in zip(encoded["input_ids"], encoded["token_type_ids"], texts, strict=True)
    ]


def thresholds(
    network: torch.nn.Module, tune: Sequence[Example], batch: Collate, labels: Sequence[str]
) -> list[float]:
    """For each label the score from which on it fits: the one with the best F1 on the texts to tune on."""
    found = [(output["logits"].sigmoid(), row["labels"]) for row, output in predict(network, tune, batch)]
    scores = torch.stack([score for score, _ in found]).cpu().numpy()
    best = []
    for index, label in enumerate(labels):
        fits = np.array([label in wanted for _, wanted in found])
        grid = np.arange(0.05, 0.95, 0.01)
        chosen = scores[:, index, None] >= grid
        right = (chosen & fits[:, None]).sum(0)
        best.append(round(float(grid[(2 * right / (chosen.sum(0) + fits.sum())).argmax()]), 2))
    return best


def collate(tokenizer: PreTrainedTokenizerBase, labels: Sequence[str], *, several: bool) -> Collate:
    def batch(rows: Sequence[Example]) -> dict[str, Any]:
        inputs = [{key: row[key] for key in ("input_ids", "token_type_ids")} for row in rows]
        padded = dict(tokenizer.pad(inputs, return_tensors="pt"))
        if several:
            padded["labels"] = torch.tensor(
                [[float(name in row["labels"]) for name in labels] for row in rows]
            )
        else:
            padded["labels"] = torch.tensor([labels.index(row["labels"][0]) for row in rows])
        return padded

    return batch
