"""Pairs of sentences to whether the one entails the other, and pairs made of labelled texts.

A label put into a sentence makes a hypothesis (Yin et al. 2019, https://arxiv.org/abs/1909.00161): what a
reader found in a text, the text entails; another feeling in its place, it contradicts.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from components.training import classification
from components.training.data import Labelled, group, load

if TYPE_CHECKING:
    from components.training.recipe import Recipe
    from components.training.run import Job


def prepare(recipe: Recipe, data: Path) -> Job:
    chance = random.Random(recipe.seed)  # noqa: S311 - a sample, not a secret
    pairs = [one for name in recipe.data for one in cast(list[Labelled], load(name, data, "train"))]
    texts = cast(list[Labelled], load("emotions", data, "train"))
    made = list(hypotheses(texts, recipe.extra["templates"], chance))
    pairs += chance.sample(made, min(len(made), recipe.extra["made"]))
    return classification.job(recipe, pairs, lambda: ())


def hypotheses(texts: list[Labelled], templates: list[str], chance: random.Random) -> Iterator[Labelled]:
    """Two pairs for each text with one feeling: with that feeling, and with one of another group."""
    known = sorted({name for one in texts for name in one.labels} - {"neutral"})
    for one in texts:
        if len(one.labels) != 1 or one.labels[0] == "neutral":
            continue
        (felt,) = one.labels
        others = [name for name in known if group(name) != group(felt)]
        for name, label in ((felt, "entailment"), (chance.choice(others), "contradiction")):
            yield Labelled(one.text, (label,), chance.choice(templates).format(name))
