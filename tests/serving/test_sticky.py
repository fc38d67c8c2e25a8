"""Two servers behind docs/nginx-sticky.conf: each visitor stays with the one that has what they made."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.proxy import PROGRAM
from tests.server import ROOT, clean_environment, free_port, running, running_app

VISITORS = 6


@pytest.fixture(scope="module")
def servers(app_url: str) -> Iterator[tuple[str, str]]:
    with running_app() as other:
        yield app_url, other


@pytest.fixture(scope="module")
def proxy(servers: tuple[str, str]) -> Iterator[str]:
    if not PROGRAM:
        pytest.skip("nginx is not installed")
    port = free_port()
    text = (ROOT / "docs/nginx-sticky.conf").read_text("utf-8")
    for written, here in zip(("7861", "7862", "7860"), (*servers, f":{port}"), strict=True):
        assert f"127.0.0.1:{written}" in text
        text = text.replace(f"127.0.0.1:{written};", f"127.0.0.1:{here.rpartition(':')[2]};")
        text = text.replace(f"127.0.0.1:{written} ", f"127.0.0.1:{here.rpartition(':')[2]} ")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        config = Path(folder) / "nginx.conf"
        config.write_text(text, "utf-8")
        command = [PROGRAM, "-e", "stderr", "-p", folder, "-c", str(config)]
        with running(command, f"http://127.0.0.1:{port}/health", clean_environment()) as health:
            yield health.removesuffix("/health")


def look(client: httpx.Client, number: int) -> str:
    """The address of a layer of what was made for a text."""
    made = client.post("/data/attention/view", json={"text": f"The cat sat on mat {number}."}).json()
    assert not made["stored"]
    return f"/data/attention/{made['key']}/encoder/layer?layer=0&head=0&row=0&column=0"


def test_what_a_visitor_made_is_found_again(proxy: str, servers: tuple[str, str]) -> None:
    """A record lies in one server, and the other does not have it."""
    found = []
    for number in range(VISITORS):
        with httpx.Client(base_url=proxy, timeout=120) as visitor:
            assert visitor.get("/health").status_code == 200
            assert "tour" in visitor.cookies
            layer = look(visitor, number)
            assert {visitor.get(layer).status_code for _ in range(5)} == {200}
        found.append(tuple(httpx.get(f"{server}{layer}", timeout=60).status_code for server in servers))
    assert set(found) <= {(200, 410), (410, 200)}


def test_without_a_cookie_an_address_stays_with_its_server(proxy: str) -> None:
    layer = look(httpx.Client(base_url=proxy, timeout=120), VISITORS)
    assert {httpx.get(f"{proxy}{layer}", timeout=60).status_code for _ in range(5)} == {200}
