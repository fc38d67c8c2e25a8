"""The runs that are shipped: about the example set, beside a visitor's own, and good enough to be shown."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from components.figures import lab_features
from components.figures.curves import curves
from components.lab import intake
from components.lab.data import SPLITS
from components.lab.judging import judge
from components.lab.methods.features import Options, points
from components.lab.prepared import CARD, FILES, FOLDER, prepared
from components.lab.runs import PREDICTIONS, Phase, find
from components.lab.workspace import Workspace
from components.ui.lab import train


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    for name in ("data", "runs"):
        (tmp_path / name).mkdir()
    return Workspace(folder=tmp_path)


@pytest.mark.parametrize("method", sorted(one.name for one in FOLDER.iterdir()))
def test_a_prepared_run_is_done_and_about_the_visitors_own_copy(workspace: Workspace, method: str) -> None:
    data = intake.shipped(workspace)
    for _ in range(2):  # also when it is there already
        run = prepared(workspace, data, method)
        assert run is not None
        assert run.state.phase is Phase.DONE
        assert run.data is not None
        assert run.data.id == data.id
    assert not list(find(workspace.runs))


def test_several_tabs_may_ask_at_once(workspace: Workspace) -> None:
    data = intake.shipped(workspace)
    together = threading.Barrier(8)

    def ask(_: int) -> str:
        together.wait()
        run = prepared(workspace, data, "lora")
        assert run is not None
        assert run.data is not None
        return f"{run.state.phase} {len(run.events())}"

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1


# What each is said to reach on the tab Train.
@pytest.mark.parametrize(("method", "reached"), [("logistic_regression", 0.67), ("lora", 0.60)])
def test_a_prepared_classifier_is_judged_on_the_rows_that_are_there(
    workspace: Workspace, method: str, reached: float
) -> None:
    data = intake.shipped(workspace)
    run = prepared(workspace, data, method)
    assert run is not None
    judged = judge(data, run.folder / PREDICTIONS, "test")
    assert len(judged.truth) == len(data.rows("test"))
    assert (judged.truth == judged.predicted).mean() == pytest.approx(reached, abs=0.005)
    assert f"{reached:.0%}".replace("%", " %") in train.ON_THE_EXAMPLE_SET


def test_the_prepared_training_has_curves_and_a_card(workspace: Workspace) -> None:
    run = prepared(workspace, intake.shipped(workspace), train.FIRST)
    assert run is not None
    assert len([one for one in run.events() if one["event"] == "validation"]) == run.spec.options["epochs"]
    drawn = curves(run.events())
    assert drawn
    assert "macro F1" in drawn.label
    assert "# emotions: LoRA" in (run.folder / CARD).read_text("utf-8")
    assert "adapter_model.safetensors" in json.loads((run.folder / FILES).read_text("utf-8"))


def test_the_prepared_picture_has_every_text_and_shows_groups(workspace: Workspace) -> None:
    data = intake.shipped(workspace)
    run = prepared(workspace, data, "features")
    assert run is not None
    drawn = lab_features.scatter(data, points(run), "")
    assert drawn.label == "600 texts in 6 classes as points"
    assert run.result["projection"] == Options().projection
    held = run.result["held_out"]
    assert held["rows"] == 180
    assert held["share"] > 3 * held["chance"]
    found = points(run)
    assert len(found.points) == sum(len(data.rows(split)) for split in SPLITS)
    assert (found.classes == data.classes(found.rows)).all()


def test_other_data_has_no_prepared_run(workspace: Workspace) -> None:
    data = intake.shipped(workspace)
    data.folder.rename(data.folder.with_name("data-of-somebody"))
    other = type(data)(data.folder.with_name("data-of-somebody"))
    assert prepared(workspace, other, "features") is None
