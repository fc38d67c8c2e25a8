"""The Hub: real huggingface_hub code against a local server that speaks the Hub's API."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from components.models.catalog import Catalog
from components.models.checkpoint import Checkpoint, Head, HubSource
from components.models.errors import Code, TourError
from components.models.registry import Availability, Registry, State
from components.models.settings import Settings
from components.models.sources import hub as hub_source
from tests.fakes.checkpoints import hub_entry
from tests.fakes.hub import FakeHub, black_hole, closed_port, running_hub

REPO = "someone/tiny-encoder"


@pytest.fixture
def hub(encoder: Path) -> Iterator[FakeHub]:
    with running_hub({REPO: encoder}) as hub:
        yield hub


@pytest.fixture
def checkpoint(encoder: Path) -> Checkpoint:
    return hub_entry(REPO, Head.ENCODER, encoder)


def registry(checkpoint: Checkpoint, settings: Settings, endpoint: str | None) -> Registry:
    return Registry(Catalog([checkpoint]), replace(settings, hub_endpoint=endpoint))


def lease(registry: Registry, id: str = REPO) -> int:
    with registry.lease(id) as model:
        return model.nbytes


def test_downloaded_once_then_loaded_without_the_hub(
    hub: FakeHub, checkpoint: Checkpoint, settings: Settings
) -> None:
    first = registry(checkpoint, settings, hub.endpoint)
    assert first.status(REPO).availability is Availability.DOWNLOAD
    states = [status.state for status in first.wait(REPO)]
    assert states[-1] is State.READY
    assert first.status(REPO).availability is Availability.LOADED
    assert hub.downloads("model.safetensors") == 1
    with black_hole() as silent:
        for endpoint in (silent, closed_port()):
            offline = registry(checkpoint, settings, endpoint)
            assert offline.status(REPO).availability is Availability.CACHED
            assert lease(offline) == lease(first)
    assert hub.downloads("model.safetensors") == 1


def test_only_weights_and_data_are_downloaded(
    encoder: Path, checkpoint: Checkpoint, settings: Settings, tmp_path: Path
) -> None:
    repo = tmp_path / "repo"
    repo.mkdir()
    for path in encoder.iterdir():
        (repo / path.name).write_bytes(path.read_bytes())
    for name in ("pytorch_model.bin", "modeling_evil.py", "model.onnx", "README.md"):
        (repo / name).write_bytes(b"no")
    with running_hub({REPO: repo}) as hub:
        lease(registry(checkpoint, settings, hub.endpoint))
        asked = {line.rsplit("/", 1)[-1] for line in hub.requests if "/resolve/" in line}
    assert asked == {path.name for path in encoder.iterdir()}


def test_endpoint_follows_the_environment_of_the_moment(
    hub: FakeHub, checkpoint: Checkpoint, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", closed_port())
    models = registry(checkpoint, settings, None)
    assert models.reachable() is False
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    assert models.reachable() is True
    assert lease(models) > 0


def test_damaged_download_is_removed_and_fetched_again(
    hub: FakeHub, checkpoint: Checkpoint, settings: Settings
) -> None:
    hub.damage["model.safetensors"] = 1
    assert lease(registry(checkpoint, settings, hub.endpoint)) > 0
    assert hub.downloads("model.safetensors") == 2


def test_download_damaged_twice_is_refused(hub: FakeHub, checkpoint: Checkpoint, settings: Settings) -> None:
    hub.damage["model.safetensors"] = 2
    models = registry(checkpoint, settings, hub.endpoint)
    with pytest.raises(TourError) as error:
        lease(models)
    assert error.value.code is Code.CORRUPT
    assert lease(models) > 0, "the failure was sticky"


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_damaged_cache_is_fetched_again(
    name: str, hub: FakeHub, checkpoint: Checkpoint, settings: Settings
) -> None:
    lease(registry(checkpoint, settings, hub.endpoint))
    (weights,) = settings.cache_dir.rglob(name)
    blob = weights.resolve()
    data = blob.read_bytes()
    blob.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert lease(registry(checkpoint, settings, hub.endpoint)) > 0
    assert hub.downloads(name) == 2
    assert weights.resolve().read_bytes() == data


def test_interrupted_download_is_resumed(hub: FakeHub, checkpoint: Checkpoint, settings: Settings) -> None:
    hub.cut["model.safetensors"] = 1
    assert lease(registry(checkpoint, settings, hub.endpoint)) > 0


@pytest.mark.parametrize("silent", [True, False], ids=["accepts and never answers", "nobody listens"])
def test_unreachable_is_said_within_three_seconds_and_nothing_hangs(
    silent: bool, checkpoint: Checkpoint, settings: Settings
) -> None:
    with black_hole() as hole:
        models = registry(checkpoint, settings, hole if silent else closed_port())
        began = time.monotonic()
        assert models.status(REPO).availability is Availability.DOWNLOAD, "unknown is not unreachable yet"
        models.statuses()
        assert time.monotonic() - began < 1.0, "a status waited"
        assert models.reachable(wait=3.0) is False
        assert models.status(REPO).availability is Availability.UNREACHABLE
        assert time.monotonic() - began < 3.0
        began = time.monotonic()
        with pytest.raises(TourError) as error:
            lease(models)
        assert time.monotonic() - began < 3.0
    assert error.value.code is Code.UNREACHABLE
    assert "embedded" in error.value.message
    assert models.status(REPO).state is State.FAILED
    assert models.status(REPO).error == error.value.message


def test_asking_in_vain_looks_for_no_memory(checkpoint: Checkpoint, settings: Settings) -> None:
    """Python's search through all its objects holds up every visitor, a quarter of a second in a warm app."""
    models = registry(checkpoint, settings, closed_port())
    searches: list[str] = []

    def seen(phase: str, about: dict[str, int]) -> None:
        if about["generation"] == 2 and threading.current_thread().name == f"load {REPO}":
            searches.append(phase)

    gc.callbacks.append(seen)
    try:
        for _ in range(5):
            with pytest.raises(TourError) as error:
                lease(models)
            assert error.value.code is Code.UNREACHABLE
            for thread in threading.enumerate():
                if thread.name == f"load {REPO}":
                    thread.join()
    finally:
        gc.callbacks.remove(seen)
    assert len(searches) < 10  # start and stop of each; Python's own come now and then


def test_many_askers_cause_one_probe(hub: FakeHub, checkpoint: Checkpoint, settings: Settings) -> None:
    models = registry(checkpoint, settings, hub.endpoint)
    answers: list[bool | None] = []
    threads = [threading.Thread(target=lambda: answers.append(models.reachable())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    models.statuses()
    assert answers == [True] * 20
    assert hub.requests == ["HEAD /"]


def test_failure_is_not_sticky(
    hub: FakeHub, checkpoint: Checkpoint, settings: Settings, encoder: Path
) -> None:
    hub.repos.clear()
    models = registry(checkpoint, settings, hub.endpoint)
    with pytest.raises(TourError) as error:
        lease(models)
    assert error.value.code is Code.LOAD_FAILED
    assert "does not exist on the Hub, or is private" in error.value.message
    hub.repos[REPO] = encoder
    assert lease(models) > 0


def test_gated_and_unknown_revision_are_told(
    hub: FakeHub, checkpoint: Checkpoint, settings: Settings
) -> None:
    hub.gated.add(REPO)
    with pytest.raises(TourError, match="requires you to accept its terms"):
        lease(registry(checkpoint, settings, hub.endpoint))
    hub.gated.clear()
    other = replace(checkpoint, source=HubSource(repo=REPO, revision="v9"))
    with pytest.raises(TourError, match=r"\(v9\) does not exist"):
        lease(registry(other, settings, hub.endpoint))


@pytest.fixture
def pickled(encoder: Path, tmp_path: Path) -> Path:
    """The encoder as a repository that has no safetensors."""
    repo = tmp_path / "repo"
    repo.mkdir()
    for path in encoder.iterdir():
        name = path.name.replace("model.safetensors", "pytorch_model.bin")
        (repo / name).write_bytes(path.read_bytes())
    return repo


@pytest.mark.parametrize("author", [None, "somebody"])
def test_repository_without_safetensors_is_refused(
    author: str | None, pickled: Path, encoder: Path, checkpoint: Checkpoint, settings: Settings
) -> None:
    """Also where somebody who is not the Hub's converter offers them."""
    with running_hub({REPO: pickled}) as hub:
        if author:
            hub.conversions[REPO, author] = encoder
        for _ in range(2):
            with pytest.raises(TourError, match="no safetensors weights") as caught:
                lease(registry(checkpoint, settings, hub.endpoint))
            assert caught.value.code is Code.LOAD_FAILED
        assert hub.downloads("model.safetensors") == hub.downloads("pytorch_model.bin") == 0


def test_the_hubs_own_conversion_stands_in_for_missing_safetensors(
    pickled: Path, encoder: Path, checkpoint: Checkpoint, settings: Settings
) -> None:
    with running_hub({REPO: pickled}) as hub:
        hub.conversions[REPO, "SFconvertbot"] = encoder
        first = registry(checkpoint, settings, hub.endpoint)
        assert lease(first) > 0
        assert hub.downloads("pytorch_model.bin") == 0
    offline = registry(checkpoint, settings, closed_port())
    assert offline.status(REPO).availability is Availability.CACHED
    assert lease(offline) == lease(first)


def test_server_that_falls_silent_during_the_download(
    checkpoint: Checkpoint, settings: Settings, encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers the probe and then nothing: huggingface_hub's own first request would wait for ever."""
    monkeypatch.setattr(hub_source, "_STALLED", 1.0)
    with running_hub({REPO: encoder}) as hub:
        hub.silent_api.set()
        models = registry(checkpoint, settings, hub.endpoint)
        with pytest.raises(TourError) as error:
            lease(models)
        hub.speak.set()
    assert error.value.code is Code.UNREACHABLE
