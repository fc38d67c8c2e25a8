"""The data sets, each from the files of its publisher: a folder and a split's name -> examples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.training import text

# From the groups published with GoEmotions (Demszky et al. 2020, https://arxiv.org/abs/2005.00547).
EKMAN = {
    "anger": ("anger", "annoyance", "disapproval"),
    "disgust": ("disgust",),
    "fear": ("fear", "nervousness"),
    "joy": (
        *("joy", "amusement", "approval", "excitement", "gratitude", "love", "optimism", "relief", "pride"),
        *("admiration", "desire", "caring"),
    ),
    "sadness": ("sadness", "disappointment", "embarrassment", "grief", "remorse"),
    "surprise": ("surprise", "realization", "confusion", "curiosity"),
    "neutral": ("neutral",),
}

_INFERENCES = ("entailment", "neutral", "contradiction")


@dataclass(frozen=True)
class Labelled:
    """A text, or a pair of texts, and the labels that fit it."""

    text: str
    labels: tuple[str, ...]
    pair: str | None = None


@dataclass(frozen=True)
class Tagged:
    """Words with one BIO tag each."""

    words: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Abstract:
    """Sentences of an abstract and the one-sentence summaries that people wrote of it."""

    sentences: tuple[str, ...]
    summaries: tuple[str, ...]


def sst2(folder: Path, split: str) -> list[Labelled]:
    """Sentences and phrases of film reviews (train), sentences (dev)."""
    file = {"train": "glue_train_full.tsv", "dev": "glue_dev.tsv"}[split]
    rows = list(text.rows(folder / file))[1:]
    return [Labelled(sentence.strip(), (("negative", "positive")[int(label)],)) for sentence, label in rows]


def goemotions(folder: Path, split: str) -> list[Labelled]:
    """Comments with the Ekman groups of their emotions; several may fit."""
    return [Labelled(one.text, _groups(one.labels)) for one in emotions(folder, split)]


def emotions(folder: Path, split: str) -> list[Labelled]:
    """GoEmotions' comments with its own 27 emotions, or neutral."""
    names = list(text.lines(folder / "labels.txt"))
    return [
        Labelled(comment, tuple(names[int(index)] for index in indices.split(",")))
        for comment, indices, _ in text.rows(folder / f"{split}.tsv")
    ]


def snli(folder: Path, split: str) -> list[Labelled]:
    """Premise and hypothesis (Bowman et al. 2015, https://arxiv.org/abs/1508.05326)."""
    file = {"train": "train_18k", "dev": "snli_clean_validation", "test": "snli_clean_test"}[split]
    return [
        Labelled(
            row["premise"],
            (row["label"] if isinstance(row["label"], str) else _INFERENCES[row["label"]],),
            row["hypothesis"],
        )
        for row in text.records(folder / f"{file}.jsonl")
    ]


def ner_uner_ewt(folder: Path, split: str) -> list[Tagged]:
    """Web text of Universal NER (Mayhew et al. 2024, https://arxiv.org/abs/2311.09122)."""
    return _tagged(text.lines(folder / f"bio_{split}.txt"), ("PER", "LOC", "ORG"))


def ner_btc(folder: Path, split: str) -> list[Tagged]:
    """Tweets; the publisher proposes section f for tests and the second half of h for tuning."""
    if split != "train":
        raise ValueError(f"BTC is for training here; it has no split {split!r}")
    sections = [_tagged(text.lines(folder / f"{name}.conll"), ("PER", "LOC", "ORG")) for name in "abegh"]
    return [*(one for section in sections[:-1] for one in section), *sections[-1][: len(sections[-1]) // 2]]


def ner_wnut17(folder: Path, split: str) -> list[Tagged]:
    """Posts with unusual names; its six types are those of the others where they mean the same."""
    same = {"person": "PER", "location": "LOC", "corporation": "ORG", "group": "ORG"}
    return _tagged(text.lines(folder / f"{split}.conll"), same)


def scitldr(folder: Path, split: str) -> list[Abstract]:
    """Abstracts of papers with summaries by their authors and by reviewers (Cachola et al. 2020,
    https://arxiv.org/abs/2004.15011)."""
    return [
        Abstract(tuple(row["source"]), tuple(row["target"]))
        for row in text.records(folder / f"SciTLDR-A_{split}.jsonl")
    ]


Examples = list[Labelled] | list[Tagged] | list[Abstract]

READERS: dict[str, Callable[[Path, str], Examples]] = {
    reader.__name__: reader
    for reader in (sst2, goemotions, emotions, snli, ner_uner_ewt, ner_btc, ner_wnut17, scitldr)
}
FOLDERS = {"emotions": "goemotions"}  # where it is not the data set's name


@dataclass(frozen=True)
class OnHub:
    """Where the Hub has a data set, what its splits are called, and how its rows become examples.

    `example` gets a row and the names of the classes in its column `label` or `labels`.
    """

    id: str
    example: Callable[[Mapping[str, Any], Sequence[str]], Labelled | Abstract | None]
    config: str | None = None
    splits: Mapping[str, str] = field(default_factory=lambda: {"dev": "validation"})


def _sst2_row(row: Mapping[str, Any], classes: Sequence[str]) -> Labelled:
    return Labelled(row["sentence"].strip(), (("negative", "positive")[row["label"]],))


def _emotions_row(row: Mapping[str, Any], classes: Sequence[str]) -> Labelled:
    return Labelled(row["text"], tuple(classes[index] for index in row["labels"]))


def _goemotions_row(row: Mapping[str, Any], classes: Sequence[str]) -> Labelled:
    return Labelled(row["text"], _groups(classes[index] for index in row["labels"]))


def _snli_row(row: Mapping[str, Any], classes: Sequence[str]) -> Labelled | None:
    if row["label"] < 0:  # raters did not agree
        return None
    return Labelled(row["premise"], (_INFERENCES[row["label"]],), row["hypothesis"])


ON_HUB = {
    "sst2": OnHub("stanfordnlp/sst2", _sst2_row),
    "goemotions": OnHub("google-research-datasets/go_emotions", _goemotions_row, config="simplified"),
    "emotions": OnHub("google-research-datasets/go_emotions", _emotions_row, config="simplified"),
    "snli": OnHub("stanfordnlp/snli", _snli_row),
}


def load(name: str, data: Path, split: str) -> Examples:
    """A data set from its folder in `data`; one that is not there is read from the Hub if known there."""
    folder = data / FOLDERS.get(name, name)
    if folder.is_dir():
        return READERS[name](folder, split)
    if name not in ON_HUB:
        raise FileNotFoundError(
            f"There is no folder {folder}, and {name} cannot be read from the Hub: name the folder of "
            "the data sets with --data."
        )
    return from_hub(ON_HUB[name], split)


def from_hub(source: OnHub, split: str) -> Examples:
    import datasets

    table = datasets.load_dataset(source.id, source.config, split=source.splits.get(split, split))
    column = table.features.get("label") or table.features.get("labels")
    classes = getattr(getattr(column, "feature", column), "names", ())
    examples = (source.example(row, classes) for row in table)
    return [example for example in examples if example is not None]  # type: ignore[return-value]


def _groups(fine: Iterable[str]) -> tuple[str, ...]:
    """The Ekman groups of GoEmotions' labels, each once."""
    return tuple(dict.fromkeys(map(group, fine)))


def group(emotion: str) -> str:
    """The Ekman group of one of GoEmotions' labels."""
    return next(label for label, members in EKMAN.items() if emotion in members)


def _tagged(lines: Iterable[str], types: dict[str, str] | tuple[str, ...]) -> list[Tagged]:
    names = types if isinstance(types, dict) else {name: name for name in types}
    sentences: list[Tagged] = []
    words: list[str] = []
    tags: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            word, tag = line.split("\t")[0], line.split("\t")[-1].strip()
            kind = names.get(tag.partition("-")[2])
            words.append(word)
            tags.append(f"{tag[0]}-{kind}" if kind else "O")
        elif words:
            sentences.append(Tagged(tuple(words), tuple(tags)))
            words, tags = [], []
    return sentences
