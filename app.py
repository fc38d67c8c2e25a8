"""Transformers Tour: `python app.py` serves it; `python app.py --help` lists what else it does."""

from __future__ import annotations

import argparse
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from inspect import signature
from pathlib import Path
from time import perf_counter, sleep
from types import FrameType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from components.address import Published, root_path_of
from components.lab.intake import LARGEST
from components.lab.lab import Lab
from components.models import devices, disk
from components.models.catalog import load_catalog
from components.models.errors import TourError
from components.models.registry import Registry
from components.models.settings import PROFILES, Profile, Settings, default_cache_dir
from components.serving import space, stubs, zerogpu
from components.tasks.runner import TIME_LIMIT, Runner
from components.temporary import TemporaryFiles

if TYPE_CHECKING:
    import gradio as gr
    from starlette.types import ASGIApp

    from components.serving.guards import Limits

ANYWHERE, LOCALLY = "0.0.0.0", "127.0.0.1"  # noqa: S104 (for Spaces, or where a flag asks for it)
WAITING = 256  # calls in Gradio's queue, of all visitors
UPLOADS = 3_000_000_000  # bytes of what visitors sent or can download, together
UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


@dataclass(frozen=True, kw_only=True)
class App:
    """One instance: nothing in it is shared with another one in the same process."""

    blocks: gr.Blocks
    registry: Registry
    runner: Runner
    lab: Lab
    files: TemporaryFiles
    launch_options: Mapping[str, Any]

    def start(self, host: str, port: int, *, share: bool = False) -> str:
        """Serves in the background; returns the address, the shared one if there is one.

        Gradio gives a server five seconds to come up and takes a slower one for a port in use.
        """
        import uvicorn.config

        # Gradio takes no options for uvicorn. Which proxies are believed is `Forwarded`'s to decide.
        uvicorn.config.HTTP_PROTOCOLS["auto"] = "components.serving.protocol:PunctualProtocol"
        os.environ["FORWARDED_ALLOW_IPS"] = ""
        for patience in (1, 2, 4, None):
            try:
                _, address, shared = self.blocks.launch(
                    server_name=host, server_port=port, share=share, **self.launch_options
                )
            except OSError:
                if patience is None or unusable(host, port):
                    raise
                sleep(patience)
            else:
                return shared or address
        raise AssertionError("the last try returns or raises")

    def asgi(self) -> ASGIApp:
        """The same app for a server of one's own, such as uvicorn."""
        import gradio as gr
        from fastapi import FastAPI

        @asynccontextmanager
        async def lifespan(_: object) -> AsyncIterator[None]:
            yield
            self.close()

        self.blocks.state_session_capacity = self.launch_options["state_session_capacity"]
        known = signature(gr.mount_gradio_app).parameters
        options = {name: value for name, value in self.launch_options.items() if name in known}
        return gr.mount_gradio_app(FastAPI(lifespan=lifespan), self.blocks, path="/", **options)

    def close(self) -> None:
        self.blocks.close(verbose=False)
        self.files.close()
        self.lab.close()
        self.registry.close()


def build_app(
    settings: Settings,
    published: Published,
    frame_ancestors: str = "*",
    *,
    time_limit: float = TIME_LIMIT,
    answer_room: int = 0,
    prefetch: bool = True,
    compatible: bool = True,
    limits: Limits | None = None,
    runner_class: type[Runner] = Runner,
) -> App:
    """`published` is where visitors reach the app; `frame_ancestors` is CSP's list of who may embed it;
    `time_limit` is how many seconds a request may take; `answer_room` how many bytes of answers are kept;
    `prefetch` says whether embedded weights are fetched before anybody asks; `compatible` whether OpenAI's
    and the Hub's clients are answered; `limits` says who may ask, and how often; `runner_class` where models
    are run.
    """
    _prepare_environment()
    gpu = zerogpu.decorator() if zerogpu.asked_for() else None
    import anyio
    import gradio.utils

    import demos
    from components.serving import endpoints, memory, v1
    from components.serving.guards import Limits
    from components.serving.inference import Inference
    from components.serving.listeners import Listeners
    from components.serving.mcp import McpServer
    from components.serving.middleware import middleware
    from components.serving.modules import embed_script, modules, styles
    from components.serving.search import index
    from components.serving.sessions import spare
    from components.serving.shell import Site, pictures
    from components.serving.uploads import uploads
    from components.ui.chrome import PICTURES, appearance

    # Where matplotlib is installed, Gradio would import it for its first event, on the event loop, where
    # everybody waits half a second for it. Nothing here is drawn with it.
    gradio.utils.MatplotlibBackendMananger = nullcontext  # type: ignore[assignment,misc]
    if gpu is not None:
        settings = replace(settings, device="cpu")  # what is not placed runs in the app's process
    registry = Registry(load_catalog(), settings)
    execute = None if gpu is None else zerogpu.ZeroGpu(registry, _to_place(registry, settings.profile), gpu)
    runner = runner_class(
        registry, settings.profile, execute=execute, time_limit=time_limit, answer_room=answer_room
    )
    lab = Lab(registry, settings)
    inference = Inference(runner)
    limits = limits or Limits()
    mcp = McpServer(demos.OPERATIONS, registry.catalog, inference, limits.hosts)
    files = TemporaryFiles(
        Path(gradio.utils.get_upload_folder()) / "transformers-tour", budget=UPLOADS, each=UPLOADS // 3
    )
    blocks = demos.build(
        registry,
        runner,
        lab,
        published,
        files,
        most_waiting=WAITING,
        register=partial(endpoints.register, tasks=demos.OPERATIONS, runner=runner),
    )
    for block in blocks.blocks.values():
        block.GRADIO_CACHE = str(files.folder)
    site = Site(
        pages=demos.surroundings(blocks),
        documents=demos.documents(),
        lost=demos.lost(),
        asides=demos.guided(),
    )
    # On a Space Gradio would add the Hub's header to pages opened outside it, and for that ask other sites.
    blocks.space_id = None
    listeners = Listeners(lambda: blocks._queue)

    @asynccontextmanager
    async def lifespan(gradio_app: object) -> AsyncIterator[None]:
        spare(gradio_app)
        threading.Thread(target=lab.recover, name="lab recovery", daemon=True).start()
        if prefetch:
            registry.prefetch()
        async with mcp.run(), anyio.create_task_group() as tasks:
            tasks.start_soon(listeners.dismiss)
            tasks.start_soon(memory.give_back)
            yield
            tasks.cancel_scope.cancel()

    return App(
        blocks=blocks,
        registry=registry,
        runner=runner,
        lab=lab,
        files=files,
        launch_options={
            **appearance(),
            "app_kwargs": {
                "routes": [
                    index(partial(demos.found, registry.catalog)),
                    *v1.routes(
                        demos.OPERATIONS, registry, inference, runner.tokenizers, compatible=compatible
                    ),
                    *mcp.routes,
                    pictures(PICTURES),
                    modules(),
                    styles(),
                    embed_script(),
                    uploads(files, LARGEST),
                ],
                "middleware": middleware(site, published, listeners, limits, frame_ancestors),
                "lifespan": lifespan,
            },
            "footer_links": [],  # Gradio's own API page knows nothing of the endpoints; ours is at /api
            "mcp_server": False,  # components/serving/mcp.py is at its address
            "show_error": False,  # messages of unforeseen errors are for the log
            "enable_monitoring": False,
            "run_history": False,  # what visitors type is not kept
            "state_session_capacity": 300,  # each kept session is half a megabyte
            "ssr_mode": False,
            "root_path": published.url or published.root_path,
            "inbrowser": False,
            "quiet": True,
            # Gradio would ask for its home page and end the start where a busy host takes three seconds.
            "_frontend": False,
            "prevent_thread_lock": True,
        },
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.space:
        return _space(options, parser)
    settings = _settings(options)
    if problem := unwritable(settings.cache_dir):
        print(problem, file=sys.stderr)
        return 1
    if options.check:
        return check(settings)
    if options.examples:
        return write_examples(settings, options.examples)
    return serve(options)


def create_app() -> ASGIApp:
    """For `uvicorn --factory app:create_app`: the app with its defaults, and what the environment sets."""
    options = _parser().parse_args([])
    return _build(options).asgi()


def serve(options: argparse.Namespace, runner_class: type[Runner] = Runner) -> int:
    """Until Ctrl+C or SIGTERM."""
    host, port = options.host, options.port
    if problem := unusable(host, port):
        print(problem, file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, _interrupt)
    app = _build(options, runner_class)
    try:
        address = app.start(host, port, share=options.share)
        shown = address if options.share else _published(options).address
        print(f"Transformers Tour is at {shown} (stop with Ctrl+C)", flush=True)
        while True:
            threading.Event().wait(3600)  # without a limit, Windows would not see Ctrl+C
    except KeyboardInterrupt:
        print("Stopping.", flush=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)  # whoever asks twice does not want to wait
    finally:
        app.close()
        # The server's threads are daemons, and an interpreter that ends while one is inside torch
        # aborts: the last turn on the device is taken here and never given back.
        app.registry.device_slot().__enter__()
    return 0


def _settings(options: argparse.Namespace) -> Settings:
    return Settings(
        cache_dir=options.cache_dir,
        profile=options.profile,
        models_dir=options.models_dir,
        device=options.device,
        memory_budget=options.memory_budget,
        any_checkpoint=not options.catalog_only,
        visitors_unload=options.visitors_unload,
        hub_cache=space.hub_cache() if space.on_space() else None,
    )


def _build(options: argparse.Namespace, runner_class: type[Runner] = Runner) -> App:
    return build_app(
        _settings(options),
        _published(options),
        options.frame_ancestors,
        time_limit=options.time_limit,
        answer_room=options.answer_cache,
        prefetch=options.prefetch,
        compatible=options.compatible,
        limits=_limits(options),
        runner_class=runner_class,
    )


def _limits(options: argparse.Namespace, environ: Mapping[str, str] = os.environ) -> Limits:
    from components.serving.guards import Limits

    hosts = [one for one in re.split(r"[,\s]+", options.allowed_hosts) if one]
    if (url := _published(options).url) and (name := urlsplit(url).hostname):
        hosts.append(name)
    if options.share:
        hosts.append("*.gradio.live")
    if space.on_space(environ):
        hosts += ["*.hf.space", "huggingface.co"]
    return Limits(
        proxies=options.proxies,
        hosts=hosts,
        requests=options.requests_per_minute,
        uploads=options.uploads_per_minute,
    )


def _published(options: argparse.Namespace) -> Published:
    # Gradio takes a whole address for a root path as well.
    whole = options.root_path if "://" in options.root_path else ""
    url = (options.public_url or whole).rstrip("/") or None
    root_path = root_path_of(options.root_path or url or "")
    return Published(local=_origin(options.host, options.port), root_path=root_path, url=url)


def _to_place(registry: Registry, profile: Profile) -> list[str]:
    """What answers without a choice of the visitor's: the embedded checkpoints and the profile's defaults."""
    import demos

    defaults = [registry.catalog.default(task.name, profile).id for task in demos.TASKS]
    return [*dict.fromkeys([*(one.id for one in registry.catalog if one.embedded), *defaults])]


def check(settings: Settings) -> int:
    """Loads every embedded checkpoint and runs each page's example: a line and a time for each."""
    _prepare_environment()
    import demos

    failures = 0
    with _registry(settings) as registry:
        embedded = [checkpoint.id for checkpoint in registry.catalog if checkpoint.embedded]
        steps = [("load", id, lambda id=id: _load(registry, id)) for id in embedded]
        runner = Runner(registry, "embedded")
        steps += [("run", task.name, lambda task=task: _run(runner, task)) for task in demos.TASKS]
        width = max(len(name) for _, name, _ in steps)
        for kind, name, work in steps:
            started = perf_counter()
            try:
                outcome = f"ok    {work()}"
            except TourError as error:
                outcome = f"FAIL  {error.message}"
                failures += 1
            print(f"{kind:<4}  {name:<{width}}  {perf_counter() - started:7.2f} s  {outcome}", flush=True)
    print("Everything works." if not failures else f"{failures} of {len(steps)} failed.")
    return 1 if failures else 0


def write_examples(settings: Settings, names: Sequence[str]) -> int:
    """Recomputes the stored answers that pages open with: those of some tasks by name, or of all."""
    _prepare_environment()
    import demos
    from components.insight import stored
    from components.insight.anatomy import stored as journeys
    from components.serving import anatomy as of_anatomy
    from components.serving.attention import RECORD
    from demos import anatomy, attention, examples

    with _registry(settings) as registry:
        runner = Runner(registry, "embedded")
        chosen = [one for one in demos.OPERATIONS if one.name in names or "all" in names]
        examples.write(chosen, runner)
        if RECORD.name in names or "all" in names:
            stored.save(stored.OPENING, attention.OPENING, runner.call(RECORD, attention.OPENING))
        if of_anatomy.RECORD.name in names or "all" in names:
            record = runner.call(of_anatomy.RECORD, anatomy.OPENING)
            journeys.save(journeys.OPENING, anatomy.OPENING, record)
    return 0


@contextmanager
def _registry(settings: Settings) -> Iterator[Registry]:
    registry = Registry(load_catalog(), settings)
    try:
        yield registry
    finally:
        registry.close()


def _load(registry: Registry, id: str) -> str:
    with registry.lease(id) as model:
        return f"{model.nbytes / 1e6:.0f} MB on {model.device}"


def _run(runner: Runner, task: Any) -> str:
    answer = runner.call(task, task.example)
    return f"{answer.model}, {answer.tokens_used} of {answer.token_limit} tokens"


def _space(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    match options.space:
        case ["write"]:
            space.write()
        case ["check"]:
            if not space.agrees():
                print(
                    "README.md's front matter differs from Spacefile. Run: python app.py --space write",
                    file=sys.stderr,
                )
                return 1
        case ["deploy", repo]:
            return _deploy(repo, options)
        case _:
            parser.error("--space takes write, check, or deploy and the Space's id, as in deploy OWNER/NAME")
    return 0


def _deploy(repo: str, options: argparse.Namespace) -> int:
    contents = space.contents(torch_index=options.torch_index)
    if options.dry_run:
        for path, size in contents.listing():
            print(f"{size:>12,}  {path}")
        print(f"{len(contents.files)} files, {contents.nbytes / 1e6:.1f} MB; nothing was sent to {repo}.")
        return 0
    try:
        print(f"{len(contents.files)} files, {contents.nbytes / 1e6:.1f} MB, to {repo} ...", flush=True)
        print(space.deploy(repo, contents, private=options.private))
    except space.DeployError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _prepare_environment() -> None:
    """What Gradio, OpenMP and the C library look at as they begin."""
    devices.keep_little()
    stubs.leave_alone()
    # Spinning at the end of each parallel region, torch's threads would keep the processor from whatever
    # else runs on the host: beside other work, generation was then two to three times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    # Statistics for the monitoring page, which is off: after each call Gradio would build a table of
    # the last 10,000, and fail to from then on once a session's name in it is no text.
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(10**12)
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
    # Gradio asks its own server whether it is up, which must not go through a company's proxy.
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [*filter(None, os.environ.get(name, "").split(",")), "localhost", "127.0.0.1"]
        os.environ[name] = ",".join(dict.fromkeys(hosts))


def _origin(host: str, port: int, environ: Mapping[str, str] = os.environ) -> str:
    if published := environ.get("SPACE_HOST"):
        return f"https://{published}"
    name = "localhost" if host in (ANYWHERE, "::") else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"


def unusable(host: str, port: int) -> str | None:
    """Why nothing can be served there, in a sentence; None if it can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return f"Cannot serve on {host}, port {port}: {error.strerror}. Choose others with --host and --port."
    return None


def unwritable(cache: Path) -> str | None:
    """Why nothing can be kept in the cache, in a sentence or two; None if it can."""
    parts = [one for name in ("lab", "wheels", "hub") if (one := cache / name).exists()]
    for folder in (cache, *parts):
        if problem := disk.unusable(folder):
            return (
                f"{problem} Models, and what visitors bring, are kept there: choose a folder that can be "
                "written to, with --cache-dir or TOUR_CACHE."
            )
    return None


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _bytes(text: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG]I?B)?", text.strip().upper())
    if not match or not float(match[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no amount of memory; write it like 4GB or 500MB")
    return int(float(match[1]) * UNITS[match[2] or ""])


def _bytes_or_none(text: str) -> int:
    return 0 if text.strip() == "0" else _bytes(text)


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; ports go from 1 to 65535")
    return int(text)


def _whole(text: str) -> int:
    if not (text.isdecimal() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 on")
    return int(text)


def _parser(environ: Mapping[str, str] = os.environ) -> argparse.ArgumentParser:
    on_space = space.on_space(environ)
    parser = argparse.ArgumentParser(prog="app.py", description="Serve Transformers Tour, or look after it.")
    serving = parser.add_argument_group("serving")
    serving.add_argument(
        "--host",
        default=environ.get("HOST")
        or environ.get("GRADIO_SERVER_NAME")
        or (ANYWHERE if on_space else LOCALLY),
        help="address to listen on; HOST sets it too (default: %(default)s)",
    )
    serving.add_argument(
        "--port",
        type=_port,
        default=environ.get("PORT") or environ.get("GRADIO_SERVER_PORT") or "7860",
        help="PORT sets it too (default: %(default)s)",
    )
    serving.add_argument(
        "--root-path",
        default=environ.get("GRADIO_ROOT_PATH", ""),
        metavar="PATH",
        help="path below which a proxy publishes the app, as in /tour; GRADIO_ROOT_PATH sets it too",
    )
    serving.add_argument(
        "--public-url",
        default=environ.get("PUBLIC_URL"),
        metavar="URL",
        help="the app's whole public address, for the calls that pages show, where a proxy does not pass "
        "Host or X-Forwarded-Host on; PUBLIC_URL sets it too",
    )
    serving.add_argument(
        "--share",
        action="store_true",
        help="publish the app through Gradio's tunnel, as notebooks on hosted machines need it",
    )
    serving.add_argument(
        "--proxies",
        default=environ.get("TRUSTED_PROXIES") or ("*" if on_space else ""),
        metavar="LIST",
        help="addresses and networks of proxies whose X-Forwarded headers are believed, with commas between "
        "them, or * for all; TRUSTED_PROXIES sets it too (default: none; on a Space its own)",
    )
    serving.add_argument(
        "--allowed-hosts",
        default=environ.get("ALLOWED_HOSTS", ""),
        metavar="LIST",
        help="domain names that visitors reach the app under, as in tour.example.org,*.example.net, where "
        "no proxy that is named passes them on; addresses, single words and the name in --public-url are "
        "allowed anyway; pages of these may use the MCP server; ALLOWED_HOSTS sets it too",
    )
    serving.add_argument(
        "--requests-per-minute",
        type=_whole,
        default="600",
        metavar="NUMBER",
        help="costly requests of one address, 0 for any number; callers on this host are not counted "
        "(default: %(default)s)",
    )
    serving.add_argument(
        "--uploads-per-minute",
        type=_whole,
        default="60",
        metavar="NUMBER",
        help="files that one address may send, 0 for any number (default: %(default)s)",
    )
    serving.add_argument(
        "--time-limit",
        type=float,
        default=TIME_LIMIT,
        metavar="SECONDS",
        help="how long one request may take, loading its model included (default: %(default).0f)",
    )
    serving.add_argument(
        "--answer-cache",
        type=_bytes_or_none,
        default="64 MB",
        metavar="BYTES",
        help="answers kept for whoever asks the same again, 0 for none (default: %(default)s)",
    )
    serving.add_argument(
        "--frame-ancestors",
        default="*",
        metavar="LIST",
        help="sites that may embed the app, as in Content-Security-Policy (default: %(default)s, any)",
    )
    serving.add_argument(
        "--no-compatible",
        dest="compatible",
        action="store_false",
        help="leave out the addresses in the form of OpenAI's API and of the Hub's inference API",
    )
    models = parser.add_argument_group("models")
    models.add_argument(
        "--profile",
        choices=PROFILES,
        default=space.profile() if on_space else "embedded",
        help="which checkpoints are the defaults (default: %(default)s)",
    )
    models.add_argument(
        "--models-dir", type=Path, metavar="FOLDER", help="checkpoints of your own, a folder each"
    )
    models.add_argument(
        "--cache-dir",
        type=Path,
        default=default_cache_dir(environ),
        metavar="FOLDER",
        help="where weights are kept; TOUR_CACHE sets it too (default: %(default)s)",
    )
    models.add_argument(
        "--no-prefetch",
        dest="prefetch",
        action="store_false",
        help="fetch weights when somebody asks for them, not when the app starts",
    )
    models.add_argument(
        "--catalog-only",
        action="store_true",
        help="visitors cannot name repositories of the Hub that the catalog does not have",
    )
    models.add_argument(
        "--visitors-unload",
        action="store_true",
        help="visitors can take models out of memory on the models page",
    )
    models.add_argument("--device", metavar="NAME", help="cuda, mps or cpu (default: the best there is)")
    models.add_argument(
        "--memory-budget",
        type=_bytes,
        metavar="BYTES",
        help="for models together, like 4GB (default: most of what is free)",
    )
    instead = parser.add_argument_group("instead of serving").add_mutually_exclusive_group()
    instead.add_argument(
        "--check", action="store_true", help="load every embedded checkpoint and run every page once"
    )
    instead.add_argument(
        "--examples",
        nargs="+",
        metavar="TASK",
        help="recompute the stored answers that pages open with, of these tasks or of all",
    )
    instead.add_argument(
        "--space",
        nargs="+",
        metavar=("COMMAND", "OWNER/NAME"),
        help="write or check README's front matter, from Spacefile; deploy makes or updates a Space",
    )
    deploying = parser.add_argument_group("deploying a Space")
    deploying.add_argument("--dry-run", action="store_true", help="list the files, and send nothing")
    deploying.add_argument("--private", action="store_true", help="a new Space is seen by its owner alone")
    deploying.add_argument(
        "--torch-index",
        metavar="URL",
        help="package index with torch's CPU builds, for a Space without a GPU: the usual one brings CUDA",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
