"""The story's experiments, on the shipped weights."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from components.insight import challenges
from components.models.catalog import load_catalog
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir
from components.tasks import identities, text_classification
from components.tasks.runner import Runner


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    registry = Registry(load_catalog(), Settings(cache_dir=default_cache_dir()))
    yield Runner(registry, "embedded")
    registry.close()


def test_each_line_is_classified_as_alone(runner: Runner) -> None:
    results = list(challenges.languages(runner, ["It was awful.\n\nEs war furchtbar, und das Essen kalt."]))
    assert [len(result["rows"]) for result in results] == [1, 2]
    english, german = results[-1]["rows"]
    alone = runner.call(text_classification.TASK, {"text": german["text"], "model": challenges.CLASSIFIER})
    scores = {one["label"]: one["score"] for one in alone.as_json()["labels"]}
    assert german["positive"] == pytest.approx(scores["positive"], abs=1e-4)
    assert (german["tokens"] - 2) / german["words"] > (english["tokens"] - 2) / english["words"]


def test_memory_of_attention_grows_with_the_square(runner: Runner) -> None:
    with_two = itertools.islice(challenges.length(runner, []), 20)
    results = [result for result in with_two if result["rows"]]
    rows = results[-1]["rows"]
    assert [row["tokens"] for row in rows] == list(challenges.LENGTHS)
    for row in rows:
        assert row["nbytes"] == 12 * row["tokens"] ** 2 * 4
        assert row["seconds"] > 0


def test_a_measurement_that_is_closed_gives_the_model_back(runner: Runner) -> None:
    work = challenges.length(runner, [])
    next(result for result in work if result["rows"])
    work.close()  # type: ignore[attr-defined]
    for id in (challenges.CLASSIFIER, challenges.ENCODER):  # refused while somebody uses it
        runner.registry.unload(id)


def test_every_swap_gets_the_score_of_its_own_text(runner: Runner) -> None:
    text = "He lives next door."
    *_, result = challenges.bias(runner, [text])
    [swap] = identities.swaps(text)
    alone = runner.call(text_classification.TASK, {"text": swap.text, "model": challenges.CLASSIFIER})
    assert len(result["scores"]) == 2
    best = alone.as_json()["labels"][0]
    assert result["scores"][1][best["label"]] == pytest.approx(best["score"], abs=1e-4)


def test_explanations_are_of_all_methods(runner: Runner) -> None:
    *_, result = challenges.explanations(runner, ["The staff were wonderful, the street was loud."])
    assert len(result["answer"]["methods"]) == 4
    assert result["answer"]["agreement"]["sentence"]
