"""All evaluations: run them on what is shipped, print the table, keep figures beside the weights."""

from __future__ import annotations

import hashlib
import importlib
import json
from dataclasses import asdict
from pathlib import Path

from components.models.catalog import load_catalog
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir
from components.tasks.runner import Runner
from components.training.evaluation.asking import Served
from components.training.evaluation.measure import Evaluation
from components.training.recipe import Recipe

FIGURES = "evaluation.json"


def evaluate(recipe: Recipe, data: Path, limit: int | None = None, address: str | None = None) -> Evaluation:
    """Measure the shipped checkpoint of a recipe, on at most `limit` examples; through the API of the app
    at `address` if there is one."""
    module = importlib.import_module(f"components.training.evaluation.{recipe.kind}")
    if address is not None:
        return module.evaluate(recipe, data, Served(address), limit)  # type: ignore[no-any-return]
    registry = Registry(load_catalog(), Settings(cache_dir=default_cache_dir()))
    try:
        return module.evaluate(recipe, data, Runner(registry, "embedded"), limit)  # type: ignore[no-any-return]
    finally:
        registry.close()


def keep(evaluation: Evaluation, folder: Path) -> None:
    """Write the figures beside the weights that gave them, with the weights' SHA-256."""
    content = {"weights": weights_hash(folder), **asdict(evaluation)}
    text = json.dumps(content, ensure_ascii=False, indent=1)
    (folder / FIGURES).write_text(text + "\n", encoding="utf-8")


def weights_hash(folder: Path) -> str:
    (weights,) = folder.glob("*.safetensors")
    return hashlib.sha256(weights.read_bytes()).hexdigest()
