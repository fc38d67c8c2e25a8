"""What the app makes of a model, against the library's plain way with the same files, in the same process.

    python -m tests.benchmarks.against_the_library [rounds]

Loading: the registry with everything in the cache, against `from_pretrained` of the same folder. Generation:
greedy tokens of a request, against `generate`, and how many of the texts are the same. A file: rows a second
together, against one request after another. Ratios are medians of rounds, in which both sides take turns.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
import transformers

from components.models.catalog import load_catalog
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir
from components.tasks import batch
from components.tasks.catalog import TASKS
from components.tasks.runner import Runner

LOADED = ("all-MiniLM-L6-v2", "SmolLM2-135M-Instruct")
WRITER, TOKENS = "SmolLM2-135M-Instruct", 48
PROMPTS = ("Once upon a time", "The capital of France is", "Dear Sir or Madam,", "A good morning begins with")
ROWS = 200


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def loading(id: str) -> float:
    """Seconds of the registry over those of the library."""
    registry = Registry(load_catalog(), Settings(cache_dir=default_cache_dir(), device="cpu"))

    def ours() -> None:
        with registry.lease(id):
            pass

    ours()  # what both need is imported, and read once
    with registry.lease(id) as model:
        folder, kind = model.network.name_or_path, type(model.network)
    registry.unload(id)

    def theirs() -> None:
        kind.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
        transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)

    theirs()
    found = seconds(ours) / seconds(theirs)
    registry.close()
    return found


def generation(runner: Runner) -> tuple[float, float, int]:
    """Tokens a second of a request, of `generate`, and how many of the texts are the same."""
    ours, theirs, written, generated, same = 0.0, 0.0, 0, 0, 0
    asked = {"mode": "plain", "temperature": 0.0, "repetition_penalty": 1.0, "max_new_tokens": TOKENS}
    asked["model"] = WRITER
    with runner.registry.lease(WRITER) as model:
        network: Any = model.network
        tokenizer: Any = model.tokenizer
        for prompt in PROMPTS:
            begun = time.perf_counter()
            result = runner.call(TASKS["text_generation"], {**asked, "prompt": prompt}).result
            ours += time.perf_counter() - begun
            written += result.generated_tokens
            given = tokenizer(prompt, return_tensors="pt")
            begun = time.perf_counter()
            with torch.inference_mode():
                ids = network.generate(**given, max_new_tokens=TOKENS, do_sample=False, pad_token_id=0)
            theirs += time.perf_counter() - begun
            new = ids[0, given["input_ids"].shape[1] :]
            generated += len(new)
            same += tokenizer.decode(new, skip_special_tokens=True) == result.text
    return written / ours, generated / theirs, same


def rows(runner: Runner) -> tuple[float, float]:
    """Rows a second of a file, and of one request after another."""
    task = TASKS["text_classification"]
    texts = [
        f"The {what} in room {number} was {how}."
        for number in range(ROWS // 4)
        for what in ("bed", "view")
        for how in ("fine", "cold and dark")
    ]
    with tempfile.TemporaryDirectory() as place:
        source, target = Path(place, "rows.jsonl"), Path(place, "answers.jsonl")
        source.write_text("\n".join(json.dumps({"text": text}) for text in texts), "utf-8")
        given: dict[str, Any] = {"text": ("text", str)}
        together = seconds(lambda: [*batch.run(runner, task, {}, given, source, target, lambda answer: [])])
    alone = seconds(lambda: [runner.call(task, {"text": text}) for text in texts])
    return len(texts) / together, len(texts) / alone


def main(rounds: int) -> None:
    for id in LOADED:
        ratio = median(loading(id) for _ in range(rounds))
        print(f"{id} from the cache: {ratio:.2f} times as long as from_pretrained", flush=True)
    registry = Registry(load_catalog(), Settings(cache_dir=default_cache_dir(), device="cpu"))
    runner = Runner(registry, "embedded")
    generation(runner)
    found = [generation(runner) for _ in range(rounds)]
    ours, theirs, same = (median(one) for one in zip(*found, strict=True))
    ratio = median(one / other for one, other, _ in found)
    print(f"{WRITER}: {ours:.1f} tokens a second, {theirs:.1f} of generate: {ratio:.2f} times as many,")
    print(f"  {same:.0f} of {len(PROMPTS)} greedy texts the same", flush=True)
    rows(runner)
    pairs = [rows(runner) for _ in range(rounds)]
    together, alone = (median(one) for one in zip(*pairs, strict=True))
    ratio = median(one / other for one, other in pairs)
    print(f"a file: {together:.0f} rows a second, one by one {alone:.0f}: {ratio:.2f} times as many")
    registry.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
