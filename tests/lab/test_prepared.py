"""The runs that are shipped: about the example set, beside a visitor's own, and good enough to be shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.lab import intake
from components.lab.data import SPLITS
from components.lab.judging import judge
from components.lab.methods.features import points
from components.lab.prepared import FOLDER, prepared
from components.lab.runs import PREDICTIONS, Phase, find
from components.lab.workspace import Workspace
from components.ui.lab import features


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


def test_the_prepared_classifier_is_judged_on_the_rows_that_are_there(workspace: Workspace) -> None:
    data = intake.shipped(workspace)
    run = prepared(workspace, data, "logistic_regression")
    assert run is not None
    judged = judge(data, run.folder / PREDICTIONS, "test")
    assert len(judged.truth) == len(data.rows("test"))
    assert (judged.truth == judged.predicted).mean() > 0.6


def test_the_prepared_picture_has_every_text_and_shows_groups(workspace: Workspace) -> None:
    data = intake.shipped(workspace)
    run = prepared(workspace, data, "features")
    assert run is not None
    drawn = features.drawn(run, "A prepared run. ")
    assert drawn is not None
    found = points(run)
    assert len(found.points) == sum(len(data.rows(split)) for split in SPLITS)
    assert (found.classes == data.classes(found.rows)).all()


def test_other_data_has_no_prepared_run(workspace: Workspace) -> None:
    data = intake.shipped(workspace)
    data.folder.rename(data.folder.with_name("data-of-somebody"))
    other = type(data)(data.folder.with_name("data-of-somebody"))
    assert prepared(workspace, other, "features") is None
