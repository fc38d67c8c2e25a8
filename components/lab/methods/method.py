"""What a method of the lab is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from components.lab.work import Work

Kind = Literal["classifier", "features", "language model"]


@dataclass(frozen=True, kw_only=True)
class Method:
    """`options` is a pydantic dataclass made with `STRICT`, from which the form and the validation derive; a
    field `model` in it is the id of a checkpoint, which becomes `Work.base`.

    `run(work, options)` happens in a process of its own, which may import torch at once; it ends with
    `work.finish`. A classifier calls `work.predict`; what makes a checkpoint writes `work.model`. One
    that is `pausable` looks at `work.pausing`. `disk` is how many bytes it may need per parameter of `base`,
    or tells it of the options.
    """

    name: str
    title: str
    about: str
    kind: Kind
    options: type[Any]
    run: Callable[[Work, Any], None]
    pausable: bool = False
    needs_data: bool = True
    disk: float | Callable[[Any], float] = 0.0
