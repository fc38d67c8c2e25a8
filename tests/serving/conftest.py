from __future__ import annotations

import pytest

from tests.serving.doors import Door, Gradio, GradioClient, Http, Mcp, RawMcp


@pytest.fixture(scope="session")
def http(app_url: str) -> Http:
    return Http(app_url)


@pytest.fixture(scope="session")
def mcp(app_url: str) -> Mcp:
    return Mcp(app_url)


@pytest.fixture(scope="session")
def doors(app_url: str, http: Http, mcp: Mcp) -> dict[str, Door]:
    found: list[Door] = [http, mcp, GradioClient(app_url), Gradio(app_url), RawMcp(app_url)]
    return {door.name: door for door in found}
