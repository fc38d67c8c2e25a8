"""HTML of more than a few lines: Jinja2 templates beside the modules that fill them in.

The fragments of a module are the macros of `templates/<module>.html` in its folder. What is filled in is
escaped unless it is `Markup`; a name without a value is an error. Line breaks lay out the template alone:
beside a tag, an expression or a statement they are left out with the indent after them, elsewhere a space.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

_BESIDE_TAG = re.compile(r"(?<=[>}])\s*\n\s*|\s*\n\s*(?=[<{])")
_BREAK = re.compile(r"\s*\n\s*")


def beside(module: str, **functions: Callable[..., object]) -> Callable[..., Markup]:
    """A function that fills in a fragment of `module`'s templates: `fill = beside(__file__)`, then
    `fill("header", brand="Tour")`. Templates may call `functions` by their names."""
    path = Path(module)

    @cache
    def fragments() -> object:
        file = path.parent / "templates" / f"{path.stem}.html"
        return _environment().get_template(str(file), globals=functions).module

    def fill(fragment: str, /, **values: object) -> Markup:
        filled: Markup = getattr(fragments(), fragment)(**values)
        return filled

    return fill


@cache
def _environment() -> Environment:
    return Environment(loader=FunctionLoader(_source), autoescape=True, undefined=StrictUndefined)


def _source(path: str) -> str:
    return _BREAK.sub(" ", _BESIDE_TAG.sub("", Path(path).read_text("utf-8").strip()))
