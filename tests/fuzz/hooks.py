"""What schemathesis's own process does before and after each call (`SCHEMATHESIS_HOOKS`).

Writes a line for each as soon as it has ended, so that nothing is lost when the run is broken off.
"""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import schemathesis

from tests.fuzz.kind import CLOSED

CALLS = "FUZZ_CALLS"  # of the environment: the file that is written
TOKENS, STEPS = 8, 8
ALLOWED = 512  # tokens, and more than the 256 steps
ASKED_FOR = {"max_new_tokens": TOKENS, "max_tokens": TOKENS, "max_completion_tokens": TOKENS, "steps": STEPS}
WRITERS = {  # and how each calls the number of tokens
    "/v1/text_generation": "max_new_tokens",
    "/v1/completions": "max_tokens",
    "/v1/chat/completions": "max_tokens",
}

_begun = threading.local()
_written = threading.Lock()


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Long texts are asked for by the description's examples alone: a model writes each of their tokens, and
    the thousandth long text tells no more than the first."""
    if case.meta is None or case.meta.phase.name != "examples":
        path = case.operation.path
        shorten(case.body, next((name for start, name in WRITERS.items() if path.startswith(start)), None))
    _begun.at = time.monotonic()


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    _write(case, response.status_code)


@schemathesis.hook
def after_network_error(context: Any, case: Any, request: Any) -> None:
    _write(case, CLOSED)


def _write(case: Any, status: int) -> None:
    seconds = time.monotonic() - _begun.at  # to the end of the answer, which may be a stream
    sent = f"{case.method} {case.formatted_path} {case.query!r} {case.body!r}"[:700]
    with _written, Path(os.environ[CALLS]).open("a", encoding="utf-8") as file:
        file.write(json.dumps([status, seconds, sent]) + "\n")


def shorten(body: Any, tokens: str | None = None) -> None:
    """Fewer tokens and steps, where as many as are asked for are allowed; what is refused stays as it is."""
    if isinstance(body, list):
        for part in body:
            shorten(part, tokens)
    elif isinstance(body, dict):
        for name, most in ASKED_FOR.items():
            if type(body.get(name)) is int and most < body[name] <= ALLOWED:
                body[name] = most
        if tokens and {"prompt", "messages"} & body.keys() and not ASKED_FOR.keys() & body.keys():
            body[tokens] = TOKENS
        for part in body.values():
            shorten(part, tokens)
