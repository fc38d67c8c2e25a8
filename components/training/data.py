"""The data sets, each from the files of its publisher: a folder and a split's name -> examples."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

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
    names = list(text.lines(folder / "labels.txt"))
    group = {name: label for label, members in EKMAN.items() for name in members}
    return [
        Labelled(comment, tuple(dict.fromkeys(group[names[int(index)]] for index in indices.split(","))))
        for comment, indices, _ in text.rows(folder / f"{split}.tsv")
    ]


def snli(folder: Path, split: str) -> list[Labelled]:
    """Premise and hypothesis (Bowman et al. 2015, https://arxiv.org/abs/1508.05326)."""
    file = {"train": "train_18k", "dev": "snli_clean_validation", "test": "snli_clean_test"}[split]
    names = ("entailment", "neutral", "contradiction")
    return [
        Labelled(
            row["premise"],
            (row["label"] if isinstance(row["label"], str) else names[row["label"]],),
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


READERS: dict[str, Callable[[Path, str], list[Labelled] | list[Tagged] | list[Abstract]]] = {
    reader.__name__: reader for reader in (sst2, goemotions, snli, ner_uner_ewt, ner_btc, ner_wnut17, scitldr)
}


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
