"""Plain text to learn a language from: what ships with the app, and what of a text is held out."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from components.models.errors import Code, TourError
from components.tasks.sentences import sentences
from components.texts import in_folder

TEXTS = in_folder(__file__)

SHORTEST, LONGEST = 1_000, 200_000  # characters of a text
LEAST = 20  # passages, of which every tenth is held out
PROMPT = "Bell 2, bench 3. Drew"  # of the fog loft's log, to go on from

_FOLDER = Path(__file__).parent
_TEXTS = _FOLDER / "texts"
_PARAGRAPH = re.compile(r"\n[^\S\n]*\n\s*")


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """`held_out` is every tenth passage; no passage of it is in `train`. `notes` say what was left out."""

    train: str
    held_out: str
    notes: tuple[str, ...] = ()


def fog_loft() -> str:
    """The log of an invented craft, written for this project: a narrow field with words of its own."""
    return _read("fog_loft")


def general() -> str:
    """Some everyday English of several kinds, written for this project: what adaptation may unlearn."""
    return _read("general")


def everything() -> str:
    """All English prose that ships with the lab: the messages of its example data set and the other texts."""
    with (_FOLDER / "emotions.csv").open(encoding="utf-8", newline="") as file:
        messages = [row["text"] for row in csv.DictReader(file)]
    return "\n\n".join([*messages, fog_loft(), general()])


def divide(text: str) -> Corpus:
    """Raises `TourError` for a text that is too short to hold something out, or too long."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) < SHORTEST:
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["too_short"].format(size=len(text), limit=SHORTEST),
            "text",
        )
    if len(text) > LONGEST:
        raise TourError(
            Code.TOO_LONG,
            TEXTS["too_long"].format(size=len(text), limit=LONGEST),
            "text",
        )
    passages, between = _passages(text)
    held_out = passages[9::10]
    known = {_key(passage) for passage in held_out}
    others = [passage for index, passage in enumerate(passages) if index % 10 != 9]
    train = [passage for passage in others if _key(passage) not in known]
    if not train:
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["repetitive"],
            "text",
        )
    twice = len(others) - len(train)
    repeated = TEXTS["repeated"].format(count=twice, all=len(passages))
    return Corpus(
        train=between.join(train),
        held_out=between.join(held_out),
        notes=(repeated,) if twice else (),
    )


def usable(text: str) -> str:
    """The text itself; raises as `divide` does, so that a visitor hears of it before a run is in line."""
    divide(text)
    return text


def _passages(text: str) -> tuple[list[str], str]:
    """Paragraphs, or lines, or sentences: the longest of these that there are enough of; and what parts them.

    Text between line breaks is kept as it is.
    """
    kinds = (
        (lambda: _PARAGRAPH.split(text), "\n\n"),
        (lambda: text.split("\n"), "\n"),
        (lambda: [span.of(text) for span in sentences(text)], " "),
    )
    for split, between in kinds:
        passages = [passage for passage in split() if passage.strip()]
        if len(passages) >= LEAST:
            return passages, between
    raise TourError(
        Code.INVALID_INPUT,
        TEXTS["too_few_parts"].format(limit=LEAST),
        "text",
    )


def _key(passage: str) -> str:
    return " ".join(passage.split()).casefold()


def _read(name: str) -> str:
    return (_TEXTS / f"{name}.txt").read_text("utf-8").strip()
