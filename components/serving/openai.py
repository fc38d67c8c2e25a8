"""OpenAI's API as its clients call it, over the same tasks: chat, completions, embeddings, models.

What changes an answer and is not known here is refused, so that nobody takes an answer for another one.
"""

from __future__ import annotations

import base64
import json
import struct
from asyncio import gather
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from math import log
from secrets import token_hex
from time import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from components.models.checkpoint import Checkpoint
from components.models.errors import Code, TourError
from components.models.registry import Registry
from components.serving import errors, model_loading
from components.serving.errors import JsonResponse
from components.serving.events import Events
from components.serving.inference import Inference
from components.tasks.catalog import TASKS
from components.tasks.fields import shorten
from components.tasks.task import Answer, Progress
from components.texts import in_folder

TEXTS = in_folder(__file__)

Handler = Callable[[Request], Awaitable[Response]]
PayloadOf = Callable[[Request], Awaitable[dict[str, object]]]

GENERATION, EMBEDDING = TASKS["text_generation"], TASKS["feature_extraction"]
MOST_CHOICES = 8
# Fields of OpenAI's that are options here, by their names here.
OPTIONS = {
    "max_completion_tokens": "max_new_tokens",
    "max_tokens": "max_new_tokens",  # the older name, and the one that errors say
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "stop": "stop",
    "model": "model",
}
# Fields that change nothing in the answer, and those whose usual values change nothing.
WITHOUT_EFFECT = {
    *("user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"),
    *("parallel_tool_calls", "stream_options"),
}
USUAL: Mapping[str, Sequence[object]] = {
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "best_of": (1,),
    "echo": (False,),
    "suffix": ("",),
    "dimensions": (),
}
# What `transformers chat` sends as JSON in `generation_config`, by the same names as here.
GENERATION_CONFIG = {
    *("max_new_tokens", "temperature", "top_k", "top_p", "min_p", "typical_p", "repetition_penalty"),
    "num_beams",
}
# What clients write that must name a model and know none.
ANY_MODEL = ("dummy", "tgi", "default")
FINISHED = {"end": "stop", "stop": "stop", "loop": "stop", "length": "length"}


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A request for text: a payload for each choice, and how they are told."""

    chat: bool
    payloads: Sequence[Mapping[str, object]]
    choices: int  # of each prompt
    stream: bool
    counted: bool  # whether a stream ends with the number of tokens
    likely: int | None  # how many tokens are listed in each place, beside their log probabilities


def endpoints(
    inference: Inference, registry: Registry, payload_of: PayloadOf
) -> list[tuple[str, str, Handler]]:
    """Path, method and handler of each address; `payload_of` reads a request's JSON."""

    def text(chat: bool) -> Handler:
        async def answer(request: Request) -> Response:
            asked = _asked(await payload_of(request), chat)
            if asked.stream:
                return Events(_chunks(inference, asked, request), refused)
            answers = await gather(
                *(
                    inference.answer(GENERATION, payload, gone=request.is_disconnected)
                    for payload in asked.payloads
                )
            )
            return JsonResponse(_whole(asked, answers))

        return answer

    async def embed(request: Request) -> Response:
        payload = await payload_of(request)
        _refuse_others(payload, {"input", "model", "encoding_format"})
        packed = _choice(payload, "encoding_format", ("float", "base64")) == "base64"
        asked = {"texts": payload.get("input"), "model": payload.get("model")}
        found: Any = await inference.answer(EMBEDDING, asked, gone=request.is_disconnected)
        vectors = [one.vector for one in found.result.embeddings]
        return JsonResponse(
            {
                "object": "list",
                "data": [
                    {"object": "embedding", "index": place, "embedding": _packed(one) if packed else one}
                    for place, one in enumerate(vectors)
                ],
                "model": found.model,
                "usage": {"prompt_tokens": found.tokens_used, "total_tokens": found.tokens_used},
            }
        )

    async def model(request: Request) -> Response:
        return JsonResponse(described(registry.catalog[request.path_params["id"]]))

    return [
        ("/v1/chat/completions", "POST", text(chat=True)),
        ("/v1/completions", "POST", text(chat=False)),
        ("/v1/embeddings", "POST", embed),
        ("/v1/models/{id:path}", "GET", model),
        model_loading.endpoint(inference, registry, payload_of, GENERATION),
    ]


def described(checkpoint: Checkpoint) -> dict[str, object]:
    """A checkpoint as an entry of OpenAI's list of models."""
    owner = checkpoint.id.rpartition("/")[0]
    return {"id": checkpoint.id, "object": "model", "created": 0, "owned_by": owner or "transformers-tour"}


def refused(error: Exception) -> JsonResponse:
    """As everywhere, in OpenAI's shape."""
    own = errors.refused(error)
    told = json.loads(bytes(own.body))["error"]
    theirs = {ours: name for name, ours in OPTIONS.items()} | {"texts": "input"}
    kind = "invalid_request_error" if own.status_code < 500 else "server_error"
    field = told.pop("field")
    content = {**told, "type": kind, "param": theirs.get(field, field)}
    headers = {name: own.headers[name] for name in ("Retry-After",) if name in own.headers}
    return JsonResponse({"error": content}, status_code=own.status_code, headers=headers)


def _asked(payload: Mapping[str, object], chat: bool) -> _Asked:
    """Raises `TourError` for what cannot be done."""
    _refuse_others(
        payload,
        {
            *("messages" if chat else "prompt", "n", "stream", "logprobs", "top_logprobs"),
            *OPTIONS,
            "generation_config",
        },
    )
    ours = _generation_config(payload.get("generation_config"))
    ours |= {OPTIONS[name]: value for name, value in payload.items() if name in OPTIONS}
    if ours.get("model") in ANY_MODEL:
        ours["model"] = None
    choices = _count(payload, "n", 1, MOST_CHOICES) or 1
    stream = _flag(payload, "stream")
    if chat:
        likely = (_count(payload, "top_logprobs", 0, 10) or 0) if _flag(payload, "logprobs") else None
        ours["messages"] = _messages(payload.get("messages"))
    else:
        likely = _count(payload, "logprobs", 0, 10)
        ours["mode"] = "plain"
    if likely is not None:
        ours["alternatives"] = max(1, likely)
    first = ours.get("seed")
    if isinstance(first, int) or first is None:
        seeds = [first, *range((first or 0) + 1, (first or 0) + choices)]
    else:
        seeds = [first]  # which is refused
    given = payload.get("prompt")
    prompts: Sequence[dict[str, object]] = [{}]
    if not chat:
        prompts = [{"prompt": one} for one in (given if isinstance(given, list) else [given])]
    if len(prompts) * choices > MOST_CHOICES or not prompts:
        raise TourError(
            Code.INVALID_INPUT, f"Ask for 1 to {MOST_CHOICES} choices of all prompts together.", "prompt"
        )
    payloads = [{**ours, **prompt, "seed": seed} for prompt in prompts for seed in seeds]
    if stream and len(payloads) > 1:
        raise TourError(Code.INVALID_INPUT, "A stream has one choice here: leave n out, or set it to 1.", "n")
    options = payload.get("stream_options")
    return _Asked(
        chat=chat,
        payloads=payloads,
        choices=choices,
        stream=stream,
        counted=isinstance(options, Mapping) and options.get("include_usage") is True,
        likely=likely,
    )


def _generation_config(given: object) -> dict[str, object]:
    """Transformers' configuration of a generation as options here."""
    if given is None:
        return {}
    try:
        config = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        config = None
    if not isinstance(config, dict):
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["no_object"],
            "generation_config",
        )
    config = {name: value for name, value in config.items() if value is not None}
    config.pop("transformers_version", None)
    if config.pop("do_sample", True) is False:
        config["temperature"] = 0
    for name in config.keys() - GENERATION_CONFIG:
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["unsupported"].format(name=shorten(name)),
            "generation_config",
        )
    return config


def _messages(messages: object) -> object:
    """Contents in parts as the text of all; what is not of this form is left for the task to refuse."""
    if not isinstance(messages, list):
        return messages
    found = []
    for message in messages:
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, list) and all(
            isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)
            for part in content
        ):
            message = {**message, "content": "\n".join(part["text"] for part in content)}
        if isinstance(message, dict):
            role = message.get("role")
            message = {"role": "system" if role == "developer" else role, "content": message.get("content")}
        found.append(message)
    return found


def _refuse_others(payload: Mapping[str, object], known: set[str]) -> None:
    for name, value in payload.items():
        if name in known or name in WITHOUT_EFFECT or value is None or value in USUAL.get(name, ()):
            continue
        raise TourError(
            Code.INVALID_INPUT, f"{shorten(name)} is not supported here; leave it out.", str(name)[:80]
        )


def _choice(payload: Mapping[str, object], name: str, choices: Sequence[str]) -> str:
    value = payload.get(name) or choices[0]
    if value not in choices:
        raise TourError(Code.INVALID_INPUT, f"{name} must be one of {', '.join(choices)}.", name)
    return str(value)


def _flag(payload: Mapping[str, object], name: str) -> bool:
    value = payload.get(name) or False
    if not isinstance(value, bool):
        raise TourError(Code.INVALID_INPUT, f"{name} must be true or false; set it to one of them.", name)
    return value


def _count(payload: Mapping[str, object], name: str, least: int, most: int) -> int | None:
    value = payload.get(name)
    if value is None or value is False:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise TourError(Code.INVALID_INPUT, f"{name} must be a whole number from {least} to {most}.", name)
    return value


def _whole(asked: _Asked, answers: Sequence[Any]) -> dict[str, object]:
    kind = "chat.completion" if asked.chat else "text_completion"
    return {
        **_head(asked, kind, answers[0].model),
        "choices": [_finished(asked, place, answer) for place, answer in enumerate(answers)],
        "usage": _usage(asked, answers),
    }


def _head(asked: _Asked, kind: str, model: str) -> dict[str, object]:
    prefix = "chatcmpl" if asked.chat else "cmpl"
    return {"id": f"{prefix}-{token_hex(12)}", "object": kind, "created": int(time()), "model": model}


def _finished(asked: _Asked, place: int, answer: Answer[Any]) -> dict[str, object]:
    result = answer.result
    found: dict[str, object] = {
        "index": place,
        "finish_reason": FINISHED[result.finish_reason],
        "logprobs": None if asked.likely is None else _logprobs(asked, result.steps),
    }
    if asked.chat:
        return {**found, "message": {"role": "assistant", "content": result.text, "refusal": None}}
    return {**found, "text": result.text}


def _usage(asked: _Asked, answers: Sequence[Answer[Any]]) -> dict[str, int]:
    """A prompt counts once, however many choices it has."""
    written = sum(answer.result.generated_tokens for answer in answers)
    read = sum(one.tokens_used - one.result.generated_tokens for one in answers[:: asked.choices])
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _logprobs(asked: _Asked, steps: Sequence[Any]) -> dict[str, object]:
    likely = asked.likely or 0
    if asked.chat:
        return {
            "content": [
                {**_token(step), "top_logprobs": [_token(one) for one in step.alternatives[:likely]]}
                for step in steps
            ],
            "refusal": None,
        }
    return {
        "tokens": [step.text for step in steps],
        "token_logprobs": [_log(step.probability) for step in steps],
        "top_logprobs": [
            {one.text: _log(one.probability) for one in step.alternatives[:likely]} for step in steps
        ],
        "text_offset": [step.start for step in steps],
    }


def _token(one: Any) -> dict[str, object]:
    return {"token": one.text, "logprob": _log(one.probability), "bytes": list(one.text.encode())}


def _log(probability: float) -> float:
    """JSON has no infinity; OpenAI's own floor."""
    return log(probability) if probability > 0 else -9999.0


def _packed(vector: Sequence[float]) -> str:
    """32-bit floats, little-endian, in base64."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


async def _chunks(
    inference: Inference, asked: _Asked, request: Request
) -> AsyncIterator[tuple[str | None, object]]:
    """What a stream tells, in order."""
    kind = "chat.completion.chunk" if asked.chat else "text_completion"
    head: dict[str, object] = {}
    sent = ""

    def chunk(text: str, finished: str | None = None, **more: object) -> tuple[None, object]:
        content: dict[str, object] = {"delta": {"content": text}} if asked.chat else {"text": text}
        if asked.chat and finished and not text:
            content = {"delta": {}}
        return None, {**head, "choices": [{"index": 0, **content, "finish_reason": finished, **more}]}

    work = inference.steps(GENERATION, asked.payloads[0], gone=request.is_disconnected)
    async with aclosing(work) as steps:
        async for step in steps:
            if isinstance(step, Progress):
                continue
            if not head:
                head = _head(asked, kind, step.model)  # type: ignore[union-attr]
                if asked.chat:
                    role = {"role": "assistant", "content": ""}
                    yield None, {**head, "choices": [{"index": 0, "delta": role, "finish_reason": None}]}
            result: Any = step.result
            # Half a character, or what is cut off in the end, is not sent before it is whole.
            if result.text.startswith(sent) and (whole := result.text.rstrip("\ufffd")) != sent:
                more = whole[len(sent) :]
                sent = whole
                yield chunk(more)
            if result.finish_reason:
                logprobs = {} if asked.likely is None else {"logprobs": _logprobs(asked, result.steps)}
                yield chunk("", FINISHED[result.finish_reason], **logprobs)
                if asked.counted:
                    yield None, {**head, "choices": [], "usage": _usage(asked, [step])}  # type: ignore[list-item]
    yield None, "[DONE]"
