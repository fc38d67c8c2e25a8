"""How long the lab's ways to train take on the shipped messages, and what a large file takes.

    python -m tests.benchmarks.lab [method ...]

For each method the time from being asked to being done, the start of its process included, and what it
reaches on the test split; beside it the same as a multiple of the baseline's time, which is that of a process
that does nothing. Targets on two cores: logistic regression 20 s, LoRA 180 s. Then a CSV file of two million
rows: the time to read it into a table, the memory of the process that does, and what is added to this one by
counting all its classes, both beside the file's size.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import psutil

from components.lab import intake
from components.lab.judging import judge
from components.lab.lab import Lab
from components.lab.roles import Roles
from components.lab.runs import PREDICTIONS
from components.lab.workspace import new_key
from components.models.catalog import load_catalog
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir
from tests.memory import Peak

METHODS = ("baseline", "logistic_regression", "lora", "full")
ROWS = 2_000_000


def training(lab: Lab, methods: tuple[str, ...]) -> None:
    workspace = lab.workspaces.open(new_key())
    data = intake.shipped(workspace)
    nothing = 0.0
    for method in methods:
        began = time.perf_counter()
        run = lab.start(workspace, method, {}, data)
        lab.jobs.wait(run, 1800)
        took = time.perf_counter() - began
        nothing = nothing or took
        if not (run.folder / PREDICTIONS).is_file():
            sys.exit(f"{method}: {run.state}")
        reached = "; ".join(
            f"{one.name} {one.value:.3f} ({one.low:.3f} to {one.high:.3f})"
            for one in judge(data, run.folder / PREDICTIONS).measures
        )
        print(f"{method}: {took:.1f} s, {took / nothing:.0f} times the first; test {reached}", flush=True)


def large_file(lab: Lab, folder: Path) -> None:
    file = folder / "large.csv"
    with file.open("w", encoding="utf-8") as out:
        out.write("text,label\n")
        out.writelines(
            f'"Message number {number}, about one thing and another.",{"abcdef"[number % 6]}\n'
            for number in range(ROWS)
        )
    size = file.stat().st_size
    workspace = lab.workspaces.open(new_key())
    with Peak() as peak:
        began = time.perf_counter()
        intake.upload(lab.workspaces, workspace, file, file.name)
        for _ in intake.read(workspace, {}):
            pass
        read = time.perf_counter() - began
    here = psutil.Process().memory_full_info().uss
    data = intake.finalize(workspace, Roles(text="text", label="label", split=None))
    counts = [int((data.label_codes == code).sum()) for code in range(len(data.about.labels))]
    added = psutil.Process().memory_full_info().uss - here
    print(
        f"{sum(counts):,} rows, {size / 1e6:.0f} MB: read in {read:.1f} s "
        f"with {peak.nbytes / 1e6:.0f} MB at most ({peak.nbytes / size:.1f} times the file); "
        f"split and counted with {added / 1e6:.0f} MB more here ({added / size:.2f} times)"
    )


def main(methods: tuple[str, ...]) -> None:
    settings = Settings(cache_dir=default_cache_dir())
    registry = Registry(load_catalog(), settings)
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(registry, settings, root=Path(folder) / "lab")
        with registry.lease("all-MiniLM-L6-v2"):
            pass  # on this host from now on
        training(lab, methods)
        large_file(lab, Path(folder))
        lab.close()
    registry.close()


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or METHODS)
