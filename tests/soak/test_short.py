"""A few visitors meet no error until each of them has been answered all that it asks.

What a busy host makes slow is for `make soak`.
"""

from __future__ import annotations

from pathlib import Path

from tests.server import observed_app
from tests.soak.__main__ import FLAGS, soak


def test_a_few_visitors_meet_no_error(tmp_path: Path) -> None:
    with observed_app(tmp_path, *FLAGS) as app:
        found = soak(app, tmp_path, visitors=12, seconds=1)
    assert not [one for one in found if not one.startswith(("health took", "memory grew"))]
