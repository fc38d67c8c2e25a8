"""Fixtures that several suites share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server import running_app


@pytest.fixture(scope="session")
def app_url() -> Iterator[str]:
    """The real app over the cache of this host, so that weights are fetched once and not per run."""
    with running_app() as url:
        yield url
