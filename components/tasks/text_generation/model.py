"""A prompt continued or answered, token by token. Imports torch."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from jinja2 import TemplateError

from components.models.errors import Code, TourError
from components.tasks import causal
from components.tasks.causal import Sampling
from components.tasks.fields import shorten
from components.tasks.loops import circling
from components.tasks.stages import Forward, Partial
from components.tasks.task import Output, Progress
from components.tasks.text_generation import Branch, Generation, Inputs, NextToken, Options, Step, decoding
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

COLDEST = 1e-6  # temperature
REPEATED = TEXTS["repeated"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """Token ids of a prompt, of which the last are those `begun` with, and how it is continued."""

    prompt: list[int]
    begun: list[int]
    written: Written
    options: Options


@dataclass(frozen=True, kw_only=True)
class Prepared:
    rows: tuple[Row]


@dataclass(frozen=True, kw_only=True)
class Generated:
    """Token ids so far, and what was weighed on the way to them."""

    ids: tuple[int, ...]
    steps: Sequence[Step] = ()
    next_token: NextToken | None = None
    beams: Sequence[Branch] = ()


Writing = Generator[Progress | Partial[Generated], None, Generated]


def preprocess(model: LoadedModel, inputs: Inputs, options: Options) -> Prepared:
    begun = causal.text_ids(model, options.begin.rstrip(" "), special=False)
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
    return Prepared(rows=(Row(prompt=prompt, begun=begun, written=written, options=options),))


def forward(model: LoadedModel, rows: Sequence[Row]) -> Forward[Generated]:
    """What follows each prompt, shown after each token; with several beams at the end alone."""
    done: list[Generated] = []
    for row in rows:
        writing = _beams(model, row) if row.options.num_beams > 1 else _sampled(model, row, done)
        done.append((yield from writing))
    return done


def _sampled(model: LoadedModel, row: Row, done: Sequence[Generated]) -> Writing:
    options, begun = row.options, row.begun
    stop = causal.stop_ids(model)
    ids: list[int] = []
    steps: list[Step] = []
    first: NextToken | None = None
    pieces = decoding.TokenTexts(model)
    for drawn in causal.generate(model, row.prompt, options.max_new_tokens, _sampling(options), stop):
        if isinstance(drawn, Progress):
            yield drawn
            continue
        if options.alternatives:
            before = [*begun, *ids]
            if not ids:
                first = decoding.next_token(pieces, before, drawn.logits)
            steps.append(decoding.step(pieces, before, drawn.id, drawn.logits, options.alternatives))
        ids.append(drawn.id)
        if row.written.end(row.written.text(begun, ids)[0])[1] is not None:
            break
        if drawn.id not in stop and len(ids) < options.max_new_tokens:
            yield Partial((*done, Generated(ids=tuple(ids))))
    return Generated(ids=tuple(ids), steps=steps, next_token=first)


def _beams(model: LoadedModel, row: Row) -> Writing:
    options = row.options
    found = yield from decoding.beam_search(
        model, row.prompt, options.max_new_tokens, options.num_beams, options.repetition_penalty
    )
    if not options.alternatives:
        return Generated(ids=tuple(found.ids))
    steps, first = yield from decoding.weigh(model, row.prompt, row.begun, found.ids, options.alternatives)
    return Generated(ids=tuple(found.ids), steps=steps, next_token=first, beams=found.tree)


def postprocess(
    model: LoadedModel, inputs: Inputs, options: Options, prepared: Prepared, outputs: Sequence[Generated]
) -> Output[Generation]:
    (row,), (made,) = prepared.rows, outputs
    ids, steps = list(made.ids), made.steps
    stop = causal.stop_ids(model)
    finish: Literal["end", "length", "stop", "loop"] | None = (
        "end" if ids[-1] in stop else "length" if len(ids) == options.max_new_tokens else None
    )
    text, shift = row.written.text(row.begun, ids)
    end, early = row.written.end(text)
    if early:
        text, finish = text[:end], early
        steps = [step for step in steps if step.start + shift < end]
    chatless = options.mode == "chat" and not model.tokenizer.chat_template
    cut = finish == "length" and text != whole_characters(text)
    return Output(
        result=Generation(
            text=text if finish else whole_characters(text),
            finish_reason=finish,
            generated_tokens=len(ids),
            steps=[replace(step, start=max(0, step.start + shift)) for step in steps],
            next_token=made.next_token,
            beams=list(made.beams),
        ),
        tokens_used=len(row.prompt) + len(ids),
        token_limit=model.checkpoint.token_limit,
        notes=(
            *[f"{model.checkpoint.id} has no chat template, so it continues the prompt."] * chatless,
            *["The limit of new tokens cut the last character in two."] * cut,
            *[REPEATED] * (finish == "loop"),
        ),
        share=1.0 if finish else len(ids) / options.max_new_tokens,
    )


def _sampling(options: Options) -> Sampling:
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
    if not inputs.messages:
        return prompt_ids(model, inputs.prompt, options)
    if not model.tokenizer.chat_template:
        raise TourError(
            Code.UNSUITABLE_MODEL,
            TEXTS["no_template"].format(model=model.checkpoint.id),
            "model",
        )
    if options.mode == "plain":
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["plain_messages"],
            "mode",
        )
    messages = [{"role": str(message["role"]), "content": message["content"]} for message in inputs.messages]
    if options.system.strip():
        if messages[0]["role"] == "system":
            raise TourError(
                Code.INVALID_INPUT,
                TEXTS["two_systems"],
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
    tokenizer = model.tokenizer
    if options.mode == "plain" or not tokenizer.chat_template:
        return causal.text_ids(model, prompt.rstrip(" "), special=True)
    messages = [{"role": "system", "content": options.system}] if options.system.strip() else []
    messages.append({"role": "user", "content": prompt})
    return causal.chat_ids(model, messages)


def stops(stop: str) -> list[str]:
    """The texts of the option: a line each, where a backslash and n are a line break."""
    lines = filter(None, stop.split("\n"))
    return [re.sub(r"\\([\\n])", lambda found: "\n" if found[1] == "n" else "\\", line) for line in lines]


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
