"""Time from process start to the first page, against an empty Blocks app launched the same way.

    python -m tests.benchmarks.first_page [runs]

The two alternate, so that whatever else the host does falls on both. Exits 1 above `TARGET`.
"""

from __future__ import annotations

import statistics
import sys
import time

from tests.benchmarks.empty_page import EMPTY
from tests.server import clean_environment, free_port, running

TARGET = 1.2


def seconds(command: list[str], port: int) -> float:
    start = time.perf_counter()
    with running([sys.executable, *command, str(port)], f"http://127.0.0.1:{port}/", clean_environment()):
        return time.perf_counter() - start


def main(runs: int) -> int:
    empty, ours = [], []
    for _ in range(runs):
        empty.append(seconds(["-c", EMPTY], free_port()))
        ours.append(seconds(["app.py", "--port"], free_port()))
    ratio = statistics.median(ours) / statistics.median(empty)
    for name, times in (("empty Blocks", empty), ("Transformers Tour", ours)):
        median, spread = statistics.median(times), f"{min(times):.2f} to {max(times):.2f}"
        print(f"{name:18} median {median:.2f} s ({spread}, {runs} runs)")
    print(f"ratio {ratio:.2f}, at most {TARGET} wanted")
    return ratio > TARGET


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
