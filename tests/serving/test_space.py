"""Spacefile and README's front matter."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from app import main
from components.models.catalog import load_catalog
from components.models.checkpoint import HubSource
from components.serving import space
from tests.fakes.hub import closed_port, running_hub
from tests.fakes.uploads import TOKEN


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
    assert {line.split()[0] for line in metadata["preload_from_hub"]} <= {*hub}
    assert space.profile() == "embedded"


def test_a_space_holds_what_the_app_needs_and_nothing_else() -> None:
    paths = set(space.contents().files)
    assert {"app.py", "README.md", "Spacefile", "requirements.txt", "LICENSE"} <= paths
    assert "components/models/embedded/translator-en-de/model.safetensors" in paths
    assert {path.split("/")[0] for path in paths if "/" in path} == {"components", "demos"}
    assert not [path for path in paths if "__pycache__" in path or path.endswith(".pyc")]


def test_requirements_are_pinned_for_the_hardware() -> None:
    plain = space.contents().files["requirements.txt"]
    assert isinstance(plain, bytes)
    lines = plain.decode().splitlines()
    assert [line.split()[0] for line in lines if line.startswith("torch")] == ["torch==2.11.0"]
    assert len(lines) == len((space.ROOT / "requirements.txt").read_text("utf-8").splitlines())
    other = space.contents(torch_index="https://wheels.example/cpu").files["requirements.txt"]
    assert isinstance(other, bytes)
    assert other.decode().splitlines() == ["--extra-index-url https://wheels.example/cpu", *lines]


def test_a_space_has_the_templates_beside_the_modules_that_fill_them_in() -> None:
    files = space.contents().files
    filled_in = [
        path.relative_to(space.ROOT)
        for path in (space.ROOT / name for name in files if name.endswith(".py"))
        if "= templates.beside(__file__" in path.read_text("utf-8")
    ]
    assert len(filled_in) > 5
    for module in filled_in:
        assert (module.parent / "templates" / f"{module.stem}.html").as_posix() in files


def test_a_dry_run_lists_the_files_and_sends_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_hub({}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        assert main(["--space", "deploy", "me/tour", "--dry-run"]) == 0
        assert not hub.requests
    listed = [line.split()[1] for line in capsys.readouterr().out.splitlines()[:-1]]
    assert listed == [*space.contents().files]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> space.Contents:
    # The local server has the older of the Hub's two protocols for large files.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(bytes(range(256)) * 100)
    return space.Contents({"app.py": b"print()", "components/model.safetensors": weights})


def test_a_new_space_and_an_old_one_hold_exactly_the_files(small: space.Contents) -> None:
    with running_hub({}) as hub:
        address = space.deploy("me/tour", small, private=True, endpoint=hub.endpoint, token=TOKEN)
        assert address == f"{hub.endpoint}/spaces/me/tour"
        pushed = hub.uploads.files["spaces/me/tour"]
        pushed["old.py"] = b"from an older release"
        pushed[".gitattributes"] = b"*.safetensors filter=lfs"
        space.deploy("me/tour", small, endpoint=hub.endpoint, token=TOKEN)
        assert pushed == {
            "app.py": b"print()",
            "components/model.safetensors": bytes(range(256)) * 100,
            ".gitattributes": b"*.safetensors filter=lfs",
        }
        assert "spaces/me/tour" in hub.uploads.private


def test_whoever_may_not_write_is_told_so(small: space.Contents) -> None:
    with running_hub({}) as hub:
        with pytest.raises(space.DeployError, match="token that may write"):
            space.deploy("me/tour", small, endpoint=hub.endpoint, token="hf_only_reads")
        with pytest.raises(space.DeployError, match="Repo id"):
            space.deploy("a/b/c", small, endpoint=hub.endpoint, token=TOKEN)
    with pytest.raises(space.DeployError, match="cannot be reached"):
        space.deploy("me/tour", small, endpoint=closed_port(), token=TOKEN)


@pytest.mark.parametrize("words", [["deploy"], ["nothing"], ["deploy", "a/b", "c"]])
def test_a_wrong_order_is_said_plainly(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--space", *words])
    assert "deploy OWNER/NAME" in capsys.readouterr().err
