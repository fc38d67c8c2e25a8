"""Many visitors at once, against the real app on loopback: `python -m tests.soak`, or `make soak`.

Prints a table for each kind of request, and what the app's process looks like afterwards. Ends with status 1
where there was an error, health took longer than allowed, or something was left behind.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

import httpx
import psutil

from tests.server import ROOT, Observed, clean_environment, observed_app
from tests.soak.asked import ASKED

FLAGS = ("--answer-cache", "0")  # all ask the same, and each is to be answered by a model
HEALTHY = 0.1  # seconds, 99 times of 100
GROWTH = 1.05  # of the memory that is kept, from the end of the warm-up to the end of all
SHARE = (
    0.2  # of the time is looked at for each: its least is what is kept, its mean has the work of the moment
)
PATIENCE = 600  # seconds that the warm-up may take
ROW = "{:<28} {:>8} {:>8} {:>9} {:>9} {:>9} {:>9}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, observed_app(Path(folder), *FLAGS) as app:
        found = soak(app, Path(folder), options.visitors, options.seconds)
    print(f"\nNot held: {', '.join(found)}." if found else "\nAll held.")
    return 1 if found else 0


def soak(app: Observed, folder: Path, visitors: int, seconds: int) -> list[str]:
    """Prints the table; returns what did not hold."""
    for name, payload in ASKED.items():  # warm: the models are in memory
        httpx.post(f"{app.url}/v1/{name}", json=payload, timeout=300).raise_for_status()
    before = (app.descriptors, app.threads)
    seen = Health(app.url)
    figures, warm_file = folder / "figures", folder / "warm"
    command = [sys.executable, "-m", "locust", "--locustfile", "tests/soak/visitors.py", "--headless"]
    command += ["--host", app.url, "--users", str(visitors), "--spawn-rate", str(max(1, visitors // 10))]
    command += ["--warm", str(warm_file), "--seconds", str(seconds)]
    command += ["--stop-timeout", "60", "--only-summary", "--json-file", str(figures)]
    busy = psutil.cpu_percent(None)
    said = (folder / "locust").open("wb")
    locust = subprocess.Popen(command, cwd=ROOT, env=clean_environment(), stdout=said, stderr=said)
    begun = time.monotonic()
    memory_until(warm_file.exists, app, locust, PATIENCE)
    if not warm_file.exists():
        raise RuntimeError((folder / "locust").read_text("utf-8", errors="replace"))
    warm_up, loaded = time.monotonic() - begun, checkpoints(app.url)
    held = memory_until(lambda: False, app, locust, seconds + 120)
    busy, late = psutil.cpu_percent(None), checkpoints(app.url) - loaded
    health = seen.end()
    part = max(1, int(len(held) * SHARE))
    first, last = held[:part], held[-part:]
    kept = min(last) / min(first)
    rows = json.loads(figures.with_suffix(".json").read_text())
    early = json.loads(warm_file.read_text())  # errors of the warm-up, which are in no table
    for error in early:
        print(error)
    errors = table(rows) + len(early)
    if errors:
        text = (folder / "locust").read_text("utf-8", errors="replace")
        print(text[text.find("Error report") :][:3000])
    trouble = app.log.read_text("utf-8", errors="replace").count("Traceback")
    worst = percentile(health, 0.99)
    print(f"\n{visitors} visitors, {seconds} s; processors busy {busy:.0f} % (all programs of this host)")
    print(f"health: {len(health)} asked, p50 {percentile(health, 0.5):.0f} ms, p99 {worst:.0f} ms")
    for what, value in (("least", min), ("mean", fmean)):
        begin, end = value(first), value(last)
        print(f"memory, {what}: {begin / 1e6:.0f} MB, {end / 1e6:.0f} MB at the end ({end / begin - 1:+.1%})")
    print(f"memory once all have left: {app.memory / 1e6:.0f} MB; the warm-up took {warm_up:.0f} s")
    print(f"checkpoints: {len(loaded)} loaded after the warm-up, {', '.join(sorted(late)) or 'none'} later")
    print(f"{trouble} tracebacks in the log")
    left = app.left_behind(before)
    wrong = {
        f"{errors} errors": errors > 0,
        f"health took {worst:.0f} ms": worst > HEALTHY * 1e3,
        "memory grew": kept > GROWTH,
        "tracebacks": trouble > 0,
    }
    return [words for words, is_so in wrong.items() if is_so] + left


class Health:
    """Asks /health twice a second, over one connection, in a thread of its own."""

    def __init__(self, url: str) -> None:
        self._ended = threading.Event()
        self._took: list[float] = []
        self._thread = threading.Thread(target=self._ask, args=(url,), daemon=True)
        self._thread.start()

    def _ask(self, url: str) -> None:
        with httpx.Client(base_url=url, timeout=30) as client:
            while not self._ended.wait(0.5):
                begun = time.perf_counter()
                client.get("/health").raise_for_status()
                self._took.append((time.perf_counter() - begun) * 1e3)

    def end(self) -> list[float]:
        """Milliseconds."""
        self._ended.set()
        self._thread.join()
        return self._took


def memory_until(
    reached: Callable[[], bool], app: Observed, load: subprocess.Popen[bytes], most: float
) -> list[int]:
    """The app's bytes twice a second until something is reached or the load ends; at most so many seconds."""
    found = [app.memory]
    deadline = time.monotonic() + most
    while time.monotonic() < deadline:
        try:
            load.wait(0.5)
            return found
        except subprocess.TimeoutExpired:
            found.append(app.memory)
        if reached():
            return found
    raise TimeoutError(f"the load has not got there after {most:.0f} s")


def checkpoints(url: str) -> set[str]:
    """Those that are loaded."""
    listed = httpx.get(f"{url}/v1/models", timeout=60).json()["models"]
    return {model["id"] for model in listed if model["state"] == "ready"}


def table(rows: list[dict[str, Any]]) -> int:
    print(ROW.format("", "answers", "errors", "p50 ms", "p95 ms", "p99 ms", "max ms"))
    for row in sorted(rows, key=lambda row: row["name"]):
        times = sorted((float(ms), count) for ms, count in row["response_times"].items())
        flat = [ms for ms, count in times for _ in range(count)]
        shares = [f"{percentile(flat, share):.0f}" for share in (0.5, 0.95, 0.99, 1.0)]
        print(ROW.format(row["name"], row["num_requests"], row["num_failures"], *shares))
        for failure in row.get("failures", []):
            print("   ", failure)
    return sum(int(row["num_failures"]) for row in rows)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


if __name__ == "__main__":
    sys.exit(main())
