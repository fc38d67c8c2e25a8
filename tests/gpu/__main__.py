"""Whether everything runs on a device as it does on the CPU: `python -m tests.gpu`, or `make gpu-check`.

Takes the embedded checkpoints from the cache, asks no network where they are there, and ends with status 1
where something is wrong. `--device cpu` runs the same steps on a host without an accelerator.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from components.models import devices
from components.models.catalog import load_catalog
from components.models.checkpoint import LoadedModel
from components.models.errors import Code, TourError
from components.models.loading import load
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir
from components.tasks.runner import Runner
from components.tasks.task import Answer, Task
from demos import OPERATIONS
from tests.serving.interfaces import quick

# Of scores, which lie in [0, 1] or [-1, 1]: how far an answer may be from the CPU's in fp32.
NEAR = {torch.float32: 2e-3, torch.bfloat16: 0.08}
WRITTEN = (
    "text_generation",
    "translation",
    "summarization",
    "attribution",
    "tour",
)  # in bf16 other words come
GENERATION = {"mode": "plain", "prompt": "Once upon a time", "temperature": 0.0, "max_new_tokens": 48}
SAME = 40  # characters of a text that are the same in fp32; behind them it may take another turn
TOGETHER = 8  # texts that are continued at once
MOVED = 512_000_000  # bytes that are read to measure the memory's bandwidth
TOO_MUCH = 1 << 50  # bytes that no device has
SECONDS = 360.0  # for everything, on an accelerator


@dataclass
class Report:
    """What was found, line by line."""

    begun: float = field(default_factory=time.perf_counter)
    wrong: list[str] = field(default_factory=list)

    def say(self, what: str, words: str, wrong: str = "") -> None:
        seconds = time.perf_counter() - self.begun
        print(f"{seconds:6.1f} s  {what:<44} {'FAIL  ' + wrong if wrong else 'ok    ' + words}", flush=True)
        if wrong:
            self.wrong.append(f"{what}: {wrong}")

    def step(self, what: str, work: Callable[[], str]) -> None:
        """`work` returns what to say, and raises what is wrong."""
        try:
            self.say(what, work())
        except (AssertionError, RuntimeError, TourError) as error:
            self.say(what, "", f"{type(error).__name__}: {error}"[:300])


def strays(model: LoadedModel) -> list[str]:
    """Parameters and buffers of a model that lie elsewhere than it should."""
    network: Any = model.network
    named = [*network.named_parameters(), *network.named_buffers()]
    return [name for name, one in named if one.device.type != model.device.type]


def placed(registry: Registry, id: str) -> str:
    with registry.lease(id) as model:
        assert not strays(model), f"{strays(model)[:3]} are not on {model.device}"
        return f"{model.nbytes / 1e6:,.0f} MB on {model.device}, {str(model.dtype).removeprefix('torch.')}"


def leaves(answer: Any, path: str = "") -> Iterator[tuple[str, float | str]]:
    """The numbers and texts of an answer by what they are of: entries by their text, where they have one."""
    match answer:
        case dict():
            for name, value in answer.items():
                if name not in ("seconds", "device"):
                    yield from leaves(value, f"{path}.{name}")
        case list():
            for place, value in enumerate(answer):
                names = (
                    [value.get(key) for key in ("label", "token", "text")] if isinstance(value, dict) else []
                )
                known = next((name for name in names if name), place)
                yield from leaves(value, f"{path}.{known}")
        case float() | str():
            yield path, answer


def compared(task: Any, answer: Mapping[str, Any], usual: Mapping[str, Any], dtype: torch.dtype) -> str:
    """How near an answer is to the CPU's; raises `AssertionError` where it is too far."""
    if dtype is not torch.float32 and task.name in WRITTEN:
        assert answer.keys() == usual.keys()
        return "answered; words may differ in this precision"
    first, second = dict(leaves(answer)), dict(leaves(usual))
    shared = first.keys() & second.keys()
    assert shared, "none of the CPU's entries"
    if dtype is torch.float32:
        texts = [one for one in shared if isinstance(second[one], str)]
        other = [one for one in texts if str(first[one])[:SAME] != str(second[one])[:SAME]]
        assert not other, f"{other[0]} is {first[other[0]]!r}, on the CPU {second[other[0]]!r}"
    pairs = [(first[one], second[one]) for one in shared]
    numbers = [(one, other) for one, other in pairs if isinstance(one, float) and isinstance(other, float)]
    scale = max([1.0, *(abs(other) for _, other in numbers)])
    gap = max([0.0, *(abs(one - other) for one, other in numbers)]) / scale
    assert gap <= NEAR[dtype], f"{gap:.4f} of the largest number from the CPU's"
    return f"{len(shared)} of {len(second)} entries, numbers within {gap:.0e}"


def asked(runner: Runner, operation: Any) -> dict[str, Any]:
    *_, last = runner.answer(operation, quick(operation))
    found: dict[str, Any] = last.as_json()  # type: ignore[union-attr]
    return found


def evicted(settings: Settings, ids: list[str]) -> str:
    """All checkpoints one after another, where there is room for the largest alone."""
    catalog = load_catalog()
    dtype = devices.precision(devices.pick(settings.device))
    room = int(1.15 * max(catalog[id].whole_parameters for id in ids) * dtype.itemsize)
    registry = Registry(catalog, replace(settings, memory_budget=room))
    most = 0
    with closing(registry):
        for id in ids:
            with registry.lease(id):
                most = max(most, registry.memory().used)
        there = sum(1 for one in registry.statuses() if one.nbytes)
    assert most <= room, f"{most:,} bytes were used of {room:,}"
    assert there < len(ids), "nothing was evicted"
    return f"{len(ids)} in {room / 1e6:,.0f} MB; {most / 1e6:,.0f} MB at most, {there} there at the end"


def out_of_memory(runner: Runner) -> str:
    """A step that asks for more than there is, then a request as ever."""

    def greedy(model: LoadedModel) -> Iterator[None]:
        torch.empty(TOO_MUCH, dtype=torch.uint8, device=model.device)
        yield

    task = next(one for one in OPERATIONS if one.name == "text_classification")
    id = runner.checkpoint(task, None).id  # type: ignore[arg-type]
    told = ""
    try:
        with runner.registry.lease(id) as model, closing(runner.execute(model, greedy)) as steps:
            next(steps)
    except TourError as error:
        told = error.code
    assert told == Code.OUT_OF_MEMORY, f"it was told as {told!r}"
    assert asked(runner, task)["labels"]
    return "told as out_of_memory; the next request is answered"


def load_out_of_memory(settings: Settings) -> str:
    """A load that finds no room: what is idle makes way, and it succeeds."""
    failed: list[str] = []

    def tight(checkpoint: Any, folder: Path, device: torch.device, dtype: Any, body: Any) -> LoadedModel:
        if checkpoint.id == "SmolLM2-135M-Instruct" and not failed:
            failed.append(checkpoint.id)
            torch.empty(TOO_MUCH, dtype=torch.uint8, device=device)
        return load(checkpoint, folder, device, dtype, body)

    registry = Registry(load_catalog(), settings, load=tight)
    with closing(registry):
        with registry.lease("all-MiniLM-L6-v2"):
            pass
        with registry.lease("SmolLM2-135M-Instruct"):
            assert failed
            assert not registry.status("all-MiniLM-L6-v2").nbytes, "what was idle is there still"
    return "what was idle made way, and the load succeeded"


def bandwidth(device: torch.device) -> float:
    """Bytes per second that are read from the device's memory: the best of five sums over many numbers."""
    numbers = torch.ones(MOVED // 4, device=device)

    def once() -> float:
        begun = time.perf_counter()
        numbers.sum().item()  # waits for the device
        return time.perf_counter() - begun

    return MOVED / min(once() for _ in range(6))


def tokens_per_second(runner: Runner, device: torch.device) -> str:
    task = next(one for one in OPERATIONS if one.name == "text_generation")
    assert isinstance(task, Task)
    runner.call(task, {**GENERATION, "max_new_tokens": 4})
    alone: Answer[Any] = runner.call(task, GENERATION)
    begun = time.perf_counter()
    many = runner.together(task, [{**GENERATION, "prompt": f"Once upon {n} times"} for n in range(TOGETHER)])
    seconds = time.perf_counter() - begun
    written = sum(one.result.generated_tokens for one in many if isinstance(one, Answer))
    with runner.registry.lease(alone.model) as model:
        limit = bandwidth(device) / model.nbytes  # each token reads every weight once
    rate = alone.result.generated_tokens / alone.seconds
    assert rate > 0
    return (
        f"{rate:.0f} alone, {rate / limit:.0%} of the {limit:.0f} that the memory's bandwidth allows; "
        f"{written / seconds:.0f} for {TOGETHER} texts at once"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda", help="cuda (default), mps or cpu")
    parser.add_argument("--cache-dir", type=Path, default=default_cache_dir())
    options = parser.parse_args()
    settings = Settings(cache_dir=options.cache_dir, device=options.device)
    device = devices.pick(options.device)
    report = Report()
    ids = [one.id for one in load_catalog() if one.embedded]
    there = Registry(load_catalog(), settings)
    here = Registry(load_catalog(), Settings(cache_dir=options.cache_dir, device="cpu"))
    with closing(there), closing(here):
        runner, usual = Runner(there, "embedded"), Runner(here, "embedded")
        for id in ids:
            report.step(f"{id} is placed", lambda id=id: placed(there, id))  # type: ignore[misc]
        dtype = devices.precision(device)
        for operation in OPERATIONS:
            report.step(
                f"{operation.name} answers as on the CPU",
                lambda one=operation: compared(one, asked(runner, one), asked(usual, one), dtype),  # type: ignore[misc]
            )
        report.step("a step runs out of memory", lambda: out_of_memory(runner))
        report.step("tokens per second", lambda: tokens_per_second(runner, device))
    report.step("a small budget", lambda: evicted(settings, ids))
    report.step("a load runs out of memory", lambda: load_out_of_memory(settings))
    took = time.perf_counter() - report.begun
    if device.type != "cpu":
        report.say(
            "time", f"{took:.0f} s", "" if took < SECONDS else f"{took:.0f} s, more than {SECONDS:.0f}"
        )
    print("Everything works." if not report.wrong else f"{len(report.wrong)} steps failed.")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
