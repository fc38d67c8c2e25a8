"""Texts that visitors read, kept in TOML files: a module of a page has a file of its own (`beside`); modules
with few texts each share one per folder, which has a table for each of them (`in_folder`).

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
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

SHARED = "texts.toml"
# What is filled in where a paragraph has nothing else may be a block of its own.
_BLOCK = re.compile(r"<p>(\{\w*\})</p>")


@dataclass(frozen=True)
class Texts:
    """The texts of one module, by dotted key: `texts["views.lines"]`."""

    path: Path  # of the file
    data: Mapping[str, Any]

    def __getitem__(self, key: str) -> str:
        """KeyError, with the file's name, for a key that is missing or is no text."""
        found: Any = self.data
        for part in key.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        if not isinstance(found, str):
            raise KeyError(f"{self.path.parent.name}/{self.path.name} has no text {key!r}")
        return found.strip()

    def line(self, key: str, **values: object) -> Markup:
        """One line of Markdown as HTML, without a paragraph around it."""
        return Markup(_markdown().renderInline(self[key])).format(**values)

    def html(self, key: str, **values: object) -> Markup:
        """Markdown as HTML: paragraphs, headings, lists, tables."""
        return Markup(_BLOCK.sub(r"\1", _markdown().render(self[key]))).format(**values)


def beside(module: str) -> Texts:
    """Those of the module with the path `module`, its `__file__`, in the file of its name."""
    path = Path(module).with_suffix(".toml")
    return Texts(path, _read(path))


def in_folder(module: str) -> Texts:
    """Those of the module with the path `module`, its `__file__`, in the file that its folder shares.

    KeyError, with the file's name, if that has no table of the module's name.
    """
    path = Path(module).with_name(SHARED)
    table = table_of(module)
    if table not in (data := _read(path)):
        raise KeyError(f"{path.parent.name}/{path.name} has no table [{table}]")
    return Texts(path, data[table])


def table_of(module: str) -> str:
    """The module's name, of a package the folder's."""
    path = Path(module)
    return path.parent.name if path.stem == "__init__" else path.stem


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt  # loads slowly, for those who only need plain text

    return MarkdownIt("commonmark", {"html": False}).enable("table")


@cache
def _read(path: Path) -> Mapping[str, Any]:
    data: Mapping[str, Any] = tomllib.loads(path.read_text("utf-8"))
    return data
