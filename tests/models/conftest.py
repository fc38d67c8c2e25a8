"""Tiny checkpoints, built once per run."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.models.catalog import Catalog
from components.models.settings import Settings
from tests.fakes.checkpoints import tiny_catalog, tiny_encoder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return tiny_catalog(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoder") / "checkpoint")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(cache_dir=tmp_path / "cache", device="cpu")
