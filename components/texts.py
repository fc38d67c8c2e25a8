"""Texts that visitors read. They are kept in a TOML file beside the module that shows them.

Values are plain text, or Markdown where a page shows it as HTML. What is filled in stands in braces, as in
`str.format`; it is escaped in HTML. Markup in a file is shown as text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
# What is filled in where a paragraph has nothing else may be a block of its own.
_BLOCK = re.compile(r"<p>(\{\w*\})</p>")


@dataclass(frozen=True)
class Texts:
    """The texts of one file, by dotted key: `texts["views.lines"]`."""

    path: Path
    data: Mapping[str, Any]

    def __getitem__(self, key: str) -> str:
        """KeyError, with the file's name, for a key that is missing or is no text."""
        found: Any = self.data
        for part in key.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        if not isinstance(found, str):
            raise KeyError(f"{self.path.name} has no text {key!r}")
        return found.strip()

    def line(self, key: str, **values: object) -> Markup:
        """One line of Markdown as HTML, without a paragraph around it."""
        return Markup(_MARKDOWN.renderInline(self[key])).format(**values)

    def html(self, key: str, **values: object) -> Markup:
        """Markdown as HTML: paragraphs, headings, lists, tables."""
        return Markup(_BLOCK.sub(r"\1", _MARKDOWN.render(self[key]))).format(**values)


@cache
def beside(module: str) -> Texts:
    """Those of the module with the path `module`, its `__file__`."""
    path = Path(module).with_suffix(".toml")
    return Texts(path, tomllib.loads(path.read_text("utf-8")))
