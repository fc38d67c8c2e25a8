"""The story's experiments, measured on this machine.

    python -m tests.benchmarks.challenges [--keep]

`--keep` writes the results that the story page shows before a visitor runs them.
"""

from __future__ import annotations

import json
import sys
from collections import deque

from components.insight.challenges import STORED
from components.models.catalog import load_catalog
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir
from components.tasks.runner import Runner
from demos.challenges import MEASURES, boxes


def main() -> None:
    registry = Registry(load_catalog(), Settings(cache_dir=default_cache_dir()))
    runner = Runner(registry, "embedded")
    results = {}
    for name, (measure, _) in MEASURES.items():
        [results[name]] = deque(measure(runner, list(boxes(name).values())), maxlen=1)
        print(name, results[name], flush=True)
    registry.close()
    if "--keep" in sys.argv:
        STORED.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
