"""The one shape in which an interface says no: `{"error": {"code", "message", "field"}}`."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import ceil
from typing import Any

from starlette.responses import Response

from components.models.errors import Code, TourError
from components.serving.body import MalformedError
from components.texts import in_folder

TEXTS = in_folder(__file__)

STATUS: Mapping[Code, int] = {
    Code.INVALID_INPUT: 422,
    Code.UNSUITABLE_MODEL: 422,
    Code.TOO_LONG: 413,
    Code.UNKNOWN_MODEL: 404,
    Code.IN_USE: 409,
    Code.EXPIRED: 410,
    Code.UNREACHABLE: 503,
    Code.CORRUPT: 503,
    Code.LOAD_FAILED: 503,
    Code.OUT_OF_MEMORY: 503,
    Code.BUSY: 503,
    Code.TIMEOUT: 504,
    Code.NO_SPACE: 507,
}
RETRY_AFTER = {  # seconds
    Code.BUSY: 2,
    Code.OUT_OF_MEMORY: 30,
    Code.UNREACHABLE: 60,
    Code.NO_SPACE: 600,
}

log = logging.getLogger(__name__)


class JsonResponse(Response):
    """JSON without NaN; what UTF-8 cannot carry (a lone surrogate) goes out as its JSON escape."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "backslashreplace")


def refusal(
    status: int,
    code: str,
    message: str,
    field: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JsonResponse:
    error = {"code": code, "message": message, "field": field}
    return JsonResponse({"error": error}, status_code=status, headers=headers)


class DisconnectedError(Exception):
    """Nobody waits for the answer any more."""


class InternalError(Exception):
    """What nobody foresaw, in a sentence that a visitor may see; the log has the rest under its number."""


@contextmanager
def reported() -> Iterator[None]:
    """Lets pass what interfaces know how to tell, and makes an `InternalError` of all else."""
    try:
        yield
    except (TourError, MalformedError, DisconnectedError):
        raise
    except Exception as error:
        number = secrets.token_hex(4)
        log.exception("Internal error %s", number)
        raise InternalError(TEXTS["internal"].format(number=number)) from error


Told = (TourError, MalformedError, InternalError)
"""What interfaces tell whoever asked."""


def refused(error: Exception) -> JsonResponse:
    """The refusal for one of `Told`."""
    match error:
        case TourError():
            seconds = ceil(error.retry_after or RETRY_AFTER.get(error.code, 0))
            headers = {"Retry-After": str(seconds)} if seconds else None
            return refusal(STATUS[error.code], error.code, error.message, error.field, headers)
        case MalformedError():
            return refusal(error.status, Code.INVALID_INPUT, error.message, error.field)
        case _:
            return refusal(500, "internal", str(error))
