"""The pinned requirements install wherever the app is meant to run."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from components.serving import space

ROOT = Path(__file__).parents[2]


BUILDER = f"""
gradio[oauth,mcp]=={space.read()["space"]["sdk_version"]}
uvicorn>=0.14.0
websockets>=10.4
spaces
"""  # what a Space's builder adds to our requirements, in the one command in which it installs all


def check(chosen: dict[str, str]) -> None:
    assert chosen["gradio"] == space.read()["space"]["sdk_version"]
    assert chosen["torch"].startswith(("2.11.", "2.12.", "2.13."))
    assert {"spaces", "mcp", "transformers"} <= chosen.keys()


PYTHONS = ("3.11", "3.12", "3.13")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("requirements")


@pytest.fixture(scope="module")
def resolving(place: Path) -> Iterator[Mapping[str, subprocess.Popen[str]]]:
    """Pip and uv at work, all at once: most of their time they wait for a package index."""
    (place / "builder.txt").write_text(BUILDER)
    pip = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        # What wheels need is read from their ends: nobody wants the two gigabytes themselves.
        *("--dry-run", "--ignore-installed", "--report", str(place / "pip.json"), "--use-feature=fast-deps"),
        *("--python-version", space.read()["space"]["python_version"]),
        *("--only-binary=:all:", "--target", str(place / "target")),
        *("-r", str(ROOT / "requirements.txt"), *BUILDER.split()),
    ]
    uv = [
        *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate"),
        *("--only-binary", ":all:", str(ROOT / "requirements.txt"), str(place / "builder.txt")),
    ]
    # It knows nothing of pip's settings.
    index = {"UV_DEFAULT_INDEX": os.environ["PIP_INDEX_URL"]} if "PIP_INDEX_URL" in os.environ else {}
    commands = {"pip": pip} | {python: [*uv, "--python-version", python] for python in PYTHONS}
    started = {}
    for name, command in commands.items():
        with (place / f"{name}.out").open("w") as out, (place / f"{name}.err").open("w") as err:
            started[name] = subprocess.Popen(
                command, stdout=out, stderr=err, text=True, env={**os.environ, **index}
            )
    yield started
    for process in started.values():
        process.kill()
        process.wait()


def test_a_space_can_be_built(resolving: Mapping[str, subprocess.Popen[str]], place: Path) -> None:
    """By pip, which builds Spaces, for the Python that ours has."""
    status = resolving["pip"].wait(280)
    assert status == 0, (place / "pip.err").read_text()[-3000:]
    installed = [one["metadata"] for one in json.loads((place / "pip.json").read_text("utf-8"))["install"]]
    check({canonicalize_name(one["name"]): one["version"] for one in installed})


@pytest.mark.parametrize("python", PYTHONS)
def test_it_can_be_built_with_any_python_that_is_supported(
    python: str, resolving: Mapping[str, subprocess.Popen[str]], place: Path
) -> None:
    """By uv, which takes a second for what takes pip twenty."""
    status = resolving[python].wait(280)
    said = (place / f"{python}.err").read_text()
    if "Failed to fetch" in said:
        pytest.skip("uv cannot reach its package index here")
    assert status == 0, said[-3000:]
    chosen = [line.partition(" ")[0].partition("==") for line in (place / f"{python}.out").open()]
    check({canonicalize_name(name): version.strip() for name, _, version in chosen})


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
