from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from components.models.catalog import Catalog, load_catalog
from components.models.checkpoint import LoadedModel
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir
from components.tasks.runner import Runner
from tests.fakes.checkpoints import tiny_catalog


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """The catalog's own checkpoints, with their real weights from this host's cache, and tiny ones."""
    tiny = tiny_catalog(tmp_path_factory.mktemp("tiny"))
    settings = Settings(cache_dir=default_cache_dir(), device="cpu")
    registry = Registry(Catalog([*load_catalog(), *tiny]), settings)
    yield registry
    registry.close()


@pytest.fixture(scope="session")
def runner(registry: Registry) -> Runner:
    return Runner(registry, "embedded")


@pytest.fixture
def lease(registry: Registry) -> Iterator[Callable[[str], LoadedModel]]:
    """A loaded model for the length of a test."""
    held = []

    def take(id: str) -> LoadedModel:
        context = registry.lease(id)
        model = context.__enter__()
        held.append(context)
        return model

    yield take
    for context in held:
        context.__exit__(None, None, None)
