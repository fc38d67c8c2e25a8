from __future__ import annotations

import pytest

from tests.serving.interfaces import Gradio, GradioClient, Http, Interface, Mcp, RawMcp


@pytest.fixture(scope="session")
def http(app_url: str) -> Http:
    return Http(app_url)


@pytest.fixture(scope="session")
def mcp(app_url: str) -> Mcp:
    return Mcp(app_url)


@pytest.fixture(scope="session")
def interfaces(app_url: str, http: Http, mcp: Mcp) -> dict[str, Interface]:
    found: list[Interface] = [http, mcp, GradioClient(app_url), Gradio(app_url), RawMcp(app_url)]
    return {interface.name: interface for interface in found}
