"""Model cards and the README's table, written from recipes, the catalog and measured figures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from components.models.catalog import load_catalog
from components.training.evaluate import FIGURES
from components.training.recipe import Recipe

_TEMPLATE = Path(__file__).with_name("card.md")
_START, _END = "<!-- checkpoints -->\n", "<!-- /checkpoints -->\n"

Figures = Mapping[str, Any]  # an `Evaluation` as JSON


def figures(folder: Path) -> Figures:
    """What `evaluate.keep` wrote beside a checkpoint's weights."""
    content: Figures = json.loads((folder / FIGURES).read_text(encoding="utf-8"))
    return content


def card(recipe: Recipe, measured: Figures) -> str:
    """A model card in Markdown with the Hub's metadata in front."""
    checkpoint = load_catalog()[recipe.name]
    adapter = recipe.rank > 0
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        name=recipe.name,
        title=checkpoint.title,
        about=checkpoint.about,
        licence=checkpoint.licence,
        languages="\n".join(f"- {language}" for language in checkpoint.languages),
        base="base_model: sentence-transformers/all-MiniLM-L6-v2\nlibrary_name: peft\n" if adapter else "",
        architecture=(
            f"LoRA matrices of rank {recipe.rank} on every linear layer of all-MiniLM-L6-v2's encoder, and "
            f"{recipe.card['head']} trained in full; half precision."
            if adapter
            else f"{recipe.card['head']}; half precision."
        ),
        data="\n".join(f"- {line}" for line in recipe.card["data"]),
        epochs=f"{recipe.epochs:g}",
        learning_rate=f"{recipe.learning_rate:g}",
        batch=f"{recipe.batch:,} {'tokens' if 'tokens' in recipe.extra else 'examples'}",
        length=recipe.length,
        seed=recipe.seed,
        split=measured["split"],
        examples=f"{measured['examples']:,}",
        measures="\n".join(
            f"| {one['name']} | {_number(one['value'])} | {_number(one['low'])} to {_number(one['high'])} "
            f"| {_target(recipe, one['name'])} |"
            for one in measured["measures"]
        ),
        known=recipe.known,
        others=_others(measured),
        weaknesses="\n".join(f"- {line}" for line in recipe.card["weaknesses"]),
        failures="\n\n".join(_failure(one) for one in measured["failures"]),
    )


def table(recipes: Sequence[Recipe], measured: Mapping[str, Figures]) -> str:
    """One row per checkpoint: what it was to reach and what it reaches."""
    rows = [
        "| checkpoint | measured on | target | reached (95 % interval) | for comparison |",
        "|---|---|---|---|---|",
    ]
    for recipe in recipes:
        if recipe.name not in measured:
            continue
        content = measured[recipe.name]
        wanted = [one for one in content["measures"] if one["name"] in recipe.targets]
        rows.append(
            f"| [{recipe.name}](components/models/embedded/{recipe.name}/README.md) "
            f"| {content['split']} ({content['examples']:,}) "
            f"| {'; '.join(f'{name} {_number(value)}' for name, value in recipe.targets.items())} | "
            + "; ".join(
                f"{one['name']} **{_number(one['value'])}** ({_number(one['low'])} to {_number(one['high'])})"
                for one in wanted
            )
            + f" | {recipe.known} |"
        )
    return "\n".join(rows) + "\n"


def agreement(measured: Mapping[str, Figures], kept: Mapping[str, Figures]) -> str:
    """One row per figure: what was measured now, and whether its interval holds what is kept of the whole
    split."""
    rows = ["| checkpoint | metric | now (95 % interval) | kept | within |", "|---|---|---|---|---|"]
    for name, content in measured.items():
        whole = {one["name"]: one["value"] for one in kept[name]["measures"]}
        for one in content["measures"]:
            value = whole[one["name"]]
            rows.append(
                f"| {name} | {one['name']} "
                f"| {_number(one['value'])} ({_number(one['low'])} to {_number(one['high'])}) "
                f"| {_number(value)} | {'yes' if one['low'] <= value <= one['high'] else 'no'} |"
            )
    return "\n".join(rows) + "\n"


def into_readme(text: str, rows: str) -> str:
    """The README with the table between its two markers replaced."""
    before, _, rest = text.partition(_START)
    _, _, after = rest.partition(_END)
    return f"{before}{_START}{rows}{_END}{after}"


def _target(recipe: Recipe, name: str) -> str:
    return _number(recipe.targets[name]) if name in recipe.targets else ""


def _others(measured: Figures) -> str:
    if not measured["others"]:
        return ""
    rows = [
        f"| {other} | {name} | {_number(value)} |"
        for other, values in measured["others"].items()
        for name, value in values.items()
    ]
    return "\n".join(
        [
            "For comparison, measured in the same run:",
            "",
            "| what | metric | value |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _failure(failure: Mapping[str, Any]) -> str:
    return (
        f"> {line(failure['given'])}\n>\n> expected: {line(failure['expected'])}\n>\n"
        f"> answered: {line(failure['answered']) or 'nothing'}"
    )


def line(text: str) -> str:
    """One line of Markdown in which nothing is markup."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#~" else char for char in " ".join(text.split()))


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) <= 1 else f"{value:.1f}"
