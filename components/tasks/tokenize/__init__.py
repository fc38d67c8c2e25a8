"""How tokenizers split a text: the tokens with their ids and places."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from components.tasks.fields import STRICT, OptionalText, Text
from components.tasks.task import Progress, Tool, map_progress
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.tokenizer import Tokenizer
    from components.models.tokenizers import Tokenizers
    from components.tasks.runner import Runner

TEXTS = in_folder(__file__)

LONGEST = 100_000  # characters
MOST = 4  # tokenizers at once
DEFAULT = "all-MiniLM-L6-v2"


def _different(ids: list[str]) -> list[str]:
    return list(dict.fromkeys(id.strip() for id in ids))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    text: Annotated[
        OptionalText,
        Field(
            min_length=1,
            max_length=LONGEST,
            title="Text",
            description="The text to split; spaces and line breaks count too.",
        ),
    ]
    tokenizers: Annotated[
        list[Annotated[Text, Field(max_length=200)]],
        AfterValidator(_different),
        Field(
            min_length=1,
            max_length=MOST,
            title="Tokenizers",
            description=TEXTS["tokenizers"],
            default_factory=lambda: [DEFAULT],
        ),
    ]


@dataclass(frozen=True, kw_only=True)
class Token:
    """`text` is what it covers of the text, or the vocabulary's spelling of a token that covers nothing, such
    as [CLS]; `piece` is that spelling for every token. `start` and `end` count characters (code points), end
    excluded.
    """

    text: str
    id: int
    start: int
    end: int
    special: bool
    piece: str


@dataclass(frozen=True, kw_only=True)
class Tokenization:
    """`family` is the algorithm; `token_limit` is what the checkpoint reads at once, null if not known;
    `unknown` counts tokens that stand for what the vocabulary lacks."""

    tokenizer: str
    family: str
    vocabulary_size: int
    token_limit: int | None
    unknown: int
    tokens: list[Token]


@dataclass(frozen=True, kw_only=True)
class Tokenizations:
    """In the order asked for."""

    tokenizations: list[Tokenization]


def run(runner: Runner, inputs: Inputs) -> Generator[Progress, None, Tokenizations]:
    tokenizers = runner.tokenizers
    done = []
    for index, id in enumerate(inputs.tokenizers):
        tokenizer = yield from brought(tokenizers, id)
        done.append(_tokenization(id, tokenizer, tokenizers.limit(id), inputs.text))
        yield Progress("Splitting", (index + 1) / len(inputs.tokenizers))
    return Tokenizations(tokenizations=done)


def brought(tokenizers: Tokenizers, id: str) -> Generator[Progress, None, Tokenizer]:
    """A tokenizer, and how far it is until it is there."""
    return map_progress(tokenizers.wait(id), lambda stage: Progress(f"{id}: {stage.words}", stage.share))


def _tokenization(id: str, tokenizer: Tokenizer, limit: int | None, text: str) -> Tokenization:
    tokens = tokenizer.encode(text)
    return Tokenization(
        tokenizer=id,
        family=tokenizer.family,
        vocabulary_size=tokenizer.size,
        token_limit=limit,
        unknown=sum(token.id == tokenizer.unknown for token in tokens),
        tokens=[
            Token(
                text=text[token.start : token.end] if token.end > token.start else token.piece,
                id=token.id,
                start=token.start,
                end=token.end,
                special=token.special,
                piece=token.piece,
            )
            for token in tokens
        ],
    )


TOOL = Tool(
    name="tokenize",
    title="Tokenize",
    about=TEXTS["about"],
    inputs=Inputs,
    result=Tokenizations,
    run=run,
    stored=Path(__file__).with_name("examples.json"),
    example={"text": "Untokenizable? Not at all.", "tokenizers": ["all-MiniLM-L6-v2", "translator-en-de"]},
)
