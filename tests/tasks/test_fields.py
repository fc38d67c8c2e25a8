"""Types, derivation and messages of fields, on a dataclass that has one of each kind."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from components.models.errors import Code, TourError
from components.tasks.fields import (
    STRICT,
    Also,
    InputField,
    MaxTotalLength,
    OptionalText,
    OptionField,
    Text,
    input_fields,
    option_fields,
    shorten,
    validate,
)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    text: Annotated[Text, Field(max_length=10, title="Text", description="Any.")]
    labels: Annotated[
        list[Annotated[Text, Field(max_length=5)]],
        AfterValidator(MaxTotalLength(8)),
        Field(min_length=1, max_length=3, title="Names", description="Some."),
    ]
    target: Annotated[Literal["de", "fr"], Field(title="Target", description="To.")] = "de"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    count: Annotated[int, Field(ge=1, le=1000, title="How many", description="So many.")] = 5
    heat: Annotated[
        float, Field(ge=0, le=2, title="Heat", description="So hot.", json_schema_extra={"step": 0.1})
    ] = 0.5
    loud: Annotated[bool, Field(title="Loud", description="Or not.")] = False
    mode: Annotated[Literal["a", "b"], Field(title="Mode", description="Which.")] = "a"
    system: Annotated[OptionalText, Field(max_length=4, title="System", description="Or none.")] = ""


def test_option_fields() -> None:
    nothing: dict[str, Any] = {"minimum": None, "maximum": None, "step": None, "choices": ()}
    assert option_fields(Options) == (
        OptionField(
            name="count",
            kind="int",
            default=5,
            minimum=1,
            maximum=1000,
            step=1,
            choices=(),
            title="How many",
            help="So many.",
        ),
        OptionField(
            name="heat",
            kind="float",
            default=0.5,
            minimum=0,
            maximum=2,
            step=0.1,
            choices=(),
            title="Heat",
            help="So hot.",
        ),
        OptionField(name="loud", kind="bool", default=False, title="Loud", help="Or not.", **nothing),
        OptionField(
            name="mode",
            kind="choice",
            default="a",
            title="Mode",
            help="Which.",
            **{**nothing, "choices": ("a", "b")},
        ),
        OptionField(
            name="system", kind="text", default="", title="System", help="Or none.", max_length=4, **nothing
        ),
    )


def test_input_fields() -> None:
    text, labels, target = input_fields(Inputs)
    assert text == InputField(
        name="text",
        kind="text",
        required=True,
        default=None,
        choices=(),
        title="Text",
        help="Any.",
        max_length=10,
        min_items=None,
        max_items=None,
    )
    assert (labels.kind, labels.max_length, labels.min_items, labels.max_items) == ("texts", 5, 1, 3)
    assert (target.kind, target.required, target.default, target.choices) == (
        "choice",
        False,
        "de",
        ("de", "fr"),
    )


GOOD: dict[str, object] = {"text": "fine", "labels": ["one"]}


@pytest.mark.parametrize(
    ("wrong", "code", "message"),
    [
        ({"text": ""}, Code.INVALID_INPUT, "Text is blank; write some text."),
        ({"text": "12345678901"}, Code.TOO_LONG, "Text has 11 characters, at most 10 are allowed."),
        ({"text": "a\0"}, Code.INVALID_INPUT, "Text contains a null character (U+0000); remove it."),
        (
            {"text": "\udead"},
            Code.INVALID_INPUT,
            "Text contains half a character (U+DEAD, a lone surrogate); remove it.",
        ),
        ({"text": 5}, Code.INVALID_INPUT, "Text must be text, but 5 was given."),
        ({"text": None}, Code.INVALID_INPUT, "Text must be text, but nothing was given."),
        (
            {"labels": "one"},
            Code.INVALID_INPUT,
            "Names (labels) must be a list of texts, but 'one' was given.",
        ),
        ({"labels": []}, Code.INVALID_INPUT, "Names (labels) has 0 entries, at least 1 is needed."),
        ({"labels": ["a"] * 4}, Code.TOO_LONG, "Names (labels) has 4 entries, at most 3 are allowed."),
        ({"labels": ["a", " "]}, Code.INVALID_INPUT, "Text 2 of Names (labels) is blank; write some text."),
        (
            {"labels": ["a", "123456"]},
            Code.TOO_LONG,
            "Text 2 of Names (labels) has 6 characters, at most 5 are allowed.",
        ),
        (
            {"labels": ["12345", "6789"]},
            Code.TOO_LONG,
            "Names (labels) has 9 characters altogether, at most 8 are allowed; send fewer or shorter texts.",
        ),
        ({"target": "it"}, Code.INVALID_INPUT, "Target must be one of de, fr, but 'it' was given."),
    ],
)
def test_messages_about_inputs(wrong: dict[str, object], code: Code, message: str) -> None:
    with pytest.raises(TourError) as caught:
        validate(Inputs, GOOD | wrong)
    assert (caught.value.code, caught.value.message, caught.value.field) == (code, message, next(iter(wrong)))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"count": 0}, "How many (count) must be a whole number from 1 to 1000, but 0 was given."),
        ({"count": 1.5}, "How many (count) must be a whole number from 1 to 1000, but 1.5 was given."),
        ({"count": True}, "How many (count) must be a whole number from 1 to 1000, but true was given."),
        ({"count": "7"}, "How many (count) must be a whole number from 1 to 1000, but '7' was given."),
        (
            {"count": 10**5000},
            "How many (count) must be a whole number from 1 to 1000, "
            "but a whole number of about 5,001 digits was given.",
        ),
        ({"heat": 2.5}, "Heat must be a number from 0 to 2, but 2.5 was given."),
        ({"heat": float("nan")}, "Heat must be a number from 0 to 2, but nan was given."),
        ({"heat": float("inf")}, "Heat must be a number from 0 to 2, but inf was given."),
        ({"heat": False}, "Heat must be a number from 0 to 2, but false was given."),
        ({"loud": 1}, "Loud must be true or false, but 1 was given."),
        ({"mode": ["a"]}, "Mode must be one of a, b, but a list of 1 was given."),
        ({"mode": {}}, "Mode must be one of a, b, but an object of 0 was given."),
        ({"system": "12345"}, "System has 5 characters, at most 4 are allowed."),
    ],
)
def test_messages_about_options(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(TourError) as caught:
        validate(Options, wrong)
    assert caught.value.message == message


def test_a_missing_input_is_named() -> None:
    with pytest.raises(TourError, match=r"^Names \(labels\) is missing\.$"):
        validate(Inputs, {"text": "fine"})


def test_a_whole_number_is_a_number() -> None:
    assert validate(Options, {"heat": 1}).heat == 1


@given(st.text(max_size=200) | st.binary() | st.integers() | st.floats() | st.lists(st.none()) | st.none())
def test_quotes_are_short_and_printable(value: object) -> None:
    quoted = shorten(value)
    assert len(quoted) <= 700
    assert quoted.isprintable()


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10))
def test_text_passes_unchanged_or_is_blank(text: str) -> None:
    if text.strip():
        assert validate(Inputs, GOOD | {"text": text}).text == text
    else:
        with pytest.raises(TourError, match=r"^Text is blank; write some text\.$"):
            validate(Inputs, GOOD | {"text": text})


def _joined(words: object) -> object:
    fits = isinstance(words, list) and len(words) < 4 and all(isinstance(one, str) for one in words)
    return " ".join(words) if fits else words  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Both:
    words: Annotated[
        OptionalText,
        BeforeValidator(_joined),
        Field(max_length=9, title="Words", description="Some."),
        Also("array", {"items": {"type": "string"}, "maxItems": 3}),
    ] = ""


@pytest.mark.parametrize(
    ("value", "allowed"),
    [("a", True), (["a", "b"], True), ([1], False), (5, False), (["a"] * 4, False)],
)
def test_a_schema_says_every_json_type_that_a_field_takes(value: object, allowed: bool) -> None:
    (shown,) = option_fields(Both)
    assert (shown.kind, shown.max_length) == ("text", 9)
    assert Draft202012Validator(TypeAdapter(Both).json_schema()).is_valid({"words": value}) is allowed
    if allowed:
        validate(Both, {"words": value})
    else:
        with pytest.raises(TourError, match="must be text or a list of texts"):
            validate(Both, {"words": value})
