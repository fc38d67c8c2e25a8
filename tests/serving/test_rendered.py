"""Pages and descriptions are made once: what they cost then, and that nobody gets another's."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import httpx
import pytest

from demos import PAGES
from tests.server import observed_app
from tests.serving.interfaces import Http, get

ADDRESSES = ["/", *(f"/{page.slug}" for page in PAGES), "/api", "/config", "/gradio_api/info"]


def test_a_page_costs_next_to_nothing_once_it_is_made(http: Http) -> None:
    for path in ADDRESSES:
        http.client.get(path)
    times = []
    for path in ADDRESSES:
        started = time.perf_counter()
        assert http.client.get(path).status_code == 200
        times.append(time.perf_counter() - started)
    usual = median(times)  # one may wait for what else the host does
    print(f"{usual * 1e3:.1f} ms for each of {len(ADDRESSES)} addresses, the client's part included")
    assert usual < 0.05


@pytest.mark.parametrize("path", ADDRESSES)
def test_what_a_browser_has_is_not_sent_again(http: Http, path: str) -> None:
    first = http.client.get(path)
    again = http.client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == first.headers["content-security-policy"]
    assert http.client.get(path, headers={"If-None-Match": '"other"'}).content == first.content
    assert http.client.head(path).headers["etag"] == first.headers["etag"]


def test_each_address_and_encoding_has_a_copy_of_its_own(app_url: str) -> None:
    port = httpx.URL(app_url).port
    here, there = (f"http://{host}:{port}" for host in ("127.0.0.1", "localhost"))
    assert here in get(f"{here}/").text
    assert here not in get(f"{there}/").text
    plain = get(f"{here}/config", headers={"Accept-Encoding": "identity"})
    packed = get(f"{here}/config", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.json() == packed.json()


def test_queries_do_not_mix_pages_up(http: Http) -> None:
    one, other = PAGES[0].slug, PAGES[1].slug
    assert http.client.get("/config", params={"page": one}).json()["current_page"] == one
    assert http.client.get("/config", params={"page": other}).json()["current_page"] == other
    whole = http.client.get("/config").json()
    assert len(whole["components"]) > len(
        http.client.get("/config", params={"page": one}).json()["components"]
    )
    assert http.client.get("/config", params={"page": "no-such"}).json() == whole
    typed = http.client.get(f"/{one}", params={"text": "SENTINEL", "page": other, "deep_link": "a" * 16})
    assert "SENTINEL" not in typed.text
    assert typed.content == http.client.get(f"/{one}").content


def test_a_session_costs_little(tmp_path: Path) -> None:
    """Each visitor's first event makes one; as Gradio has it each would take 2 MB and a tenth of a second."""
    with observed_app(tmp_path) as app, httpx.Client(base_url=app.url, timeout=60) as client:

        def visit(number: int) -> None:
            asked = {"data": ["a", ["no-such"]], "session_hash": f"visitor{number}"}
            event = client.post("/gradio_api/call/tokenize", json=asked).json()["event_id"]
            with client.stream("GET", f"/gradio_api/call/tokenize/{event}") as stream:
                assert any("event: error" in line for line in stream.iter_lines())

        for number in range(10):
            visit(number)
        memory, busy = app.memory, sum(app.process.cpu_times()[:2])
        for number in range(10, 70):
            visit(number)
        grown, took = app.memory - memory, sum(app.process.cpu_times()[:2]) - busy
        print(f"{grown / 60e6:.2f} MB and {took / 60 * 1e3:.0f} ms for each of 60 sessions")
        assert grown < 60 * 800_000
        assert took < 60 * 0.1
