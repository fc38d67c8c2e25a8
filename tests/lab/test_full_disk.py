"""A disk that fills up while the lab works: told, nothing left half done, and the next try succeeds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from components.lab import intake
from components.lab.lab import Lab
from components.lab.publishing import archive
from components.lab.roles import Roles
from components.lab.runs import Phase
from components.lab.workspace import new_key
from components.models import disk
from components.models.catalog import load_catalog
from components.models.errors import Code, TourError
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir
from components.temporary import TemporaryFiles
from tests.fakes.disk import grow, small_disk
from tests.lab.conftest import MakeData

ROOM = 200_000_000
PATIENCE = 600  # seconds: a run gives way to whatever else the host does
pytestmark = pytest.mark.timeout(2 * PATIENCE)
NEVER = -(10**12)  # bytes to keep free: room is not asked for in advance
ROWS = b"text,label\n" + b"".join(
    b"This is message %d of many and it is not short,%s\n" % (number, (b"joy", b"fear")[number % 2])
    for number in range(20_000)
)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 8_000_000) as place:
        yield place


@pytest.fixture
def full_lab(place: Path) -> Iterator[Lab]:
    settings = Settings(cache_dir=default_cache_dir())
    registry = Registry(load_catalog(), settings)
    lab = Lab(registry, settings, root=place / "lab", reserve=NEVER)
    yield lab
    lab.close()
    registry.close()


def fill(place: Path, left: int) -> None:
    """Takes all but so many bytes of a disk."""
    with (place / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 65536)
    with (place / "filler").open("r+b") as file:
        file.truncate(max(0, (place / "filler").stat().st_size - left))


@pytest.mark.parametrize("left", [4096, 400_000, 1_400_000, 1_700_000])
def test_a_file_that_finds_no_room(full_lab: Lab, place: Path, tmp_path: Path, left: int) -> None:
    workspace = full_lab.workspaces.open(new_key())

    def bring() -> None:
        (tmp_path / "up").mkdir(exist_ok=True)
        sent = tmp_path / "up" / "rows.csv"
        sent.write_bytes(ROWS)
        intake.upload(full_lab.workspaces, workspace, sent, "rows.csv")
        for _ in intake.read(workspace, {}):
            pass
        intake.finalize(workspace, Roles(text="text", label="label", split=None))

    fill(place, left)
    with pytest.raises(TourError) as error:
        bring()
    assert error.value.code is Code.NO_SPACE, error.value.message
    assert not [*place.rglob("*.part")]
    assert full_lab.data(workspace) is None
    grow(place, ROOM)
    bring()
    data = full_lab.data(workspace)
    assert data is not None
    assert len(data.rows("train")) > 10_000


def test_a_training_that_finds_no_room(full_lab: Lab, place: Path, make_data: MakeData) -> None:
    workspace = full_lab.workspaces.open(new_key())
    data = make_data(workspace)
    run = full_lab.start(workspace, "lora", {"epochs": 1}, data)
    fill(place, 60_000)
    full_lab.jobs.wait(run, PATIENCE)
    assert run.state.phase is Phase.FAILED
    assert "full" in run.state.message, run.state
    assert full_lab.model_id(run) is None
    (place / "filler").unlink()
    grow(place, ROOM)
    again = full_lab.start(workspace, "lora", {"epochs": 1}, data)
    full_lab.jobs.wait(again, PATIENCE)
    assert again.state.phase is Phase.DONE, again.state
    full_lab.remove(run)


def test_a_download_that_finds_no_room(place: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.safetensors").write_bytes(b"a" * 3_000_000)
    files = TemporaryFiles(place / "files", budget=10**9, reserve=0)
    fill(place, 1_000_000)
    with pytest.raises(TourError) as error:
        files.take(3_000_000)
    assert error.value.code is Code.NO_SPACE
    target = files.new("model.zip")
    with pytest.raises(TourError) as error, disk.explained("the file could not be packed"):
        archive(model, target)
    assert error.value.code is Code.NO_SPACE
    grow(place, ROOM)
    archive(model, target)
    assert target.stat().st_size > 3_000_000
    files.close()
