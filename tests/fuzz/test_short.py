"""Some requests of each kind that nobody would write, the same in every run; `make fuzz` sends 20,000."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.__main__ import generate
from tests.fuzz.described import REFUSED, Described
from tests.fuzz.kind import FLAGS, Kind
from tests.server import observed_app


def test_some_odd_requests_are_answered_as_they_should_be(tmp_path: Path) -> None:
    found: list[Kind] = []
    with observed_app(tmp_path, *FLAGS) as app:
        described = Described(app.url, tmp_path, 94, REFUSED)
        generate(app.url, 200, found, always_the_same=True)
        described.wait()
        found.append(described.kind())
        log = app.log.read_text("utf-8", errors="replace")
    for kind in found:
        print(kind)
        assert not kind.wrong
        assert kind.calls > 20
    assert "Traceback" not in log
