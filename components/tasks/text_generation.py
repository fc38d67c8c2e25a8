"""A continuation of a prompt or an answer to it, token by token."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import field as dataclass_field
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from components.models.checkpoint import Head
from components.models.errors import Code, TourError
from components.tasks.fields import (
    LONGEST_MESSAGE,
    MOST_MESSAGES,
    STRICT,
    Also,
    ByName,
    Messages,
    OptionalText,
    shorten,
)
from components.tasks.loops import circling
from components.tasks.snippet import snippet
from components.tasks.task import Output, Progress, Task

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel
    from components.tasks.causal import Sampling


COLDEST = 1e-6  # temperature
MOST_STOPS = 8
REPEATED = (
    "From there on the model only repeated itself, which is left out. A higher repetition penalty or "
    "temperature helps."
)


def _listed(stop: object) -> object:
    """A list of stop strings as one text with a line for each."""
    if not isinstance(stop, list) or not all(isinstance(one, str) for one in stop):
        return stop
    if len(stop) > MOST_STOPS:
        raise PydanticCustomError("rule", "has more than {most} texts to stop at", {"most": MOST_STOPS})
    return "\n".join(one.replace("\\", "\\\\").replace("\n", "\\n") for one in stop)


def stops(stop: str) -> list[str]:
    """The texts of the option: a line each, where a backslash and n are a line break."""
    lines = filter(None, stop.split("\n"))
    return [re.sub(r"\\([\\n])", lambda found: "\n" if found[1] == "n" else "\\", line) for line in lines]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    """Either a prompt, or messages."""

    prompt: Annotated[
        OptionalText,
        Field(
            max_length=LONGEST_MESSAGE,
            title="Prompt",
            description="What to answer, or what to go on from.",
        ),
    ] = ""
    messages: Annotated[
        Messages,
        Field(
            max_length=MOST_MESSAGES,
            title="Messages",
            description="In place of a prompt: the turns of a conversation, whose last one is answered. The "
            "checkpoint's own chat template puts them together.",
        ),
        ByName(),
    ] = dataclass_field(default_factory=list)

    @model_validator(mode="after")
    def _one_of_both(self) -> Inputs:
        if self.prompt.strip() and self.messages:
            raise PydanticCustomError(
                "rule", "Give either a prompt or messages, not both", {"field": "messages"}
            )
        if not self.messages and not self.prompt.strip():
            raise PydanticCustomError(
                "rule", "Prompt is blank; write some text, or send messages", {"field": "prompt"}
            )
        return self


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
    min_p: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            title="Min-p",
            description="Draw from tokens with at least this share of the likeliest one's probability; 0 for "
            "all.",
            json_schema_extra={"step": 0.01},
        ),
    ] = 0.0
    typical_p: Annotated[
        float,
        Field(
            ge=0.05,
            le=1,
            title="Typical-p",
            description="Draw from the tokens that are about as surprising as is to be expected, until they "
            "reach this probability; 1 for all.",
            json_schema_extra={"step": 0.05},
        ),
    ] = 1.0
    num_beams: Annotated[
        int,
        Field(
            ge=1,
            le=8,
            title="Beams",
            description="Above 1, pursues so many beginnings at once and takes the likeliest: nothing is "
            "drawn, and temperature and what follows it have no part.",
        ),
    ] = 1
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
    begin: Annotated[
        OptionalText,
        Field(
            max_length=4_000,
            title="Begin with",
            description="Words that the text has to begin with; the model goes on from them.",
        ),
    ] = ""
    stop: Annotated[
        OptionalText,
        BeforeValidator(_listed),
        Field(
            max_length=500,
            title="Stop at",
            description="The text ends before the first of these, one per line, \\n in one for a line break; "
            "over the API also a list. Empty for the model's own end alone.",
        ),
        Also("array", {"items": {"type": "string"}, "maxItems": MOST_STOPS}),
    ] = ""
    alternatives: Annotated[
        int,
        Field(
            ge=0,
            le=10,
            title="Alternatives",
            description="Lists for each token how likely it was, and so many of the likeliest in its place; "
            "for the first one what all others had. 0 for the text alone.",
        ),
    ] = 0


@dataclass(frozen=True, kw_only=True)
class Likely:
    """A token and its probability after what stands before it; `special` ones, as an end, are no text."""

    text: str
    probability: float
    special: bool


@dataclass(frozen=True, kw_only=True)
class Step(Likely):
    """A token of the answer, which begins at the character `start` of its text, and what was likeliest.

    Probabilities are the network's own, before temperature and what else decides the draw.
    """

    start: int
    alternatives: list[Likely]


@dataclass(frozen=True, kw_only=True)
class Token:
    text: str
    logit: float


@dataclass(frozen=True, kw_only=True)
class Bin:
    """`count` tokens of about the same logit."""

    logit: float
    count: int


@dataclass(frozen=True, kw_only=True)
class NextToken:
    """The whole distribution of the first token that the network wrote, the likeliest first."""

    tokens: list[Token]
    rest: list[Bin]


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A run of tokens that beams had in common; `parent` is the branch it goes on from, -1 for none.

    `log_probability` is that of everything up to its end, in nats.
    """

    parent: int
    text: str
    tokens: int
    log_probability: float
    best: bool


@dataclass(frozen=True, kw_only=True)
class Generation:
    """`text` is what is new; `finish_reason` is None while it grows, "end" where the model ended it, "stop"
    where it came to what it was to stop at, "loop" where it only repeated itself: that is left out.

    `steps`, `next_token` and `beams` come with the whole text where alternatives are asked for, the last with
    several beams alone.
    """

    text: str
    finish_reason: Literal["end", "length", "stop", "loop"] | None
    generated_tokens: int
    steps: list[Step]
    next_token: NextToken | None
    beams: list[Branch]


def run(model: LoadedModel, inputs: Inputs, options: Options) -> Iterator[Progress | Output[Generation]]:
    """Yields the text so far after each token, with several beams the whole at once."""
    from components.tasks import causal, decoding

    notes: list[str] = []
    if options.mode == "chat" and not model.tokenizer.chat_template:
        notes.append(f"{model.checkpoint.id} knows no chat, so that it goes on from the prompt.")
    begin = options.begin.rstrip(" ")
    begun = causal.text_ids(model, begin, special=False)
    written = Written(model, options, inputs.prompt)
    prompt = [*_asked(model, inputs, options), *begun]
    limit = model.checkpoint.token_limit
    if len(prompt) + options.max_new_tokens > limit:
        raise TourError(
            Code.TOO_LONG,
            f"The {'conversation' if inputs.messages else 'prompt'} has {len(prompt):,} tokens; with "
            f"{options.max_new_tokens} new ones at most {max(limit - options.max_new_tokens, 0):,} fit "
            f"{model.checkpoint.id}'s {limit:,}. "
            + ("Leave out earlier turns" if inputs.messages else "Shorten the prompt")
            + " or ask for fewer new tokens.",
            "messages" if inputs.messages else "prompt",
        )
    stop = causal.stop_ids(model)

    def output(
        ids: list[int],
        steps: Sequence[Step] = (),
        next_token: NextToken | None = None,
        beams: Sequence[Branch] = (),
    ) -> Output[Generation]:
        finish: Literal["end", "length", "stop", "loop"] | None = (
            "end" if ids[-1] in stop else "length" if len(ids) == options.max_new_tokens else None
        )
        text, shift = written.text(begun, ids)
        end, early = written.end(text)
        if early:
            text, finish = text[:end], early
            steps = [step for step in steps if step.start + shift < end]
        cut = ["The limit of new tokens cut the last character in two."]
        return Output(
            result=Generation(
                text=text if finish else whole_characters(text),
                finish_reason=finish,
                generated_tokens=len(ids),
                steps=[replace(step, start=max(0, step.start + shift)) for step in steps],
                next_token=next_token,
                beams=list(beams),
            ),
            tokens_used=len(prompt) + len(ids),
            token_limit=limit,
            notes=(
                *notes,
                *cut * (finish == "length" and text != whole_characters(text)),
                *[REPEATED] * (finish == "loop"),
            ),
            share=1.0 if finish else len(ids) / options.max_new_tokens,
        )

    if options.num_beams > 1:
        found = yield from decoding.beam_search(
            model, prompt, options.max_new_tokens, options.num_beams, options.repetition_penalty
        )
        if not options.alternatives:
            yield output(found.ids)
            return
        weighed = yield from decoding.weigh(model, prompt, begun, found.ids, options.alternatives)
        yield output(found.ids, *weighed, found.tree)
        return
    ids: list[int] = []
    steps: list[Step] = []
    first: NextToken | None = None
    pieces = decoding.Pieces(model)
    for drawn in causal.generate(model, prompt, options.max_new_tokens, _sampling(options), stop):
        if isinstance(drawn, Progress):
            yield drawn
            continue
        if options.alternatives:
            before = [*begun, *ids]
            if not ids:
                first = decoding.next_token(pieces, before, drawn.logits)
            steps.append(decoding.step(pieces, before, drawn.id, drawn.logits, options.alternatives))
        ids.append(drawn.id)
        stopped = written.end(written.text(begun, ids)[0])[1] is not None
        whole = stopped or drawn.id in stop or len(ids) == options.max_new_tokens
        yield output(ids, steps, first) if whole else output(ids)
        if stopped:
            return


def _sampling(options: Options) -> Sampling:
    from components.tasks.causal import Sampling

    return Sampling(
        # Below that, logits divided by it are infinite: the likeliest token is certain anyway.
        temperature=options.temperature if options.temperature >= COLDEST else 0.0,
        top_k=options.top_k,
        top_p=options.top_p,
        min_p=options.min_p,
        typical_p=options.typical_p,
        repetition_penalty=options.repetition_penalty,
        seed=options.seed,
    )


def _asked(model: LoadedModel, inputs: Inputs, options: Options) -> list[int]:
    """The tokens of the prompt, or of the messages; raises `TourError` where the checkpoint takes none."""
    from jinja2 import TemplateError

    from components.tasks import causal

    if not inputs.messages:
        return prompt_ids(model, inputs.prompt, options)
    if not model.tokenizer.chat_template:
        raise TourError(
            Code.UNSUITABLE_MODEL,
            f"{model.checkpoint.id} has no chat template, so that it takes no messages. Send a prompt, or "
            "pick a model that was trained on conversations.",
            "model",
        )
    if options.mode == "plain":
        raise TourError(
            Code.INVALID_INPUT, "Messages are answered in the mode chat; plain goes on from a prompt.", "mode"
        )
    messages = [{"role": str(message["role"]), "content": message["content"]} for message in inputs.messages]
    if options.system.strip():
        if messages[0]["role"] == "system":
            raise TourError(
                Code.INVALID_INPUT,
                "The first of the messages is the system's already; leave the system prompt empty.",
                "system",
            )
        messages = [{"role": "system", "content": options.system}, *messages]
    try:
        return causal.chat_ids(model, messages)
    except TemplateError as error:
        raise TourError(
            Code.INVALID_INPUT,
            f"{model.checkpoint.id}'s chat template refuses this conversation: {shorten(str(error), 120)}.",
            "messages",
        ) from error


def prompt_ids(model: LoadedModel, prompt: str, options: Options) -> list[int]:
    """The prompt's tokens: inside the checkpoint's chat template if it has one and chat is wanted.

    Without it, a space at the end is left to the next token, which has it in front.
    """
    from components.tasks import causal

    tokenizer = model.tokenizer
    if options.mode == "plain" or not tokenizer.chat_template:
        return causal.text_ids(model, prompt.rstrip(" "), special=True)
    messages = [{"role": "system", "content": options.system}] if options.system.strip() else []
    messages.append({"role": "user", "content": prompt})
    return causal.chat_ids(model, messages)


class Written:
    """The text that a visitor gets for what was written after their prompt and after `begin`.

    It starts with `begin` as typed. A space at the end of what was typed is that of the next token, so that
    it is there once.
    """

    def __init__(self, model: LoadedModel, options: Options, prompt: str) -> None:
        self._tokenizer = model.tokenizer
        self._begin = options.begin
        self._stops = stops(options.stop)
        plain = options.mode == "plain" or not model.tokenizer.chat_template
        before = options.begin or (prompt if plain else "")
        self._spaces = len(before) - len(before.rstrip(" "))

    def end(self, text: str) -> tuple[int, Literal["stop", "loop"] | None]:
        """Where a text ends early, and why: it came to what it is to stop at, or goes round in circles."""
        begin = len(self._begin)
        if found := [at for one in self._stops if (at := text.find(one, begin)) >= 0]:
            return min(found), "stop"
        if (repeated := circling(text, begin)) is not None:
            return repeated, "loop"
        return len(text), None

    def text(self, begun: Sequence[int], ids: Sequence[int]) -> tuple[str, int]:
        """The text of the tokens, and how much further back their places in it are than without `begin`."""
        whole = str(self._tokenizer.decode([*begun, *ids], skip_special_tokens=True))
        start = str(self._tokenizer.decode(list(begun), skip_special_tokens=True))
        new = whole[len(start) :] if whole.startswith(start) else str(self._tokenizer.decode(list(ids)))
        once = new[min(self._spaces, len(new) - len(new.lstrip(" "))) :]
        text = self._begin + once
        return text, len(text) - len(whole)


def whole_characters(text: str) -> str:
    """Text so far without an end that the next token may complete: part of a character's bytes, or a joiner
    (U+200D) between two emoji.
    """
    return text.rstrip("\ufffd\u200d")


TASK = Task(
    name="text_generation",
    title="Text generation",
    about=(
        "Writes on from a prompt, or answers it as a chat message or the last of several messages, one token "
        "after another."
    ),
    inputs=Inputs,
    options=Options,
    result=Generation,
    heads=frozenset({Head.CAUSAL_LM}),
    run=run,
    snippet=snippet("text_generation"),
    example={"prompt": "Explain in one sentence why the sky is blue."},
)
