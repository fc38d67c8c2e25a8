"""One text through everything: each part is what its own operation answers, and one that fails is told."""

from __future__ import annotations

from typing import Any

import pytest

from components.insight import overview
from components.models.registry import Registry
from components.tasks.fields import validate
from components.tasks.runner import Runner
from components.tasks.task import Finding, Task


def whole(runner: Runner, **changes: Any) -> dict[str, Any]:
    *_, last = runner.answer(overview.TOOL, {**overview.TOOL.example, **changes})
    assert isinstance(last, Finding)
    return last.as_json()


def test_each_part_is_the_answer_of_its_own_operation(runner: Runner) -> None:
    found = whole(runner)
    inputs = validate(overview.Inputs, dict(overview.TOOL.example))
    assert found["refused"] == {}
    assert found["sentence"] in overview.LETTER
    for part in overview.PARTS:
        if isinstance(part.operation, Task):
            own = runner.call(part.operation, part.request(inputs, found["sentence"])).as_json()
            got = dict(found["answers"][part.name])
            assert own.pop("seconds")
            assert got.pop("seconds")
            assert got == own
        else:
            assert found["answers"][part.name]["tokenizations"][0]["tokens"]


def test_only_what_is_wanted(runner: Runner) -> None:
    found = whole(runner, parts=["entities", "tokens"])
    assert list(found["answers"]) == ["tokens", "entities"]


def test_a_part_that_is_refused_says_why_and_the_others_answer(runner: Runner) -> None:
    found = whole(runner, gap="There is no gap here.", parts=["sentiment", "gap"])
    assert set(found["answers"]) == {"sentiment"}
    assert "[MASK]" in found["refused"]["gap"]


@pytest.mark.parametrize("stop_after", ["tokens", "sentiment", "topics"])
def test_closing_it_frees_the_model(runner: Runner, registry: Registry, stop_after: str) -> None:
    inputs = validate(
        overview.Inputs, {"text": "It rained. Nobody came.", "parts": ["tokens", "sentiment", "topics"]}
    )
    reports = overview.reports(runner, inputs, "It rained.")
    for report in reports:
        if report.part.name == stop_after:
            break
    reports.close()
    assert not any(registry.status(id).leases for id in ("sentiment", "entailment"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("The room was clean. The breakfast was terrible and cold. We left at ten.", "The breakfast was"),
        ("Thank you.", "Thank you."),
        ("…", "…"),
    ],
)
def test_the_clearest_sentence(runner: Runner, text: str, sentence: str) -> None:
    assert overview.clearest(runner, text).startswith(sentence)
