"""How networks are told which languages to translate between; each family has its own way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from components.models.errors import Code, TourError
from components.tasks import languages
from components.tasks.languages import AUTO, LANGUAGES, USUAL
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)


@dataclass(frozen=True, kw_only=True)
class Route:
    """`prefix` stands before each text; `spelling` is the tokenizer's own name of the source language, and
    `first_token` the id that the translation has to begin with, where the family has such.
    """

    source: str
    prefix: str = ""
    spelling: str | None = None
    first_token: int | None = None


def route(model: LoadedModel, source: str, target: str) -> Route:
    """The way from `source`, a code or "auto", to `target`; raises `TourError` where the model has none."""
    if hasattr(model.tokenizer, "target_lang"):
        return _marian(model, source, target)
    if hasattr(model.tokenizer, "src_lang"):
        return _many_to_many(model, USUAL if source == AUTO else source, target)
    return _by_prefix(model, USUAL if source == AUTO else source, target)


def _marian(model: LoadedModel, source: str, target: str) -> Route:
    """One source; one target, or several of which a token such as `>>fr<<` names one."""
    tokenizer: Any = model.tokenizer
    known = model.checkpoint.languages if len(model.checkpoint.languages) == 2 else (None, None)
    own_source = languages.code(tokenizer.source_lang or known[0] or AUTO)
    if source not in (AUTO, own_source) and own_source in LANGUAGES:
        raise _cannot(model, f"reads {languages.name(own_source)} alone", [own_source], "source")
    if marks := {languages.code(mark.strip("><")): mark for mark in tokenizer.supported_language_codes}:
        if target not in marks:
            raise _cannot(model, "does not write that language", list(marks), "target")
        return Route(source=own_source, prefix=f"{marks[target]} ")
    own_target = languages.code(tokenizer.target_lang or known[1] or target)
    if target != own_target:
        raise _cannot(
            model,
            f"translates only from {languages.name(own_source)} to {languages.name(own_target)}",
            [own_target],
            "target",
        )
    return Route(source=own_source)


def _many_to_many(model: LoadedModel, source: str, target: str) -> Route:
    """The encoder reads a token for the source language, the decoder begins with one for the target."""
    tokenizer: Any = model.tokenizer
    spellings: dict[str, str] = {}
    for spelling in getattr(tokenizer, "lang_code_to_id", ()):  # M2M100: de; mBART-50: de_DE
        spellings.setdefault(languages.code(spelling), spelling)
    if not spellings:  # NLLB: deu_Latn
        vocabulary = tokenizer.get_vocab()
        spellings = {code: one.flores for code, one in LANGUAGES.items() if one.flores in vocabulary}
    for field, language in (("source", source), ("target", target)):
        if language not in spellings:
            raise _cannot(model, f"does not know {languages.name(language)}", list(spellings), field)
    first = getattr(tokenizer, "lang_code_to_id", {}).get(spellings[target])
    if first is None:
        first = tokenizer.convert_tokens_to_ids(spellings[target])
    return Route(source=source, spelling=spellings[source], first_token=int(first))


def _by_prefix(model: LoadedModel, source: str, target: str) -> Route:
    """T5: a task in words before the text, as the checkpoint's config has them."""
    tasks = getattr(model.network.config, "task_specific_params", None) or {}
    ways = {name: task for name, task in tasks.items() if name.startswith("translation_")}
    if not ways:
        raise TourError(
            Code.UNSUITABLE_MODEL,
            TEXTS["no_languages"].format(model=model.checkpoint.id),
            "model",
        )
    way = ways.get(f"translation_{source}_to_{target}")
    if way is None:
        targets = [name.rsplit("_", 1)[1] for name in ways if name.startswith(f"translation_{source}_to_")]
        sources = [name.split("_")[1] for name in ways]
        if not targets:
            raise _cannot(model, f"does not read {languages.name(source)}", sources, "source")
        raise _cannot(
            model,
            f"does not translate {languages.name(source)} to {languages.name(target)}",
            targets,
            "target",
        )
    return Route(source=source, prefix=str(way["prefix"]))


def _cannot(model: LoadedModel, what: str, possible: Sequence[str], field: str) -> TourError:
    named = ", ".join(dict.fromkeys(possible))
    return TourError(
        Code.INVALID_INPUT,
        f"{model.checkpoint.id} {what}. Set {field} to {'one of ' if len(possible) > 1 else ''}{named}, or "
        "pick another model.",
        field,
    )
