"""Gradio's import without its type stubs.

As it is imported, Gradio parses its own components to write their `.pyi` files, which have come with it: a
third of the processor time of its import (6.31, `component_meta.py`).
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_WRITER = "gradio.component_meta"


def leave_alone() -> None:
    """Takes effect if Gradio has not been imported; where the module is another, nothing changes."""
    if _WRITER not in sys.modules:
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _WRITER:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def without_writing(module: ModuleType) -> None:
                execute(module)
                module.create_or_modify_pyi = lambda *_: None  # type: ignore[attr-defined]

            spec.loader.exec_module = without_writing  # type: ignore[method-assign]
        return spec
