"""Fixtures that several suites share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.server import running_app


# As in the app: several processes with torch share the processor here.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.fixture(scope="session")
def app_url() -> Iterator[str]:
    """The real app over the cache of this host, so that weights are fetched once and not per run."""
    with running_app() as url:
        yield url
