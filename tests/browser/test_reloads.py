"""What was typed survives a reload, and a run that a restart of the server cuts off says so."""

from __future__ import annotations

import subprocess
import sys

import httpx
from playwright.sync_api import expect

from demos import text_classification, text_generation
from tests.browser.conftest import OpenPage
from tests.browser.tour import PATIENCE, Visit
from tests.server import ROOT, clean_environment, comes_up, free_port

MINE = "The kettle leaks, and nobody answers my letters."


def test_what_was_typed_survives_a_reload_and_no_more_than_that(open_page: OpenPage) -> None:
    page = open_page(elsewhere=True)
    visit = Visit(page, text_classification.PAGE).open()
    visit.box("text").fill(MINE)
    field = next(one for one in visit.options if one.name == "top_k")
    visit.set_option(field, 1)
    page.wait_for_function("""async () => {
          const module = document.querySelector('link[rel="modulepreload"][href$="/answers.js"]').href;
          return Number((await import(module)).typed().top_k) === 1;
        }""")
    page.reload()
    expect(visit.box("text")).to_have_value(MINE)
    expect(visit.part("status")).to_contain_text("after the reload")
    assert str(visit.option(field)) == "1"
    visit.open()  # by its address, it opens as it always does
    expect(visit.badge).to_be_visible()
    expect(visit.box("text")).not_to_have_value(MINE)
    page.reload()
    expect(visit.badge).to_be_visible()


def test_a_run_that_a_restart_cuts_off_can_be_run_again(open_page: OpenPage) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "app.py", "--port", str(port), "--no-prefetch"],
            cwd=ROOT,
            env=clean_environment(),
        )
        assert comes_up(process, f"{url}/health")
        return process

    page = open_page(base_url=url, watched=False)
    server = start()
    try:
        visit = Visit(page, text_generation.PAGE).open()
        visit.box("prompt").fill("Tell a very long story about a kettle.")
        limit = next(one for one in visit.options if one.name == "max_new_tokens")
        visit.set_option(limit, 512)
        visit.part("run").click()
        expect(visit.part("status")).to_contain_text("Working", timeout=PATIENCE)
        server.kill()
        server.wait()
        server = start()
        expect(visit.part("status")).to_contain_text("connection was lost", timeout=PATIENCE)
        expect(visit.box("prompt")).to_have_value("Tell a very long story about a kettle.")
        expect(visit.part("run")).to_be_enabled()
        assert httpx.get(f"{url}/v1/models", timeout=60).status_code == 200
    finally:
        server.kill()
        server.wait()
