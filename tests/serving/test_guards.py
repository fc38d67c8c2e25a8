"""What a request must be: for this host, of bounded length, sent in time, and not one of too many."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from components.serving.guards import Patience, is_known, may_call
from components.serving.protocol import HEAD
from tests.server import running_app
from tests.serving.interfaces import Http, get, post

CLOCK = Path(__file__).parents[1] / "fakes" / "clock"
HOSTS = ["tour.example.org", "*.example.net"]


def trickle(url: str) -> float:
    """Sends half a request, then a byte now and then, which keeps nothing alive; seconds until its end."""
    begun = time.monotonic()
    with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: local")
        client.settimeout(0.5)
        while True:
            try:
                client.sendall(b"h")
                if not client.recv(1):
                    break
            except TimeoutError:
                assert time.monotonic() - begun < HEAD + 60, "it is kept alive"
            except OSError:
                break
        return time.monotonic() - begun


@pytest.fixture(scope="module")
def trickles(app_url: str) -> Iterator[Sequence[Future[float]]]:
    """Callers who are given up while the other tests run."""
    with ThreadPoolExecutor(20) as pool:
        yield [pool.submit(trickle, app_url) for _ in range(20)]


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:7860",
        "127.0.0.1:80",
        "[::1]:7860",
        "192.168.1.5",
        "tour",
        "tour.example.org",
        "A.Example.NET:1",
        "mac.local",
        "",
        "tour.example.org.",
    ],
)
def test_names_that_nobody_else_can_make_point_here_are_known(host: str) -> None:
    assert is_known(host, [*HOSTS, "*.local"])


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "example.net",
        "xtour.example.org",
        "tour.example.org.evil.example",
        "[::1",
        "127.0.0.1.evil.example",
        "evil.example:7860",
    ],
)
def test_other_names_are_not(host: str) -> None:
    assert not is_known(host, HOSTS)


@pytest.mark.usefixtures("trickles")  # they begin here
@pytest.mark.parametrize(
    "path", ["/", "/health", "/v1/models", "/gradio_api/mcp", "/gradio_api/info", "/lab"]
)
def test_a_name_that_somebody_else_makes_point_here_is_refused(http: Http, path: str) -> None:
    answer = http.client.get(path, headers={"Host": "evil.example"})
    assert answer.status_code == 421
    assert "--allowed-hosts" in answer.json()["error"]["message"]
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://10.0.0.1", "file://", "http://[::1"]
)
def test_tools_are_not_for_pages_of_others(http: Http, origin: str) -> None:
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    headers = {"Origin": origin, "Accept": "application/json, text/event-stream"}
    answer = http.client.post("/gradio_api/mcp/", json=asked, headers=headers)
    assert answer.status_code == 403
    for own in (http.url, "http://localhost:6274"):
        answer = http.client.post("/gradio_api/mcp/", json=asked, headers={**headers, "Origin": own})
        assert answer.status_code == 200
    assert may_call("https://a.example.net", "tour.example.org", HOSTS)


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Gradio-Server", "X-Forwarded-Proto", "Forwarded"])
def test_what_a_caller_says_of_a_proxy_is_not_believed(http: Http, header: str) -> None:
    said = {"X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"}.get(header, "evil.example")
    if header == "X-Gradio-Server":
        said = "http://evil.example"
    for path in ("/", "/fill-mask", "/config", "/gradio_api/info", "/api"):
        text = http.client.get(path, headers={header: said, "Host": "sender"}).text
        assert "evil.example" not in text
        assert "https://sender" not in text
        assert (
            "evil.example" not in http.client.get(path, headers={"Host": "sender"}).text
        )  # nor kept for others


@pytest.mark.parametrize(
    "path", ["/", "/fill-mask", "/config", "/v1/models", "/gradio_api/info", "/nothing", "/health"]
)
@pytest.mark.parametrize("length", [60_001, 65_536, 100_000])
def test_an_address_that_is_too_long_is_told_so(http: Http, path: str, length: int) -> None:
    with socket.create_connection((urlsplit(http.url).hostname, urlsplit(http.url).port)) as client:
        query = "text=" + "a" * length
        client.sendall(
            f"GET {path}?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 414"), answer[:200]
    assert b"too_long" in answer


def test_a_link_with_a_long_text_is_taken(http: Http) -> None:
    assert http.client.get("/fill-mask", params={"text": "a" * 50_000}).status_code == 200


RANGES = [
    "bytes=1-2-3",
    "bytes=",
    "bytes=a-b",
    "bytes=-",
    "pages=1-2",
    "bytes=1-2,x",
    "bytes=9-1",
    "bytes=0-" + "9" * 400,
    "bytes=" + ",".join(["0-1"] * 500),
    "bytes=\u00b2-\u00b3",
]


@pytest.mark.parametrize("range", RANGES)
def test_a_range_that_is_none_does_no_harm(http: Http, range: str) -> None:
    asset = re.search(r'(?:src|href)="\.?/?(assets/[^"]+\.js)"', http.client.get("/").text)
    assert asset
    for path in (f"/{asset[1]}", "/cards/home.png", "/", "/health", "/static/img/logo.svg"):
        answer = http.client.get(path, headers={b"Range": range.encode()})
        assert answer.status_code in (200, 206, 400, 404, 416), (path, answer.status_code)


def test_a_body_that_does_not_come_is_given_up() -> None:
    async def read(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    app = Patience(Starlette(routes=[Route("/", read, methods=["POST"])]), silence=0.2)
    sent: list[dict[str, object]] = []

    async def ask() -> None:
        parts = [{"type": "http.request", "body": b"half", "more_body": True}]

        async def receive() -> dict[str, object]:
            if parts:
                return parts.pop()
            await anyio.sleep_forever()
            raise AssertionError

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/",
            "raw_path": b"/",
            "query_string": b"",
            "headers": [],
        }
        await app(scope, receive, send)  # type: ignore[arg-type]

    anyio.run(ask)
    assert sent[0]["status"] == 408
    with TestClient(app) as client:  # and one that comes is taken
        assert client.post("/", content=b"whole").text == "5"


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The app behind a proxy on this host, with low limits; and its log."""
    folder = tmp_path_factory.mktemp("public")
    flags = ["--proxies", "127.0.0.1", "--requests-per-minute", "5", "--uploads-per-minute", "2"]
    clock = {"PYTHONPATH": str(CLOCK), "CLOCK": str(folder / "clock")}
    with running_app(*flags, GRADIO_TEMP_DIR=str(folder), **clock) as url:
        yield url, folder


@pytest.fixture
def counting(public: tuple[str, Path]) -> Iterator[tuple[str, Path]]:
    """The same at the beginning of a minute of its clock: when the next begins, requests count for less."""
    clock = public[1] / "clock"
    clock.write_text(str(60 - time.time() % 60))
    yield public
    clock.unlink()


def of(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address, "X-Forwarded-Host": "tour.example.org", "X-Forwarded-Proto": "https"}


def test_a_proxy_that_is_named_is_believed(public: tuple[str, Path]) -> None:
    answer = get(f"{public[0]}/api", headers={**of("203.0.113.1"), "Host": "tour.example.org"})
    assert answer.status_code == 200
    assert "https://tour.example.org/v1/fill_mask" in answer.text


@pytest.mark.parametrize(
    "path", ["/v1/nothing", "/gradio_api/call/v2/x", "/gradio_api/queue/join", "/gradio_api/mcp"]
)
def test_requests_of_one_address_are_counted(counting: tuple[str, Path], path: str) -> None:
    address = f"203.0.113.{20 + len(path)}"

    def ask(address: str) -> httpx.Response:
        return post(f"{counting[0]}{path}", json={}, headers=of(address))

    answers = [ask(address) for _ in range(6)]
    assert all(one.status_code != 429 for one in answers[:5])
    refused = answers[5]
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert "within a minute" in refused.json()["error"]["message"]
    assert ask("203.0.113.200").status_code != 429  # another one is answered
    assert (
        ask(f"{address}, 203.0.113.201").status_code != 429
    )  # what a client says of itself counts for nothing
    assert get(f"{counting[0]}/", headers=of(address)).status_code == 200  # pages are not counted


def test_look_ups_of_pages_are_counted_more_loosely(counting: tuple[str, Path]) -> None:
    headers = of("203.0.113.77")
    states = [post(f"{counting[0]}/data/nothing", json={}, headers=headers).status_code for _ in range(51)]
    assert states == [404] * 50 + [429]


def test_addresses_of_one_network_are_one(counting: tuple[str, Path]) -> None:
    answers = [
        post(f"{counting[0]}/v1/nothing", json={}, headers=of(f"2001:db8::{number}"))
        for number in range(1, 7)
    ]
    assert [one.status_code for one in answers] == [404] * 5 + [429]


def test_uploads_of_one_address_are_counted(counting: tuple[str, Path]) -> None:
    answers = [
        post(f"{counting[0]}/gradio_api/upload", files={"files": ("a.csv", b"a")}, headers=of("203.0.113.9"))
        for _ in range(3)
    ]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert "2 uploads within a minute" in answers[2].text


def test_callers_on_this_host_are_not_counted(public: tuple[str, Path]) -> None:
    assert {post(f"{public[0]}/v1/nothing", json={}).status_code for _ in range(10)} == {404}


def test_deep_links_keep_nothing_of_a_page(public: tuple[str, Path]) -> None:
    before = {*public[1].rglob("state.json")}
    assert get(f"{public[0]}/gradio_api/deep_link", params={"session_hash": "a"}).status_code == 404
    assert {*public[1].rglob("state.json")} == before


@pytest.mark.parametrize("jump", [172_800, -172_800], ids=["forwards", "backwards"])
def test_a_clock_that_jumps_shuts_nobody_out(counting: tuple[str, Path], jump: int) -> None:
    url, folder = counting
    clock = folder / "clock"
    parts = urlsplit(url)
    body = b'{"text": "Fine."}'
    headers = of(f"203.0.113.{99 if jump > 0 else 98}")
    for _ in range(6):
        before = post(f"{url}/v1/nothing", json={}, headers=headers)
    assert before.status_code == 429
    with socket.create_connection((parts.hostname, parts.port), 60) as client:
        client.sendall(
            f"POST /v1/tokenize HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body[:5]
        )
        assert get(f"{url}/health").status_code == 200  # it has been read by then
        clock.write_text(str(float(clock.read_text()) + jump))
        client.sendall(body[5:9])
        assert get(f"{url}/health").status_code == 200
        client.sendall(body[9:])
        answer = b""
        while part := client.recv(65536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 200"), answer[:200]  # it did not take two days to come
    after = post(f"{url}/v1/nothing", json={}, headers=headers)
    assert after.status_code in (404, 429)
    assert int(after.headers.get("retry-after", 1)) <= 60
    file = {"files": ("a.csv", b"text,label\na,b\n")}
    sent = post(f"{url}/gradio_api/upload", files=file, headers=of(f"203.0.113.{90 + (jump > 0)}"))
    assert sent.status_code == 200
    assert Path(sent.json()[0]).read_bytes() == file["files"][1]


def test_half_a_request_is_given_up(http: Http, trickles: Sequence[Future[float]]) -> None:
    """The last, since it takes as long as the app is patient."""
    assert all(one.result(HEAD + 60) > HEAD / 2 for one in trickles)
    assert http.client.get("/health").status_code == 200
