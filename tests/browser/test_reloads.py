"""What was typed survives a reload, and a run that a restart of the server cuts off says so."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from components.models.settings import default_cache_dir
from demos import text_classification, text_generation
from tests.browser.conftest import OpenPage
from tests.browser.test_lab import train
from tests.browser.tour import PATIENCE, TRAINED, TRAINS, Visit
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


@contextmanager
def server(port: int, cache: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An app that may be killed."""
    process = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port), "--no-prefetch"],
        cwd=ROOT,
        env={**clean_environment(), "TOUR_CACHE": str(cache)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert comes_up(process, f"http://127.0.0.1:{port}/health")
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def own_cache(tmp_path: Path) -> Path:
    """This host's weights, and a lab that nobody else has."""
    (default_cache_dir() / "wheels").mkdir(parents=True, exist_ok=True)
    (tmp_path / "wheels").symlink_to(default_cache_dir() / "wheels")
    return tmp_path


@TRAINS
def test_what_a_restart_cuts_off(open_page: OpenPage, own_cache: Path, subtests: pytest.Subtests) -> None:
    """A generation and a training, when their server is killed and another one started in its place."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    lab = open_page(base_url=url, watched=False)
    page = open_page(base_url=url, watched=False)
    visit = Visit(page, text_generation.PAGE)
    training = lab.locator("#lab-training-status")
    with server(port, own_cache) as process:
        lab.goto("/lab")
        train(lab, epochs=50, batch=4)
        visit.open()
        visit.box("prompt").fill("Tell a very long story about a kettle.")
        limit = next(one for one in visit.options if one.name == "max_new_tokens")
        visit.set_option(limit, 512)
        expect(training).to_contain_text("step", timeout=TRAINED)
        visit.part("run").click()
        expect(visit.part("status")).to_contain_text("Working", timeout=PATIENCE)
        lab.goto("about:blank")  # Gradio loads an open page again once the server is back, at any moment
        process.kill()
        process.wait()
    with server(port, own_cache):
        with subtests.test("a generation says so, and can be run again"):
            expect(visit.part("status")).to_contain_text("connection was lost", timeout=PATIENCE)
            expect(visit.box("prompt")).to_have_value("Tell a very long story about a kettle.")
            expect(visit.part("run")).to_be_enabled()
            assert httpx.get(f"{url}/v1/models", timeout=60).status_code == 200
        with subtests.test("a training is found again, and goes on"):
            lab.goto("/lab?tab=train")
            expect(training).to_contain_text("The server stopped while this ran", timeout=PATIENCE)
            lab.locator("#lab-training-resume").click()
            expect(training).to_contain_text("step", timeout=TRAINED)
            lab.locator("#lab-training-cancel").click()
            expect(training).to_contain_text("Cancelled", timeout=TRAINED)
