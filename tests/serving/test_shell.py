"""What the server sends before any script runs: link previews, heading and navigation, wrong addresses,
/api."""

from __future__ import annotations

import functools
import operator
import re
import struct
from html.parser import HTMLParser

import pytest

from components.ui.chrome import NAME
from demos import OPERATIONS, PAGES
from demos import examples as stored
from tests.serving.interfaces import Http

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
DOCUMENTS = {"api": "API", "tours": "Guided tours"}
ADDRESSES = ["", *(page.slug for page in PAGES), *DOCUMENTS]
every_address = pytest.mark.parametrize("slug", ADDRESSES, ids=lambda slug: slug or "home")


class Read(HTMLParser):
    """A page as those read it who run no scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.meta: dict[str, list[str]] = {}
        self.links: dict[str, list[str]] = {}
        self.texts: dict[str, list[str]] = {}
        self.anchors: list[str] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "meta" and (name := values.get("property") or values.get("name")):
            self.meta.setdefault(name, []).append(values.get("content", ""))
        if tag == "link":
            self.links.setdefault(values.get("rel", ""), []).append(values["href"])
        if tag == "a":
            self.anchors.append(values.get("href", ""))
        self._open.append(tag)
        if tag in ("title", "h1"):
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in ("title", "h1"):
            self.texts[self._open[-1]][-1] += data

    def one(self, name: str) -> str:
        assert len(self.meta[name]) == 1, (name, self.meta[name])
        return self.meta[name][0]


@every_address
def test_readers_of_link_previews_get_the_pages_own_title_text_and_picture(http: Http, slug: str) -> None:
    address = f"{http.url}/{slug}"
    response = http.client.get(f"/{slug}", headers=HTML)
    assert "<title>" in response.text[:1500]  # some read no further than a few kilobytes
    read = Read(response.text)
    assert len(read.texts["title"]) == 1
    title = read.texts["title"][0]
    page = next((page for page in PAGES if page.slug == slug), None)
    assert title == (f"{page.title} · {NAME}" if page else f"{DOCUMENTS[slug]} · {NAME}" if slug else NAME)
    # Open Graph (Facebook, Slack, Teams), Twitter cards, and those who read neither.
    for kind in ("og", "twitter"):
        assert read.one(f"{kind}:title") == title
        assert read.one(f"{kind}:description") == read.one("description") != ""
        assert read.one(f"{kind}:image").startswith(f"{http.url}/cards/")
    if page:
        assert read.one("description") == page.sentence
    assert read.one("og:url") == address
    assert read.links["canonical"] == [address]
    assert "Gradio" not in "".join(functools.reduce(operator.iadd, read.meta.values(), []))
    picture = http.client.get(read.one("og:image"))
    assert picture.headers["content-type"] == "image/png"
    assert struct.unpack(">II", picture.content[16:24]) == (1200, 630)


def test_pages_have_pictures_of_their_own(http: Http) -> None:
    pictures = {Read(http.client.get(f"/{page.slug}").text).one("og:image") for page in PAGES}
    assert len(pictures) == len(PAGES)


@every_address
def test_heading_and_navigation_are_there_without_scripts(http: Http, slug: str) -> None:
    html = http.client.get(f"/{slug}", headers=HTML).text
    read = Read(html)
    assert len(read.texts["h1"]) == 1
    assert read.texts["h1"][0]
    assert {f"./{page.slug}" for page in PAGES} <= set(read.anchors)
    assert "./api" in read.anchors


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("summarisation", "summarization"),
        ("text_classification", "text-classification"),
        ("Fill Mask", "fill-mask"),
        ("tokeniser", "tokenizers"),
        ("attribution/old", "attribution"),
        ("docs/api", "api"),
    ],
)
def test_a_wrong_address_guesses_what_is_meant(http: Http, wrong: str, meant: str) -> None:
    response = http.client.get(f"/{wrong}", headers=HTML)
    assert response.status_code == 404
    read = Read(response.text)
    assert read.texts["h1"] == ["Page not found"]
    assert f"{http.url}/{meant}" in read.anchors
    assert not re.search(r"Did you mean[^?]*Transformers Tour", response.text)
    assert {f"./{page.slug}" for page in PAGES} <= set(read.anchors)
    assert "canonical" not in read.links


def test_a_wrong_address_like_none_is_told_without_a_guess(http: Http) -> None:
    hostile = "/%3Cscript%3Ealert(1)%3C/script%3E%22%27"
    response = http.client.get(hostile, headers=HTML)
    assert response.status_code == 404
    assert "<script>alert" not in response.text
    assert "Did you mean" not in response.text


@pytest.mark.parametrize("path", ["/v1/nothing", "/nothing", "/gradio_api/nothing"])
def test_programs_are_told_of_a_wrong_address_in_json(http: Http, path: str) -> None:
    accept = {"Accept": "application/json"} if path == "/nothing" else HTML
    response = http.client.get(path, headers=accept)
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("application/json")


def test_head_is_answered_without_a_body(http: Http) -> None:
    response = http.client.head("/api")
    assert response.status_code == 200
    assert not response.content


def test_the_api_page_tells_every_operation_with_fields_samples_and_an_answer(http: Http) -> None:
    html = http.client.get("/api", headers=HTML).text
    for operation in OPERATIONS:
        section = re.search(rf'<section id="{operation.name}".*?</section>', html, re.DOTALL)
        assert section, operation.name
        example = stored.load(operation)[0]
        for name in (*example.payload, *example.answer):
            assert name in section[0], (operation.name, name)
        for said in (f"{http.url}/v1/{operation.name}", "fetch(", "gradio_client", "tools/call"):
            assert said in section[0], (operation.name, said)
    for link in ("./v1/openapi.json", "./v1/models", "./health"):
        assert f'href="{link}"' in html
        assert http.client.get(link[1:]).status_code == 200


def test_addresses_in_samples_are_those_that_the_visitor_uses(http: Http) -> None:
    html = http.client.get("/api", headers={**HTML, "Host": "tour.example.org"}).text
    assert "http://tour.example.org/v1/fill_mask" in html
    assert "%BASE%" not in html
    assert http.url not in html


def test_stored_answers_on_the_api_page_are_those_of_the_api(http: Http) -> None:
    for name in ("tokenize", "attention"):
        operation = next(one for one in OPERATIONS if one.name == name)
        example = stored.load(operation)[0]
        answer = http.client.post(f"/v1/{name}", json=example.payload).json()
        assert answer.keys() == example.answer.keys()
        if name == "tokenize":
            assert answer == example.answer
