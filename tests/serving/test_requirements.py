"""The pinned requirements install wherever the app is meant to run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from components.serving import space

ROOT = Path(__file__).parents[2]


def build_command(version: str) -> list[str]:
    """What a Space's builder adds to our requirements, in the one command in which it installs all."""
    return [
        f"gradio[oauth,mcp]=={version}",
        "uvicorn>=0.14.0",
        "websockets>=10.4",
        "spaces",
    ]


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_a_space_can_be_built(python: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    sdk_version = space.read()["space"]["sdk_version"]
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--dry-run", "--ignore-installed", "--report", str(report)),
        *("--python-version", python, "--only-binary=:all:", "--target", str(tmp_path / "target")),
        *("-r", str(ROOT / "requirements.txt"), *build_command(sdk_version)),
    ]
    run = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    chosen = {
        re.sub(r"[-_.]+", "-", one["metadata"]["name"]).lower(): one["metadata"]["version"]
        for one in json.loads(report.read_text("utf-8"))["install"]
    }
    assert chosen["gradio"] == sdk_version
    assert chosen["torch"].startswith(("2.11.", "2.12.", "2.13."))
    assert {"spaces", "mcp", "transformers"} <= chosen.keys()
