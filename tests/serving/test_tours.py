"""The guided tours as the server answers: a short address leads to a stop, whose panel stands in its page."""

from __future__ import annotations

import re

from demos import tours
from tests.serving.interfaces import Http

HTML = {"Accept": "text/html"}


def test_a_short_address_leads_to_the_page_of_its_stop(http: Http) -> None:
    for path in ("/", "/lab", "/api"):
        response = http.client.get(f"{path}?tour=main&stop=3&__theme=dark", headers=HTML)
        assert response.status_code == 303
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["location"].startswith("./attention?text=")
        assert "__theme=dark&tour=main&stop=3" in response.headers["location"]


def test_every_stop_is_in_its_page_before_any_script_runs(http: Http) -> None:
    for guide in tours.tours():
        for number, stop in enumerate(guide.stops, 1):
            html = http.client.get(guide.address(number)[1:], headers=HTML).text
            assert html.count('id="tour-panel"') == 1
            assert f'data-stop="{number}"' in html
            assert "/guide.js" in html
            assert html.index('id="tour-panel-style"') < html.index("<body")
            panel = re.search(r"<aside id=.tour-panel.*?</aside>", html, re.DOTALL)
            assert panel
            assert stop.title.replace("'", "&#39;") in panel[0]
            links = re.findall(r'href="([^"]+)"', panel[0])
            assert all(link.startswith("./") for link in links)  # below any path


def test_pages_without_a_tour_carry_nothing_of_it(http: Http) -> None:
    for path in ("/", "/attention", "/attention?tour=nothing&stop=2", "/api", "/tours"):
        html = http.client.get(path, headers=HTML).text
        assert 'id="tour-panel' not in html
        assert "guide.js" not in html
        assert "%ASIDE%" not in html


def test_the_tours_page_links_to_every_stop(http: Http) -> None:
    html = http.client.get("/tours", headers=HTML).text
    for guide in tours.tours():
        for number in range(1, len(guide.stops) + 1):
            assert guide.address(number).replace("&", "&amp;") in html
