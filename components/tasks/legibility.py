"""What a checkpoint cannot read of a text: its script, its language, some of its characters, or all of it."""

from __future__ import annotations

import tomllib
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import regex

from components.tasks import languages
from components.tasks.counted import counted
from components.tasks.fields import input_fields, shorten
from components.tasks.languages import LANGUAGES
from components.tasks.ordinary import ordinary_words
from components.texts import in_folder

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

_SCRIPTS = Path(__file__).with_name("scripts.toml")
_IGNORED = regex.compile(r"\p{Default_Ignorable_Code_Point}")
_WORD = regex.compile(r"\p{Latin}+(?:['’]\p{Latin}+)*")
# Longer than any word that people write; of scripts that put spaces between words.
_ENDLESS = regex.compile(
    r"[[\p{L}\p{M}\p{N}]--"
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]]{101,}",
    regex.VERSION1,
)
# Fields that take shorter texts alone hold labels and the like, whose language nobody can tell.
_PROSE = 1000
# Characters that are looked at for the language: more tell no more.
_ENOUGH = 10_000
# Share of a text's letters from which on it is in their script.
_MUCH = 1 / 3
# How sure the identifier must be that a text is in none of a checkpoint's languages, and up to which share of
# English words it is then believed. Of 3,000 sentences each, this called 0.03 % of Tatoeba's English, 0.1 %
# of SST-2's and 1.1 % of Reddit's slang foreign, and 98.5 % of Tatoeba's German and 98.1 % of its French.
_SURE, _ENGLISH = 0.9, 0.6
# Characters or languages that a note names.
_NAMED = 30
_FEW = 6


def notes(model: LoadedModel, inputs: object, reads: Collection[str]) -> tuple[str, ...]:
    """What the model cannot read of the texts in a task's inputs, `reads` being its languages' codes."""
    found: dict[str, None] = {}
    for text in texts(inputs):
        found.update(dict.fromkeys(_notes(model, text, reads)))
    if endless := [word for text in all_texts(inputs) for word in _ENDLESS.findall(text)]:
        found[_endless(model, endless)] = None
    return tuple(found)


def all_texts(inputs: Any) -> Iterator[str]:
    """Every text of a task's inputs, cells of tables included."""
    for field in input_fields(type(inputs)):
        match getattr(inputs, field.name):
            case str(text):
                yield text
            case [dict(), *_] as messages:
                yield from (message["content"] for message in messages)
            case list(several):
                yield from several
            case {"columns": columns, "rows": rows}:
                yield from columns
                yield from chain.from_iterable(rows)


def _endless(model: LoadedModel, words: Sequence[str]) -> str:
    """What the model sees of words that are too long to be any."""
    longest = max(words, key=len)
    tokenizer = model.tokenizer
    tokens = tokenizer.tokenize(longest)
    if tokenizer.unk_token is not None and tokenizer.unk_token in tokens:
        seen = (
            f"{model.checkpoint.id} saw {counted(len(tokens), 'unknown token')} ({tokenizer.unk_token}) in "
            "its place"
        )
    else:
        parts = [tokenizer.convert_tokens_to_string([token]).removeprefix("##") for token in tokens[:_FEW]]
        few = ", ".join(map(shorten, parts)) + (" …" if len(tokens) > _FEW else "")
        seen = f"{model.checkpoint.id} saw {len(tokens):,} pieces, which mean little: {few}"
    others = len(words) - 1
    more = f" The same holds for {counted(others, 'other word')}." if others else ""
    return f"The text has a word of {len(longest):,} characters, {shorten(longest, 20)}: {seen}.{more}"


def texts(inputs: Any) -> Iterator[str]:
    """The texts of a task's inputs in which people write sentences."""
    for field in input_fields(type(inputs)):
        if (field.max_length or 0) >= _PROSE and field.kind in ("text", "texts"):
            value = getattr(inputs, field.name)
            yield from [value] if isinstance(value, str) else value
        elif field.kind == "messages":
            yield from (message["content"] for message in getattr(inputs, field.name))


def _notes(model: LoadedModel, text: str, reads: Collection[str]) -> Iterator[str]:
    if not text:
        return
    if not any(map(visible, text)):
        yield TEXTS["invisible"]
        return
    known = ", ".join(languages.name(one) for one in reads)
    if len(reads) > _FEW:
        known = f"{len(reads)} languages, not that one"
    if reads and (script := strange_script(text, reads)):
        likeliest = _likeliest(_ranks(text))
        said = TEXTS["other_script_and_language" if likeliest in LANGUAGES else "other_script"]
        yield said.format(
            script=script,
            language=languages.name(likeliest),
            model=model.checkpoint.id,
            languages=known,
        )
    elif reads and (language := strange_language(text, reads)):
        yield TEXTS["other_language"].format(language=language, model=model.checkpoint.id, languages=known)
    if unread := unknown(model.tokenizer, text):
        more = f" and {len(unread) - _NAMED} more" if len(unread) > _NAMED else ""
        yield TEXTS["unknown_characters"].format(
            model=model.checkpoint.id, characters=" ".join(unread[:_NAMED]), more=more
        )


def strange_script(text: str, reads: Collection[str]) -> str | None:
    """The script that much of the text is in and that none of the languages is written in."""
    scripts = _scripts()
    known = {
        name
        for code in reads
        for name in scripts.get(LANGUAGES[code].flores[-4:] if code in LANGUAGES else "", ["LATIN"])
    }
    letters = Counter(
        unicodedata.name(letter, "UNKNOWN").split()[0]
        for letter in unicodedata.normalize("NFKC", text[:_ENOUGH])
        if unicodedata.category(letter) in ("Lu", "Ll", "Lt", "Lo")
    )
    strange = Counter({name: count for name, count in letters.items() if name not in known})
    if not strange or strange.total() <= _MUCH * letters.total():
        return None
    name = strange.most_common(1)[0][0]
    return {"CJK": "Chinese"}.get(name, name.title())


def strange_language(text: str, reads: Collection[str]) -> str | None:
    """The language that the text is surely in, if that is none of `reads`."""
    words = [word.replace("’", "'") for word in _WORD.findall(text[:_ENOUGH])]
    if not any(map(str.islower, words)) and not text.isupper():  # a name is no language's
        return None
    words = [word.casefold() for word in words]
    if "en" in reads and sum(word in ordinary_words() for word in words) >= _ENGLISH * len(words):
        return None
    ranks = _ranks(text)
    if sum(share for code, share in ranks.items() if code in reads) >= 1 - _SURE:
        return None
    best = _likeliest(ranks)
    return languages.name(best) if best in LANGUAGES else "another language"


def unknown(tokenizer: Any, text: str) -> Sequence[str]:
    """The visible characters of the text that the tokenizer has no token for, each once."""
    missing = tokenizer.unk_token_id
    if missing is None:
        return []
    return [
        character
        for character in dict.fromkeys(text)
        if not character.isascii()
        and visible(character)
        and unicodedata.category(character) != "Mn"
        and missing in tokenizer.convert_tokens_to_ids(tokenizer.tokenize(character))
    ]


def visible(character: str) -> bool:
    """Whether a reader sees anything of it. Some letters and marks are made to be invisible, too."""
    return not (
        character.isspace()
        or unicodedata.category(character) in ("Cc", "Cf", "Zs", "Zl", "Zp")
        or _IGNORED.fullmatch(character)
    )


def _likeliest(ranks: Mapping[str, float]) -> str:
    return max(ranks, key=lambda code: ranks[code])


def _ranks(text: str) -> dict[str, float]:
    """Codes of languages with the identifier's probabilities. It tells two Norwegians apart; `LANGUAGES` does
    not."""
    ranks: Counter[str] = Counter()
    for code, share in _identifier().rank(text[:_ENOUGH]):
        ranks[{"nb": "no", "nn": "no"}.get(code, code)] += share
    return dict(ranks)


@lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@lru_cache(maxsize=1)
def _scripts() -> Mapping[str, Sequence[str]]:
    return tomllib.loads(_SCRIPTS.read_text(encoding="utf-8"))
