"""Every task and look inside, on a device that is not the CPU: a tensor that was left behind is found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from components.models.catalog import Catalog, load_catalog
from components.models.checkpoint import Checkpoint, LoadedModel
from components.models.loading import load
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir
from components.tasks.runner import Runner
from tests.fakes.checkpoints import tiny_catalog
from tests.fakes.device import Elsewhere, there
from tests.tasks.suite import TINY, AnyTask, assert_alike, example, name


def load_there(
    checkpoint: Checkpoint, folder: Path, device: torch.device, dtype: torch.dtype, body: LoadedModel | None
) -> LoadedModel:
    with there() as elsewhere:
        loaded = load(checkpoint, folder, elsewhere, dtype, body)
        network: Any = loaded.network
        if hasattr(network, "tie_weights"):
            network.tie_weights()  # each parameter moves there by itself; on a real device they stay one
        return loaded


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    tiny = tiny_catalog(tmp_path_factory.mktemp("tiny"))
    settings = Settings(cache_dir=default_cache_dir(), device="cpu")
    registry = Registry(Catalog([*load_catalog(), *tiny]), settings, load=load_there)
    yield Runner(registry, "embedded")
    registry.close()


def test_tensors_of_two_devices_cannot_be_mixed() -> None:
    with there() as device:
        here, away = torch.ones(3), torch.ones(3, device=device)
        assert (away + 1).device == device
        assert (away + away).cpu().tolist() == [2, 2, 2]
        with pytest.raises(RuntimeError, match="on the CPU"):
            away + here
        with pytest.raises((RuntimeError, TypeError)):
            away.numpy()


@pytest.mark.parametrize(("task", "model"), TINY, ids=name)
def test_nothing_is_left_behind_on_the_cpu(
    task: AnyTask, model: str, elsewhere: Runner, runner: Runner
) -> None:
    with elsewhere.registry.lease(model) as loaded:
        network: Any = loaded.network
        tensors = [*network.parameters(), *network.buffers()]
        assert tensors
        assert all(isinstance(one.data, Elsewhere) for one in tensors)
    with there() as device:
        answer = elsewhere.call(task, example(task, model)).as_json()
    usual = runner.call(task, example(task, model)).as_json()
    assert answer["device"] == str(device)
    assert_alike({**answer, "device": usual["device"], "seconds": usual["seconds"]}, usual, within=1e-4)
