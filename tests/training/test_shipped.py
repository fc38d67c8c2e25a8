"""What the repository ships: small enough, measured, and described."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.models.catalog import load_catalog
from components.models.checkpoint import RepoSource
from components.models.sources import folder
from components.training import cards
from components.training.evaluate import weights_hash
from components.training.recipe import recipes

RECIPES = recipes()
SHIPPED = [checkpoint for checkpoint in load_catalog() if isinstance(checkpoint.source, RepoSource)]
LIMIT = 60_000_000  # bytes that all shipped checkpoints may add to the repository


def place(name: str) -> Path:
    return folder.place(RepoSource(folder=name))


def test_all_together_stay_small() -> None:
    everything = [file for checkpoint in SHIPPED for file in place(checkpoint.id).rglob("*")]
    assert sum(file.stat().st_size for file in everything) < LIMIT


@pytest.mark.parametrize("name", [checkpoint.id for checkpoint in SHIPPED])
def test_the_figures_are_those_of_the_shipped_weights(name: str) -> None:
    assert cards.figures(place(name))["weights"] == weights_hash(place(name))


@pytest.mark.parametrize("name", [checkpoint.id for checkpoint in SHIPPED])
def test_the_card_is_the_one_that_recipe_and_figures_give(name: str) -> None:
    card = (place(name) / "README.md").read_text(encoding="utf-8")
    assert card == cards.card(RECIPES[name], cards.figures(place(name)))


def test_the_readme_has_the_table() -> None:
    readme = Path("README.md").read_text(encoding="utf-8")
    measured = {checkpoint.id: cards.figures(place(checkpoint.id)) for checkpoint in SHIPPED}
    rows = cards.table(list(RECIPES.values()), measured)
    assert rows in readme
    assert readme == cards.into_readme(readme, rows)


@pytest.mark.parametrize("name", list(RECIPES))
def test_every_recipe_has_what_a_card_needs(name: str) -> None:
    card = RECIPES[name].card
    assert card["head"]
    assert card["data"]
    assert card["weaknesses"]
    assert RECIPES[name].targets
