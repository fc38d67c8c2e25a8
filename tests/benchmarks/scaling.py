"""Classification at 32 callers: the app alone, with one replica of Ray Serve, and with two, in turns; then
one of two is killed under load. Requests per second, and the processor time of a request by kind of
process, which depends less on what else the host does.

python -m tests.benchmarks.scaling [RUNS]   # in an environment with requirements-ray.txt
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles

import httpx
import psutil

from tests.server import clean_environment, free_port, running

CALLERS = 32
WARM, SECONDS = 12.0, 15.0
REPLICA = "ray::ServeReplica"


@dataclass
class Found:
    """What callers saw."""

    statuses: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)  # seconds


@contextmanager
def served(replicas: int) -> Iterator[tuple[str, psutil.Process]]:
    """The app's address and process; 0 replicas are the app alone."""
    port = free_port()
    script = ["serve_ray.py", "--replicas", f"{replicas}:{replicas}"] if replicas else ["app.py"]
    command = [sys.executable, *script, "--host", "127.0.0.1", "--port", str(port), "--no-prefetch"]
    command += ["--answer-cache", "0"]  # each request is to be run
    with running(command, f"http://127.0.0.1:{port}/health", clean_environment()) as health:
        url = health.removesuffix("/health")
        yield url, next(one for one in psutil.Process().children(recursive=True) if str(port) in _words(one))


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def ask(url: str, seconds: float) -> Found:
    """Each caller sends a request as soon as its last one is answered."""
    found = Found()
    end = time.monotonic() + seconds

    def work(caller: int) -> None:
        with httpx.Client(base_url=url, timeout=120) as client:
            while (begun := time.monotonic()) < end:
                text = f"The staff were kind, and the view from room {caller} was wonderful."
                try:
                    status = str(client.post("/v1/text_classification", json={"text": text}).status_code)
                except httpx.HTTPError as error:
                    status = type(error).__name__
                found.statuses[status] += 1
                found.waits.append(time.monotonic() - begun)

    callers = [threading.Thread(target=work, args=(number,)) for number in range(CALLERS)]
    for one in callers:
        one.start()
    for one in callers:
        one.join()
    return found


def replicas_of(process: psutil.Process) -> list[psutil.Process]:
    return [one for one in process.children(recursive=True) if " ".join(_words(one)).startswith(REPLICA)]


def used(processes: list[psutil.Process]) -> float:
    """Seconds of processor time."""
    return sum(sum(one.cpu_times()[:2]) for one in processes)


def measured(replicas: int) -> tuple[float, float, float]:
    """Requests per second; milliseconds of processor time for a request, in the server and in replicas."""
    with served(replicas) as (url, process):
        ask(url, WARM)
        workers = replicas_of(process)
        before = used([process]), used(workers)
        found = ask(url, SECONDS)
        spent = used([process]) - before[0], used(workers) - before[1]
    count = sum(found.statuses.values())
    wait = quantiles(found.waits, n=100)
    print(
        f"{replicas} replicas: {count / SECONDS:.1f} per second, median {wait[49] * 1e3:.0f} ms, 99 % within "
        f"{wait[98] * 1e3:.0f} ms, {dict(found.statuses)}; processor time of a request: "
        f"{spent[0] / count * 1e3:.1f} ms in the server, {spent[1] / count * 1e3:.1f} ms in replicas",
        flush=True,
    )
    return count / SECONDS, spent[0] / count * 1e3, spent[1] / count * 1e3


def killed() -> None:
    """One of two replicas is killed while requests are under way."""
    with served(2) as (url, process):
        ask(url, WARM)
        victim = replicas_of(process)[0]
        timer = threading.Timer(SECONDS / 3, victim.kill)
        timer.start()
        found = ask(url, SECONDS)
        timer.join()
        assert not victim.is_running()
        record = httpx.post(f"{url}/data/attention/view", json={"text": "The cat sat."}, timeout=60).json()
        rows = httpx.get(f"{url}/data/attention/{record['key']}/encoder/layer?layer=0", timeout=60)
        print(f"a replica killed: {dict(found.statuses)}; a look inside: {rows.status_code}")


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    rates: dict[int, list[float]] = {0: [], 1: [], 2: []}
    for _ in range(runs):
        for replicas, found in rates.items():
            found.append(measured(replicas)[0])
    for replicas, found in rates.items():
        print(f"{replicas} replicas: {median(found):.1f} requests per second")
    killed()


if __name__ == "__main__":
    main()
