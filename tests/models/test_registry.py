"""Loading once, sharing, leasing, evicting: real networks, real threads, measured memory."""

from __future__ import annotations

import gc
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
import torch

from components.models import devices, loading
from components.models.catalog import Catalog, load_catalog
from components.models.checkpoint import Checkpoint, Head, LoadedModel, LocalSource
from components.models.errors import Code, TourError
from components.models.registry import Availability, Registry, State
from components.models.settings import Settings
from tests.fakes.checkpoints import local_entry, tiny_causal_lm, tiny_encoder

ROOT = Path(__file__).parents[2]
ENCODER = "tiny-encoder"


class Loads:
    """The real loader; remembers what it loaded, and whether two loads ever overlapped."""

    def __init__(self, first: Callable[[], object] = lambda: None) -> None:
        self.ids: list[str] = []
        self.overlapped = False
        self._first = [first]
        self._busy = threading.Lock()

    def __call__(
        self,
        checkpoint: Checkpoint,
        folder: Path,
        device: torch.device,
        dtype: torch.dtype,
        body: LoadedModel | None,
    ) -> LoadedModel:
        self.ids.append(checkpoint.id)
        if not self._busy.acquire(blocking=False):
            self.overlapped = True
        try:
            if self._first:
                self._first.pop()()
            return loading.load(checkpoint, folder, device, dtype, body)
        finally:
            self._busy.release()


def in_threads(count: int, work: Callable[[int], object]) -> list[BaseException]:
    """Run `work(0)`, `work(1)`, ... at once; returns what they raised."""
    errors: list[BaseException] = []
    start = threading.Barrier(count)

    def run(number: int) -> None:
        start.wait()
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def nbytes(catalog: Catalog, id: str) -> int:
    """Bytes of a checkpoint's tensors, from its file."""
    from safetensors import safe_open

    source = catalog[id].source
    assert isinstance(source, LocalSource)
    with safe_open(Path(source.folder) / "model.safetensors", "pt") as file:
        return sum(file.get_tensor(name).nbytes for name in file.keys())  # noqa: SIM118 - not a mapping


def budget_for(catalog: Catalog, *ids: str) -> int:
    """What these fill, and not a byte for another."""
    return sum(catalog[id].parameters * 4 for id in ids)


@torch.inference_mode()
def forward(model: LoadedModel, text: str) -> Any:
    if model.checkpoint.head is Head.TABLE_QUESTION_ANSWERING:
        table = pd.DataFrame({"Word": ["fox"]})
        return model.network(**model.tokenizer(table=table, queries=text, return_tensors="pt"))
    encoded = model.tokenizer(text, return_tensors="pt", return_token_type_ids=False)
    if model.network.config.is_encoder_decoder:
        encoded["decoder_input_ids"] = encoded["input_ids"]
    return model.network(**encoded)


def test_a_lease_gives_a_model_that_answers(tiny: Catalog, settings: Settings) -> None:
    registry = Registry(tiny, settings)
    for checkpoint in tiny:
        with registry.lease(checkpoint.id) as model:
            assert registry.status(checkpoint.id).leases == 1
            assert not model.network.training
            assert model.dtype == next(model.network.parameters()).dtype == torch.float32
            fast = model.network._supports_sdpa  # TAPAS alone does not
            assert model.network.config._attn_implementation == ("sdpa" if fast else "eager")
            assert torch.isfinite(forward(model, "Paris is the capital of France.")[0]).all()
            assert model.nbytes >= nbytes(tiny, checkpoint.id)
        assert registry.status(checkpoint.id).leases == 0
    assert registry.memory().used == sum(status.nbytes for status in registry.statuses())


def test_fifty_threads_cause_one_load(tiny: Catalog, settings: Settings) -> None:
    loads, held = Loads(), []
    registry = Registry(tiny, settings, load=loads)

    def visitor(number: int) -> None:
        with registry.lease(ENCODER) as model:
            held.append(model)

    assert in_threads(50, visitor) == []
    assert loads.ids == [ENCODER]
    assert len(held) == 50
    assert len({id(model) for model in held}) == 1
    assert registry.status(ENCODER).leases == 0


def test_fifty_threads_share_one_failure_and_the_next_lease_tries_again(
    tiny: Catalog, settings: Settings, tmp_path: Path
) -> None:
    source = tiny[ENCODER].source
    assert isinstance(source, LocalSource)
    away = tmp_path / "not there yet"
    catalog = Catalog([replace(tiny[ENCODER], source=LocalSource(folder=str(away)))])
    registry = Registry(catalog, settings)
    errors = in_threads(50, lambda number: registry.lease(ENCODER).__enter__())
    assert len(errors) == 50
    assert {type(error) for error in errors} == {TourError}
    assert registry.status(ENCODER).state is State.FAILED
    assert registry.status(ENCODER).error
    shutil.copytree(source.folder, away)
    with registry.lease(ENCODER):
        assert registry.status(ENCODER).error is None


def test_loads_never_overlap(tiny: Catalog, settings: Settings) -> None:
    loads = Loads()
    registry = Registry(tiny, settings, load=loads)
    ids = [checkpoint.id for checkpoint in tiny]

    def visitor(number: int) -> None:
        with registry.lease(ids[number % len(ids)]):
            pass

    assert in_threads(12, visitor) == []
    assert sorted(loads.ids) == sorted(ids)
    assert not loads.overlapped


def test_alternating_two_models_ends_with_memory_for_one(tmp_path: Path, settings: Settings) -> None:
    """Eight rounds within a budget for one: the registry's count and the process's memory both come back."""
    catalog = Catalog(
        [
            local_entry("a", Head.ENCODER, tiny_encoder(tmp_path / "a", width=768, layers=2, seed=1)),
            local_entry("b", Head.ENCODER, tiny_encoder(tmp_path / "b", width=768, layers=2, seed=2)),
        ]
    )
    registry = Registry(catalog, replace(settings, memory_budget=int(1.2 * budget_for(catalog, "a"))))
    process = psutil.Process()

    def use(id: str) -> None:
        with registry.lease(id) as model, torch.inference_mode():
            model.network(**model.tokenizer("one two three", return_tensors="pt"))

    use("a")
    use("b")
    gc.collect()
    one = process.memory_info().rss
    for _ in range(8):
        use("a")
        use("b")
    assert registry.memory().used == registry.status("b").nbytes
    assert registry.status("b").nbytes >= nbytes(catalog, "b")
    assert registry.status("a").state is State.ABSENT
    gc.collect()
    assert process.memory_info().rss < one + nbytes(catalog, "a") / 4
    registry.unload("b")
    assert registry.memory().used == 0
    assert process.memory_info().rss < one - nbytes(catalog, "b") / 2, "unloading gave nothing back"


def test_a_leased_model_is_never_evicted(tiny: Catalog, settings: Settings) -> None:
    a, b, c = "tiny-encoder", "tiny-masked-lm", "tiny-causal-lm"
    budget = budget_for(tiny, a, max(b, c, key=lambda id: tiny[id].parameters))
    registry = Registry(tiny, replace(settings, memory_budget=budget), patience=0.2)
    with registry.lease(a) as held:
        for _ in range(5):
            with registry.lease(b):
                pass
            with registry.lease(c):
                pass
        assert registry.status(a).state is State.READY
        with registry.lease(a) as again:
            assert again is held
        with registry.lease(b), pytest.raises(TourError) as error, registry.lease(c):
            pass
        assert error.value.code is Code.OUT_OF_MEMORY
        assert c in error.value.message
        assert "MB" in error.value.message
        assert registry.status(b).state is State.READY
    with registry.lease(c):
        pass


def test_a_load_waits_for_a_lease_to_end(tiny: Catalog, settings: Settings) -> None:
    a, b = "tiny-encoder", "tiny-masked-lm"
    registry = Registry(tiny, replace(settings, memory_budget=budget_for(tiny, b)), patience=60)
    lease = registry.lease(a)
    lease.__enter__()
    registry.load(b)
    for status in registry.wait(b):
        if status.stage == "waiting for memory":
            lease.__exit__(None, None, None)
            break
    with registry.lease(b):
        assert registry.status(a).state is State.ABSENT


def test_the_least_recently_used_goes_first(tiny: Catalog, settings: Settings) -> None:
    a, b, c = "tiny-encoder", "tiny-masked-lm", "tiny-sequence-classification"
    registry = Registry(tiny, replace(settings, memory_budget=budget_for(tiny, b, b)), patience=0.2)
    for id in (a, b, a, c):
        with registry.lease(id):
            pass
    assert [registry.status(id).state for id in (a, b, c)] == [State.READY, State.ABSENT, State.READY]


def test_larger_than_the_whole_budget_is_refused_at_once_with_both_numbers(settings: Settings) -> None:
    registry = Registry(load_catalog(), replace(settings, memory_budget=200_000_000))
    with pytest.raises(TourError) as error, registry.lease("SmolLM2-135M-Instruct"):
        pass
    assert error.value.code is Code.OUT_OF_MEMORY
    assert "538 MB" in error.value.message
    assert "200 MB" in error.value.message
    assert not list(settings.cache_dir.rglob("*.whl*")), "it was downloaded first"


def exhaust() -> object:
    """Ask the CPU for more than there can be: the allocator's own error."""
    return torch.empty(10**15)


def exhaust_accelerator() -> object:
    raise torch.OutOfMemoryError("CUDA out of memory")


@pytest.mark.parametrize("fail", [exhaust, exhaust_accelerator])
def test_out_of_memory_evicts_the_idle_and_tries_once_more(
    fail: Callable[[], object], tiny: Catalog, settings: Settings
) -> None:
    loads = Loads(lambda: None)
    registry = Registry(tiny, settings, load=loads)
    with registry.lease("tiny-masked-lm"), registry.lease("tiny-causal-lm"):
        pass
    loads._first.append(fail)
    with registry.lease("tiny-masked-lm"), registry.lease(ENCODER):
        pass
    assert loads.ids[2:] == [ENCODER, ENCODER]
    states = {status.checkpoint.id: status.state for status in registry.statuses()}
    assert states["tiny-masked-lm"] is State.READY, "leased"
    assert states["tiny-causal-lm"] is State.ABSENT, "idle"


def test_out_of_memory_twice_is_a_clear_error_and_not_sticky(tiny: Catalog, settings: Settings) -> None:
    loads = Loads(exhaust)
    loads._first.append(exhaust)
    registry = Registry(tiny, settings, load=loads)
    with pytest.raises(TourError) as error, registry.lease(ENCODER):
        pass
    assert error.value.code is Code.OUT_OF_MEMORY
    assert ENCODER in error.value.message
    assert "cpu" in error.value.message
    assert registry.memory().used == 0
    with registry.lease(ENCODER):
        pass


def test_a_crash_while_loading_is_told_and_not_sticky(tiny: Catalog, settings: Settings) -> None:
    def crash() -> None:
        raise RuntimeError("the disk burns")

    registry = Registry(tiny, settings, load=Loads(crash))
    with pytest.raises(TourError) as error:
        list(registry.wait(ENCODER))
    assert error.value.code is Code.LOAD_FAILED
    assert "the disk burns" in error.value.message
    assert registry.status(ENCODER).error == error.value.message
    assert [status.state for status in registry.wait(ENCODER)][-1] is State.READY


def test_wait_shows_the_way_to_ready(tiny: Catalog, settings: Settings) -> None:
    registry = Registry(tiny, settings)
    assert registry.status(ENCODER).availability is Availability.CACHED
    statuses = list(registry.wait(ENCODER))
    assert statuses[-1].state is State.READY
    assert statuses[-1].availability is Availability.LOADED
    assert statuses[-1].device == "cpu"
    assert all(status.stage for status in statuses[:-1])
    assert [status.state for status in registry.wait(ENCODER)] == [State.READY]


def test_unload(tiny: Catalog, settings: Settings) -> None:
    registry = Registry(tiny, settings)
    with registry.lease(ENCODER):
        with pytest.raises(TourError) as error:
            registry.unload(ENCODER)
        assert error.value.code is Code.IN_USE
    registry.unload(ENCODER)
    assert registry.status(ENCODER).state is State.ABSENT
    assert registry.memory().used == 0
    registry.unload(ENCODER)


def test_unknown_ids_are_refused_everywhere(tiny: Catalog, settings: Settings) -> None:
    registry = Registry(tiny, settings)
    for ask in (
        registry.status,
        registry.load,
        registry.unload,
        lambda id: list(registry.wait(id)),
        lambda id: registry.lease(id).__enter__(),
    ):
        with pytest.raises(TourError) as error:
            ask("no-such-model")
        assert error.value.code is Code.UNKNOWN_MODEL


def test_an_unusable_device_is_told(tiny: Catalog, settings: Settings) -> None:
    registry = Registry(tiny, replace(settings, device="abacus"))
    with (
        pytest.raises(TourError, match="'abacus' is not usable here"),
        registry.lease(ENCODER),
    ):
        pass


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({"memory.max": "1000", "memory.current": "700", "memory.stat": "anon 400\ninactive_file 300"}, 600),
        ({"memory.max": "max", "memory.current": "700", "memory.stat": "inactive_file 300"}, sys.maxsize),
        (
            {
                "memory/memory.limit_in_bytes": "1000",
                "memory/memory.usage_in_bytes": "900",
                "memory/memory.stat": "total_inactive_file 50",
            },
            150,
        ),
        ({}, sys.maxsize),
    ],
)
def test_a_container_s_limit_counts(files: dict[str, str], free: int, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert devices._free_in_container(tmp_path) == free


def test_close_gives_up_and_drops(tiny: Catalog, settings: Settings) -> None:
    registry = Registry(tiny, settings)
    with registry.lease(ENCODER):
        registry.close()
        assert registry.status(ENCODER).state is State.READY, "somebody holds it"
    with pytest.raises(TourError) as error, registry.lease("tiny-masked-lm"):
        pass
    assert error.value.code is Code.BUSY


def test_a_crowd_stays_within_the_budget(tiny: Catalog, settings: Settings) -> None:
    """Eight visitors, four leases each, many models, room for two."""
    ids = [checkpoint.id for checkpoint in tiny]
    budget = 2 * max(budget_for(tiny, id) for id in ids)
    registry = Registry(tiny, replace(settings, memory_budget=budget), patience=60)
    over: list[int] = []

    def visitor(number: int) -> None:
        choice = random.Random(number)
        for _ in range(4):
            id = choice.choice(ids)
            with registry.lease(id) as model:
                assert model.checkpoint.id == id
                with registry.device_slot():
                    forward(model, "one two")
                if (used := registry.memory().used) > budget:
                    over.append(used)

    assert in_threads(8, visitor) == []
    assert over == []
    assert all(status.leases == 0 for status in registry.statuses())


@pytest.mark.parametrize("head", [Head.MASKED_LM, Head.SEQUENCE_CLASSIFICATION])
def test_weights_that_lack_the_head_are_refused(head: Head, encoder: Path, settings: Settings) -> None:
    registry = Registry(Catalog([local_entry("headless", head, encoder)]), settings)
    with pytest.raises(TourError) as error, registry.lease("headless"):
        pass
    assert error.value.code is Code.LOAD_FAILED
    assert "headless has no weights for" in error.value.message


def test_pickled_weights_are_refused(encoder: Path, settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "pickled"
    shutil.copytree(encoder, folder)
    checkpoint = local_entry("pickled", Head.ENCODER, folder)
    from safetensors.torch import load_file

    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    registry = Registry(Catalog([checkpoint]), settings)
    with pytest.raises(TourError) as error, registry.lease("pickled"):
        pass
    assert error.value.code is Code.LOAD_FAILED


def test_folders_of_models_dir_join_the_catalog(tiny: Catalog, settings: Settings, tmp_path: Path) -> None:
    models = tmp_path / "models"
    tiny_causal_lm(models / "mine")
    (models / "notes").mkdir()
    (models / "notes" / "config.json").write_text("{}")
    (models / "stray.txt").write_text("")
    registry = Registry(tiny, replace(settings, models_dir=models))
    assert [checkpoint.id for checkpoint in registry.catalog][len(tiny) :] == ["local/mine"]
    mine = registry.catalog["local/mine"]
    assert (mine.head, mine.tasks) == (Head.CAUSAL_LM, tiny["tiny-causal-lm"].tasks)
    assert mine.embedded
    with registry.lease("local/mine") as model:
        assert model.tokenizer.chat_template


def test_nothing_heavy_is_imported_before_the_first_lease() -> None:
    script = (
        "import sys, pathlib, tempfile\n"
        "from components.models.catalog import load_catalog\n"
        "from components.models.registry import Registry\n"
        "from components.models.settings import Settings\n"
        "registry = Registry(load_catalog(), Settings(cache_dir=pathlib.Path(tempfile.mkdtemp())))\n"
        "registry.statuses(); registry.memory(); registry.reachable()\n"
        "registry.device_slot(); registry.close()\n"
        "heavy = ('torch', 'transformers', 'peft', 'safetensors', 'gradio')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    environment = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9"}
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


def test_statuses_are_cheap(settings: Settings) -> None:
    registry = Registry(load_catalog(), replace(settings, hub_endpoint="http://127.0.0.1:9"))
    registry.statuses()
    began = time.perf_counter()
    for _ in range(20):
        registry.statuses()
    assert (time.perf_counter() - began) / 20 < 0.1
