"""What the lab's methods reach with few labelled examples, on sentences of film reviews (SST-2).

    python -m tests.benchmarks.few_labels --data DATA [--methods NAME ...] [--keep]

For each number of training examples, drawn at random, half of either label: the accuracy on the 872 sentences
of SST-2's development set, which no method sees while it learns. Each method has its own settings of the lab.
`--keep` writes the figures that the story page shows.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
import tempfile
from pathlib import Path
from typing import Any

from components.figures.few_labels import MEASURED
from components.lab import intake
from components.lab.judging import judge
from components.lab.lab import Lab
from components.lab.roles import Roles
from components.lab.runs import PREDICTIONS
from components.lab.workspace import Workspace, new_key
from components.models.catalog import load_catalog
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir

SIZES = (10, 50, 200, 600)
VALIDATION = 100
# By name: the lab's method, its options, and how many draws of examples are measured.
METHODS: dict[str, tuple[str, dict[str, Any], int]] = {
    "frozen": ("logistic_regression", {}, 3),
    "word_vectors": ("logistic_regression", {"layer": 0}, 1),
}

Rows = list[tuple[str, str]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder that has sst2")
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=list(METHODS))
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    train, test = (read(given.data / "sst2" / f"{split}.tsv.gz") for split in ("train", "dev"))
    settings = Settings(cache_dir=default_cache_dir())
    registry = Registry(load_catalog(), settings)
    accuracies: dict[str, list[list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(registry, settings, root=Path(folder) / "lab")
        with registry.lease("all-MiniLM-L6-v2"):
            pass  # on this host from now on
        for name in given.methods:
            method, options, draws = METHODS[name]
            accuracies[name] = []
            for size in SIZES:
                drawn = (sample(train, size, seed) for seed in range(draws))
                found = [accuracy(lab, Path(folder), rows, test, method, options) for rows in drawn]
                accuracies[name].append(found)
                print(name, size, found, flush=True)
        lab.close()
    registry.close()
    if given.keep:
        kept = json.loads(MEASURED.read_text("utf-8"))["accuracies"] if MEASURED.is_file() else {}
        measured = {"sizes": SIZES, "examples": len(test), "accuracies": kept | accuracies}
        MEASURED.write_text(json.dumps(measured, indent=1) + "\n", "utf-8")


def read(path: Path) -> Rows:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [(text, label) for text, label in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]


def sample(rows: Rows, size: int, seed: int) -> Rows:
    """`size` rows for training, half of either label, and more for validation."""
    drawn = random.Random(seed).sample(rows, len(rows))
    by_label = [[row for row in drawn if row[1] == label] for label in ("0", "1")]
    half = size // 2
    training = [row for group in by_label for row in group[:half]]
    validation = [row for group in by_label for row in group[half : half + VALIDATION // 2]]
    return training + validation


def accuracy(lab: Lab, folder: Path, drawn: Rows, test: Rows, method: str, options: dict[str, Any]) -> float:
    workspace = lab.workspaces.open(new_key())
    data = bring(lab, workspace, folder / "rows.csv", drawn, test)
    run = lab.start(workspace, method, options, data)
    lab.jobs.wait(run, 3600)
    if not (run.folder / PREDICTIONS).is_file():
        raise SystemExit(f"{method}: {run.state}")
    return next(one.value for one in judge(data, run.folder / PREDICTIONS).measures if one.name == "accuracy")


def bring(lab: Lab, workspace: Workspace, file: Path, drawn: Rows, test: Rows) -> Any:
    """The rows as a visitor's file with a column for the split."""
    size = len(drawn) - VALIDATION
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("text", "label", "split"))
        for place, (text, label) in enumerate(drawn):
            writer.writerow((text, label, "train" if place < size else "validation"))
        for text, label in test:
            writer.writerow((text, label, "test"))
    intake.upload(lab.workspaces, workspace, file, file.name)
    for _ in intake.read(workspace, {}):
        pass
    return intake.finalize(workspace, Roles(text="text", label="label", split="split"))


if __name__ == "__main__":
    main()
