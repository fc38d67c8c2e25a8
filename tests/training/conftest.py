"""What is trained here learns the same each time."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def seeded() -> None:
    """As the command that trains does before it makes a network, whose head is random."""
    from transformers import set_seed

    set_seed(20)
