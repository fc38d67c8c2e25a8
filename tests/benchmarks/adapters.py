"""What five adapters on one body cost to serve, against the same five as separate whole models.

    python -m tests.benchmarks.adapters [rounds]

Each side is a process of its own with a registry; the two take turns, so that whatever else the host does
falls on both. A request is one text for one of the five models, in rotation, or sixteen texts. The five
are the catalog's first adapters on MiniLM, and made on the spot (random weights, which cost the same)
where the catalog has fewer.
"""

from __future__ import annotations

import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import psutil

from components.models.catalog import Catalog, load_catalog
from components.models.checkpoint import Checkpoint, Head, LocalSource, RepoSource
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir
from components.models.sources import folder as folders

BODY = "all-MiniLM-L6-v2"
COUNT = 5
SIDES = ("adapters", "separate")
BATCHES = {1: 40, 16: 5}  # texts in a request: requests in a round
TEXTS = (
    "Not what I hoped for.",
    "The train to Lyon was an hour late, and nobody told the passengers why.",
    "After two weeks of daily use the battery still lasts a whole day, which is more than the maker says.",
    "Researchers at the university measured how fast glaciers in the eastern Alps lose ice, and found "
    "that the summers of the last decade account for more than half of all that was lost since they began.",
)


def make(place: Path) -> None:
    """Five adapters and, beside them, the same five merged into whole models, under `place`."""
    import transformers
    from peft import PeftModel

    from tests.fakes.adapters import tiny_adapter

    catalog = load_catalog()
    with Registry(catalog, settings()).lease(BODY) as body:
        base = place / "body"
        body.network.save_pretrained(base)
        body.tokenizer.save_pretrained(base)
        tokenizer = body.tokenizer
    shipped = [one for one in catalog if one.body and one.body.id == BODY][:COUNT]
    for number in range(COUNT):
        adapter = place / f"adapters-{number}"
        if number < len(shipped):
            source = shipped[number].source
            assert isinstance(source, RepoSource | LocalSource)
            adapter.symlink_to(folders.place(source))
        else:
            tiny_adapter(adapter, base, Head.SEQUENCE_CLASSIFICATION, rank=32, seed=number, saved=["pooler"])
        config = transformers.AutoConfig.from_pretrained(adapter)
        architecture = getattr(transformers, config.architectures[0])
        network = architecture.from_pretrained(base, config=config)
        merged = PeftModel.from_pretrained(network, str(adapter)).merge_and_unload()
        merged.save_pretrained(place / f"separate-{number}")
        tokenizer.save_pretrained(place / f"separate-{number}")
    print(len(shipped))


def settings() -> Settings:
    return Settings(cache_dir=default_cache_dir(), device="cpu")


def catalog_of(side: str, place: Path) -> Catalog:
    shipped = load_catalog()[BODY]
    body = replace(shipped, source=LocalSource(folder=str(place / "body")), default_for={})
    found = {checkpoint.title: checkpoint for checkpoint in folders.found(place, [shipped, body])}

    def checkpoint(number: int) -> Checkpoint:
        one = replace(found[f"{side}-{number}"], id=str(number))
        return replace(one, body=body) if one.body else one

    return Catalog([body, *map(checkpoint, range(COUNT))])


def serve(side: str, place: Path) -> None:
    """One side: loads the five, then a round for each line on stdin; answers in lines of JSON."""
    import torch
    import transformers.models.bert.modeling_bert  # noqa: F401 - libraries are not what is compared

    process = psutil.Process()
    registry = Registry(catalog_of(side, place), settings())
    rotation = itertools.cycle(str(number) for number in range(COUNT))

    def request(texts: list[str]) -> None:
        with registry.lease(next(rotation)) as model, registry.device_slot(), torch.inference_mode():
            model.network(**model.tokenizer(texts, padding=True, truncation=True, return_tensors="pt"))

    before = process.memory_info().rss
    for number in range(COUNT):
        with registry.lease(str(number)) as model:  # weights mapped from a file come when they are read
            sum(float(tensor.sum()) for tensor in model.network.parameters())
        request([TEXTS[0]])
    say({"tensors": registry.memory().used, "process": process.memory_info().rss - before})
    for line in sys.stdin:
        batch, requests = (int(word) for word in line.split())
        texts = itertools.cycle(TEXTS)
        began = time.perf_counter()
        for _ in range(requests):
            request(list(itertools.islice(texts, batch)))
        say({"rate": batch * requests / (time.perf_counter() - began)})


def say(words: dict[str, Any]) -> None:
    print(json.dumps(words), flush=True)


@dataclass(frozen=True)
class Side:
    """The other end of `serve`."""

    input: IO[str]
    output: IO[str]

    def hear(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.output.readline())
        return answer

    def round(self, batch: int) -> float:
        print(batch, BATCHES[batch], file=self.input, flush=True)
        rate: float = self.hear()["rate"]
        return rate


@contextmanager
def started(side: str, place: Path) -> Iterator[Side]:
    command = [sys.executable, "-m", "tests.benchmarks.adapters", "--serve", side, str(place)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    try:
        yield Side(process.stdin, process.stdout)
    finally:
        process.stdin.close()
        process.wait()


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        made = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.adapters", "--make", temporary],
            check=True,
            capture_output=True,
            text=True,
        )
        shipped = int(made.stdout.split()[-1])
        rates: dict[int, dict[str, list[float]]] = {batch: {side: [] for side in SIDES} for batch in BATCHES}
        with started("adapters", place) as adapters, started("separate", place) as separate:
            sides = dict(zip(SIDES, (adapters, separate), strict=True))
            memory = {name: side.hear() for name, side in sides.items()}
            for batch in BATCHES:
                for side in sides.values():
                    side.round(batch)  # to warm up
            for _, batch in itertools.product(range(rounds), BATCHES):
                for name, side in sides.items():
                    rates[batch][name].append(side.round(batch))
    print(
        f"{COUNT} adapters on one {BODY} ({shipped} of them shipped), {COUNT} separate whole models, ratio:"
    )
    for kind, what in (("tensors", "parameters and buffers"), ("process", "growth of the process")):
        compare(what, {side: memory[side][kind] / 1e6 for side in SIDES}, "MB")
    for batch in BATCHES:
        what = f"{batch} text{'s' * (batch > 1)} per request, median of {rounds} rounds"
        compare(what, {side: statistics.median(rates[batch][side]) for side in SIDES}, "texts/s")


def compare(what: str, measured: dict[str, float], unit: str) -> None:
    ours, theirs = (measured[side] for side in SIDES)
    print(f"{what:44} {ours:8.1f} {theirs:8.1f} {unit:8} {ours / theirs:.2f}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--make", place]:
            make(Path(place))
        case ["--serve", side, place]:
            serve(side, Path(place))
        case words:
            main(int(words[0]) if words else 9)
