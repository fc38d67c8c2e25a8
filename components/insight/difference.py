"""What a prediction loses between two runs over the same tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Predicts = Literal["next token", "first token", "gap", "label", "labels of tokens", "answer", "vector"]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One thing that could be said, with its probability in two runs; a token's label `becomes` another."""

    text: str
    before: float
    after: float
    becomes: str = ""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Between two runs. `before` and `after` say in words what is predicted, `kept` is the probability of
    the first prediction in the second run (of labels of tokens the mean, of a vector the cosine), `had` that
    in the first. `distance` [tokens] is 1 less the cosine between a token's last states."""

    predicts: Predicts
    before: str
    after: str
    had: float
    kept: float
    choices: tuple[Choice, ...]
    distance: tuple[float, ...]
    written_before: str = ""
    written_after: str = ""

    @property
    def same(self) -> bool:
        return self.before == self.after
