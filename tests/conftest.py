"""Fixtures that several suites share."""

from __future__ import annotations

import functools
import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from components.models.catalog import Catalog, load_catalog
from components.models.checkpoint import LoadedModel
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir
from components.models.tokenizers import Tokenizers
from components.tasks.runner import Runner
from tests.server import ROOT, running_app

# As in the app: several processes with torch share the processor here.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if "PYTEST_XDIST_WORKER" in os.environ:  # as many processes as processors
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# How long an example takes depends on what else the host does.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


# What takes the real weights, the running app, or a process of its own.
SLOW = {"app_url", "browser", "registry", "runner", "lab", "hub", "base", "make_work", "tiny"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="without weights, server or browser")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--fast"):
        return
    slow = [item for item in items if SLOW & set(getattr(item, "fixturenames", ()))]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if item not in set(slow)]


@pytest.fixture(scope="module", autouse=True)
def set_aside() -> None:
    """Registries collect garbage with each model that they unload. What is there before a module of tests is
    to stay, and walking it each time takes longer, after a hundred modules, than to load a tiny model.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def app_url() -> Iterator[str]:
    """The real app over the cache of this host, so that weights are fetched once and not per run."""
    with running_app("--visitors-unload", "--allowed-hosts", "tour.example.org") as url:
        yield url


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """The catalog's own checkpoints, with their real weights from this host's cache, and tiny ones."""
    from tests.fakes.checkpoints import tiny_catalog  # brings torch, which must find the variable above

    tiny = tiny_catalog(tmp_path_factory.mktemp("tiny"))
    settings = Settings(cache_dir=default_cache_dir(), device="cpu")
    registry = Registry(Catalog([*load_catalog(), *tiny]), settings)
    yield registry
    registry.close()


@pytest.fixture(scope="session")
def runner(registry: Registry) -> Runner:
    return Runner(registry, "embedded")


@pytest.fixture(scope="session")
def tokenizers(runner: Runner) -> Tokenizers:
    return runner.tokenizers


@pytest.fixture(scope="session")
def gguf_read_once() -> Iterator[None]:
    """The library reads a GGUF file, and its table of names, again for each configuration, tokenizer and
    network that it makes of it: 16 seconds of a processor, for the same parts of the same file.
    """
    import gguf

    with pytest.MonkeyPatch.context() as patch:
        for name in ("GGUFReader", "get_tensor_name_map"):
            patch.setattr(gguf, name, functools.cache(getattr(gguf, name)))
        yield


@pytest.fixture(scope="session")
def reader(tmp_path_factory: pytest.TempPathFactory, gguf_read_once: None) -> Path:
    """The folder where somebody tries one snippet after another, which fetch each checkpoint's weights once.
    Paths of shipped weights start there too.
    """
    place = tmp_path_factory.mktemp("reader")
    (place / "components").symlink_to(ROOT / "components")
    return place


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
