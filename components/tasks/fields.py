"""Inputs and options as fields: their types, what forms and schemas show, and messages for people.

A task's `inputs` and `options` are pydantic dataclasses made with `config=STRICT`; everything said
about a field (title, description, bounds) stands once, in its annotation.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidationError,
)
from pydantic import WithJsonSchema as Schema
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError
from typing_extensions import TypedDict  # pydantic takes typing's own from Python 3.12 on

from components.models.errors import Code, TourError
from components.texts import in_folder

TEXTS = in_folder(__file__)

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


class _AtLeastOneCharacter:
    """Says in the JSON Schema what `_not_blank` asks for, as far as a schema can."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core), "minLength": 1}


@dataclass(frozen=True)
class Also:
    """Says in the JSON Schema that another JSON type is taken too; a validator turns it into the field's own.

    Forms show the field's own. `fields` describe the other type, such as the items of an array. Written with
    `anyOf`: a list of types is more than clients made from a schema understand.
    """

    type: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [handler(core), {"type": self.type, **self.fields}]}


@dataclass(frozen=True)
class ByName:
    """Marks an input that came later: where arguments have places, it follows all that had one before."""


@dataclass(frozen=True)
class MaxTotalLength:
    """At most `limit` characters in all texts of a list together."""

    limit: int

    def __call__(self, texts: list[str]) -> list[str]:
        total = sum(map(len, texts))
        if total > self.limit:
            raise PydanticCustomError(
                "altogether",
                TEXTS["too_long"],
                {"total": f"{total:,}", "limit": f"{self.limit:,}"},
            )
        return texts


OptionalText = Annotated[str, AfterValidator(_writable)]
"""Any text that can be written down as UTF-8 without null characters, also none at all."""

Text = Annotated[OptionalText, AfterValidator(_not_blank), _AtLeastOneCharacter()]
"""As `OptionalText`, and not blank. Say how long it may be with `Field(max_length=...)`."""

LONGEST_CELL = 4000  # characters
MOST_COLUMNS = 50
MOST_ROWS = 1000
LARGEST_TABLE = 100_000  # characters


def _as_text(cell: object) -> object:
    """Numbers and empty cells as JSON has them; what else is no text is refused."""
    if cell is None:
        return ""
    if isinstance(cell, float) and math.isfinite(cell):
        return str(cell)
    if isinstance(cell, int) and not isinstance(cell, bool) and cell.bit_length() <= 128:
        return str(cell)
    return cell


Cell = Annotated[
    OptionalText,
    BeforeValidator(_as_text),
    Field(max_length=LONGEST_CELL),
    Schema({"type": ["string", "number", "null"], "maxLength": LONGEST_CELL}),
]


class Table(TypedDict):
    """A header and the rows under it."""

    __pydantic_config__ = ConfigDict(strict=True, extra="forbid")  # type: ignore[misc]

    columns: Annotated[
        list[Annotated[OptionalText, Field(max_length=LONGEST_CELL)]],
        Field(min_length=1, max_length=MOST_COLUMNS, description="Names of the columns."),
    ]
    rows: Annotated[
        list[list[Cell]],
        Field(
            min_length=1, max_length=MOST_ROWS, description="Cells, as many in each row as there are columns."
        ),
    ]


def _rectangular(table: Table) -> Table:
    width = len(table["columns"])
    for index, row in enumerate(table["rows"]):
        if len(row) != width:
            raise PydanticCustomError(
                "rule",
                TEXTS["wrong_row_length"],
                {"cells": len(row), "row": index + 1, "width": width},
            )
    texts = [*table["columns"], *(cell for row in table["rows"] for cell in row)]
    if not any(text.strip() for text in texts):
        raise PydanticCustomError("blank", "is blank; fill in some cells")
    MaxTotalLength(LARGEST_TABLE)(texts)
    return table


LONGEST_MESSAGE = 40_000  # characters, and of all messages together
MOST_MESSAGES = 100


class Message(TypedDict):
    """A turn of a conversation."""

    __pydantic_config__ = ConfigDict(strict=True, extra="forbid")  # type: ignore[misc]

    role: Annotated[Literal["system", "user", "assistant"], Field(description="Who says it.")]
    content: Annotated[Text, Field(max_length=LONGEST_MESSAGE, description="What is said.")]


def _conversation(messages: list[Message]) -> list[Message]:
    """Whether a user has the last word, and the system at most the first."""
    for place, message in enumerate(messages):
        if place and message["role"] == "system":
            raise PydanticCustomError(
                "rule",
                "has a system message in place {place}; only the first may be one",
                {"place": place + 1},
            )
    if messages and messages[-1]["role"] != "user":
        raise PydanticCustomError(
            "rule",
            TEXTS["no_user_message"],
        )
    MaxTotalLength(LONGEST_MESSAGE)([message["content"] for message in messages])
    return messages


Messages = Annotated[list[Message], AfterValidator(_conversation)]
"""The turns of a conversation, of which a user's is the last. Say how many with `Field(max_length=...)`."""


Grid = Annotated[Table, AfterValidator(_rectangular)]
"""A table whose rows have as many cells as there are columns; numbers in cells become text."""

OptionKind = Literal["int", "float", "bool", "choice", "text"]
InputKind = Literal["text", "texts", "choice", "table", "messages"]


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
    """An input as a form shows it: one text, a list of texts, a choice, a table, or messages.

    `max_length` counts a text's or cell's characters, `min_items` and `max_items` a list's texts or a
    table's rows.
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


@cache
def _properties(fields: Hashable) -> tuple[Mapping[str, Mapping[str, Any]], Sequence[str]]:
    schema = TypeAdapter(cast(Any, fields)).json_schema()
    nested = schema.get("$defs", {})

    def resolved(one: Any) -> Any:
        if not isinstance(one, dict):
            return one
        whole = {**nested[one["$ref"].rpartition("/")[2]], **one} if "$ref" in one else one
        return {key: resolved(value) for key, value in whole.items()}

    properties = {name: _own(resolved(one)) for name, one in schema.get("properties", {}).items()}
    return properties, schema.get("required", ())


def _own(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of a field alone, with all types that it takes (see `Also`)."""
    if "anyOf" not in schema:
        return schema
    own, *others = schema["anyOf"]
    return {**own, **schema, "type": [own["type"], *(other["type"] for other in others)]}


def _type(schema: Mapping[str, Any]) -> str:
    """The JSON type, of several the first: that of the field itself (see `Also`)."""
    kind = schema.get("type", "")
    return str(kind[0] if isinstance(kind, list) else kind)


def _choices(schema: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(schema["enum"]) if "enum" in schema else (schema["const"],) if "const" in schema else ()


def option_fields(options: type[Any]) -> tuple[OptionField, ...]:
    """The fields of an options dataclass, in order."""
    properties, _ = _properties(cast(Hashable, options))
    found = []
    for name, schema in properties.items():
        choices = _choices(schema)
        kind: OptionKind = "choice" if choices else _KINDS[_type(schema)]
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
    properties, required = _properties(cast(Hashable, inputs))
    found = []
    for name, schema in properties.items():
        choices = _choices(schema)
        kind: InputKind = (
            "choice" if choices else {"array": "texts", "object": "table"}.get(_type(schema), "text")  # type: ignore[assignment]
        )
        items = schema["properties"]["rows"] if kind == "table" else schema
        text = items
        while _type(text) == "array":
            text = text["items"]
        if _type(text) == "object":
            kind, text = "messages", text["properties"]["content"]
        found.append(
            InputField(
                name=name,
                kind=kind,
                required=name in required,
                default=schema.get("default"),
                choices=choices,
                title=schema["title"],
                help=schema.get("description", ""),
                max_length=text.get("maxLength"),
                min_items=items.get("minItems"),
                max_items=items.get("maxItems"),
            )
        )
    return tuple(found)


def validate(fields: type[T], values: Mapping[str, object]) -> T:
    """An instance of the pydantic dataclass `fields`; raises `TourError` for the first fault.

    As in JSON Schema, a number without a fraction is an integer, however it is written (5.0).
    """
    known = fields.__pydantic_fields__  # type: ignore[attr-defined]
    values = {
        name: int(value)
        if isinstance(value, float) and value.is_integer() and name in known and known[name].annotation is int
        else value
        for name, value in values.items()
    }
    try:
        return fields(**values)
    except ValidationError as error:
        raise explain(fields, error.errors(include_url=False)[0]) from None


def explain(fields: type[Any], error: ErrorDetails) -> TourError:
    """What pydantic found, in words for whoever typed it."""
    if not error["loc"]:  # of several fields together
        return TourError(Code.INVALID_INPUT, f"{error['msg']}.", error["ctx"]["field"])
    name, *inner = error["loc"]
    schema = _properties(cast(Hashable, fields))[0][str(name)]
    subject = _subject(str(name), schema["title"])
    match inner:
        case [int(index), str(part)] if error["type"] != "extra_forbidden":
            subject = f"{part.capitalize()} of message {index + 1} of {subject}"
        case [int(index), *_] if _type(schema.get("items", {})) == "object":
            subject = f"Message {index + 1} of {subject}"
        case [int(index), *_]:
            subject = f"Text {index + 1} of {subject}"
        case ["rows", int(row), int(column), *_]:
            subject = f"Cell {column + 1} in row {row + 1} of {subject}"
        case ["rows", int(row)]:
            subject = f"Row {row + 1} of {subject}"
        case ["columns", int(column), *_]:
            subject = f"Name {column + 1} of the columns of {subject}"
        case [str(part)] if part in schema.get("properties", ()):
            subject = f"{part.capitalize()} of {subject}"
    for step in inner:
        schema = (
            schema.get("properties", {}).get(step, {}) if isinstance(step, str) else schema.get("items", {})
        )
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
        case "extra_forbidden":
            parts = "role and content" if isinstance(error["loc"][1], int) else "columns and rows"
            return f"must have {parts} alone, but {shorten(error['loc'][-1])} was given too"
        case "unwritable" | "blank" | "altogether" | "rule":
            return error["msg"]
        case "too_long" | "string_too_long" | "too_short" | "string_too_short":
            few = error["type"].endswith("short")
            things, limit = (
                ("characters", schema.get("minLength" if few else "maxLength"))
                if isinstance(given, str)
                else ("entries", schema.get("minItems" if few else "maxItems"))
            )
            bound = (
                f"at least {limit:,} {'is' if limit == 1 else 'are'} needed"
                if few
                else f"at most {limit:,} are allowed"
            )
            return f"has {len(given):,} {things}, {bound}"
        case _:
            return f"must be {_allowed(schema)}, but {shorten(given)} was given"


def _allowed(schema: Mapping[str, Any]) -> str:
    if choices := _choices(schema):
        return "one of " + ", ".join(choices) if len(choices) > 1 else choices[0]
    nouns = {
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "array": "a list of texts",
        "string": "text",
        "object": f"an object of {' and '.join(schema.get('properties', ()))}",
    }
    if _type(schema) == "array" and _type(schema["items"]) == "object":
        return "a list of messages"
    noun = nouns[_type(schema)]
    if isinstance(schema["type"], list) and "array" in schema["type"]:
        return " or ".join(nouns[kind] for kind in schema["type"])
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
