"""Repositories that visitors name or look for: what they are taken for, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.models.catalog import load_catalog
from components.models.checkpoint import HubSource, RepoSource
from components.models.errors import Code, TourError
from components.models.registry import MOST_ADOPTED, Registry
from components.models.settings import Settings
from components.models.sources import lookup
from components.tasks.runner import Runner
from tests.fakes.architectures import ARCHITECTURES
from tests.fakes.hub import FakeHub, black_hole, closed_port, running_hub
from tests.tasks.suite import TASKS, example

BY_NAME = {task.name: task for task in TASKS}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("architectures")
    return {name: tiny.build(root / name) for name, tiny in ARCHITECTURES.items()}


@pytest.fixture
def hub(folders: dict[str, Path]) -> Iterator[FakeHub]:
    with running_hub({f"someone/{name}": folder for name, folder in folders.items()}) as hub:
        yield hub


@pytest.fixture
def registry(hub: FakeHub, settings: Settings) -> Iterator[Registry]:
    registry = Registry(load_catalog(), replace(settings, hub_endpoint=hub.endpoint))
    yield registry
    registry.close()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_architecture_is_known_by_its_configuration(name: str, registry: Registry, hub: FakeHub) -> None:
    found = registry.describe(f"someone/{name}")
    tiny = ARCHITECTURES[name]
    assert found.head is tiny.head
    assert set(tiny.tasks) <= set(found.tasks)
    assert found.source == HubSource(repo=f"someone/{name}", revision=hub.commit(f"someone/{name}"))
    assert found.licence == "mit"
    assert tiny.token_limit <= found.token_limit <= 1024
    weights = sum(file.stat().st_size for file in hub.repos[f"someone/{name}"].glob("*.safetensors"))
    assert found.download_bytes == weights
    assert f"someone/{name}" not in registry.catalog, "describing is not adding"
    assert not hub.downloads("model.safetensors")


def test_a_repository_answers_like_one_of_the_catalog(registry: Registry) -> None:
    runner = Runner(registry, "embedded")
    for task, name in (
        ("text_classification", "distilbert-classifier"),
        ("question_answering", "roberta-reader"),
    ):
        answer = runner.call(BY_NAME[task], example(BY_NAME[task], f"someone/{name}"))
        assert answer.model == f"someone/{name}"
        assert registry.catalog[f"someone/{name}"] in registry.catalog.for_task(task)


def test_a_repository_that_cannot_do_the_task_is_refused(registry: Registry) -> None:
    with pytest.raises(TourError, match="cannot do fill-mask") as caught:
        Runner(registry, "embedded").parse(
            BY_NAME["fill_mask"], example(BY_NAME["fill_mask"], "someone/distilbert-classifier")
        )
    assert caught.value.code is Code.UNSUITABLE_MODEL


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def of_its_own(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "mystery", "architectures": ["MysteryForSequenceClassification"]}
    (folder / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "code.Mystery"}}))


def for_pictures(folder: Path) -> None:
    (folder / "config.json").write_text(
        json.dumps({"model_type": "vit", "architectures": ["ViTForImageClassification"]})
    )


def without_configuration(folder: Path) -> None:
    (folder / "config.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (pickled, "no safetensors"),
        (of_its_own, "no task in this tour"),
        (for_pictures, "no task in this tour"),
        (without_configuration, "no architecture"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(
    spoil: Callable[[Path], None], words: str, folders: dict[str, Path], settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "spoilt"
    shutil.copytree(folders["distilbert-classifier"], folder)
    spoil(folder)
    with running_hub({"someone/spoilt": folder}) as hub:
        registry = Registry(load_catalog(), replace(settings, hub_endpoint=hub.endpoint))
        with pytest.raises(TourError, match=words) as caught:
            registry.adopt("someone/spoilt")
    assert (caught.value.code, caught.value.field) == (Code.UNSUITABLE_MODEL, "model")


def test_a_large_download_is_refused_before_it_begins(
    registry: Registry, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "LARGEST", 10_000)
    with pytest.raises(TourError, match="a download of"):
        registry.adopt("someone/gpt2")
    assert not hub.downloads("model.safetensors")


def test_a_gated_repository_says_so(registry: Registry, hub: FakeHub) -> None:
    hub.gated.add("someone/gpt2")
    with pytest.raises(TourError, match="accept its terms"):
        registry.adopt("someone/gpt2")


def test_what_is_not_there_is_unknown(registry: Registry) -> None:
    with pytest.raises(TourError) as caught:
        registry.adopt("someone/nothing")
    assert caught.value.code is Code.UNKNOWN_MODEL


@pytest.mark.parametrize("silent", [True, False])
def test_a_hub_out_of_reach_is_said_soon(silent: bool, settings: Settings) -> None:
    with black_hole() as hole:
        endpoint = hole if silent else closed_port()
        registry = Registry(load_catalog(), replace(settings, hub_endpoint=endpoint))
        with pytest.raises(TourError) as caught:
            registry.adopt("someone/gpt2")
    assert caught.value.code is Code.UNREACHABLE


def test_an_app_can_keep_to_its_catalog(hub: FakeHub, settings: Settings) -> None:
    settings = replace(settings, hub_endpoint=hub.endpoint, any_checkpoint=False)
    with pytest.raises(TourError) as caught:
        Registry(load_catalog(), settings).adopt("someone/gpt2")
    assert caught.value.code is Code.UNKNOWN_MODEL
    assert not hub.requests


def test_visitors_cannot_bring_more_and_more(
    registry: Registry, hub: FakeHub, folders: dict[str, Path]
) -> None:
    hub.repos |= {f"someone/gpt2-{number}": folders["gpt2"] for number in range(MOST_ADOPTED + 1)}
    for number in range(MOST_ADOPTED):
        registry.adopt(f"someone/gpt2-{number}")
    registry.adopt("someone/gpt2-0")
    with pytest.raises(TourError, match="the maximum until this app restarts"):
        registry.adopt(f"someone/gpt2-{MOST_ADOPTED}")


def test_search_lists_what_the_hub_has(registry: Registry, hub: FakeHub) -> None:
    found = registry.search("roberta", task="named_entities", language="en", parameters="max:50M")
    assert sorted(one.id for one in found) == sorted(id for id in hub.repos if "roberta" in id)
    assert {(one.task, one.licence, one.gated) for one in found} == {("token-classification", "mit", False)}
    assert {one.parameters for one in found} == {registry.describe(one.id).parameters for one in found}, (
        "the size that is shown before a download is that of the file"
    )
    assert not registry.search("roberta", language="de")
    assert not registry.search("roberta", parameters="min:50M,max:150M")


def test_every_checkpoint_that_is_shipped_has_a_card_here(settings: Settings) -> None:
    registry = Registry(load_catalog(), replace(settings, hub_endpoint=closed_port()))
    shipped = [one for one in registry.catalog if isinstance(one.source, RepoSource)]
    assert shipped
    for one in shipped:
        assert f"# {one.id}" in registry.card(one)


def test_a_card_is_read_from_the_hub(folders: dict[str, Path], settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "carded"
    shutil.copytree(folders["gpt2"], folder)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# What it is\n", "utf-8")
    with running_hub({"someone/carded": folder, "someone/bare": folders["gpt2"]}) as hub:
        registry = Registry(load_catalog(), replace(settings, hub_endpoint=hub.endpoint))
        assert "# What it is" in registry.card(registry.describe("someone/carded"))
        assert registry.card(registry.describe("someone/bare")) == ""


@pytest.mark.parametrize("id", ["", "gpt2", "a/b/c", "../x", "a b/c", "https://x/y", "x" * 100 + "/y"])
def test_what_is_no_id_is_not_asked_for(id: str, registry: Registry, hub: FakeHub) -> None:
    asked: list[Any] = list(hub.requests)
    with pytest.raises(TourError) as caught:
        registry.adopt(id)
    assert caught.value.code is Code.UNKNOWN_MODEL
    assert hub.requests == asked
