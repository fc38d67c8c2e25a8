"""What is drawn of a judged classifier: its numbers, and no element that a text or a class could add."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from components.figures import lab_judge, reliability
from components.figures.markup import Markup
from components.lab.data import Data
from components.lab.judging import Judgement, agreement, judge
from tests.fakes.labelled import labelled
from tests.figures.test_escaping import HOSTILE, Skeleton

ROWS = 90


def judged(folder: Path, classes: list[str], texts: list[str]) -> tuple[Data, list[Judgement]]:
    """Two classifiers with the same mistakes whatever the classes are called."""
    folder.mkdir(parents=True)
    chance = np.random.default_rng(3)
    codes = chance.integers(0, len(classes), ROWS)
    data = labelled(folder, codes, np.arange(ROWS) % 3, classes, texts)
    judgements = []
    for good in (0.7, 2.5):
        logits = chance.normal(size=(ROWS, len(classes)))
        logits[np.arange(ROWS), codes] += good
        file = folder / "predictions.npz"
        np.savez(file, validation=logits[1::3], test=logits[2::3])
        judgements.append(judge(data, file))
    return data, judgements


def every_figure(data: Data, judgements: list[Judgement], word: str) -> Iterator[Markup]:
    first, second = judgements
    texts = dict(zip(first.rows.tolist(), data.texts(first.rows), strict=True))
    entry = lab_judge.Entry(
        number=1, title=word, settings=word, seconds=3, measures=first.measures, calibration=first.raw
    )
    pairs = agreement(judgements)
    yield lab_judge.compared([entry], 1)
    yield lab_judge.confusion(first).below()
    yield lab_judge.per_class(first)
    yield lab_judge.calibration(first).below()
    yield lab_judge.agreements([word, word], pairs)
    yield lab_judge.differences(first, second, (word, word), pairs[0], texts)
    for title, advice, view in lab_judge.VIEWS:
        yield lab_judge.examples(first, view(first), texts, title, advice)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_and_no_class_becomes_an_element(tmp_path: Path, text: str) -> None:
    harmless = every_figure(*judged(tmp_path / "x", ["x"] * 3, ["x"] * ROWS), "x")
    hostile = every_figure(*judged(tmp_path / "y", [text] * 3, [text] * ROWS), text)
    for plain, drawn in zip(harmless, hostile, strict=True):
        assert Skeleton(drawn).elements == Skeleton(plain).elements


@pytest.fixture
def case(tmp_path: Path) -> tuple[Data, list[Judgement]]:
    return judged(tmp_path / "case", ["joy", "anger", "fear"], [f"text {row}" for row in range(ROWS)])


def test_each_cell_with_examples_is_a_button_that_says_which(case: tuple[Data, list[Judgement]]) -> None:
    one = case[1][0]
    found = re.findall(
        r'data-row="(\d)" data-column="(\d)" aria-label="(\d+) of (\w+) predicted as (\w+)">(\d+)<',
        lab_judge.confusion(one).below(),
    )
    cells = {(int(row), int(column)): int(count) for row, column, count, *_ in found}
    filled = np.argwhere(one.confusion).tolist()
    assert cells == {(row, column): int(one.confusion[row, column]) for row, column in filled}
    for row, column, count, true, predicted, shown in found:
        assert (one.labels[int(row)], one.labels[int(column)], count) == (true, predicted, shown)


def test_of_many_classes_those_most_confused_are_drawn(tmp_path: Path) -> None:
    classes = [f"class {code}" for code in range(lab_judge.MOST_CLASSES + 10)]
    _, (one, _) = judged(tmp_path / "many", classes, [])
    drawn = lab_judge.confusion(one).below()
    assert drawn.count("<tr>") == lab_judge.MOST_CLASSES + 1
    assert f"Of {len(classes)} classes" in drawn
    off = one.confusion - np.diag(np.diag(one.confusion))
    worst = int((off.sum(axis=0) + off.sum(axis=1)).argmax())
    assert f'<th scope="row" dir="auto">class {worst}</th>' in drawn


def test_examples_come_by_their_loss(case: tuple[Data, list[Judgement]]) -> None:
    data, (one, _) = case
    texts = dict(zip(one.rows.tolist(), data.texts(one.rows), strict=True))
    (_, _, highest), (_, _, lowest) = lab_judge.VIEWS
    drawn = lab_judge.examples(one, highest(one), texts, "Highest loss")
    losses = [float(loss) for loss in re.findall(r"<td>(\d+\.\d{3})</td></tr>", drawn)]
    assert losses == pytest.approx(sorted(one.losses, reverse=True)[:10], abs=6e-4)
    assert data.texts(one.rows[[one.losses.argmax()]])[0] in drawn
    assert one.losses[lowest(one)].max() <= one.losses[highest(one)].min()


def test_a_long_list_and_a_long_text_say_what_is_left_out(tmp_path: Path) -> None:
    _, (one, _) = judged(tmp_path / "long", ["a", "b", "c"], ["w" * 700] * ROWS)
    places = np.arange(len(one.rows)).repeat(3)
    drawn = lab_judge.examples(one, places, dict.fromkeys(one.rows.tolist(), "w" * 700), "All")
    assert "The first 50 of 90 are listed" in drawn
    assert drawn.count("(700 characters)") == 50


def test_the_figure_counts_what_the_table_counts(case: tuple[Data, list[Judgement]]) -> None:
    one = case[1][0]
    [drawn] = json.loads(lab_judge.confusion(one).json())["data"]
    assert drawn["text"] == one.confusion.tolist()
    assert drawn["customdata"][2][1] == [2, 1]
    shares = np.abs(drawn["z"]).sum(axis=1)
    assert shares == pytest.approx(np.ones(len(one.labels)))
    assert (np.array(drawn["z"]) >= 0).tolist() == (np.eye(3, dtype=bool) | (one.confusion == 0)).tolist()


def test_temperature_is_drawn_before_and_after(case: tuple[Data, list[Judgement]]) -> None:
    one = case[1][1]
    drawn = lab_judge.calibration(one)
    before, after, _ = json.loads(drawn.json())["data"]
    assert before["y"] == pytest.approx([each.right for each in one.raw.bins])
    assert after["y"] == pytest.approx([each.right for each in one.scaled.bins])
    assert before["x"] == pytest.approx([each.low for each in one.raw.bins])
    ends = np.sum([before["x"], before["offset"], before["width"]], axis=0)
    starts = np.sum([after["x"], after["offset"]], axis=0)
    assert max(ends) < 1
    assert {*ends.round(6)} & {*starts.round(6)}  # next to each other
    for value in (f"{one.raw.error:.3f}", f"{one.scaled.error:.3f}", f"{one.temperature:.2f}"):
        assert value in drawn.below()


def test_one_diagram_has_its_numbers_below(case: tuple[Data, list[Judgement]]) -> None:
    bins = [asdict(one) for one in case[1][0].raw.bins]
    drawn = reliability.diagram({"as trained": bins}, Markup("the test split"))
    assert len(re.findall("<tr><td", drawn.below())) == len(bins)
    assert "the test split" in drawn.below()
