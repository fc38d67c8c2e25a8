"""What is looked at inside a model: one text, or two that are read together."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from components.tasks.explained import LONGEST
from components.tasks.fields import STRICT, OptionalText, Text
from components.texts import in_folder

TEXTS = in_folder(__file__)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Inputs:
    text: Annotated[
        Text,
        Field(
            max_length=20_000,
            title="Text",
            description=f"Text the model reads; the first {LONGEST} tokens are used.",
        ),
    ]
    text_pair: Annotated[
        OptionalText, Field(max_length=20_000, title="Second text", description=TEXTS["text_pair"])
    ] = ""
