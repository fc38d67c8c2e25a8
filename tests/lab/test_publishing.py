"""A trained checkpoint goes home as a ZIP file, or to the Hub."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from components.lab.publishing import archive, push
from components.models.errors import TourError
from tests.fakes.disk import small_disk
from tests.fakes.hub import closed_port, running_hub
from tests.fakes.uploads import TOKEN
from tests.server import ROOT

PUSH = """
import sys
from pathlib import Path
from components.lab.publishing import push

model, endpoint, token = sys.argv[1:]
list(push(Path(model), "me/mine", token, private=True, endpoint=endpoint))
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}", "utf-8")
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Mine", "utf-8")
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * 4000)
    return folder


def test_the_folder_is_in_the_archive_as_it_is(model: Path, tmp_path: Path):
    target = tmp_path / "new" / "mine.zip"
    archive(model, target)
    with zipfile.ZipFile(target) as file:
        assert {name: file.read(name) for name in file.namelist()} == {
            f"mine/{path.name}": path.read_bytes() for path in model.iterdir()
        }


@pytest.mark.parametrize("private", [True, False])
def test_every_file_is_pushed(model: Path, private: bool):
    with running_hub({}) as hub:
        *said, address = push(model, "me/mine", TOKEN, private=private, endpoint=hub.endpoint)
        again = list(push(model, "me/mine", f" {TOKEN}\n", private=private, endpoint=hub.endpoint))
    assert address == f"{hub.endpoint}/me/mine" == again[-1]
    assert said
    assert hub.uploads.files["me/mine"] == {path.name: path.read_bytes() for path in model.iterdir()}
    assert ("me/mine" in hub.uploads.private) is private


def test_a_token_without_the_right_is_named_and_not_repeated(model: Path):
    with running_hub({}) as hub, pytest.raises(TourError, match="write access") as raised:
        list(push(model, "me/mine", "hf_only_reads", private=True, endpoint=hub.endpoint))
    assert raised.value.field == "token"
    assert "hf_only_reads" not in raised.value.message
    assert not hub.uploads.files


def test_faults_are_told_before_anything_is_sent(model: Path):
    with running_hub({}) as hub:
        for repo, token in (("mine", TOKEN), ("a/b/c", TOKEN), ("me/mine", " "), ("me/mine", "tökén")):
            with pytest.raises(TourError):
                list(push(model, repo, token, private=True, endpoint=hub.endpoint))
        assert not hub.requests


def test_a_hub_that_is_away_is_told(model: Path):
    with pytest.raises(TourError, match="cannot be reached"):
        list(push(model, "me/mine", TOKEN, private=True, endpoint=closed_port()))


def test_a_push_needs_no_room_on_the_disk(model: Path, tmp_path: Path):
    with small_disk(tmp_path / "disk", 2_000_000) as place, running_hub({}) as hub:
        here = shutil.copytree(model, place / "model")
        (place / "rest").write_bytes(bytes(shutil.disk_usage(place).free))
        assert not shutil.disk_usage(place).free
        everything = dict.fromkeys(("HOME", "HF_HOME", "TMPDIR"), str(place))
        command = [sys.executable, "-c", PUSH, str(here), hub.endpoint, TOKEN]
        subprocess.run(command, cwd=ROOT, env=os.environ | everything, check=True)
        assert hub.uploads.files["me/mine"] == {path.name: path.read_bytes() for path in model.iterdir()}


def test_a_process_killed_while_it_pushes_leaves_nothing_half_done(model: Path):
    """SIGKILL when the commit has been sent and not answered."""
    before = {path.name: path.read_bytes() for path in model.iterdir()}
    with running_hub({}) as hub:
        hub.silent_api.set()
        process = subprocess.Popen([sys.executable, "-c", PUSH, str(model), hub.endpoint, TOKEN], cwd=ROOT)
        deadline = time.monotonic() + 240
        while not any("/commit/" in line for line in hub.requests):
            assert process.poll() is None, "it ended by itself"
            assert time.monotonic() < deadline
        process.kill()
        process.wait()
        hub.silent_api.clear()
        hub.speak.set()
        assert hub.uploads.files == {"me/mine": {}}, "a commit is whole or not there"
        assert {path.name: path.read_bytes() for path in model.iterdir()} == before
        assert list(push(model, "me/mine", TOKEN, private=True, endpoint=hub.endpoint))
    assert hub.uploads.files["me/mine"] == before
