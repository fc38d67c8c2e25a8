"""Many visitors on one model: requests over HTTP against the bare network and a plain Gradio app.

    python -m tests.benchmarks.visitors [rounds]

In each round every side has its turn, so that whatever else the host does falls on all; the figures are
medians of the rounds. The last lines say what was wanted.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from statistics import median
from urllib.parse import urlsplit

import torch

from components.models.catalog import load_catalog
from components.models.checkpoint import LoadedModel
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir
from components.tasks import network
from tests.server import clean_environment, free_port, running, running_app

CALLERS = 32
REQUESTS = 256
WRITERS = 8
TOKENS = 24
TEXTS = [f"The staff were kind, number {number}, and the view was wonderful." for number in range(REQUESTS)]
LONG = " ".join(f"On day {day} the staff were kind and the room was clean." for day in range(2000))
PLAIN = """
import sys
import gradio as gr
import torch
from components.models.catalog import load_catalog
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir

registry = Registry(load_catalog(), Settings(cache_dir=default_cache_dir()))
with registry.lease("sentiment") as model:
    def classify(text):
        with torch.inference_mode():
            logits = model.network(**model.tokenizer(text, return_tensors="pt")).logits[0]
        return dict(zip(model.network.config.id2label.values(), logits.softmax(0).tolist()))

    demo = gr.Interface(classify, "text", "json", api_name="classify")
    demo.launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), ssr_mode=False, quiet=True)
"""


class Caller:
    """One connection that is kept open."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._connection = HTTPConnection(str(address.hostname), address.port, timeout=300)

    def post(self, path: str, payload: object) -> bytes:
        body = json.dumps(payload).encode()
        self._connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        found = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}: {found[:200]!r}")
        return found

    def get(self, path: str) -> bytes:
        self._connection.request("GET", path)
        return self._connection.getresponse().read()


def per_second(ask: Callable[[int], Callable[[str], object]]) -> float:
    """Requests per second of all callers together; `ask(n)` makes the n-th caller."""
    texts = iter(TEXTS)
    guard = threading.Lock()

    def work(number: int) -> None:
        call = ask(number)
        while True:
            with guard:
                text = next(texts, None)
            if text is None:
                return
            call(text)

    started = time.perf_counter()
    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(work, range(CALLERS)))
    return REQUESTS / (time.perf_counter() - started)


def bare(model: LoadedModel) -> float:
    """Texts per second of the network alone, in batches."""
    started = time.perf_counter()
    encoded = model.tokenizer(TEXTS)
    rows = [network.Row(row={name: encoded[name][place] for name in encoded}) for place in range(len(TEXTS))]
    for _ in network.forward(model, rows, "", network.logits):
        pass
    return REQUESTS / (time.perf_counter() - started)


def over_v1(url: str) -> Callable[[int], Callable[[str], object]]:
    def caller(_: int) -> Callable[[str], object]:
        connection = Caller(url)
        return lambda text: connection.post("/v1/text_classification", {"text": text})

    return caller


def over_gradio(url: str) -> Callable[[int], Callable[[str], object]]:
    """Gradio's own way: an event is asked for, and its answer streamed."""

    def caller(_: int) -> Callable[[str], object]:
        connection = Caller(url)

        def call(text: str) -> bytes:
            event = json.loads(connection.post("/gradio_api/call/classify", {"data": [text]}))["event_id"]
            return connection.get(f"/gradio_api/call/classify/{event}")

        return call

    return caller


def milliseconds(call: Callable[[], object], times: int = 10) -> float:
    found = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        found.append(1000 * (time.perf_counter() - started))
    return median(found)


@contextmanager
def long_texts(url: str) -> Iterator[None]:
    """Three visitors who classify a long text over and over."""
    stopped = threading.Event()

    def work() -> None:
        connection = Caller(url)
        while not stopped.is_set():
            connection.post("/v1/text_classification", {"text": LONG})

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(1)  # until all are under way
    yield
    stopped.set()
    for thread in threads:
        thread.join()


def tokens_per_second(url: str, writers: int) -> float:
    def write(number: int) -> None:
        payload = {"prompt": f"Story {number}:", "max_new_tokens": TOKENS, "seed": number}
        Caller(url).post("/v1/text_generation", payload)

    started = time.perf_counter()
    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, range(writers)))
    return writers * TOKENS / (time.perf_counter() - started)


def main(rounds: int) -> None:
    found: dict[str, list[float]] = {
        name: [] for name in ("bare", "v1", "gradio", "alone", "beside", "one", "several")
    }
    registry = Registry(load_catalog(), Settings(cache_dir=default_cache_dir()))
    port = free_port()
    plain = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-c", PLAIN, str(port)]
    with (
        registry.lease("sentiment") as model,
        torch.inference_mode(),
        running_app() as url,
        running(command, f"{plain}/config", clean_environment()),
    ):
        caller = Caller(url)
        for path, payload in (
            ("/v1/text_classification", {"text": "warm"}),
            ("/v1/text_generation", {"prompt": "warm", "max_new_tokens": 1}),
        ):
            caller.post(path, payload)
        short = lambda: caller.post("/v1/text_classification", {"text": TEXTS[0]})  # noqa: E731
        for _ in range(rounds):
            found["bare"].append(bare(model))
            found["v1"].append(per_second(over_v1(url)))
            found["gradio"].append(per_second(over_gradio(plain)))
            found["alone"].append(milliseconds(short))
            with long_texts(url):
                found["beside"].append(milliseconds(short))
            found["one"].append(tokens_per_second(url, 1))
            found["several"].append(tokens_per_second(url, WRITERS))
    registry.close()
    middle = {name: median(values) for name, values in found.items()}
    print(f"classification, {CALLERS} callers, requests per second; medians of {rounds}")
    print(f"  bare network, batched    {middle['bare']:7.1f}")
    print(
        f"  /v1                      {middle['v1']:7.1f}   of the bare network {_ratio(found, 'v1', 'bare')}"
    )
    print(f"  plain gr.Interface       {middle['gradio']:7.1f}   /v1 over it {_ratio(found, 'v1', 'gradio')}")
    print(f"a short text, milliseconds: alone {middle['alone']:.0f}, beside three long texts")
    print(f"  {middle['beside']:.0f}: {_ratio(found, 'beside', 'alone')} times as long, at most 2 wanted")
    print(f"generation, tokens per second: one visitor {middle['one']:.1f}, {WRITERS} visitors together")
    print(f"  {middle['several']:.1f}: {_ratio(found, 'several', 'one')} times as many, at least 3 wanted")


def _ratio(found: dict[str, list[float]], ours: str, theirs: str) -> str:
    """The median of the rounds' ratios: both sides of each were measured under the same load."""
    return f"{median(a / b for a, b in zip(found[ours], found[theirs], strict=True)):.2f}"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
