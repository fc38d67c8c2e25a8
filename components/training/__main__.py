"""`python -m components.training train NAME` and `... evaluate NAME`: see the README's chapter on training."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from components.training.recipe import Recipe, recipes

if TYPE_CHECKING:
    from components.training.run import Job

EMBEDDED = Path(__file__).resolve().parents[1] / "models" / "embedded"


def main(arguments: list[str] | None = None) -> int:
    known = recipes()
    parser = argparse.ArgumentParser(prog="python -m components.training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train a checkpoint and write it as one the app ships")
    train.add_argument("name", choices=known)
    train.add_argument("--epochs", type=float, help="instead of the recipe's")
    train.add_argument("--runs", type=Path, default=Path("runs"), help="where unfinished runs are kept")
    train.add_argument("--into", type=Path, default=EMBEDDED, help="where the checkpoint's folder goes")
    for command in (train,):
        command.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of data sets")
    options = parser.parse_args(arguments)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    recipe = known[options.name]
    if options.epochs is not None:
        recipe = replace(recipe, epochs=options.epochs)
    return _train(recipe, options)


def _train(recipe: Recipe, options: argparse.Namespace) -> int:
    from transformers import set_seed

    from components.training.run import train

    set_seed(recipe.seed)
    job: Job = importlib.import_module(f"components.training.{recipe.kind}").prepare(recipe, options.data)
    train(recipe, job, options.runs / recipe.name)
    job.export(options.into / recipe.name)
    print(f"{recipe.name} is in {options.into / recipe.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
