"""What a task is: typed inputs and options, one generator that answers, one snippet.

The options form, the API's validation, its OpenAPI schema and the code drawer all
derive from a `Task`; no page or interface describes a task a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic.dataclasses import dataclass as fields

from components.tasks.explained import Explained

if TYPE_CHECKING:
    from components.models.checkpoint import Checkpoint, Head, LoadedModel
    from components.tasks.runner import Runner

I = TypeVar("I")
O = TypeVar("O")
R = TypeVar("R")
S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """Work under way with nothing to show yet; `share` in [0, 1], None if unknown."""

    stage: str
    share: float | None = None


def map_progress(work: Generator[S, None, R], tell: Callable[[S], T]) -> Generator[T, None, R]:
    """`work`, with what `tell` makes of each of its steps, such as progress."""
    with closing(work):
        while True:
            try:
                step = next(work)
            except StopIteration as done:
                result: R = done.value
                return result
            yield tell(step)


def scaled_progress(
    work: Generator[Progress, None, R], start: float, end: float
) -> Generator[Progress, None, R]:
    """`work` as the part of a larger one that goes from share `start` to `end`; shares never fall."""
    share = start

    def tell(step: Progress) -> Progress:
        nonlocal share
        if step.share is not None:
            share = max(share, start + step.share * (end - start))
        return Progress(step.stage, share)

    return map_progress(work, tell)


@dataclass(frozen=True, kw_only=True)
class Output(Generic[R]):
    """A result as far as the work has come; the last one yielded is the whole result."""

    result: R
    tokens_used: int
    token_limit: int
    notes: tuple[str, ...] = ()
    share: float = 1.0  # of the work done


@dataclass(frozen=True, kw_only=True)
class Answer(Generic[R]):
    """An output with what gave it: the one object behind the page, `/v1`, Gradio and MCP."""

    result: R
    model: str
    device: str
    seconds: float
    tokens_used: int
    token_limit: int
    notes: tuple[str, ...]
    share: float = 1.0
    cached: bool = False  # computed for an earlier request

    def as_json(self) -> dict[str, Any]:
        """The contract's JSON object: the result's own keys first, then the run's."""
        return {
            **asdict(self.result),  # type: ignore[call-overload]
            "model": self.model,
            "device": self.device,
            "seconds": round(self.seconds, 4),
            "tokens_used": self.tokens_used,
            "token_limit": self.token_limit,
            "notes": list(self.notes),
            **({"cached": True} if self.cached else {}),
        }


def every_language(model: LoadedModel, inputs: Any, options: Any) -> Collection[str]:
    """The codes of all languages that the checkpoint is said to know."""
    return model.checkpoint.languages


@dataclass(frozen=True, kw_only=True)
class Task(Generic[I, O, R]):
    """One thing asked of a model.

    `inputs` and `options` are frozen pydantic dataclasses whose fields carry title,
    description and bounds; `result` is a frozen dataclass whose keys are the API's.
    `run` is a generator: it yields after each bounded piece of work, so that visitors
    take turns on the device and a closed generator frees the model at once. `reads` says which languages the
    model takes the texts to be in.
    """

    name: str  # of the API, e.g. "sentence_similarity"
    title: str
    about: str  # one or two sentences, for the API's and MCP's descriptions
    inputs: type[I]
    options: type[O]
    result: type[R]
    heads: frozenset[Head]
    run: Callable[[LoadedModel, I, O], Iterator[Progress | Output[R]]]
    snippet: Callable[[Checkpoint, I, O], str]
    example: Mapping[str, object]  # inputs of a small, valid request
    stored: Path  # requests with the answers that pages open with
    reads: Callable[[LoadedModel, I, O], Collection[str]] = every_language
    explained: Explained | None = None


@dataclass(frozen=True, kw_only=True)
class Finding(Generic[R]):
    """What a tool found out."""

    result: R

    def as_json(self) -> dict[str, Any]:
        return asdict(self.result)  # type: ignore[call-overload,no-any-return]


@fields(frozen=True)
class NoOptions:
    """Nothing can be set."""


@dataclass(frozen=True, kw_only=True)
class Tool(Generic[I, R]):
    """As a task, but no model is chosen for it: it uses what it needs of the runner."""

    name: str
    title: str
    about: str
    inputs: type[I]
    result: type[R]
    run: Callable[[Runner, I], Generator[Progress, None, R]]
    example: Mapping[str, object]
    stored: Path
    options: type[Any] = NoOptions


Operation = Task[Any, Any, Any] | Tool[Any, Any]
"""What the interfaces serve."""
