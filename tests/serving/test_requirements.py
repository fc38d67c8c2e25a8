"""The pinned requirements install wherever the app is meant to run."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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
        # What wheels need is read from their ends: nobody wants the two gigabytes themselves.
        *("--dry-run", "--ignore-installed", "--report", str(report), "--use-feature=fast-deps"),
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


# What is imported only where it is there.
GIVEN = {"spaces"}  # on a ZeroGPU Space
PACKAGES = packages_distributions()


def imported(*folders: str) -> dict[str, str]:
    """Distributions that Python files below the folders import, each with a file that does."""
    found: dict[str, str] = {}
    for path in (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))):
        if "snippets" in path.parts or path.name == "python_clients.py":  # has its own requirements.txt
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            else:
                continue
            for name in {name.partition(".")[0] for name in names} - OWN - sys.stdlib_module_names:
                found[canonicalize_name(PACKAGES.get(name, [name])[0])] = str(path.relative_to(ROOT))
    return found


OWN = {"app", "components", "demos", "tests"}
OFFLINE = "components/training"  # run by hand, with the tools of development


def declared(*files: str) -> set[str]:
    lines = [line for file in files for line in (ROOT / file).read_text("utf-8").splitlines()]
    return {
        canonicalize_name(Requirement(line.partition(" #")[0]).name) for line in lines if line[:1].isalpha()
    }


def test_everything_imported_is_declared() -> None:
    runtime = declared("requirements.txt")
    app = {
        name: path for name, path in imported("components", "demos").items() if not path.startswith(OFFLINE)
    }
    assert app
    assert {name: path for name, path in app.items() if name not in runtime | GIVEN} == {}
    others = imported(OFFLINE, "tests")
    known = runtime | declared("requirements-dev.txt", "requirements-bench.txt") | GIVEN
    assert {name: path for name, path in others.items() if name not in known} == {}
