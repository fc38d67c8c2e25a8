"""The first import of Transformers, from whichever thread."""

from __future__ import annotations

import importlib


def import_transformers() -> None:
    """Imports it, or waits until another thread has.

    The library replaces its own module as the last step of its import. A thread whose `import` statement
    waits for another's gets the module that is replaced, which has none of the classes, and keeps it.
    """
    importlib.import_module("transformers")
