"""Requests that schemathesis makes from the description of /v1: valid ones, and such as break it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx

from tests.fuzz.hooks import CALLS
from tests.fuzz.kind import LIMIT, SLACK, Kind
from tests.server import ROOT, clean_environment

BOUNDARIES = 5000  # of them, or so, are made from the description, however many calls are wanted
EVERY = ("--phases", "examples,coverage,fuzzing", "--generation-database", "none")
REFUSED = ("--phases", "fuzzing", "--mode", "negative", "--generation-deterministic")


class Described:
    """Runs in a process of its own from the start; `kind()` says what has become of the calls so far."""

    def __init__(
        self,
        url: str,
        folder: Path,
        calls: int,
        flags: Sequence[str] = EVERY,
        *,
        patience: float = LIMIT + SLACK + 5,  # s that a call may take
    ) -> None:
        self._patience = patience
        operations = httpx.get(f"{url}/v1/openapi.json", timeout=LIMIT + SLACK).json()["paths"]
        self._calls, self._said = folder / "calls", folder / "schemathesis"
        self._calls.touch()
        each = max(1, round(calls / len(operations)))
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/v1/openapi.json", *flags]
        # Two workers share strategies, and an operation may end before its first call.
        command += ["--workers", "1", "--max-examples", str(each), "--request-timeout", str(LIMIT + SLACK)]
        command += ["--checks", "not_a_server_error", "--continue-on-failure", "--no-shrink", "--no-color"]
        # On a loaded host these end an operation before its first call.
        command += ["--suppress-health-check", "all"]
        hooks = {"SCHEMATHESIS_HOOKS": "tests.fuzz.hooks", CALLS: str(self._calls), "PYTHONPATH": str(ROOT)}
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                command, cwd=folder, env=clean_environment() | hooks, stdout=said, stderr=said
            )

    def wait(self) -> None:
        """Until all calls were made; an error if they could not be made."""
        if self._process.wait() not in (0, 1):  # 1: it found a status that it does not like
            raise RuntimeError(self._said.read_text("utf-8", errors="replace")[-3000:])

    def stop(self) -> None:
        """Waits for the call that is on its way; schemathesis may go on making up others for minutes."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(self._patience)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def kind(self) -> Kind:
        kind = Kind("/v1")
        for line in self._calls.read_text("utf-8").splitlines(keepends=True):
            if line.endswith("\n"):  # not one that is being written
                kind.add(*json.loads(line))
        return kind
