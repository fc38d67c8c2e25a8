"""Inputs and options as fields: their types, what forms and schemas show, and messages for people.

A task's `inputs` and `options` are pydantic dataclasses made with `config=STRICT`; everything said
about a field (title, description, bounds) stands once, in its annotation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from components.models.errors import Code, TourError

# Strict: JSON's types are taken as they are, so that `true` is no number and "5" no count.
STRICT = ConfigDict(strict=True, allow_inf_nan=False)

T = TypeVar("T")


def _writable(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("unwritable", "contains a null character (U+0000); remove it")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        given = f"U+{ord(text[error.start]):04X}"
        raise PydanticCustomError(
            "unwritable", "contains half a character ({given}, a lone surrogate); remove it", {"given": given}
        ) from None
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "is blank; write some text")
    return text


@dataclass(frozen=True)
class Altogether:
    """At most `limit` characters in all texts of a list together."""

    limit: int

    def __call__(self, texts: list[str]) -> list[str]:
        total = sum(map(len, texts))
        if total > self.limit:
            raise PydanticCustomError(
                "altogether",
                "has {total} characters altogether, at most {limit} are allowed; send fewer or shorter texts",
                {"total": f"{total:,}", "limit": f"{self.limit:,}"},
            )
        return texts


OptionalText = Annotated[str, AfterValidator(_writable)]
"""Any text that can be written down as UTF-8 without null characters, also none at all."""

Text = Annotated[OptionalText, AfterValidator(_not_blank)]
"""As `OptionalText`, and not blank. Say how long it may be with `Field(max_length=...)`."""

OptionKind = Literal["int", "float", "bool", "choice", "text"]
InputKind = Literal["text", "texts", "choice"]


@dataclass(frozen=True, kw_only=True)
class OptionField:
    """An option as a form shows it; `minimum`, `maximum` and `step` are for numbers alone."""

    name: str
    kind: OptionKind
    default: Any
    minimum: float | None
    maximum: float | None
    step: float | None
    choices: tuple[str, ...]
    title: str
    help: str
    max_length: int | None = None  # characters


@dataclass(frozen=True, kw_only=True)
class InputField:
    """An input as a form shows it: one text, a list of texts, or a choice.

    `max_length` counts a text's characters, `min_items` and `max_items` a list's texts.
    """

    name: str
    kind: InputKind
    required: bool
    default: Any
    choices: tuple[str, ...]
    title: str
    help: str
    max_length: int | None
    min_items: int | None
    max_items: int | None


_KINDS: Mapping[str, OptionKind] = {"integer": "int", "number": "float", "boolean": "bool", "string": "text"}


def _properties(fields: type[Any]) -> tuple[Mapping[str, Mapping[str, Any]], Sequence[str]]:
    schema = TypeAdapter(fields).json_schema()
    return schema.get("properties", {}), schema.get("required", ())


def _choices(schema: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(schema["enum"]) if "enum" in schema else (schema["const"],) if "const" in schema else ()


def option_fields(options: type[Any]) -> tuple[OptionField, ...]:
    """The fields of an options dataclass, in order."""
    properties, _ = _properties(options)
    found = []
    for name, schema in properties.items():
        choices = _choices(schema)
        kind: OptionKind = "choice" if choices else _KINDS[schema["type"]]
        step = {"int": 1, "float": 0.05}.get(kind)
        found.append(
            OptionField(
                name=name,
                kind=kind,
                default=schema["default"],
                minimum=schema.get("minimum"),
                maximum=schema.get("maximum"),
                step=schema.get("step", step),
                choices=choices,
                title=schema["title"],
                help=schema.get("description", ""),
                max_length=schema.get("maxLength"),
            )
        )
    return tuple(found)


def input_fields(inputs: type[Any]) -> tuple[InputField, ...]:
    """The fields of an inputs dataclass, in order."""
    properties, required = _properties(inputs)
    found = []
    for name, schema in properties.items():
        choices = _choices(schema)
        listed = schema.get("type") == "array"
        text = schema["items"] if listed else schema
        found.append(
            InputField(
                name=name,
                kind="choice" if choices else "texts" if listed else "text",
                required=name in required,
                default=schema.get("default"),
                choices=choices,
                title=schema["title"],
                help=schema.get("description", ""),
                max_length=text.get("maxLength"),
                min_items=schema.get("minItems"),
                max_items=schema.get("maxItems"),
            )
        )
    return tuple(found)


def validate(fields: type[T], values: Mapping[str, object]) -> T:
    """An instance of the pydantic dataclass `fields`; raises `TourError` for the first fault."""
    try:
        return fields(**values)
    except ValidationError as error:
        raise explain(fields, error.errors(include_url=False)[0]) from None


def explain(fields: type[Any], error: ErrorDetails) -> TourError:
    """What pydantic found, in words for whoever typed it."""
    name, *inner = error["loc"]
    schema = _properties(fields)[0][str(name)]
    subject = _subject(str(name), schema["title"])
    if inner and isinstance(inner[0], int):
        subject = f"Text {inner[0] + 1} of {subject}"
        schema = schema.get("items", {})
    long = error["type"] in ("too_long", "string_too_long", "altogether")
    code = Code.TOO_LONG if long else Code.INVALID_INPUT
    return TourError(code, f"{subject} {_fault(error, schema)}.", str(name))


def _subject(name: str, title: str) -> str:
    """The title, and the name that the API knows the field by where that is another."""
    return title if title.lower().replace(" ", "_") == name else f"{title} ({name})"


def _fault(error: ErrorDetails, schema: Mapping[str, Any]) -> str:
    given = error["input"]
    match error["type"]:
        case "missing":
            return "is missing"
        case "unwritable" | "blank" | "altogether" | "rule":
            return error["msg"]
        case "too_long" | "string_too_long" | "too_short" | "string_too_short":
            few = error["type"].endswith("short")
            things, limit = (
                ("characters", schema.get("minLength" if few else "maxLength"))
                if isinstance(given, str)
                else ("entries", schema.get("minItems" if few else "maxItems"))
            )
            return f"has {len(given):,} {things}, at {'least' if few else 'most'} {limit:,} are allowed"
        case _:
            return f"must be {_allowed(schema)}, but {shorten(given)} was given"


def _allowed(schema: Mapping[str, Any]) -> str:
    if choices := _choices(schema):
        return "one of " + ", ".join(choices) if len(choices) > 1 else choices[0]
    noun = {
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "array": "a list of texts",
        "string": "text",
    }[schema["type"]]
    match schema:
        case {"minimum": low, "maximum": high}:
            return f"{noun} from {low} to {high}"
        case {"minimum": low}:
            return f"{noun} of at least {low}"
        case {"maximum": high}:
            return f"{noun} of at most {high}"
    return noun


def shorten(value: object, width: int = 60) -> str:
    """A value as a message quotes it: one line, printable, never long."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() if value.bit_length() > 128:
            return f"a whole number of about {int(value.bit_length() * math.log10(2)) + 1:,} digits"
        case int() | float():
            return str(value)
        case str():
            text = repr(value[: width + 1])
            return text if len(value) <= width else f"{text[:-2]}…{text[-1]} ({len(value):,} characters)"
        case list() | tuple():
            return f"a list of {len(value):,}"
        case dict():
            return f"an object of {len(value):,}"
    return f"a value of type {type(value).__name__}"
