"""What the models page lets a visitor do."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.models.catalog import Catalog
from components.models.registry import Registry
from components.models.settings import Settings
from demos.models import table_of


@pytest.mark.parametrize("allowed", [False, True])
def test_unloading_is_the_hosts_to_allow(tmp_path: Path, allowed: bool) -> None:
    from tests.fakes.checkpoints import tiny_catalog

    catalog = Catalog(tiny_catalog(tmp_path / "tiny"))
    settings = Settings(cache_dir=tmp_path / "cache", device="cpu", visitors_unload=allowed)
    registry = Registry(catalog, settings)
    first = next(iter(catalog)).id
    with registry.lease(first):
        actions = {row["id"]: row["action"] for row in table_of(registry, {})["checkpoints"]}
    registry.close()
    assert actions[first] == ("unload" if allowed else "")
    assert {action for id, action in actions.items() if id != first} <= {"load", "unload" if allowed else ""}
