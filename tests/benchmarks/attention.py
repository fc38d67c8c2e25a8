"""The attention page against bertviz's views of the very same attentions, in Chromium, in one run.

    python -m tests.benchmarks.attention [tokens ...]

Each side has a Chromium of its own, and a step ends with the animation frame after its drawing is in the
page, so that style, layout and paint count. A step over a limit is ended and reported as such: `SECONDS`, or
`MEMORY` of what runs it. bertviz's pages (all weights are in them) are written to files and served from here;
the scripts that they want from a CDN come out of npm's packages. Exits 1 if our own page at 512 tokens misses
what `TARGETS` say.

bertviz writes all its data into a page twice, the second time as a comment. That one is cut out in its
favour: Chromium runs no script of more than 512 MB, which at 512 tokens it would be otherwise.

Not the same are: our lines are those of one head with at least 5 % of a token's weight, bertviz's are those
of all heads; our model view is a patch of pixels for each head, bertviz's has a line for each weight.
"""

from __future__ import annotations

import importlib
import itertools
import json
import platform
import re
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

import numpy as np
import psutil
from playwright.sync_api import Error, Page, Playwright, Request, Route, sync_playwright

from tests.browser.tour import CHROMIUM, FLAGS
from tests.server import running_app

MODEL = "all-MiniLM-L6-v2"
LAYERS, HEADS = 6, 12
SIZES = (64, 128, 512)  # tokens
ROUNDS = 3  # pages opened for each view; medians are over all their changes
ENOUGH = 30  # seconds, after which a step is not repeated
SECONDS = 60
MEMORY = 4e9  # bytes of resident memory
MAKER_SECONDS = 120  # of the process that writes bertviz's pages, so that a browser gets to see them
MAKER_MEMORY = 8e9

# Each of its words is one token of the model.
TEXT = (
    "the old man went down to the river with his dog because he had lost his way in the dark and there was "
    "nobody who could tell him where the road was . when it was day again he saw a small house near the "
    "water and a woman who stood at the interface . she gave him bread and he told her what had happened . "
)

# What bertviz loads, and where npm's packages have it; they have no earlier jquery 2.
SCRIPTS = {
    "https://cdnjs.cloudflare.com/ajax/libs/require.js/2.3.6/require.min.js": (
        "requirejs@2.3.6",
        "require.js",
    ),
    "https://cdnjs.cloudflare.com/ajax/libs/d3/5.7.0/d3.min.js": ("d3@5.7.0", "dist/d3.min.js"),
    "https://cdnjs.cloudflare.com/ajax/libs/jquery/2.0.0/jquery.min.js": (
        "jquery@2.1.0",
        "dist/jquery.min.js",
    ),
}

# Resolves with the milliseconds since `since` at the frame after the one that found it drawn.
DRAWN = """window.drawn = (is, since = 0) => new Promise((resolve, reject) => {
  const look = () => {
    if (window.failed) reject(new Error(window.failed));
    else requestAnimationFrame(is() ? () => resolve(performance.now() - since) : look);
  };
  requestAnimationFrame(look);
})"""
# What does not load or run would be waited for in vain.
FAILING = """addEventListener("error", event => {
  window.failed ??= event.message || `${event.target.src} did not load`;
}, true);
addEventListener("load", () => {
  if (!window.requirejs?.s.contexts._.config.paths.d3) window.failed ??= "script not run";
})"""

OURS_OPENED = """() => drawn(() => {
  const stage = document.querySelector("[data-part=stage]");
  return stage?.dataset.drawn && stage.getAttribute("aria-busy") === "false";
})"""
OURS_CHANGED = """([part, value, event]) => {
  const control = document.querySelector(`[data-part=${part}]`);
  const stage = document.querySelector("[data-part=stage]"), before = stage.dataset.drawn;
  const began = performance.now();
  control.value = value;
  control.dispatchEvent(new Event(event, { bubbles: true }));
  return drawn(() => stage.dataset.drawn !== before, began);
}"""

# The last that bertviz draws of a page, all in one go: a box for each head; the group of the last head.
HEAD_VIEW_OPENED = """([layers, heads, tokens]) => drawn(() =>
  document.querySelectorAll("#vis > svg > g:last-child > rect").length === heads)"""
MODEL_VIEW_OPENED = """([layers, heads, tokens]) => drawn(() => {
  const last = document.getElementById(`attn_background_${layers - 1}_${heads - 1}`);
  return last?.parentNode.childElementCount === tokens + 2;
})"""
HEAD_VIEW_LAYER = """layer => {
  const select = document.getElementById("layer"), before = document.querySelector("#vis > svg");
  const began = performance.now();
  select.value = layer;
  select.dispatchEvent(new Event("change", { bubbles: true }));
  return drawn(() => document.querySelector("#vis > svg") !== before, began);
}"""
# A double click on a head's box shows it alone, or all again if it was.
HEAD_VIEW_HEAD = """head => {
  const box = document.querySelector("#vis > svg").lastElementChild.children[head];
  const began = performance.now();
  box.dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
  return drawn(() => true, began);
}"""
LINES = "() => document.getElementsByTagName('line').length"


class OverLimitError(Exception):
    """A step that did not end; says at which limit."""


class StoppedError(Exception):
    """A step failed, which the figures say; the next ones need what it left undone."""


@dataclass
class Figures:
    """What one side took, by the name of the row; a text says why there is no figure."""

    taken: dict[str, list[float]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def add(self, row: str, *values: float) -> None:
        self.taken.setdefault(row, []).extend(values)

    def stop(self, row: str, why: str) -> None:
        """Here, and so before what follows of the same view."""
        view = row.split(":")[0]
        later = (other for other in ROWS if other.startswith(view) and other not in self.taken)
        self.missing |= {**dict.fromkeys(later, "not reached"), row: why}

    def of(self, row: str) -> float | str:
        """The median; of memory and bytes, the greatest."""
        if row in self.missing or row not in self.taken:
            return self.missing.get(row, "")
        return (median if ROWS[row] == "ms" else max)(self.taken[row])


# bertviz's views, by ours.
NAMES = {"head_view": "lines", "model_view": "model view"}
# Each row's unit.
ROWS = {
    "lines: open": "ms",
    "matrix: open": "ms",
    "lines: another layer": "ms",
    "lines: another head": "ms",
    "matrix: another layer": "ms",
    "matrix: another head": "ms",
    "model view: open": "ms",
    "lines: bytes that travel": "MB",
    "matrix: bytes that travel": "MB",
    "model view: bytes that travel": "MB",
    "lines: JS heap": "MB",
    "lines: memory of the renderer": "MB",
    "matrix: JS heap": "MB",
    "matrix: memory of the renderer": "MB",
    "model view: JS heap": "MB",
    "model view: memory of the renderer": "MB",
}
TARGETS = {
    row: most
    for part, most in (("another", 300), ("model view: open", 2000), ("heap", 500), ("memory", 500))
    for row in ROWS
    if part in row
}


@contextmanager
def limited(
    victim: Callable[[], psutil.Process], seconds: float = SECONDS, memory: float = MEMORY
) -> Iterator[None]:
    """Ends the process if the block takes too long or the process too much; then raises `OverLimitError`."""
    broken: list[str] = []
    over = threading.Event()
    deadline = time.monotonic() + seconds

    def watch() -> None:
        while not over.wait(0.5):
            with suppress(psutil.Error):
                process = victim()
                used = process.memory_info().rss
                if time.monotonic() > deadline:
                    broken.append(f"> {seconds} s ({used / 1e9:.1f} GB)")
                elif used > memory:
                    broken.append(f"> {memory / 1e9:.0f} GB")
                if broken:
                    process.kill()
                    return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    except Exception as error:
        if broken or "crashed" in str(error):
            raise OverLimitError(broken[0] if broken else "crashed") from error
        raise
    finally:
        over.set()
        watcher.join()
    if broken:
        raise OverLimitError(broken[0])


def renderer() -> psutil.Process:
    """The page's: of those that Chromium has, the largest."""
    found = [
        child
        for child in psutil.Process().children(recursive=True)
        if "--type=renderer" in " ".join(child.cmdline())
    ]
    if not found:
        raise psutil.NoSuchProcess(0)
    return max(found, key=lambda process: process.memory_info().rss)


@contextmanager
def chromium(playwright: Playwright) -> Iterator[Callable[[], Page]]:
    """Opens one page after another; the last one is closed when the next comes."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    pages: list[Page] = []

    def opened() -> Page:
        if pages:
            pages.pop().close()
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(DRAWN)
        pages.append(page)
        return page

    try:
        yield opened
    finally:
        browser.close()


def measure(figures: Figures, row: str, *steps: Callable[[], float]) -> None:
    """What each of the steps says; the last ones are left out if the others took long."""
    began = time.monotonic()
    for step in steps:
        try:
            with limited(renderer):
                figures.add(row, step())
        except (OverLimitError, Error) as error:
            figures.stop(row, str(error).splitlines()[0])
            raise StoppedError from error
        if time.monotonic() - began > ENOUGH:
            return


def open_page(page: Page, url: str, script: str, *words: object) -> float:
    page.goto(url, wait_until="commit")
    took: float = page.evaluate(script, words)
    return took


def measure_memory(figures: Figures, view: str, page: Page) -> None:
    """JS heap, and the memory that is the renderer's alone (USS)."""
    session = page.context.new_cdp_session(page)

    def heap() -> float:
        session.send("Performance.enable")
        metrics = session.send("Performance.getMetrics")["metrics"]
        used: float = next(metric["value"] for metric in metrics if metric["name"] == "JSHeapUsedSize")
        return used / 1e6

    measure(figures, f"{view}: JS heap", heap)
    measure(figures, f"{view}: memory of the renderer", lambda: renderer().memory_full_info().uss / 1e6)


# Our page


def ours(playwright: Playwright, url: str, text: str) -> Figures:
    """Of a look that the app has kept: bertviz's pages come with their attentions too."""
    figures = Figures()
    query = {"text": text, "model": MODEL, "run": 1, "layer": 0, "head": 0}
    with chromium(playwright) as opened, suppress(StoppedError):
        for _, view in itertools.product(range(ROUNDS), ("lines", "matrix")):
            page = opened()
            requests = recorded(page)
            address = f"{url}/attention?{urlencode({**query, 'view': view})}"
            measure(figures, f"{view}: open", partial(open_page, page, address, OURS_OPENED))
            layers = (partial(changed, page, "layer", layer) for layer in range(1, LAYERS))
            measure(figures, f"{view}: another layer", *layers)
            heads = (partial(changed, page, "head", head, "change") for head in range(1, HEADS))
            measure(figures, f"{view}: another head", *heads)
            measure_memory(figures, view, page)
            take_bytes(figures, view, requests, "/layer?")
            if view == "matrix":
                measure(figures, "model view: open", partial(changed, page, "heads", "", "click"))
                measure_memory(figures, "model view", page)
                take_bytes(figures, "model view", requests, "/thumbnails?")
    return figures


def recorded(page: Page) -> list[Request]:
    requests: list[Request] = []
    page.on("requestfinished", lambda request: requests.append(request))
    return requests


def take_bytes(figures: Figures, view: str, requests: Sequence[Request], part: str) -> None:
    """Of one request, headers aside, as they travel."""
    sizes = (request.sizes()["responseBodySize"] for request in requests if part in request.url)
    figures.add(f"{view}: bytes that travel", *(size / 1e6 for size in sizes))


def changed(page: Page, part: str, value: object, event: str = "input") -> float:
    """Milliseconds; no layer is asked for twice in a page, so that each one travels."""
    took: float = page.evaluate(OURS_CHANGED, [part, str(value), event])
    return took


# bertviz


def attentions(url: str, text: str) -> tuple[np.ndarray, list[str]]:
    """[layers, heads, tokens, tokens] and the tokens, as our own page has them."""
    body = json.dumps({"text": text, "text_pair": "", "model": MODEL}).encode()
    asked = urllib.request.Request(f"{url}/data/attention/view", body, {"Content-Type": "application/json"})
    look = json.loads(fetched(asked))
    layers = [
        np.load(BytesIO(fetched(f"{url}/data/attention/{look['key']}/encoder/weights.npy?layer={layer}")))
        for layer in range(LAYERS)
    ]
    return np.stack(layers), [piece["text"] for piece in look["stacks"][0]["rows"]]


def fetched(what: str | urllib.request.Request) -> bytes:
    with urllib.request.urlopen(what, timeout=SECONDS) as response:
        content: bytes = response.read()
    return content


def make(folder: Path) -> None:
    """bertviz's two pages of `attentions.npy` and `tokens.json`; each appears once it is whole."""
    import torch

    bertviz = importlib.import_module("bertviz")  # in an environment of its own
    weights = [torch.from_numpy(layer)[None] for layer in np.load(folder / "attentions.npy")]
    tokens = json.loads((folder / "tokens.json").read_text("utf-8"))
    for view in ("head_view", "model_view"):
        page = getattr(bertviz, view)(weights, tokens, html_action="return")
        (folder / "page").write_text("".join(re.split(r" // HACK: .*", page.data)), "utf-8")
        (folder / "page").rename(folder / f"{view}.html")


def bertviz(playwright: Playwright, folder: Path, tokens: int, scripts: Mapping[str, bytes]) -> Figures:
    """Of the attentions in `folder`."""
    figures = Figures()
    command = [sys.executable, "-m", "tests.benchmarks.attention", "--make", str(folder)]
    unmade = ""
    maker = subprocess.Popen(command)
    try:
        with limited(partial(psutil.Process, maker.pid), MAKER_SECONDS, MAKER_MEMORY):
            maker.wait()
        if maker.returncode:
            unmade = "not made"
    except OverLimitError as over:
        unmade = f"made: {over}"
    with served(folder) as url:
        for view, row in NAMES.items():
            page = folder / f"{view}.html"
            if page.exists():
                figures.add(f"{row}: bytes that travel", page.stat().st_size / 1e6)
                with chromium(playwright) as opened, suppress(StoppedError):
                    visit(figures, view, partial(reading, opened, scripts), f"{url}/{view}.html", tokens)
            else:
                figures.stop(f"{row}: bytes that travel", unmade)
    return figures


def reading(opened: Callable[[], Page], scripts: Mapping[str, bytes]) -> Page:
    """A page that gets its scripts from here."""

    def fulfil(route: Route) -> None:
        route.fulfill(body=scripts[route.request.url], content_type="text/javascript")

    page = opened()
    page.add_init_script(FAILING)
    page.route(lambda url: url in scripts, fulfil)
    return page


def visit(figures: Figures, view: str, opened: Callable[[], Page], url: str, tokens: int) -> None:
    began = time.monotonic()
    while len(figures.taken.get(f"{NAMES[view]}: open", ())) < ROUNDS:
        page = opened()
        script = HEAD_VIEW_OPENED if view == "head_view" else MODEL_VIEW_OPENED
        opening = partial(open_page, page, url, script, LAYERS, HEADS, tokens)
        measure(figures, f"{NAMES[view]}: open", opening)
        if view == "head_view":
            layers = (partial(page.evaluate, HEAD_VIEW_LAYER, str(layer)) for layer in range(1, LAYERS))
            measure(figures, "lines: another layer", *layers)
            heads = (partial(page.evaluate, HEAD_VIEW_HEAD, head) for head in range(1, HEADS))
            measure(figures, "lines: another head", *heads)
        measure_memory(figures, NAMES[view], page)
        wanted = HEADS * tokens**2 * (1 if view == "head_view" else LAYERS)
        assert page.evaluate(LINES) == wanted, "bertviz did not draw a line for each weight"
        if time.monotonic() - began > ENOUGH:
            return


@contextmanager
def served(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *words: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def npm_scripts() -> dict[str, bytes]:
    """By the addresses that bertviz's pages know."""
    with tempfile.TemporaryDirectory() as temporary:
        packages = [package for package, _ in SCRIPTS.values()]
        subprocess.run(
            ["npm", "pack", *packages, "--pack-destination", temporary],
            check=True,
            capture_output=True,
            timeout=SECONDS,
        )

        def script(package: str, path: str) -> bytes:
            with tarfile.open(Path(temporary) / f"{package.replace('@', '-')}.tgz") as packed:
                file = packed.extractfile(f"package/{path}")
                assert file
                return file.read()

        return {address: script(*where) for address, where in SCRIPTS.items()}


# Both


def main(sizes: Sequence[int]) -> int:
    scripts = npm_scripts()
    missed: list[str] = []
    version = metadata.version("bertviz")
    print(f"{processor()}; {MODEL}, {LAYERS} layers of {HEADS} heads; bertviz {version}")
    with running_app() as url, sync_playwright() as playwright:
        for size in sizes:
            text = " ".join((TEXT * 10).split()[: size - 2])  # and two special tokens
            with tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary)
                weights, tokens = attentions(url, text)
                assert weights.shape == (LAYERS, HEADS, size, size)
                np.save(folder / "attentions.npy", weights)
                (folder / "tokens.json").write_text(json.dumps(tokens), "utf-8")
                mine = ours(playwright, url, text)
                theirs = bertviz(playwright, folder, size, scripts)
            table(size, mine, theirs)
            if size == max(SIZES):
                missed = [row for row, most in TARGETS.items() if not meets(mine.of(row), most)]
    for row in missed:
        print(f"missed at {max(SIZES)} tokens: {row}, at most {TARGETS[row]} {ROWS[row]} wanted")
    return bool(missed)


def meets(value: float | str, most: float) -> bool:
    return not isinstance(value, str) and value <= most


def table(size: int, mine: Figures, theirs: Figures) -> None:
    print(f"\n{f'{size} tokens':36} {'ours':>10} {'bertviz':>18} {'ratio':>8}", flush=True)
    for row, unit in ROWS.items():
        our, their = mine.of(row), theirs.of(row)
        ratio = "" if isinstance(our, str) or isinstance(their, str) else f"{their / our:.1f}"
        print(f"{f'{row}, {unit}':36} {shown(our):>10} {shown(their):>18} {ratio:>8}", flush=True)


def shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.{0 if value >= 100 else 1 if value >= 1 else 3}f}"


def processor() -> str:
    """With the number of its cores that are ours."""
    names = [platform.processor() or platform.machine()]
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")] or names
    return f"{names[0]}, {psutil.cpu_count()} cores"


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--make", folder]:
            make(Path(folder))
        case words:
            sys.exit(main([int(word) for word in words] or SIZES))
