"""Train the checkpoints that this repository ships, and measure them."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from components.training.recipe import EMBEDDED, Recipe, recipes

if TYPE_CHECKING:
    from components.training.run import Job

_ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> int:
    known = recipes()
    parser = argparse.ArgumentParser(prog="python -m components.training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train a checkpoint and write it as one the app ships")
    train.add_argument("name", choices=known)
    train.add_argument("--epochs", type=float, help="instead of the recipe's")
    train.add_argument("--runs", type=Path, default=Path("runs"), help="where unfinished runs are kept")
    train.add_argument("--save-every", type=int, default=250, help="steps after which a run is saved")
    train.add_argument("--into", type=Path, default=EMBEDDED, help="where the checkpoint's folder goes")
    evaluate = commands.add_parser("evaluate", help="measure shipped checkpoints and print the table")
    evaluate.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}; all by default")
    evaluate.add_argument("--limit", type=int, help="measure on at most so many examples")
    evaluate.add_argument("--served", metavar="URL", help="ask the app there, through /v1, and compare")
    evaluate.add_argument("--keep", action="store_true", help="write figures, model cards and README table")
    for command in (train, evaluate):
        command.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of data sets")
    options = parser.parse_args(arguments)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if options.command == "evaluate":
        if unknown := [name for name in options.names if name not in known]:
            parser.error(f"no recipe {unknown[0]!r}; there are {', '.join(known)}")
        if options.keep and (options.limit or options.served):
            parser.error("--keep is for figures of whole splits: leave out --limit and --served")
        return _evaluate([known[name] for name in options.names or known], options)
    return _train(known[options.name], options)


def _train(recipe: Recipe, options: argparse.Namespace) -> int:
    from transformers import set_seed

    from components.training.run import train

    if options.epochs is not None:
        recipe = replace(recipe, epochs=options.epochs)
    set_seed(recipe.seed)
    job: Job = importlib.import_module(f"components.training.{recipe.kind}").prepare(recipe, options.data)
    train(recipe, job, options.runs / recipe.name, save_every=options.save_every)
    job.export(options.into / recipe.name)
    print(f"{recipe.name} is in {options.into / recipe.name}")
    return 0


def _evaluate(chosen: list[Recipe], options: argparse.Namespace) -> int:
    from components.training import cards
    from components.training.evaluate import evaluate, keep

    measured: dict[str, cards.Figures] = {}
    for recipe in chosen:
        if not (EMBEDDED / recipe.name).is_dir():
            print(f"{recipe.name} is not shipped", file=sys.stderr)
            continue
        found = evaluate(recipe, options.data, options.limit, options.served)
        measured[recipe.name] = asdict(found)
        if options.keep:
            keep(found, EMBEDDED / recipe.name)
            (EMBEDDED / recipe.name / "README.md").write_text(
                cards.card(recipe, measured[recipe.name]), "utf-8"
            )
    print(cards.table(chosen, measured))
    if options.served:
        print(cards.agreement(measured, {name: cards.figures(EMBEDDED / name) for name in measured}))
    if options.keep:
        everything = list(recipes().values())
        kept = {one.name: cards.figures(EMBEDDED / one.name) for one in everything if _kept(one)}
        readme = _ROOT / "README.md"
        readme.write_text(
            cards.into_readme(readme.read_text("utf-8"), cards.table(everything, kept)), "utf-8"
        )
    return 0


def _kept(recipe: Recipe) -> bool:
    return (EMBEDDED / recipe.name / "evaluation.json").is_file()


if __name__ == "__main__":
    sys.exit(main())
