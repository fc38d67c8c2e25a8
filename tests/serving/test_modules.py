"""The pages' JavaScript modules: kept for good below their hash, fetched at once, found below any path."""

from __future__ import annotations

import re

from components.javascript import FOLDER, PLACE, call, preloads, start
from tests.serving.interfaces import Http


def test_modules_are_kept_for_good_and_compressed(http: Http) -> None:
    for file in FOLDER.glob("*.js"):
        response = http.client.get(f"/{PLACE}{file.name}", headers={"Accept-Encoding": "br"})
        assert response.status_code == 200
        assert response.content == file.read_bytes()
        assert response.headers["content-type"].startswith("text/javascript")
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_a_page_of_another_version_is_led_to_the_present_modules(http: Http) -> None:
    response = http.client.get("/assets/tour-0123456789ab/lab-runs.js")
    assert response.is_redirect
    assert "immutable" not in response.headers["cache-control"]
    assert str(response.next_request.url).endswith(f"/{PLACE}lab-runs.js") if response.next_request else False


def test_other_files_are_not_served(http: Http) -> None:
    for name in ("nothing.js", "..%2Ffirst-paint.js", "%2e%2e%2ffirst-paint.js", ".js"):
        assert http.client.get(f"/{PLACE}{name}").status_code == 404


def test_a_page_fetches_its_modules_and_theirs_at_once(http: Http) -> None:
    html = http.client.get("/lab").text
    links = re.findall(r'<link rel="modulepreload" href="\./([^"]+)">', html[: html.index("<body")])
    assert f"{PLACE}lab-runs.js" in links
    assert len(links) == len(set(links))
    for link in links:
        imported = re.findall(r' "\./([^"]+)";', http.client.get(f"/{link}").text)
        assert {PLACE + name for name in imported} <= set(links)


def test_only_pages_that_show_attention_fetch_its_modules(http: Http) -> None:
    names = {file.name for file in FOLDER.glob("attention*.js")}
    assert len(names) > 1
    for path, wanted in (("/attention", names), ("/", set[str]()), ("/fill-mask", set[str]())):
        assert names & set(re.findall(r"[\w-]+\.js", http.client.get(path).text)) == wanted


def test_only_modules_that_are_there_are_named() -> None:
    assert preloads("nothing") == ""
    assert start("lab-runs", "remove").count("import(") == call("lab-runs", "start").count("import(") == 1


def test_text_given_to_a_function_stays_text() -> None:
    assert "</script>" not in call("lab-runs", "start", {"text": "</script>"})
