"""Texts, or pairs of texts, to labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from peft import PeftModel

from components.training import adapter
from components.training.data import Labelled, load
from components.training.run import Collate, Example, Job, predict
from components.training.thresholds import thresholds

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from components.training.recipe import Recipe


def prepare(recipe: Recipe, data: Path) -> Job:
    return job(recipe, _texts(recipe, data, "train"), lambda: _texts(recipe, data, "dev"))


def _texts(recipe: Recipe, data: Path, split: str) -> list[Labelled]:
    return [one for name in recipe.data for one in cast(list[Labelled], load(name, data, split))]


def job(
    recipe: Recipe,
    train: Sequence[Labelled],
    dev: Callable[[], Sequence[Labelled]],
    *,
    folder: Path | None = None,
    shared: str | None = adapter.UPSTREAM,
    start: Path | None = None,
) -> Job:
    """`dev` reads what thresholds are tuned on, where several labels may fit; `start` is the folder of an
    adapter to go on from.

    `folder` is that of the checkpoint to start from, MiniLM by default. An adapter is exported as such under
    the name of its body, `shared`; without that, or if every weight is trained, the whole network is.
    """
    folder = folder or adapter.body_folder()
    labels: list[str] = recipe.extra["labels"]
    several = bool(recipe.extra.get("several"))
    tokenizer = adapter.body_tokenizer(folder)
    config = {
        "num_labels": len(labels),
        "id2label": dict(enumerate(labels)),
        "label2id": {label: index for index, label in enumerate(labels)},
        "problem_type": "multi_label_classification" if several else "single_label_classification",
        "pad_token_id": tokenizer.pad_token_id,
    }
    architecture = "AutoModelForSequenceClassification"
    network: PeftModel | PreTrainedModel = (
        adapter.adapted(recipe, architecture, folder=folder, **config)
        if recipe.rank
        else adapter.headed(recipe, architecture, folder, **config)
    )
    if isinstance(network, PeftModel) and start is not None:
        adapter.load(network, start)
    batch = collate(tokenizer, labels, several=several)

    def export(folder: Path) -> None:
        settings: dict[str, Any] = {}
        if recipe.extra.get("pairs"):
            settings["pairs"] = True
        if several:
            tune = examples(tokenizer, dev(), recipe.length)
            settings["thresholds"] = tuned(network, tune, batch, labels)
        if isinstance(network, PeftModel) and shared is not None:
            adapter.export(network, folder, shared, **settings)
        else:
            network.config.update(settings)
            adapter.export_whole(network, tokenizer, folder)

    return Job(network=network, train=examples(tokenizer, train, recipe.length), collate=batch, export=export)


def examples(tokenizer: PreTrainedTokenizerBase, texts: Sequence[Labelled], length: int) -> list[Example]:
    """What the network is given of each text, its `labels`, `length` in tokens, and whether it was `cut`."""
    encoded = tokenizer(
        [one.text for one in texts],
        [one.pair for one in texts] if texts[0].pair is not None else None,
        truncation=True,
        max_length=length,
    )
    names = _inputs(tokenizer)
    return [
        {
            **{name: encoded[name][index] for name in names},
            "labels": list(one.labels),
            "length": len(encoded["input_ids"][index]),
            "cut": bool(encoded.encodings[index].overflowing),
        }
        for index, one in enumerate(texts)
    ]


def tuned(
    network: torch.nn.Module, tune: Sequence[Example], batch: Collate, labels: Sequence[str]
) -> list[float]:
    """The labels' thresholds by the texts to tune on."""
    found = [(output["logits"].sigmoid(), row["labels"]) for row, output in predict(network, tune, batch)]
    scores = torch.stack([score for score, _ in found]).float().cpu().numpy()
    fits = np.array([[label in wanted for label in labels] for _, wanted in found])
    best: list[float] = thresholds(scores, fits).tolist()
    return best


def collate(tokenizer: PreTrainedTokenizerBase, labels: Sequence[str], *, several: bool) -> Collate:
    names = _inputs(tokenizer)

    def batch(rows: Sequence[Example]) -> dict[str, Any]:
        inputs = [{name: row[name] for name in names} for row in rows]
        padded = dict(tokenizer.pad(inputs, padding_side="right", return_tensors="pt"))
        if several:
            padded["labels"] = torch.tensor(
                [[float(name in row["labels"]) for name in labels] for row in rows]
            )
        else:
            padded["labels"] = torch.tensor([labels.index(row["labels"][0]) for row in rows])
        return padded

    return batch


def _inputs(tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """What a tokenizer makes of a text; the mask comes with the padding."""
    return [name for name in tokenizer.model_input_names if name != "attention_mask"]
