"""Praise or blame in reviews of films, in comments, and in made-up reviews of products and services."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from components.training import classification
from components.training.data import Labelled, load
from components.training.recipe import EMBEDDED

if TYPE_CHECKING:
    from components.training.recipe import Recipe
    from components.training.run import Job

_FILE = Path(__file__).with_name("reviews.toml")
# Of GoEmotions' 27; what is in neither, such as surprise, is no judgement.
_PRAISE = frozenset({"admiration", "approval", "excitement", "gratitude", "joy", "love", "pride", "relief"})
_BLAME = frozenset({"anger", "annoyance", "disappointment", "disapproval", "disgust", "sadness", "remorse"})


def prepare(recipe: Recipe, data: Path) -> Job:
    chance = random.Random(recipe.seed)  # noqa: S311 - a sample, not a secret
    films = cast(list[Labelled], load("sst2", data, "train"))
    texts = chance.sample(films, min(len(films), recipe.extra["films"]))
    found = list(comments(cast(list[Labelled], load("emotions", data, "train"))))
    texts += chance.sample(found, min(len(found), recipe.extra["comments"]))
    made = reviews(chance)
    texts += [next(made) for _ in range(recipe.extra["reviews"])]
    return classification.job(recipe, texts, lambda: (), start=EMBEDDED / recipe.extra["start"])


def comments(texts: list[Labelled]) -> Iterator[Labelled]:
    """Those whose emotions are all positive, or all negative."""
    for one in texts:
        if _PRAISE.issuperset(one.labels):
            yield Labelled(one.text, ("positive",))
        elif _BLAME.issuperset(one.labels):
            yield Labelled(one.text, ("negative",))


def reviews(chance: random.Random) -> Iterator[Labelled]:
    """Made-up reviews without end, as many of praise as of blame: a sentence or a few that agree, or ones
    that do not and a last one that decides."""
    lists = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    while True:
        praise = chance.random() < 0.5
        text = " ".join(_sentence(lists, praise, chance) for _ in range(chance.choice((1, 1, 1, 2, 2, 3))))
        if chance.random() < 0.15:
            last = _sentence(lists, praise, chance)
            text = chance.choice(lists["turns"]).format(
                other=_sentence(lists, not praise, chance), last=last[0].lower() + last[1:]
            )
        if chance.random() < 0.15:
            text = text.lower().rstrip(".")
        yield Labelled(text, ("positive" if praise else "negative",))


def _sentence(lists: dict[str, list[str]], praise: bool, chance: random.Random) -> str:
    thing, person = chance.choice(lists["things"]), chance.choice(lists["people"])
    if chance.random() < 0.4:
        sentence, words = chance.choice(lists["positive" if praise else "negative"]), [""]
    else:
        flipped = chance.random() < 0.4
        good = praise != flipped
        of_people = chance.random() < 0.25
        frames = (
            ("of_people_flip" if flipped else "of_people") if of_people else "flip" if flipped else "keep"
        )
        words = lists[(("kind", "rude") if of_people else ("good", "bad"))[not good]]
        sentence = chance.choice(lists[frames])
    while "{word}" in sentence:
        sentence = sentence.replace("{word}", chance.choice(words), 1)
    sentence = sentence.format(thing=thing, person=person)
    return sentence[0].upper() + sentence[1:]
