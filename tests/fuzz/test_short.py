"""Some requests of each kind that nobody would write; `make fuzz` sends 20,000."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.__main__ import FLAGS, described, generated
from tests.server import observed_app


def test_some_odd_requests_are_answered_as_they_should_be(tmp_path: Path) -> None:
    with observed_app(tmp_path, *FLAGS) as app:
        found = [*generated(app, 200), described(app, tmp_path, 20, 8)]
        log = app.log.read_text("utf-8", errors="replace")
    for kind in found:
        print(kind)
        assert not kind.wrong
        assert sum(kind.statuses.values()) > (0 if kind.name == "/v1" else 20)  # its first call loads a model
    assert "Traceback" not in log
