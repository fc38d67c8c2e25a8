"""How long a checkpoint that is in the cache takes until it is ready.

    python -m tests.benchmarks.second_start [checkpoint]

Prints the time including the import of torch and transformers, as the first visitor after a
start waits, and without it, as in a process that has them already. Target on two cores:
SmolLM2 ready in 2 s with the libraries imported.
"""

from __future__ import annotations

import subprocess
import sys
import time

from components.models.catalog import load_catalog
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir


def seconds_until_ready(id: str) -> float:
    registry = Registry(load_catalog(), Settings(cache_dir=default_cache_dir()))
    began = time.perf_counter()
    with registry.lease(id):
        return time.perf_counter() - began


def main(id: str) -> None:
    if "--import-first" in sys.argv:
        import torch  # noqa: F401
        import transformers.modeling_utils  # noqa: F401 - transformers itself imports this on its first load

        print(f"{seconds_until_ready(id):.2f}")
        return
    seconds_until_ready(id)  # into the cache, if it is not there yet
    command = [sys.executable, "-m", "tests.benchmarks.second_start", id]
    warm = [
        float(subprocess.run([*command, "--import-first"], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    code = f"from tests.benchmarks.second_start import seconds_until_ready as s; print(s({id!r}))"
    cold = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    print(f"{id} ready from the cache, median of 3:")
    print(f"  torch and transformers imported: {sorted(warm)[1]:.2f} s")
    print(f"  with their import:               {sorted(cold)[1]:.2f} s")


if __name__ == "__main__":
    main(next((word for word in sys.argv[1:] if not word.startswith("-")), "SmolLM2-135M-Instruct"))
