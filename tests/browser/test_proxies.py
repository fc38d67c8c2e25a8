"""The app below a path, behind a proxy that takes the prefix away and behind one that keeps it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import cycle

import httpx
import pytest
from playwright.sync_api import expect

from components.ui.page import TaskPage
from demos import OPERATIONS, PAGES
from tests.browser.conftest import OpenPage
from tests.browser.tour import PATIENCE, TASK_PAGES, UP, Visit, brief
from tests.proxy import PROGRAM, Proxied, proxied_app
from tests.serving.interfaces import RawMcp

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="nginx is not installed")


@pytest.fixture(scope="module")
def proxied() -> Iterator[Proxied]:
    with proxied_app() as found:
        yield found


@pytest.fixture(params=["stripping", "keeping"])
def published(request: pytest.FixtureRequest, proxied: Proxied) -> str:
    """The public address."""
    address: str = getattr(proxied, request.param)
    return address


def test_pages_and_their_files(published: str) -> None:
    origin = published.rpartition("/tour")[0]
    with httpx.Client(base_url=published, follow_redirects=False, timeout=60) as client:
        for path in ("/", *(f"/{page.slug}" for page in PAGES)):
            page = client.get(path)
            assert page.status_code == 200, path
            assert page.headers["cache-control"] == "no-cache"
        assets = re.findall(r'(?:src|href)="(\.?/?[^":]*assets/[^"]+\.(?:js|css))"', client.get("/").text)
        assert assets
        for asset in assets:
            found = client.get(httpx.URL(f"{published}/").join(asset))
            assert found.status_code == 200, asset
            assert "immutable" in found.headers["cache-control"]
        slashed = client.get(f"/{PAGES[0].slug}/")
        assert (
            httpx.URL(f"{published}/x/").join(slashed.headers["location"]) == f"{published}/{PAGES[0].slug}"
        )
        assert client.get("/?page=nope").status_code == 303
        assert client.get("/?page=nope").headers["location"] == "./"
        assert origin in client.get("/config").json()["root"]


def test_the_api(published: str, proxied: Proxied) -> None:
    with httpx.Client(base_url=published, timeout=300) as client:
        assert client.get("/health").json() == {"status": "ok"}
        described = client.get("/v1/openapi.json").json()
        assert described["servers"] == [{"url": "/tour"}]
        root = client.get("/v1/")
        assert httpx.URL(f"{published}/v1/").join(root.headers["location"]) == f"{published}/v1/openapi.json"
        # Every other one: the proxies differ in addresses, not in operations.
        for operation in OPERATIONS[published == proxied.keeping :: 2]:
            answer = client.post(f"/v1/{operation.name}", json=dict(operation.example))
            assert answer.status_code == 200, (operation.name, answer.text)
        looked = client.post("/data/attention/view", json={"text": "The cat sat."}).json()
        layer = client.get(f"/data/attention/{looked['key']}/{looked['stacks'][0]['kind']}/layer")
        assert layer.status_code == 200
        assert layer.headers["x-shape"]
        lanes = client.post("/data/tokenizations", json={"text": "cat", "tokenizers": ["all-MiniLM-L6-v2"]})
        assert lanes.json()["lanes"]
        missing = client.get("/v1/nothing")
        assert missing.status_code == 404
        assert missing.json()["error"]["code"] == "not_found"
        for size in (2_000_001, 4_000_000, 20_000_000):
            assert client.post("/v1/fill_mask", content=b" " * size).status_code == 413


def test_mcp(published: str) -> None:
    listed = httpx.get(f"{published}/gradio_api/mcp/schema", timeout=60).json()
    assert [tool["name"] for tool in listed] == [operation.name for operation in OPERATIONS]
    operation = OPERATIONS[0]
    assert not RawMcp(published).call(operation.name, operation.example).isError


def test_a_large_upload(published: str) -> None:
    content = b"text,label\n" + b"a line of text,one\n" * 1_100_000  # 20 MB
    answer = httpx.post(
        f"{published}/gradio_api/upload", files={"files": ("rows.csv", content, "text/csv")}, timeout=120
    )
    assert answer.status_code == 200
    assert len(answer.json()) == 1


@pytest.mark.parametrize("spec", TASK_PAGES, ids=lambda spec: spec.slug)
def test_every_task_page_answers(open_page: OpenPage, proxied: Proxied, spec: TaskPage) -> None:
    """Every other page behind the other proxy: what differs between them is not a page's own."""
    published = (proxied.stripping, proxied.keeping)[TASK_PAGES.index(spec) % 2]
    page = open_page(base_url=f"{published}/", origins=(published.rpartition("/tour")[0],))
    visit = Visit(page, spec)
    page.goto(f"{published}/{visit.spec.slug}")
    expect(visit.part("run")).to_be_visible()
    expect(visit.badge).to_be_visible()
    for name, value in brief(visit.spec).items():
        visit.set_option(next(one for one in visit.options if one.name == name), value)
    visit.run()
    assert visit.settled() == "answer"
    calls = visit.drawer("API")
    assert f"curl {published}/v1/{visit.spec.task.name} " in calls
    assert f"{published}/gradio_api/mcp" in calls


@pytest.mark.parametrize(
    ("published", "slug"),
    [
        *zip(
            cycle(["stripping", "keeping"]), ["", "attention", "tokenizers", "layers", "models"], strict=False
        )
    ],
    indirect=["published"],
)
def test_other_pages_show_what_they_show(open_page: OpenPage, published: str, slug: str) -> None:
    page = open_page(base_url=f"{published}/", origins=(published.rpartition("/tour")[0],))
    page.goto(f"{published}/{slug}")
    match slug:
        case "attention":
            page.get_by_role("button", name="Show attention", exact=True).click()
            expect(page.locator("#attention-view canvas, #attention-view svg").first).to_be_visible(
                timeout=PATIENCE
            )
        case "tokenizers":
            expect(page.locator("#token-0-1")).to_be_attached(timeout=PATIENCE)
        case "layers":
            expect(page.locator("h1")).to_be_visible()
        case _:
            expect(page.locator(UP).first).to_be_visible()
    page.locator("#tour-header summary").first.click()
    page.locator("#tour-header nav a").first.click()
    expect(page).to_have_url(f"{published}/{PAGES[0].slug}")
