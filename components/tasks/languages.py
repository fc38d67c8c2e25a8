"""The languages that texts are translated between."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError


class Language(NamedTuple):
    """`flores` is its code in the FLORES-200 benchmark, by which NLLB knows it; "-" if it is not there."""

    name: str
    flores: str

    @property
    def three_letters(self) -> str:
        return self.flores[:3]


_DATA: Mapping[str, Sequence[str]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
LANGUAGES: Mapping[str, Language] = {code: Language(name, flores) for code, (name, flores) in _DATA.items()}
AUTO = "auto"
# What models of many languages read unless told otherwise.
USUAL = "en"


def name(code: str) -> str:
    """German (de); a code that is not in the list stays as it is."""
    return f"{LANGUAGES[code].name} ({code})" if code in LANGUAGES else code


def code(spelling: str) -> str:
    """The code here for one of two or three letters, in any case; as it is if it is none."""
    wanted = spelling.lower().replace("-", "_").split("_")[0]
    if wanted in LANGUAGES:
        return wanted
    return next((code for code, language in LANGUAGES.items() if language.three_letters == wanted), spelling)


def _one_of(*codes: str) -> AfterValidator:
    def known(code: str) -> str:
        if code not in codes:
            raise PydanticCustomError("language", "is no language's code")
        return code

    return AfterValidator(known)


LanguageCode = Annotated[str, _one_of(*LANGUAGES), Field(json_schema_extra={"enum": list(LANGUAGES)})]
"""A choice among `LANGUAGES`."""

LanguageOrAuto = Annotated[
    str, _one_of(AUTO, *LANGUAGES), Field(json_schema_extra={"enum": [AUTO, *LANGUAGES]})
]
"""The same, or "auto"."""
