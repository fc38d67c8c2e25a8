"""What can be asked about a prediction of a task: the words of the attribution page and of `explain.py`."""

from __future__ import annotations

from dataclasses import dataclass

TEXT, PAIR = "text", "text_pair"
LONGEST = 512  # tokens that are read and explained


@dataclass(frozen=True, kw_only=True)
class Explained:
    """How the attribution page asks for a prediction of a task; `explain.py` in the task's folder makes it.

    `second` says what the second text is, empty for a task that reads one; `title` and `help` are those of
    its box. `target` tells what can be named to be explained.
    """

    target: str
    has_best: bool = True  # an empty target stands for the model's own choice
    second: str = ""
    title: str = ""
    help: str = ""
    required: bool = False


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request. `target` and `against` are what visitors call predictions, empty for the model's own best
    and for no comparison."""

    task: str
    text: str
    text_pair: str
    target: str
    against: str
    by_words: bool


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A word or token: [start, end) of the `source` ("text" or "text_pair"), in code points."""

    text: str
    start: int
    end: int
    source: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the task could say, with the number that its own page shows."""

    text: str
    score: float
