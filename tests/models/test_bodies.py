"""Bodies that adapters share: loaded once, counted once, never taken from under an adapter."""

from __future__ import annotations

import gc
import json
import random
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch

from components.models.catalog import Catalog
from components.models.checkpoint import Head, LocalSource
from components.models.errors import Code, TourError
from components.models.registry import Availability, Registry, State
from components.models.settings import Settings
from tests.fakes.adapters import adapter_entry, tiny_adapter
from tests.fakes.checkpoints import local_entry, tiny_encoder, tiny_nli
from tests.models.test_registry import Loads, budget_for, in_threads

ADAPTERS = [f"adapter {number}" for number in range(5)]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """An encoder with five adapters, and a whole model of its size."""
    root = tmp_path_factory.mktemp("shared")
    head = Head.SEQUENCE_CLASSIFICATION
    body = local_entry("body", Head.ENCODER, tiny_encoder(root / "body", width=96))
    whole = local_entry("whole", head, tiny_nli(root / "whole", width=96))
    adapters = [
        adapter_entry(id, head, tiny_adapter(root / id, root / "body", head, seed=seed, num_labels=3), body)
        for seed, id in enumerate(ADAPTERS)
    ]
    return Catalog([body, *adapters, whole])


def states(registry: Registry) -> dict[str, State]:
    return {status.checkpoint.id: status.state for status in registry.statuses()}


def use(registry: Registry, id: str) -> None:
    with registry.lease(id) as model, registry.device_slot(), torch.inference_mode():
        model.network(**model.tokenizer("one two three", return_tensors="pt"))


def test_five_adapters_at_once_load_their_body_once(shared: Catalog, settings: Settings) -> None:
    loads = Loads()
    registry = Registry(shared, settings, load=loads)
    assert in_threads(20, lambda number: use(registry, ADAPTERS[number % 5])) == []
    assert sorted(loads.ids) == [*ADAPTERS, "body"]
    assert loads.ids[0] == "body"
    assert not loads.overlapped
    statuses = {status.checkpoint.id: status for status in registry.statuses()}
    assert sorted(statuses["body"].adapters) == ADAPTERS
    assert statuses["body"].leases == 0
    assert registry.memory().used == sum(status.nbytes for status in statuses.values())
    assert statuses[ADAPTERS[0]].nbytes < statuses["body"].nbytes / 5
    with registry.lease("body") as body, registry.lease(ADAPTERS[0]) as model:
        ours, its = (one.network.get_input_embeddings().state_dict()["weight"] for one in (model, body))
        assert ours.data_ptr() == its.data_ptr()


def test_a_body_stays_as_long_as_its_adapters(shared: Catalog, settings: Settings) -> None:
    registry = Registry(shared, settings)
    for id in ADAPTERS[:2]:
        use(registry, id)
    with pytest.raises(TourError) as error:
        registry.unload("body")
    assert error.value.code is Code.IN_USE
    assert "adapter 0, adapter 1" in error.value.message
    registry.unload(ADAPTERS[0])
    with pytest.raises(TourError, match="the body of adapter 1:"):
        registry.unload("body")
    registry.unload(ADAPTERS[1])
    assert states(registry)["body"] is State.READY
    registry.unload("body")
    assert registry.memory().used == 0


def test_room_for_another_model_is_made_of_adapters_and_then_of_their_body(
    shared: Catalog, settings: Settings
) -> None:
    budget = int(1.3 * budget_for(shared, "whole"))
    registry = Registry(shared, replace(settings, memory_budget=budget), patience=0.2)
    for id in ADAPTERS[:3]:
        use(registry, id)
    with registry.lease(ADAPTERS[2]), pytest.raises(TourError) as error, registry.lease("whole"):
        pass
    assert error.value.code is Code.OUT_OF_MEMORY
    assert [id for id, state in states(registry).items() if state is State.READY] == ["body", ADAPTERS[2]]
    use(registry, "whole")
    assert [id for id, state in states(registry).items() if state is State.READY] == ["whole"]
    assert registry.memory().used == registry.status("whole").nbytes
    use(registry, ADAPTERS[0])
    assert [id for id, state in states(registry).items() if state is State.READY] == ["body", ADAPTERS[0]]


def test_a_body_was_used_when_its_adapters_were(shared: Catalog, settings: Settings, tmp_path: Path) -> None:
    """Without this the body, loaded first of all, would go before a model that nobody asked for since."""
    other = local_entry("other", Head.ENCODER, tiny_encoder(tmp_path / "other", width=96))
    catalog = Catalog([*shared, other])
    budget = budget_for(catalog, "body", "other") + budget_for(catalog, ADAPTERS[0])
    registry = Registry(catalog, replace(settings, memory_budget=budget), patience=0.2)
    for id in ("body", "other", ADAPTERS[0]):
        use(registry, id)
    registry.unload(ADAPTERS[0])
    use(registry, "whole")
    assert states(registry)["body"] is State.READY
    assert states(registry)["other"] is State.ABSENT


def test_more_than_the_budget_with_its_body_is_refused_at_once(shared: Catalog, settings: Settings) -> None:
    registry = Registry(shared, replace(settings, memory_budget=budget_for(shared, "body")))
    with pytest.raises(TourError) as error, registry.lease(ADAPTERS[0]):
        pass
    assert error.value.code is Code.OUT_OF_MEMORY
    assert states(registry)["body"] is State.ABSENT, "the body was loaded in vain"


def test_a_body_that_cannot_be_loaded_fails_its_adapters_and_is_not_sticky(
    shared: Catalog, settings: Settings, tmp_path: Path
) -> None:
    source = shared["body"].source
    assert isinstance(source, LocalSource)
    away = tmp_path / "not there yet"
    body = replace(shared["body"], source=LocalSource(folder=str(away)))
    registry = Registry(
        Catalog([body, *(replace(shared[id], body=body) for id in ADAPTERS)]), settings, load=Loads()
    )
    assert registry.status(ADAPTERS[0]).availability is Availability.DOWNLOAD
    errors = in_threads(10, lambda number: use(registry, ADAPTERS[number % 5]))
    assert {type(error) for error in errors} == {TourError}
    assert set(states(registry).values()) == {State.FAILED}
    shutil.copytree(source.folder, away)
    assert registry.status(ADAPTERS[0]).availability is Availability.CACHED
    use(registry, ADAPTERS[0])


def test_who_waits_for_an_adapter_sees_its_body_come(shared: Catalog, settings: Settings) -> None:
    seen = threading.Event()
    registry = Registry(shared, settings, load=Loads(lambda: seen.wait(30)))
    stages = []
    for status in registry.wait(ADAPTERS[0]):
        stages.append(status.stage)
        if status.stage == "body: loading":
            assert registry.status("body").adapters == (ADAPTERS[0],)
            with pytest.raises(TourError, match="the body of adapter 0:"):
                registry.unload("body")
            seen.set()
    assert "body: loading" in stages
    assert status.state is State.READY


def test_waiting_for_a_body_is_quiet(shared: Catalog, settings: Settings) -> None:
    """Five loads that watch one body, and one another's news, do not keep waking each other."""
    begun, go_on = threading.Event(), threading.Event()

    def first() -> object:
        begun.set()
        return go_on.wait(30)

    registry = Registry(shared, settings, load=Loads(first))
    for id in ADAPTERS:
        registry.load(id)
    assert begun.wait(60)
    news = registry.wait(ADAPTERS[0])

    def patience() -> float:
        began = time.perf_counter()
        next(news)
        return time.perf_counter() - began

    assert any(patience() > 0.4 for _ in range(10)), "news without end, though nothing happens"
    go_on.set()
    assert list(news)[-1].state is State.READY


def exhaust() -> object:
    return torch.empty(10**15)


@pytest.mark.parametrize("failures", [1, 2])
def test_out_of_memory_while_an_adapter_loads_leaves_its_body(
    failures: int, shared: Catalog, settings: Settings
) -> None:
    loads = Loads()
    loads._first.clear()
    registry = Registry(shared, settings, load=loads)
    use(registry, "body")
    use(registry, ADAPTERS[0])
    steps: list[Callable[[], object]] = [exhaust] * failures
    loads._first.extend(steps)
    if failures == 1:
        use(registry, ADAPTERS[1])
    else:
        with pytest.raises(TourError) as error:
            use(registry, ADAPTERS[1])
        assert error.value.code is Code.OUT_OF_MEMORY
    assert states(registry)["body"] is State.READY
    assert states(registry)[ADAPTERS[0]] is State.ABSENT


def test_close_drops_adapters_and_body(shared: Catalog, settings: Settings) -> None:
    registry = Registry(shared, settings)
    use(registry, ADAPTERS[0])
    registry.close()
    assert set(states(registry).values()) == {State.ABSENT}


def test_a_crowd_within_a_tight_budget_neither_stops_nor_overdraws(
    shared: Catalog, settings: Settings
) -> None:
    """Six visitors over all checkpoints, with room for one large one and two adapters."""
    ids = [checkpoint.id for checkpoint in shared]
    budget = budget_for(shared, "whole", *ADAPTERS[:2])
    registry = Registry(shared, replace(settings, memory_budget=budget), patience=60)
    over: list[int] = []

    def visitor(number: int) -> None:
        choice = random.Random(number)
        for _ in range(5):
            use(registry, choice.choice(ids))
            if (used := registry.memory().used) > budget:
                over.append(used)

    assert in_threads(6, visitor) == []
    assert over == []


def test_memory_comes_back_with_the_last_adapter(tmp_path: Path, settings: Settings) -> None:
    head = Head.SEQUENCE_CLASSIFICATION
    body = local_entry("body", Head.ENCODER, tiny_encoder(tmp_path / "body", width=768))
    folder = tiny_adapter(tmp_path / "adapter", tmp_path / "body", head)
    registry = Registry(Catalog([body, adapter_entry("adapter", head, folder, body)]), settings)
    use(registry, "adapter")
    registry.unload("adapter")
    registry.unload("body")
    gc.collect()
    process = psutil.Process()
    empty = process.memory_info().rss
    size = body.parameters * 4
    for _ in range(3):
        use(registry, "adapter")
        assert empty + 0.5 * size < process.memory_info().rss < empty + 1.5 * size
        registry.unload("adapter")
        registry.unload("body")
        gc.collect()
        assert process.memory_info().rss < empty + 0.5 * size


def test_adapters_of_models_dir_join_the_catalog_if_their_body_is_known(
    shared: Catalog, settings: Settings, tmp_path: Path
) -> None:
    source = shared["body"].source
    assert isinstance(source, LocalSource)
    for name, base in (("mine", source.folder), ("stray", "somebody/else")):
        folder = tiny_adapter(tmp_path / name, Path(source.folder), Head.TOKEN_CLASSIFICATION)
        file = folder / "adapter_config.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "base_model_name_or_path": base}))
    registry = Registry(shared, replace(settings, models_dir=tmp_path))
    assert [checkpoint.id for checkpoint in registry.catalog][len(shared) :] == ["local/mine"]
    assert registry.catalog["local/mine"].body == shared["body"]
    use(registry, "local/mine")
    assert registry.status("body").adapters == ("local/mine",)
