"""Work in a worker that is forked for each call, as on ZeroGPU: same answers, nothing kept, errors told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from components.serving import zerogpu
from components.tasks.task import Task
from demos import OPERATIONS
from tests.server import ROOT, clean_environment

# In a process of its own: forking one whose torch has used its threads can hang.
SCRIPT = """
import json, sys, tempfile, threading
import gradio
import torch
torch.set_num_threads(1)
from components.models.catalog import load_catalog
from components.models.errors import TourError
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir
from components.serving import anatomy
from components.serving.attention import RECORD
from components.serving.zerogpu import ZeroGpu
from components.tasks.runner import Runner
from components.tasks.task import Task
from demos import OPERATIONS
from tests.fakes.zerogpu import forked
from tests.tasks.suite import example

registry = Registry(load_catalog(), Settings(cache_dir=default_cache_dir(), device="cpu"))
ids = [one.id for one in registry.catalog if one.embedded]
zero = ZeroGpu(registry, ids, forked, device="cpu")
here, there = Runner(registry, "embedded"), Runner(registry, "embedded", execute=zero)
tasks = [*(one for one in OPERATIONS if isinstance(one, Task)), RECORD, anatomy.RECORD]
found = {}
for index, task in enumerate(tasks):
    seed = {"seed": 1} if "seed" in task.options.__pydantic_fields__ else {}
    asked = {**example(task), **seed}
    steps = [*there.stream(task, asked)]
    same = repr(steps[-1].result)[:2000] == repr(here.call(task, asked).result)[:2000]
    found[f"{index} {task.name}"] = {"steps": len(steps), "same": same}
try:
    there.call(tasks[0], {"text": "x", "model": "entities"})
except TourError as error:
    found["refused"] = error.code
writing = next(one for one in tasks if one.name == "text_generation")
stream = there.stream(writing, {"prompt": "Tell a story."})
next(step for step in stream if hasattr(step, "result"))
stream.close()
found["leases after a stop"] = sum(status.leases for status in registry.statuses()) - len(ids)
print("RESULT" + json.dumps(found))
"""


@pytest.fixture(scope="module")
def outcome() -> Mapping[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={**clean_environment(), "TOUR_CACHE": os.environ.get("TOUR_CACHE", "")},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    line = next((line for line in done.stdout.splitlines() if line.startswith("RESULT")), None)
    assert line, done.stdout + done.stderr
    found: Mapping[str, Any] = json.loads(line.removeprefix("RESULT"))
    return found


def test_every_task_gives_the_same_answer_in_a_worker(outcome: Mapping[str, Any]) -> None:
    answers = {name: value for name, value in outcome.items() if isinstance(value, dict)}
    assert len(answers) == sum(isinstance(one, Task) for one in OPERATIONS) + 2  # and two records
    assert {name: value for name, value in answers.items() if not value["same"]} == {}


def test_a_refusal_comes_out_of_the_worker(outcome: Mapping[str, Any]) -> None:
    assert outcome["refused"] == "unsuitable_model"


def test_a_stopped_call_gives_its_model_back(outcome: Mapping[str, Any]) -> None:
    assert outcome["leases after a stop"] == 0


@pytest.mark.parametrize(("value", "asked"), [("true", True), ("1", True), ("false", False), (None, False)])
def test_the_host_says_whether_it_lends_gpus(value: str | None, asked: bool) -> None:
    environ = {} if value is None else {"SPACES_ZERO_GPU": value}
    assert zerogpu.asked_for(environ) is asked
