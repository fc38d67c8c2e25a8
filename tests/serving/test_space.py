"""Spacefile and README's front matter."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from app import main
from components.models.catalog import load_catalog
from components.models.checkpoint import HubSource
from components.serving import space


def test_the_front_matter_agrees_with_the_spacefile() -> None:
    assert space.agrees(), "run: python app.py --space write"


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "Spacefile").write_bytes((space.ROOT / "Spacefile").read_bytes())
    (tmp_path / "README.md").write_text("# Title\n\n---\n\ntext: äö\n---\n", "utf-8")
    return tmp_path


def test_writing_leaves_the_rest_of_the_readme_alone(copy: Path) -> None:
    readme = copy / "README.md"
    rest = readme.read_text("utf-8")
    assert not space.agrees(copy)
    space.write(copy)
    written = readme.read_text("utf-8")
    assert space.agrees(copy)
    assert written.endswith(rest)
    assert yaml.safe_load(written.split("---\n")[1]) == space.read(copy)["space"]
    space.write(copy)
    assert readme.read_text("utf-8") == written


def test_a_change_in_the_spacefile_is_noticed(copy: Path) -> None:
    space.write(copy)
    spacefile = copy / "Spacefile"
    spacefile.write_text(spacefile.read_text("utf-8").replace("Transformers Tour", "Another name"), "utf-8")
    assert not space.agrees(copy)


def test_the_shell_says_whether_they_agree(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--space", "check"]) == 0
    monkeypatch.setattr(space, "read", lambda root: {"space": {"title": "Another"}})
    assert main(["--space", "check"]) == 1
    assert "--space write" in capsys.readouterr().err


def test_the_metadata_is_what_the_hub_takes() -> None:
    metadata = space.read()["space"]
    pins = dict(
        line.partition("#")[0].strip().split("==")
        for line in (space.ROOT / "requirements.txt").read_text().splitlines()
        if "==" in line
    )
    assert metadata["sdk"] == "gradio"
    assert metadata["sdk_version"] == pins["gradio"]
    assert (space.ROOT / metadata["app_file"]).is_file()
    assert len(metadata["short_description"]) <= 60
    hub = [
        checkpoint.source.repo for checkpoint in load_catalog() if isinstance(checkpoint.source, HubSource)
    ]
    assert metadata["models"] == hub
    assert space.profile() == "hub"
