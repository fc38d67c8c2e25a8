"""What is known of a checkpoint before it is loaded, and what a loaded one consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from components.models.passes import Passes

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Head(StrEnum):
    """What sits on the transformer's body, hence which Auto class loads it."""

    ENCODER = "encoder"
    CAUSAL_LM = "causal-lm"
    MASKED_LM = "masked-lm"
    SEQ2SEQ_LM = "seq2seq-lm"
    SEQUENCE_CLASSIFICATION = "sequence-classification"
    TOKEN_CLASSIFICATION = "token-classification"
    QUESTION_ANSWERING = "question-answering"
    TABLE_QUESTION_ANSWERING = "table-question-answering"

    @property
    def auto_class(self) -> str:
        """The name in Transformers."""
        return {
            Head.ENCODER: "AutoModel",
            Head.CAUSAL_LM: "AutoModelForCausalLM",
            Head.MASKED_LM: "AutoModelForMaskedLM",
            Head.SEQ2SEQ_LM: "AutoModelForSeq2SeqLM",
            Head.SEQUENCE_CLASSIFICATION: "AutoModelForSequenceClassification",
            Head.TOKEN_CLASSIFICATION: "AutoModelForTokenClassification",
            Head.QUESTION_ANSWERING: "AutoModelForQuestionAnswering",
            Head.TABLE_QUESTION_ANSWERING: "AutoModelForTableQuestionAnswering",
        }[self]


_TEXT_HEADS = frozenset(Head) - {Head.TABLE_QUESTION_ANSWERING}

# What can be asked of any checkpoint with such a head that reads texts, whatever it was trained for.
INSPECTIONS: Mapping[str, frozenset[Head]] = {
    "anatomy": _TEXT_HEADS,
    "attention": _TEXT_HEADS,
    "attribution": _TEXT_HEADS,
    "layers": _TEXT_HEADS,
}


@dataclass(frozen=True, kw_only=True)
class HubSource:
    """A repository on the Hugging Face Hub, or on whatever `HF_ENDPOINT` points to."""

    repo: str
    revision: str = "main"


@dataclass(frozen=True, kw_only=True)
class WheelSource:
    """Weights carried by a package on the Python package index; the package is never imported."""

    package: str  # "name==version"
    folder: str  # folder inside the wheel that holds the checkpoint's files
    file: str  # the weights file in that folder
    sha256: str  # of that file
    upstream: str  # Hub id of the original weights


@dataclass(frozen=True, kw_only=True)
class RepoSource:
    """A folder that this repository ships under `components/models/embedded/`."""

    folder: str


@dataclass(frozen=True, kw_only=True)
class LocalSource:
    """A folder on the host: one trained in the lab, or found under `--models-dir`."""

    folder: str


Source = HubSource | WheelSource | RepoSource | LocalSource

SOURCES: Mapping[str, type[Source]] = {
    "hub": HubSource,
    "wheel": WheelSource,
    "repo": RepoSource,
    "local": LocalSource,
}


def kind_of(source: Source) -> str:
    """The name in `SOURCES`."""
    return next(kind for kind, made in SOURCES.items() if isinstance(source, made))


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Named weights and their tokenizer: one table of `catalog.toml`.

    `embedded` says that no Hub is needed. `default_for` maps a profile ("embedded",
    "hub") to the tasks that start with this checkpoint under that profile.

    A checkpoint with a `body` is an adapter: it changes a little of the network of that other
    checkpoint and shares the rest, and its tokenizer. Its `parameters` and `download_bytes` are
    what it adds; the properties `whole_parameters` and `whole_download_bytes` count the body too.

    One that is not `listed` belongs to a visitor: it is found by its id alone, which cannot be guessed.
    """

    id: str
    title: str
    tasks: tuple[str, ...]
    head: Head
    source: Source
    licence: str
    parameters: int
    download_bytes: int
    token_limit: int
    languages: tuple[str, ...]
    about: str
    default_for: dict[str, tuple[str, ...]] = field(default_factory=dict)
    body: Checkpoint | None = None
    listed: bool = True

    def can(self, task: str) -> bool:
        if task in INSPECTIONS:
            return self.head in INSPECTIONS[task] and "table_question_answering" not in self.tasks
        return task in self.tasks

    @property
    def parts(self) -> tuple[Checkpoint, ...]:
        """The checkpoints that must be on this host for it to load: its body, if it has one, and itself."""
        return (self,) if self.body is None else (self.body, self)

    @property
    def embedded(self) -> bool:
        return not any(isinstance(part.source, HubSource) for part in self.parts)

    @property
    def whole_parameters(self) -> int:
        return sum(part.parameters for part in self.parts)

    @property
    def whole_download_bytes(self) -> int:
        return sum(part.download_bytes for part in self.parts)


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A checkpoint in memory: its network (eval mode, on `device`) and its tokenizer."""

    checkpoint: Checkpoint
    network: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    device: torch.device
    dtype: torch.dtype
    nbytes: int  # parameters and buffers, measured
    passes: Passes = field(default_factory=Passes, repr=False, compare=False)
