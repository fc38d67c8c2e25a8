"""Runs of several visitors: one after the other, apart, paused, resumed, and what a dead server leaves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from components.lab.jobs import MOST_OF_ONE, MOST_WAITING, TURN
from components.lab.lab import Lab
from components.lab.runs import CHECKPOINTS, KEY, Phase, Run, State, find
from components.lab.workspace import Workspace, new_key
from components.models.catalog import load_catalog
from components.models.errors import TourError
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir
from components.serving.listing import Listing, listing
from components.tasks.runner import Runner
from components.tasks.text_classification import TASK
from tests.lab.conftest import EMOTIONS, MakeData
from tests.server import ROOT

PATIENCE = 600  # seconds: a run gives way to whatever else the host does
pytestmark = pytest.mark.timeout(2 * PATIENCE)
LONG = {"epochs": 40, "batch": 4}


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def learning(run: Run) -> bool:
    return any(event["event"] == "train" for event in run.events())


def phase(run: Run) -> Phase:
    return run.state.phase


def steps(run: Run) -> list[int]:
    return [event["step"] for event in run.events() if event["event"] == "train"]


def test_a_long_run_beside_those_of_others(lab: Lab, make_data: MakeData, subtests: pytest.Subtests) -> None:
    """To start a training takes seconds: the same one waits, makes way, is cut off, and is cancelled."""
    one, other = (lab.workspaces.open(new_key()) for _ in range(2))
    long = lab.start(one, "lora", LONG, make_data(one, title="mine"))
    second = lab.start(other, "baseline", {}, make_data(other, title="theirs", times=2))
    third = lab.start(one, "baseline", {}, lab.data(one))
    with subtests.test("runs stand in line and do not mix"):
        assert [lab.jobs.place(run) for run in (long, second, third)] == [0, 1, 2]
        assert [run.id for run in find(one.runs)] == [long.id, third.id]
        assert [run.id for run in find(other.runs)] == [second.id]
        with pytest.raises(TourError, match="no longer there"):
            lab.run(other, long.id)
    until(lambda: learning(long), "it learns")
    assert [phase(run) for run in (second, third)] == [Phase.WAITING] * 2
    with subtests.test("a long run makes way for those who wait, and goes on after them"):
        lab.jobs._turn = 0.0
        for run in (second, third):
            lab.jobs.wait(run, PATIENCE)
        lab.jobs._turn = TURN
        assert [phase(run) for run in (second, third)] == [Phase.DONE, Phase.DONE]
        assert not phase(long).ended
        before = len(steps(long))
        until(lambda: len(steps(long)) > before, "it goes on")
        assert steps(long)[before] > steps(long)[before - 1]
    with subtests.test("what the server leaves behind when it stops can be resumed"):
        waiting = lab.start(one, "baseline", {}, lab.data(one))
        lab.close()
        assert phase(long) is Phase.PAUSED or long.saved
        again = Lab(lab.registry, lab.settings, root=lab.workspaces.root)
        again.recover()
        assert phase(long).resumable
        assert phase(waiting) is Phase.INTERRUPTED
        again.resume(waiting)
        again.jobs.wait(waiting, PATIENCE)
        assert phase(waiting) is Phase.DONE
    with subtests.test("nothing is left of a run that is cancelled while it waits to be resumed"):
        again.jobs.cancel(long)
        assert phase(long) is Phase.CANCELLED
        assert not long.saved
    again.close()


@dataclass(frozen=True)
class Finished:
    """A run that found no memory, and the next try, which was paused, resumed and carried out; what there was
    when it was paused.
    """

    lab: Lab
    key: str
    failed: Run
    run: Run
    paused: State
    saved: bool
    before: list[int]


@pytest.fixture(scope="module")
def no_memory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place from which interpreters learn that there is none for gradients."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "sitecustomize.py").write_text(  # every interpreter imports it first
        "import torch\n\n\ndef backward(*arguments, **options):\n"
        "    raise torch.OutOfMemoryError('CUDA out of memory.')\n\n\ntorch.Tensor.backward = backward\n"
    )
    return folder


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, make_data: MakeData, no_memory: Path
) -> Iterator[Finished]:
    settings = Settings(cache_dir=default_cache_dir())
    options = {"epochs": 6, "batch": 4, "longest": 32, "learning_rate": 2e-3}
    key = new_key()
    with (
        closing(Registry(load_catalog(), settings)) as registry,
        closing(Lab(registry, settings, root=tmp_path_factory.mktemp("finished"))) as lab,
    ):
        workspace = lab.workspaces.open(key)
        data = make_data(workspace)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(no_memory))
            failed = lab.start(workspace, "lora", options, data)
            lab.jobs.wait(failed, PATIENCE)
        run = lab.start(workspace, "lora", options, data)
        with pytest.raises(TourError, match="Cancel it first"):
            lab.remove(run)
        until(lambda: len(steps(run)) > 2, "it learns")
        lab.jobs.pause(run)
        lab.jobs.wait(run, PATIENCE)
        paused, saved, before = run.state, run.saved, steps(run)
        lab.resume(run)
        lab.jobs.wait(run, PATIENCE)
        yield Finished(lab, key, failed, run, paused, saved, before)


def test_memory_that_runs_out_is_told_and_the_next_try_succeeds(finished: Finished):
    failed = finished.failed
    assert phase(failed) is Phase.FAILED
    assert "Memory ran out" in failed.state.message, failed.state
    assert "smaller batch" in failed.state.message
    assert finished.lab.model_id(failed) is None
    assert not failed.saved
    assert phase(finished.run) is Phase.DONE, finished.run.state


def test_a_paused_run_goes_on_where_it_was(finished: Finished):
    run, before = finished.run, finished.before
    assert finished.paused.phase is Phase.PAUSED, finished.paused.message
    assert finished.saved
    assert phase(run) is Phase.DONE, run.state
    assert steps(run)[: len(before)] == before
    assert steps(run)[len(before)] == before[-1] + 1
    assert not run.saved
    assert not (run.folder / CHECKPOINTS).exists()


def test_the_model_of_a_run_answers_at_once(finished: Finished):
    registry, id = finished.lab.registry, finished.lab.model_id(finished.run)
    assert id is not None
    assert registry.catalog[id].body == registry.catalog["all-MiniLM-L6-v2"]
    result = Runner(registry, "embedded").call(TASK, {"text": "We won!", "model": id}).result
    assert {one.label for one in result.labels} == set(EMOTIONS)
    assert registry.card(registry.catalog[id]).startswith("---\n")


SERVER = """
import json, sys, time
from pathlib import Path
from components.lab.lab import Lab
from components.models.catalog import load_catalog
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir

settings = Settings(cache_dir=default_cache_dir())
lab = Lab(Registry(load_catalog(), settings), settings, root=Path(sys.argv[1]))
workspace = lab.workspaces.open(sys.argv[2])
lab.start(workspace, sys.argv[3], json.loads(sys.argv[4]), lab.data(workspace))
time.sleep(1000)
"""


@pytest.mark.parametrize(
    ("method", "left"), [("lora", Phase.INTERRUPTED), ("logistic_regression", Phase.LOST)]
)
def test_a_killed_server_loses_nothing_in_silence(lab: Lab, make_data: MakeData, method: str, left: Phase):
    key = new_key()
    workspace = lab.workspaces.open(key)
    make_data(workspace, times=40)
    root = lab.workspaces.root
    lab.close()
    options = LONG if method == "lora" else {}
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(root), key, method, json.dumps(options)], cwd=ROOT
    )
    try:
        until(lambda: any(True for _ in find(workspace.runs)), "the server has started the run")
        [run] = find(workspace.runs)
        until(lambda: learning(run) if method == "lora" else bool(run.events()), "it runs")
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
    assert phase(run) is Phase.RUNNING
    again = Lab(lab.registry, lab.settings, root=root)
    again.recover()
    assert phase(run) is left, run.state
    assert run.state.message
    if left is Phase.INTERRUPTED:
        before = len(steps(run))
        again.resume(run)
        until(lambda: len(steps(run)) > before, "it goes on")
        assert steps(run)[before] == before + 1
        behind = again.start(workspace, "baseline", {}, again.data(workspace))
        again.jobs.cancel(run)
        again.jobs.wait(behind, PATIENCE)
        assert [phase(one) for one in (run, behind)] == [Phase.CANCELLED, Phase.DONE]
        assert not run.saved
        assert not (run.folder / CHECKPOINTS).exists()
    again.close()


def test_only_so_many_wait_and_few_of_one_visitor(lab: Lab, make_data: MakeData):
    visitors = [lab.workspaces.open(new_key()) for _ in range(MOST_WAITING // MOST_OF_ONE + 1)]
    data = [make_data(workspace) for workspace in visitors]
    lab.start(visitors[-1], "lora", LONG, data[-1])
    for workspace, own in zip(visitors[:-1], data, strict=False):
        for _ in range(MOST_OF_ONE):
            lab.start(workspace, "baseline", {}, own)
    with pytest.raises(TourError, match="runs are waiting already"):
        lab.start(visitors[-1], "baseline", {}, data[-1])
    lab.jobs.cancel(next(find(visitors[0].runs)))
    with pytest.raises(TourError, match="of your runs are in line"):
        lab.start(visitors[1], "baseline", {}, data[1])
    assert len(list(find(visitors[1].runs))) == MOST_OF_ONE
    for workspace in visitors:
        for run in find(workspace.runs):
            lab.jobs.cancel(run)


@pytest.mark.parametrize(
    ("method", "options", "said"),
    [
        ("lora", {"epochs": 0}, "Epochs"),
        ("lora", {"model": "no-such-model"}, "no model"),
        ("lora", {"model": "sentiment"}, "not a complete encoder"),
    ],
)
def test_what_does_not_fit_is_refused_at_once(
    lab: Lab, workspace: Workspace, make_data: MakeData, method: str, options: dict[str, object], said: str
):
    with pytest.raises(TourError, match=said):
        lab.start(workspace, method, options, make_data(workspace))
    assert not list(find(workspace.runs))


def assert_private(lab: Lab, id: str) -> None:
    """A model that nothing names: neither a list nor a message; who has its id can use it all the same."""
    key = id[-KEY:]
    registry = lab.registry
    assert id in registry.catalog
    named = [
        *(one.id for one in registry.catalog),
        *(
            one.id
            for task in ("text_classification", "attention", "layers")
            for one in registry.catalog.for_task(task)
        ),
        *(f"{status.checkpoint.id} {status.adapters}" for status in registry.statuses()),
        *(one.id for one in lab.bases(new_key())),
        *(one.id for one in lab.own(new_key())),
        *(one.id for one in lab.own(None)),
        TypeAdapter(Listing).dump_json(listing(registry)).decode(),
    ]
    with pytest.raises(TourError) as unknown:
        registry.catalog["local/nothing"]
    named.append(unknown.value.message)
    with pytest.raises(TourError) as in_use, registry.lease(id):
        registry.unload("all-MiniLM-L6-v2")
    named.append(in_use.value.message)
    assert not [one for one in named if key in one]


def test_a_removed_run_takes_its_model_along(finished: Finished):
    """The last to look at it."""
    lab, key, run = finished.lab, finished.key, finished.run
    id = str(lab.model_id(run))
    assert_private(lab, id)
    lab.share(run, True)
    assert id in [one.id for one in lab.registry.catalog.for_task("text_classification")]
    assert lab.own(key) == []  # it is among everybody's
    lab.share(run, False)
    assert_private(lab, id)
    assert [one.id for one in lab.own(key)] == [id]
    with lab.registry.lease(id) as model:
        assert model.checkpoint.id == id
        with pytest.raises(TourError, match="answering"):
            lab.remove(run)
    lab.remove(run)
    assert id not in lab.registry.catalog
    assert not run.folder.exists()
    lab.registry.unload("all-MiniLM-L6-v2")
