"""Reads JSON more strictly than Python does: what could be meant in two ways is refused."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn


class MalformedError(Exception):
    """The body cannot be read; `message` says why, for whoever sent it."""

    def __init__(self, message: str, status: int = 400, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.field = field


def parse(body: bytes) -> Any:
    """UTF-8 JSON without NaN, infinities, and keys given twice; raises `MalformedError`."""
    try:
        return json.loads(
            body.decode(), object_pairs_hook=_object, parse_constant=_refuse, parse_float=_float
        )
    except UnicodeDecodeError as error:
        raise MalformedError("The body is not UTF-8.") from error
    except RecursionError as error:
        raise MalformedError("The body is nested too deeply.") from error
    except ValueError as error:
        raise MalformedError(f"The body is not JSON: {error}.") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise MalformedError(f"{json.dumps(key[:80])} is given twice.", field=key[:80])
        found[key] = value
    return found


def _refuse(word: str) -> NoReturn:
    raise MalformedError(f"{word} is not JSON.")


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise MalformedError(f"{digits[:20]} is larger than any number can be here.")
    return value
