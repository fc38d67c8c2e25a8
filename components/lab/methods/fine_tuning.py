"""A pretrained network is trained on into a classifier. Imports torch.

Each epoch is scored on the validation split; the epoch with the best macro-F1 there is what is kept. The
logits that are judged are those of the checkpoint as it is written, in half precision, loaded as for a
visitor.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import PreTrainedTokenizerBase, set_seed

from components.lab import card
from components.lab.data import Data
from components.lab.hidden import cut_note
from components.lab.methods.splits import scores, training_rows, watched_rows
from components.lab.methods.trainer_callback import follow
from components.lab.work import PausedError, Work
from components.lab.workspace import remove
from components.models import devices
from components.models.catalog import load_catalog
from components.models.checkpoint import Checkpoint, Head
from components.models.errors import Code, TourError
from components.models.loading import load
from components.models.sources.folder import origin, trained
from components.texts import in_folder
from components.training import classification
from components.training.adapter import body_tokenizer
from components.training.data import Labelled
from components.training.recipe import Recipe
from components.training.run import Collate, Example, Job, predict, steps_per_epoch

TEXTS = in_folder(__file__)

_NAME = "local/trained"
_BLOCK = 1000  # texts that are tokenised at a time


def tune(work: Work, recipe: Recipe) -> None:
    """Trains by a recipe of `kind` "classification", whose labels are put in here; its `length` is cut to
    the base's token limit."""
    base, data = work.base, work.data
    if base is None:
        raise ValueError("there is no base to train on")
    recipe = _with(recipe, base, data)
    folder = work.base_folder()
    rows, watched = training_rows(work, recipe.seed), watched_rows(work, recipe.seed)

    work.progress("Preparing")
    texts = _Texts(data, body_tokenizer(folder), recipe.length)
    job = _job(recipe, base, folder, texts.labelled(rows), lambda: texts.labelled(watched))
    sizes = [(one.numel(), one.requires_grad) for one in job.network.parameters()]
    best = _train(work, recipe, job, texts, watched)
    cut = sum(row["cut"] for row in job.examples)
    work.progress("Writing the checkpoint")
    job.export(work.model)
    collate = job.collate
    del job

    network = _written(work, base, folder)
    held = [data.rows(split) for split in ("validation", "test")]
    answered = _answers(work, network, texts, np.concatenate(held), collate)
    cut += answered.cut
    if note := cut_note(cut, recipe.length):
        work.note(note)
    work.predict(answered.logits[: len(held[0])], answered.logits[len(held[0]) :])
    card.write(work, recipe, len(rows), best.epoch)
    work.finish(
        {
            "epoch": best.epoch,
            "step": best.step,
            "macro_f1": best.macro_f1,
            "train_rows": len(rows),
            "cut": cut,
            "parameters": sum(size for size, _ in sizes),
            "trained": sum(size for size, learned in sizes if learned),
            "adapter": (work.model / "adapter_config.json").is_file(),
        }
    )


@dataclass(frozen=True)
class _Texts:
    """Rows of the data as a network of the run's base takes them."""

    data: Data
    tokenizer: PreTrainedTokenizerBase
    length: int

    def labelled(self, rows: np.ndarray) -> list[Labelled]:
        names = self.data.about.labels
        seconds: Sequence[str | None] = self.data.pairs(rows) or [None] * len(rows)
        found = zip(self.data.texts(rows), self.data.fits(rows), seconds, strict=True)
        return [
            Labelled(text, tuple(names[at] for at in np.flatnonzero(fits)), second)
            for text, fits, second in found
        ]

    def examples(self, rows: np.ndarray) -> list[Example]:
        """Numbered by `place`, since they are answered in another order."""
        found = classification.examples(self.tokenizer, self.labelled(rows), self.length)
        return [{**example, "place": place} for place, example in enumerate(found)]


@dataclass(frozen=True, kw_only=True)
class _Best:
    """The best epoch so far; `trained` once no other is to come."""

    step: int
    epoch: int
    macro_f1: float
    trained: bool = False


def _train(work: Work, recipe: Recipe, job: Job, texts: _Texts, watched: np.ndarray) -> _Best:
    """Leaves the network with the weights of its best epoch."""
    kept = _Kept(work.checkpoints)
    per_epoch = steps_per_epoch(recipe, len(job.train))
    validation = texts.examples(watched)

    def record(step: int) -> None:
        found = scores(work.data, watched, _logits(job.network, validation, job.collate))
        work.validation(step, **found)
        if kept.best is None or found["macro_f1"] > kept.best.macro_f1:
            epoch = -(-step // per_epoch)
            kept.keep(job.network, _Best(step=step, epoch=epoch, macro_f1=found["macro_f1"]))

    if kept.best is None or not kept.best.trained:
        work.progress("Training")
        follow(work, recipe, job, record, record_every=per_epoch, save_every=per_epoch)
        kept.finish()
    best = kept.restore(job.network)
    if work.pausing.is_set():
        raise PausedError(best.step)
    return best


class _Kept:
    """The trained weights of the best epoch, in the half precision that they are exported in."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._weights, self._about = folder / "best.safetensors", folder / "best.json"
        self.best = _Best(**json.loads(self._about.read_text())) if self._about.is_file() else None

    def keep(self, network: torch.nn.Module, best: _Best) -> None:
        half = {
            name: one.detach().to("cpu", torch.float16, copy=True)
            for name, one in network.named_parameters()
            if one.requires_grad
        }
        self._folder.mkdir(parents=True, exist_ok=True)
        written = self._weights.with_suffix(".new")
        save_file(half, written)
        written.replace(self._weights)
        self._tell(best)

    def finish(self) -> None:
        """Nothing but the best weights is needed from now on."""
        if self.best is None:
            raise ValueError("nothing was kept")
        self._tell(_Best(**{**vars(self.best), "trained": True}))
        for folder in self._folder.glob("checkpoint-*"):
            remove(folder)

    def restore(self, network: torch.nn.Module) -> _Best:
        if self.best is None:
            raise ValueError("nothing was kept")
        network.load_state_dict(load_file(self._weights), strict=False)
        return self.best

    def _tell(self, best: _Best) -> None:
        written = self._about.with_suffix(".new")
        written.write_text(json.dumps(vars(best)))
        written.replace(self._about)
        self.best = best


def _with(recipe: Recipe, base: Checkpoint, data: Data) -> Recipe:
    return replace(
        recipe,
        length=min(recipe.length, base.token_limit),
        extra={
            **recipe.extra,
            "labels": list(data.about.labels),
            **({"pairs": True} if data.about.pair else {}),
            **({"several": True} if data.about.several else {}),
        },
    )


def _job(
    recipe: Recipe,
    base: Checkpoint,
    folder: Path,
    texts: Sequence[Labelled],
    held: Callable[[], Sequence[Labelled]],
) -> Job:
    """`held` are those that thresholds are tuned on where several labels may fit."""
    set_seed(recipe.seed)  # the head's first weights are random
    shared = origin(base.source) if base.head is Head.ENCODER and base.id in load_catalog() else None
    try:
        return classification.job(recipe, texts, held, folder=folder, shared=shared)
    except ValueError as error:
        if "Unrecognized configuration class" not in str(error):
            raise
        raise TourError(
            Code.UNSUITABLE_MODEL,
            TEXTS["no_classifier"].format(model=base.title),
            "model",
        ) from error


def _logits(network: torch.nn.Module, examples: Sequence[Example], collate: Collate) -> np.ndarray:
    """fp32 [examples, classes], in the examples' order."""
    found = {row["place"]: output["logits"] for row, output in predict(network, examples, collate)}
    logits: np.ndarray = torch.stack([found[place] for place in range(len(examples))]).float().cpu().numpy()
    return logits


def _written(work: Work, base: Checkpoint, folder: Path) -> torch.nn.Module:
    """The network of the checkpoint that was made, as a visitor would get it."""
    device = devices.pick(work.settings.device)
    made = trained(work.model, _NAME, (base,))
    body = load(base, folder, device, torch.float32) if made.body is not None else None
    return load(made, work.model, device, torch.float32, body).network


@dataclass(frozen=True, kw_only=True, eq=False)
class _Answers:
    """`logits` fp32 [rows, classes]; `cut` counts the texts of which the end was not read."""

    logits: np.ndarray
    cut: int


def _answers(
    work: Work, network: torch.nn.Module, texts: _Texts, rows: np.ndarray, collate: Collate
) -> _Answers:
    parts, cut = [], 0
    for start in range(0, len(rows), _BLOCK):
        work.progress("Answering the held-out examples", start / len(rows))
        examples = texts.examples(rows[start : start + _BLOCK])
        parts.append(_logits(network, examples, collate))
        cut += sum(example["cut"] for example in examples)
    return _Answers(logits=np.concatenate(parts), cut=cut)
