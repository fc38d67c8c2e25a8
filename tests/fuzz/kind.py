"""What became of the requests of one kind, and what an app may not do with any."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

LIMIT = 30.0  # seconds for one request, which is also told to the app
SLACK = 15.0  # what a busy host adds
FLAGS = ("--time-limit", str(LIMIT))
WRONG = (500, 501, 502)
CLOSED = 0  # stands for a request that was refused by closing the connection
ROW = "{:<14} {:>8} {:>10}   {}"


@dataclass
class Kind:
    name: str
    statuses: Counter[int] = field(default_factory=Counter)
    longest: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def add(self, status: int, seconds: float, request: str) -> None:
        self.statuses[status] += 1
        self.longest = max(self.longest, seconds)
        if status in WRONG or seconds > LIMIT + SLACK:
            self.wrong.append(f"{status or 'no answer'} after {seconds:.1f} s: {request[:700]}")

    @property
    def calls(self) -> int:
        return sum(self.statuses.values())

    def __str__(self) -> str:
        found = ", ".join(f"{status or 'closed'}: {count}" for status, count in sorted(self.statuses.items()))
        return ROW.format(self.name, self.calls, f"{self.longest:.1f} s", found)
