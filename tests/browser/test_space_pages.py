"""The app as a Space: no page asks another site for anything, and pages and API have the same defaults."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect

from components.ui.page import TaskPage
from demos import PAGES
from tests.browser.conftest import OpenPage
from tests.browser.tour import TASK_PAGES, UP, Visit, brief
from tests.server import running_app


@pytest.fixture(scope="module")
def space_url() -> Iterator[str]:
    with running_app(SPACE_ID="me/tour", SYSTEM="spaces", SPACE_HOST="me-tour.hf.space") as url:
        yield url


def test_no_page_asks_another_site(open_page: OpenPage, space_url: str) -> None:
    page = open_page("/", base_url=space_url, origins=(space_url,))
    expect(page.locator(UP).first).to_be_visible()
    for one in PAGES:
        if one not in TASK_PAGES:
            page.goto(f"/{one.slug}")
            expect(page.locator("h1").first).to_be_visible()


@pytest.mark.parametrize("spec", TASK_PAGES, ids=lambda spec: spec.slug)
def test_a_page_and_the_api_start_from_the_same_model(
    open_page: OpenPage, space_url: str, spec: TaskPage
) -> None:
    visit = Visit(open_page(base_url=space_url, origins=(space_url,)), spec).open()
    expect(visit.badge).to_be_visible()
    asked = {**spec.task.example, **brief(spec)}
    answer = httpx.post(f"{space_url}/v1/{spec.task.name}", json=asked, timeout=200).json()
    assert f'"model": "{answer["model"]}"' in visit.drawer("API")
