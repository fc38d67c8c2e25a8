"""An evaluation through `/v1` gives the very figures of one in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.models.errors import Code, TourError
from components.tasks.text_classification import TASK
from components.training import cards
from components.training.evaluate import evaluate
from components.training.evaluation.asking import Served, answer_of
from components.training.recipe import recipes
from components.ui.page import TaskPage
from demos import PAGES, examples

TASK_PAGES = [page for page in PAGES if isinstance(page, TaskPage)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four film reviews in the data set's own format, one of them with a label that is wrong."""
    (tmp_path / "sst2").mkdir()
    rows = [
        "sentence\tlabel",
        "a gorgeous film\t1",
        "a dull and stupid mess\t0",
        "i loved it\t1",
        "wonderful\t0",
    ]
    (tmp_path / "sst2" / "glue_dev.tsv").write_text("".join(f"{row}\n" for row in rows), "utf-8")
    return tmp_path


def test_an_app_over_http_reaches_the_same(data: Path, app_url: str) -> None:
    recipe = recipes()["sentiment"]
    here, served = evaluate(recipe, data), evaluate(recipe, data, address=app_url)
    assert here.measures[0].value == 0.75
    assert served == here


@pytest.mark.parametrize("page", TASK_PAGES, ids=lambda page: page.slug)
def test_an_answer_comes_back_from_json_as_it_was(page: TaskPage) -> None:
    for one in examples.load(page.task):
        assert answer_of(page.task, one.answer).as_json() == one.answer


def test_what_the_app_refuses_is_an_error(app_url: str) -> None:
    with pytest.raises(TourError) as caught:
        Served(app_url).call(TASK, {"text": "x", "model": "nothing"})
    assert caught.value.code is Code.UNKNOWN_MODEL


@pytest.mark.parametrize(("low", "word"), [(0.7, "yes"), (0.8, "no")])
def test_agreement_is_when_the_interval_holds_what_is_kept(low: float, word: str) -> None:
    now = {"measures": [{"name": "accuracy", "value": 0.9, "low": low, "high": 1.0}]}
    kept = {"measures": [{"name": "accuracy", "value": 0.75, "low": 0.7, "high": 0.8}]}
    assert cards.agreement({"x": now}, {"x": kept}).splitlines()[-1].endswith(f"| {word} |")
