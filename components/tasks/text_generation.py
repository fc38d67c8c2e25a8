"""A continuation of a prompt or an answer to it, token by token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.models.checkpoint import Head
from components.models.errors import Code, TourError
from components.tasks.fields import STRICT, OptionalText, Text
from components.tasks.snippet import snippet
from components.tasks.task import Output, Progress, Task

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    prompt: Annotated[
        Text, Field(max_length=40_000, title="Prompt", description="What to answer, or what to go on from.")
    ]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    mode: Annotated[
        Literal["chat", "plain"],
        Field(title="Mode", description="chat answers the prompt as a message; plain goes on from it."),
    ] = "chat"
    max_new_tokens: Annotated[
        int, Field(ge=1, le=512, title="New tokens", description="The text ends after this many.")
    ] = 128
    temperature: Annotated[
        float,
        Field(
            ge=0,
            le=2,
            title="Temperature",
            description="0 always takes the likeliest token; higher values dare more.",
            json_schema_extra={"step": 0.05},
        ),
    ] = 0.2
    top_k: Annotated[
        int, Field(ge=0, le=1000, title="Top-k", description="Draw from the k likeliest tokens; 0 for all.")
    ] = 50
    top_p: Annotated[
        float,
        Field(
            ge=0.05,
            le=1,
            title="Top-p",
            description="Draw from the likeliest tokens that together reach this probability; 1 for all.",
            json_schema_extra={"step": 0.05},
        ),
    ] = 0.9
    repetition_penalty: Annotated[
        float,
        Field(
            ge=1,
            le=2,
            title="Repetition penalty",
            description="Above 1, tokens that already occurred become less likely.",
            json_schema_extra={"step": 0.05},
        ),
    ] = 1.1
    seed: Annotated[
        int, Field(ge=0, le=2**32 - 1, title="Seed", description="The same seed draws the same text again.")
    ] = 0
    system: Annotated[
        OptionalText,
        Field(
            max_length=4_000,
            title="System prompt",
            description="Chat only: how to behave. Empty for the model's own.",
        ),
    ] = ""


@dataclass(frozen=True, kw_only=True)
class Generation:
    """`text` is what is new; `finish_reason` is None while it grows, "end" where the model ended it."""

    text: str
    finish_reason: Literal["end", "length"] | None
    generated_tokens: int


def run(model: LoadedModel, inputs: Inputs, options: Options) -> Iterator[Progress | Output[Generation]]:
    """Yields the text so far after each token."""
    from components.tasks import causal

    notes: tuple[str, ...] = ()
    if options.mode == "chat" and not model.tokenizer.chat_template:
        notes = (f"{model.checkpoint.id} knows no chat, so that it goes on from the prompt.",)
    prompt = prompt_ids(model, inputs.prompt, options)
    limit = model.checkpoint.token_limit
    if len(prompt) + options.max_new_tokens > limit:
        raise TourError(
            Code.TOO_LONG,
            f"The prompt has {len(prompt):,} tokens; with {options.max_new_tokens} new ones at most "
            f"{max(limit - options.max_new_tokens, 0):,} fit {model.checkpoint.id}'s {limit:,}. Shorten the "
            "prompt or ask for fewer new tokens.",
            "prompt",
        )
    sampling = causal.Sampling(
        temperature=options.temperature,
        top_k=options.top_k,
        top_p=options.top_p,
        repetition_penalty=options.repetition_penalty,
        seed=options.seed,
    )
    stop = causal.stop_ids(model)
    ids: list[int] = []
    for step in causal.generate(model, prompt, options.max_new_tokens, sampling, stop):
        if isinstance(step, Progress):
            yield step
            continue
        ids.append(step)
        ended = step in stop
        finish: Literal["end", "length"] | None = (
            "end" if ended else "length" if len(ids) == options.max_new_tokens else None
        )
        text = str(model.tokenizer.decode(ids, skip_special_tokens=True))
        if finish == "length" and text != whole_characters(text):
            notes += ("The limit of new tokens cut the last character in two.",)
        yield Output(
            result=Generation(
                text=text if finish else whole_characters(text),
                finish_reason=finish,
                generated_tokens=len(ids),
            ),
            tokens_used=len(prompt) + len(ids),
            token_limit=limit,
            notes=notes,
            share=1.0 if finish else len(ids) / options.max_new_tokens,
        )


def prompt_ids(model: LoadedModel, prompt: str, options: Options) -> list[int]:
    """The prompt's tokens: inside the checkpoint's chat template if it has one and chat is wanted."""
    from components.tasks import causal

    tokenizer = model.tokenizer
    if options.mode == "plain" or not tokenizer.chat_template:
        return list(tokenizer(prompt, verbose=False)["input_ids"])
    messages = [{"role": "system", "content": options.system}] if options.system.strip() else []
    messages.append({"role": "user", "content": prompt})
    return causal.chat_ids(model, messages)


def whole_characters(text: str) -> str:
    """Text so far without an end that the next token may complete: part of a character's bytes, or a joiner
    (U+200D) between two emoji.
    """
    return text.rstrip("\ufffd\u200d")


TASK = Task(
    name="text_generation",
    title="Text generation",
    about="Writes on from a prompt, or answers it as a chat message, one token after another.",
    inputs=Inputs,
    options=Options,
    result=Generation,
    heads=frozenset({Head.CAUSAL_LM}),
    run=run,
    snippet=snippet("text_generation"),
    example={"prompt": "Explain in one sentence why the sky is blue."},
)
