"""The line in which pages' runs wait for one another, so that each can say how many are before it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from components.figures import status

# Runs of all pages together that are at work; they take turns on the device step by step, so that a short
# request is not kept waiting by a long one.
AT_WORK = 4
# Those that wait hold a thread each. Beyond this many, Gradio's own queue has them, without a word.
MOST_WAITING = 20
EVERY = 1.0  # seconds between two looks at one's place

# How such a run stands in Gradio's queue.
QUEUED: dict[str, Any] = {
    "show_progress": "hidden",
    "concurrency_id": "device",
    "concurrency_limit": AT_WORK + MOST_WAITING,
    "api_visibility": "private",
}


class Line:
    """First come, first served; the first `width` are at work, the others wait."""

    def __init__(self, width: int = AT_WORK) -> None:
        self.width = width
        self._changed = threading.Condition()
        self._tickets: list[Ticket] = []

    @contextmanager
    def ticket(self) -> Iterator[Ticket]:
        """A place at the end, given back at the end of the block."""
        mine = Ticket()
        with self._changed:
            self._tickets.append(mine)
        try:
            yield mine
        finally:
            with self._changed:
                self._tickets.remove(mine)
                self._changed.notify_all()

    def before(self, ticket: Ticket) -> int:
        """How many have to be done before its turn; 0 once it is."""
        with self._changed:
            return self._before(ticket)

    def wait(self, ticket: Ticket, before: int) -> None:
        """Until fewer than `before` are before it, or for a moment."""
        with self._changed:
            self._changed.wait_for(lambda: self._before(ticket) < before, EVERY)

    def _before(self, ticket: Ticket) -> int:
        return max(0, self._tickets.index(ticket) - self.width + 1)


class Ticket:
    """A place in a line."""


def in_line(
    line: Line,
    run: Callable[..., Iterator[list[Any]]],
    shown: Callable[[str], list[Any]],
    needed: Callable[..., bool] = lambda *form_values: True,
) -> Callable[..., Iterator[list[Any]]]:
    """`run`, a listener of Gradio's, when its turn has come; until then `shown` puts a line of progress where
    the page has it. Where it is not `needed`, nothing waits and nothing changes."""

    def waits(*form_values: Any) -> Iterator[list[Any]]:
        if not needed(*form_values):
            return
        with line.ticket() as ticket:
            while before := line.before(ticket):
                words = f"In line: {before} {'run is' if before == 1 else 'runs are'} before yours"
                yield shown(str(status.progress(words, None)))
                line.wait(ticket, before)
            yield from run(*form_values)

    return waits
