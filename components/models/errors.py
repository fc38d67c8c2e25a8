"""The one error type that reaches a visitor: it says what is wrong and what to do."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """Machine-readable reason; `serving` maps each to an HTTP status."""

    INVALID_INPUT = "invalid_input"
    UNKNOWN_MODEL = "unknown_model"
    UNSUITABLE_MODEL = "unsuitable_model"
    TOO_LONG = "too_long"
    UNREACHABLE = "unreachable"
    CORRUPT = "corrupt"
    LOAD_FAILED = "load_failed"
    OUT_OF_MEMORY = "out_of_memory"
    IN_USE = "in_use"
    BUSY = "busy"
    TIMEOUT = "timeout"
    EXPIRED = "expired"
    NO_SPACE = "no_space"


class TourError(Exception):
    """Something a visitor can act on.

    `message` is plain text (never HTML) for the visitor; `field` names the input or
    option at fault, if one is; `retry_after` says in how many seconds to try again, where that is known.
    """

    def __init__(
        self, code: Code, message: str, field: str | None = None, *, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.retry_after = retry_after

    def as_json(self) -> dict[str, dict[str, str | None]]:
        return {"error": {"code": self.code.value, "message": self.message, "field": self.field}}
