"""The entry point: flags, what is imported by the first page, and plain messages where it cannot start."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import httpx
import pytest
import starlette.requests
from gradio_client import Client

import app
import demos
from components.address import Published
from components.models.registry import Registry
from tests.server import ROOT, clean_environment, free_port, running, running_app


def run(*flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "app.py", *flags],
        cwd=ROOT,
        env={**clean_environment(), **environment},
        capture_output=True,
        text=True,
        timeout=240,
    )


FIRST_PAGE = """
import json, sys, tempfile, pathlib, urllib.request
import app
from components.address import Published
from components.models.settings import Settings
settings = Settings(cache_dir=pathlib.Path(tempfile.mkdtemp()))
running = app.build_app(settings, Published(local="http://127.0.0.1:{port}"), prefetch=False)
address = running.start("127.0.0.1", {port})
for path in ("", "health", "v1/openapi.json"):
    assert urllib.request.urlopen(address + path).status == 200
libraries = ("torch", "transformers", "sentencepiece", "datasets", "plotly")
heavy = [name for name in libraries if name in sys.modules]
print("imported:", heavy)
asked = urllib.request.Request(
    address + "gradio_api/call/v2/fill_mask", b'{{"text": ""}}', {{"Content-Type": "application/json"}}
)
event = json.loads(urllib.request.urlopen(asked).read())["event_id"]
answer = urllib.request.urlopen(address + "gradio_api/call/fill_mask/" + event).read().decode()
assert "event: error" in answer, answer
running.close()
print("imported for an event:", [name for name in ("torch", "matplotlib") if name in sys.modules])
"""


def test_the_first_page_comes_without_torch_transformers_and_plotly() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_PAGE.format(port=free_port())],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert "imported: []" in done.stdout, done.stdout + done.stderr
    assert "imported for an event: []" in done.stdout, done.stdout + done.stderr


def test_any_asgi_server_can_run_it() -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "uvicorn", "--factory", "app:create_app", "--port", str(port)]
    with running(command, f"{url}/health", {**clean_environment(), "GRADIO_ROOT_PATH": "/tour"}):
        with httpx.Client(base_url=url, timeout=60) as client:
            page = client.get("/fill-mask")
            assert page.status_code == 200
            assert "content-security-policy" in page.headers
            assert client.get("/v1/openapi.json").json()["servers"] == [{"url": "/tour"}]
            assert client.get("/v1/nothing").json()["error"]["code"] == "not_found"
            assert client.get("/gradio_api/mcp/schema").json()
        answer = Client(url, verbose=False).predict(
            text="cat", tokenizers=["all-MiniLM-L6-v2"], api_name="/tokenize"
        )
        assert answer["tokenizations"]


def test_gradios_own_command_runs_it() -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {**clean_environment(), "GRADIO_SERVER_PORT": str(port)}
    command = [str(Path(sys.executable).with_name("gradio")), "app.py"]
    with running(command, f"{url}/health", environment, patience=240, with_children=True):
        assert httpx.get(f"{url}/fill-mask", timeout=60).status_code == 200


@pytest.fixture(scope="module")
def strict() -> Iterator[httpx.Client]:
    """An app that waits for nobody, may be embedded by few, on a host whose way to the web is a proxy."""
    nowhere = "http://127.0.0.1:9"
    flags = ("--time-limit", "0.5", "--frame-ancestors", "'self' https://docs.example", "--no-compatible")
    with (
        running_app(*flags, HTTP_PROXY=nowhere, http_proxy=nowhere) as url,
        httpx.Client(base_url=url, timeout=200, trust_env=False) as client,
    ):
        yield client


def test_a_request_ends_at_its_limit(strict: httpx.Client) -> None:
    asked = {"prompt": "Tell a very long story.", "max_new_tokens": 512}
    answer = strict.post("/v1/text_generation", json=asked)
    assert answer.status_code == 504
    error = answer.json()["error"]
    assert error["code"] == "timeout"
    assert "seconds" in error["message"]
    assert all(model["leases"] == 0 for model in strict.get("/v1/models").json()["models"])


@pytest.mark.parametrize("address", ["/v1/chat/completions", "/hf/fill-mask"])
def test_addresses_of_other_apis_can_be_left_out(strict: httpx.Client, address: str) -> None:
    assert strict.post(address, json={}).json()["error"]["code"] == "not_found"


def test_what_a_proxy_or_a_flag_says_is_the_address() -> None:
    def seen(published: Published, scheme: str = "http", **headers: str) -> str:
        return published.seen_by(
            starlette.requests.Request(
                {
                    "type": "http",
                    "scheme": scheme,
                    "server": ("10.0.0.1", 80),
                    "path": "/",
                    "query_string": b"",
                    "headers": [
                        (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
                    ],
                }
            )
        )

    plain, below = Published(local="http://127.0.0.1:7860"), Published(local="http://x", root_path="/tour")
    assert seen(plain, host="tour.example:8080") == "http://tour.example:8080"
    forwarded = {"x_forwarded_host": "a.example, b.example", "x_forwarded_proto": "https,http"}
    assert seen(below, host="internal", **forwarded) == "https://a.example/tour"
    assert seen(plain, host="h", x_forwarded_proto="javascript") == "http://h"
    assert seen(plain, host='h"><script>') == "http://127.0.0.1:7860"
    fixed = Published(local="http://x", root_path="/tour", url="https://fixed.example/tour")
    assert seen(fixed, host="h") == "https://fixed.example/tour"


@pytest.mark.parametrize(
    ("flags", "address", "root_path"),
    [
        ([], "http://127.0.0.1:7860", ""),
        (["--root-path", "tour/"], "http://127.0.0.1:7860/tour", "/tour"),
        (["--public-url", "https://e.example/a/b/"], "https://e.example/a/b", "/a/b"),
        (["--root-path", "https://e.example/tour"], "https://e.example/tour", "/tour"),
    ],
)
def test_flags_say_where_the_app_is_published(flags: list[str], address: str, root_path: str) -> None:
    published = app._published(app._parser({}).parse_args(flags))
    assert (published.address, published.root_path) == (address, root_path)


def test_check_runs_every_checkpoint_and_task(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(app, "_registry", lambda settings: nullcontext(registry))  # what is loaded already
    assert app.main(["--check"]) == 0
    said = capsys.readouterr().out
    embedded = [f"load {one.id}" for one in registry.catalog if one.embedded]
    for line in [*embedded, *(f"run {task.name}" for task in demos.TASKS)]:
        step, name = line.split(" ")
        assert re.search(rf"^{step} +{re.escape(name)} +\d+\.\d\d s  ok ", said, re.MULTILINE), said


def test_check_fails_where_a_checkpoint_cannot_be_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["--check", "--memory-budget", "1MB"]) == 1
    said = capsys.readouterr()
    assert "FAIL" in said.out
    assert "Traceback" not in said.out + said.err


def test_a_port_in_use_is_said_plainly() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("--port", str(port))
    assert done.returncode == 1
    assert str(port) in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("flags", [(), ("--check",)])
@pytest.mark.parametrize("place", ["file", "file/inside", "foreign"])
def test_a_cache_that_cannot_be_written_is_said_plainly(
    tmp_path: Path, place: str, flags: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    cache = tmp_path / place
    if place == "foreign":  # of another user; this one may be root, whom only a missing folder stops
        cache.mkdir()
        (cache / "lab").touch()
    assert app.main(["--port", str(free_port()), "--cache-dir", str(cache), *flags]) == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "--cache-dir" in said
    assert len(said.splitlines()) == 1


def test_a_cache_that_can_only_be_read_is_said_plainly(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        answer = run("--port", str(free_port()), "--cache-dir", str(tmp_path))
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)
    assert answer.returncode == 1
    assert "cannot be written to" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_environment_sets_host_and_port_and_flags_win() -> None:
    environ = {"HOST": "0.0.0.0", "PORT": "7000", "TOUR_CACHE": "/somewhere"}
    options = app._parser(environ).parse_args([])
    assert (options.host, options.port, options.cache_dir) == ("0.0.0.0", 7000, Path("/somewhere"))
    options = app._parser(environ).parse_args(["--host", "127.0.0.2", "--port", "7001"])
    assert (options.host, options.port) == ("127.0.0.2", 7001)
    options = app._parser({}).parse_args([])
    assert (options.host, options.port, options.profile) == ("127.0.0.1", 7860, "embedded")


def test_a_space_listens_to_all_and_starts_with_the_stored_answers_checkpoints() -> None:
    options = app._parser({"SPACE_ID": "owner/name"}).parse_args([])
    assert (options.host, options.profile) == ("0.0.0.0", "embedded")
    assert (
        app._origin("0.0.0.0", 7860, {"SPACE_HOST": "owner-name.hf.space"}) == "https://owner-name.hf.space"
    )


@pytest.mark.parametrize(
    ("text", "amount"), [("4GB", 4 * 10**9), ("500 mb", 5 * 10**8), ("1.5GiB", 3 * 2**29), ("1000", 1000)]
)
def test_memory_is_written_the_way_people_do(text: str, amount: int) -> None:
    assert app._parser({}).parse_args(["--memory-budget", text]).memory_budget == amount


@pytest.mark.parametrize(
    "flags",
    [
        ["--memory-budget", "much"],
        ["--memory-budget", "0GB"],
        ["--port", "0"],
        ["--port", "x"],
        ["--profile", "y"],
    ],
)
def test_a_wrong_flag_is_said_plainly(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        app.main(flags)
    assert stopped.value.code == 2
    assert flags[1] in capsys.readouterr().err


def test_a_proxy_for_the_web_does_not_stop_the_app_and_embedding_can_be_narrowed(
    strict: httpx.Client,
) -> None:
    policy = strict.get("/health").headers["content-security-policy"]
    assert policy.endswith("frame-ancestors 'self' https://docs.example")


# As `python app.py`, on a host that is too busy for Gradio's look at its own server.
BUSY = (
    "import sys; from gradio import networking; networking.url_ok = lambda url: False\n"
    "import app; sys.exit(app.main(sys.argv[1:]))"
)


def test_a_process_from_its_start_to_its_end(subtests: pytest.Subtests) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY, "--port", str(port), "--no-prefetch", "--answer-cache", "1 MB"],
        cwd=ROOT,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=280, trust_env=False) as client:
            with subtests.test("a start outlasts a busy host"):
                assert f"http://127.0.0.1:{port}" in process.stdout.readline()
                assert client.get("/health").status_code == 200
            with subtests.test("the app keeps answers"):
                found = [
                    client.post("/v1/text_classification", json={"text": text}).json()
                    for text in ("Good.", "Good.", "Bad.")
                ]
                assert [answer.get("cached", False) for answer in found] == [False, True, False]
                assert found[0]["labels"] == found[1]["labels"] != found[2]["labels"]
            with subtests.test("being told to stop ends it cleanly also during a generation"):
                client.post(
                    "/v1/text_generation", json={"prompt": "Hello", "max_new_tokens": 1}
                ).raise_for_status()
                body = {"prompt": "Tell a long story.", "max_new_tokens": 512}
                event = client.post("/gradio_api/call/v2/text_generation", json=body).json()["event_id"]
                with client.stream("GET", f"/gradio_api/call/text_generation/{event}") as stream:
                    lines = stream.iter_lines()
                    assert next(lines)
                    process.terminate()
                    assert process.wait(60) == 0
                    seen: list[str] = []
                    with suppress(httpx.TransportError):
                        seen.extend(lines)
                    assert "event: complete" not in seen, "it was not stopped"
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in process.stdout.read()
