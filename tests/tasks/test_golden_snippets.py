"""The drawer's code as visitors get it, for every task and checkpoint: a change of it is seen in review.

After a change that is meant: `python -m tests.tasks.test_golden_snippets` writes the files anew.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from components.models.catalog import load_catalog
from components.models.checkpoint import INSPECTIONS
from components.models.registry import Registry
from components.models.settings import Settings
from components.tasks import tokenize
from components.tasks.runner import Runner
from components.tasks.snippet import tokenizer_snippet
from components.tasks.task import Operation, Tool
from tests.tasks.suite import TASKS, name

GOLDEN = Path(__file__).with_name("golden")
CATALOG = load_catalog()
WHOLE = [checkpoint.id for checkpoint in CATALOG if checkpoint.body is None]
PAIRS: list[tuple[Operation, str]] = [
    *(
        (task, checkpoint.id)
        for task in TASKS
        for checkpoint in CATALOG.for_task(task.name)
        if checkpoint.embedded or task.name not in INSPECTIONS
    ),
    *((tokenize.TOOL, id) for id in WHOLE),
]


def file(task: Operation, model: str) -> Path:
    return GOLDEN / task.name / f"{model.replace('/', '--')}.txt"


def code(task: Operation, model: str, cache: Path) -> str:
    """For the task's example with every option at its default."""
    if isinstance(task, Tool):
        return tokenizer_snippet(CATALOG[model].source, str(task.example["text"]))
    request = Runner(Registry(CATALOG, Settings(cache_dir=cache)), "embedded").parse(
        task, {**task.example, "model": model}
    )
    return task.snippet(request.checkpoint, request.inputs, request.options)


@pytest.mark.parametrize(("task", "model"), PAIRS, ids=name)
def test_it_is_as_it_was_reviewed(task: Operation, model: str, tmp_path: Path) -> None:
    assert code(task, model, tmp_path) == file(task, model).read_text("utf-8")


def test_there_are_no_others() -> None:
    assert sorted(GOLDEN.glob("*/*")) == sorted(file(task, model) for task, model in PAIRS)


def write() -> None:
    shutil.rmtree(GOLDEN, ignore_errors=True)
    with TemporaryDirectory() as cache:
        for task, model in PAIRS:
            place = file(task, model)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(code(task, model, Path(cache)), "utf-8")


if __name__ == "__main__":
    write()
