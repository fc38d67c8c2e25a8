"""What wraps every answer: security, caching, compression, framing, other origins, odd queries."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from demos import PAGES, TASKS
from tests.serving.interfaces import Http, quick

ADDRESSES = [
    "/",
    *(f"/{page.slug}" for page in PAGES),
    "/health",
    "/v1/models",
    "/v1/nothing",
    "/config",
    "/nothing",
]


@pytest.mark.parametrize("path", ADDRESSES)
def test_security_headers_are_everywhere(http: Http, path: str) -> None:
    headers = http.client.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert policy["object-src"] == "'none'"
    assert policy["frame-ancestors"] == "*"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "clipboard-write=(self)" in headers["permissions-policy"]
    assert "x-frame-options" not in headers


def test_pages_and_json_are_compressed_and_readable(http: Http) -> None:
    for path in ("/", "/v1/openapi.json", "/config"):
        response = http.client.get(path, headers={"Accept-Encoding": "gzip"})
        assert response.headers["content-encoding"] == "gzip"
        assert int(response.headers["content-length"]) < len(response.content) / 2
        assert "accept-encoding" in response.headers["vary"].lower()


def test_assets_are_kept_and_answers_are_not(http: Http) -> None:
    page = http.client.get("/")
    assert page.headers["cache-control"] == "no-cache"
    asset = re.search(r'(?:src|href)="\.?/?(assets/[^"]+\.js)"', page.text)
    assert asset
    script = http.client.get(f"/{asset[1]}", headers={"Accept-Encoding": "br, gzip"})
    assert script.status_code == 200
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-encoding"] == "br"
    assert "immutable" not in http.client.get("/assets/nothing.js").headers.get("cache-control", "")
    for path in ("/health", "/v1/models", "/config", "/gradio_api/info"):
        assert http.client.get(path).headers["cache-control"] == "no-store"


def test_event_streams_are_neither_compressed_nor_held_back(http: Http) -> None:
    task = next(task for task in TASKS if task.name == "text_generation")
    payload = {**quick(task), "max_new_tokens": 20}
    joined = http.client.post(f"/gradio_api/call/v2/{task.name}", json=payload).json()
    with http.client.stream("GET", f"/gradio_api/call/{task.name}/{joined['event_id']}") as stream:
        assert "content-encoding" not in stream.headers
        chunks = list(stream.iter_text())
    assert len(chunks) > 3


@pytest.mark.parametrize("query", ["?page=nothing", "?page=%00", "?page=a&page=b", "?page=../config"])
def test_an_unknown_page_leads_home(http: Http, query: str) -> None:
    response = http.client.get(f"/{query}")
    assert response.status_code == 303
    assert http.client.get(response.headers["location"]).status_code == 200


def test_a_known_page_may_be_asked_for_by_query(http: Http) -> None:
    assert http.client.get(f"/?page={PAGES[0].slug}").status_code == 200


def test_a_large_body_is_refused_at_gradios_own_addresses_too(http: Http) -> None:
    body = json.dumps({"data": ["a" * 3_000_000]})
    for path in (f"/gradio_api/call/{TASKS[0].name}", "/gradio_api/queue/join", "/gradio_api/mcp/"):
        response = http.client.post(path, content=body, headers={"Content-Type": "application/json"})
        assert response.status_code == 413, path


def test_a_site_elsewhere_may_not_call_a_server_on_localhost(http: Http) -> None:
    """Gradio's layer decides; an upgrade that opens localhost to every site would show here."""
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    answer = http.client.options(f"/v1/{TASKS[0].name}", headers=asked)
    assert "access-control-allow-origin" not in answer.headers


def test_a_site_elsewhere_may_call_a_public_server(http: Http) -> None:
    asked = {
        "Host": "tour.example.org",
        "Origin": "https://elsewhere.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = http.client.options(f"/v1/{TASKS[0].name}", headers=asked)
    assert answer.headers["access-control-allow-origin"] == "https://elsewhere.example"
    assert answer.headers["access-control-allow-headers"] == "content-type"


def test_the_app_sets_no_cookie(http: Http) -> None:
    """Other origins may read answers and frame pages because no cookie says who asks."""
    with httpx.Client(base_url=http.client.base_url, timeout=60) as fresh:
        for path in ADDRESSES:
            assert "set-cookie" not in fresh.get(path).headers


def test_the_queue_cannot_be_passed_by(http: Http) -> None:
    for prefix in ("run", "api"):
        response = http.client.post(f"/gradio_api/{prefix}/{TASKS[0].name}", json={"data": []})
        assert response.status_code == 404
