"""chrF (Popović 2015) and BLEU (Papineni et al. 2002) as sacrebleu computes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from components.tasks.translation import TASK
from components.training.evaluation.measure import RESAMPLES, Evaluation, Failure, Measure, each, some, worst
from components.training.translator import pairs

if TYPE_CHECKING:
    from components.training.evaluation.asking import App
    from components.training.recipe import Recipe


def evaluate(recipe: Recipe, data: Path, app: App, limit: int | None) -> Evaluation:
    test = some(pairs(data, recipe)["test"], limit)
    answers = [
        app.call(
            TASK, {"text": pair.source, "target": recipe.extra["target"], "model": recipe.name}
        ).result.translation
        for pair in each(test, recipe.name)
    ]
    right = [pair.target for pair in test]
    chrf = CHRF()
    failures = [
        Failure(
            given=pair.source,
            expected=pair.target,
            answered=answer,
            weight=100 - chrf.sentence_score(answer, [pair.target]).score,
        )
        for pair, answer in zip(test, answers, strict=True)
    ]
    return Evaluation(
        split="2,000 held-out pairs of Tatoeba",
        examples=len(test),
        measures=tuple(
            _measure(name, metric, answers, right) for name, metric in (("chrF", chrf), ("BLEU", BLEU()))
        ),
        others={"source left as it is": _copied([pair.source for pair in test], right)},
        failures=worst([failure for failure in failures if len(failure.given) > 30]),
    )


def _measure(name: str, metric: BLEU | CHRF, answers: list[str], right: list[str]) -> Measure:
    score = json.loads(
        metric.corpus_score(answers, [right], n_bootstrap=RESAMPLES).format(is_json=True, signature="a:b")
    )
    middle, half = score["confidence_mean"], score["confidence_var"]
    return Measure(name=name, value=score["score"], low=middle - half, high=middle + half)


def _copied(sources: list[str], right: list[str]) -> dict[str, float]:
    return {
        "chrF": CHRF().corpus_score(sources, [right]).score,
        "BLEU": BLEU().corpus_score(sources, [right]).score,
    }
