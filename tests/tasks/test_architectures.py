"""Each task's own code on each architecture that the Hub's well-known checkpoints have, through a Hub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from components.models.catalog import Catalog, load_catalog
from components.models.checkpoint import HubSource
from components.models.registry import Registry
from components.models.settings import Settings
from components.tasks.fields import input_fields
from components.tasks.runner import Runner
from tests.fakes.architectures import ARCHITECTURES, pairs
from tests.fakes.checkpoints import entry
from tests.fakes.hub import running_hub
from tests.tasks.suite import TASKS, example, typed

BY_NAME = {task.name: task for task in TASKS}
LONG = "She put the bread in the oven. The quick brown fox jumps over the lazy dog! " * 12


LONGER = ("text", "texts", "context", "prompt", "sentences", "table")


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """A runner over a Hub that has one repository of each architecture."""
    root = tmp_path_factory.mktemp("hub")
    folders = {name: tiny.build(root / name) for name, tiny in ARCHITECTURES.items()}
    catalog = Catalog(
        replace(
            entry(name, tiny.head, HubSource(repo=f"someone/{name}"), folders[name], tiny.tasks),
            token_limit=tiny.token_limit,
        )
        for name, tiny in ARCHITECTURES.items()
    )
    with running_hub({f"someone/{name}": folder for name, folder in folders.items()}) as hub:
        settings = Settings(cache_dir=root / "cache", device="cpu", hub_endpoint=hub.endpoint)
        registry = Registry(catalog, settings)
        yield Runner(registry, "hub")
        registry.close()


def longest(task: str) -> dict[str, Any]:
    """The task's example with a text longer than a tiny checkpoint reads at once."""
    fields = input_fields(BY_NAME[task].inputs)
    text = "The [MASK] fox." if task == "fill_mask" else LONG
    first = next(one for one in fields if one.name in LONGER)
    return {first.name: typed(BY_NAME[task], first, "The fox." if task == "text_generation" else text)}


@pytest.mark.parametrize(("task", "architecture"), list(pairs()))
def test_answers_from_the_hub(task: str, architecture: str, visited: Runner) -> None:
    for changes in ({}, longest(task)):
        answer = visited.call(BY_NAME[task], example(BY_NAME[task], architecture, **changes))
        assert answer.model == architecture
        assert answer.tokens_used > 0
        again = visited.call(BY_NAME[task], example(BY_NAME[task], architecture, **changes))
        assert again.result == answer.result


def test_every_architecture_of_the_catalogs_hub_checkpoints_is_here() -> None:
    """A new checkpoint of the catalog brings its tiny sibling: by head and task."""
    here = {(task, ARCHITECTURES[name].head) for task, name in pairs()}
    missing = {
        (task, one.head) for one in load_catalog() if isinstance(one.source, HubSource) for task in one.tasks
    } - here
    assert not missing
