"""Every task: the folders beside this file whose package has a `TASK`."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from components.tasks.task import Task

TASKS: Mapping[str, Task[Any, Any, Any]] = {
    found.name: module.TASK
    for found in pkgutil.iter_modules([str(Path(__file__).parent)])
    if found.ispkg
    for module in [import_module(f"{__package__}.{found.name}")]
    if isinstance(getattr(module, "TASK", None), Task)
}
