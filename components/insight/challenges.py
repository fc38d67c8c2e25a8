"""What makes language hard for models, as small experiments on the app's own checkpoints.

Each takes texts and yields its result as far as it has come, as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from components.insight import attribution
from components.models.status import State
from components.tasks import identities, text_classification
from components.tasks.runner import Runner
from components.tasks.task import Answer

Json = Mapping[str, Any]

STORED = Path(__file__).parent / "examples" / "challenges.json"
CLASSIFIER, ENCODER = "sentiment", "all-MiniLM-L6-v2"
LENGTHS = (128, 256, 512, 1024, 2048)


def stored(name: str) -> Json:
    """The result that `python -m tests.benchmarks.challenges` has measured."""
    results: dict[str, Json] = json.loads(STORED.read_text("utf-8"))
    return results[name]


def languages(runner: Runner, texts: Sequence[str]) -> Iterator[Json]:
    """Each line of the first text through one English classifier: its score, and how many tokens it takes."""
    lines = [line for line in texts[0].splitlines() if line.strip()][:10]
    rows: list[Json] = []
    for line in lines:
        answer = _classified(runner, line)
        rows.append(
            {
                "text": line,
                "positive": _scores(answer)["positive"],
                "tokens": answer.tokens_used,
                "words": len(line.split()),
            }
        )
        yield {"rows": list(rows), "share": len(rows) / len(lines)}


def length(runner: Runner, texts: Sequence[str]) -> Iterator[Json]:
    """Time and memory of one layer's attention, for longer and longer texts."""
    for state in runner.registry.wait(ENCODER):
        if state.state is not State.READY:
            yield {"rows": [], "share": 0.0}
    from components.insight.attention_cost import costs

    rows: list[Json] = []
    with (
        runner.registry.lease(ENCODER) as model,
        closing(runner.execute(model, costs, LENGTHS)) as steps,
    ):
        for cost, _ in steps:
            rows.append(asdict(cost))
            yield {"rows": list(rows), "share": len(rows) / len(LENGTHS)}


def explanations(runner: Runner, texts: Sequence[str]) -> Iterator[Json]:
    """Which words drive one prediction, by every method."""
    request = {"task": text_classification.TASK.name, "text": texts[0], "model": CLASSIFIER}
    for step in runner.answer(attribution.TASK, request):
        if isinstance(step, Answer):
            yield {"answer": step.as_json(), "share": 1.0}


def bias(runner: Runner, texts: Sequence[str]) -> Iterator[Json]:
    """The score of a text, and of the same text about somebody else."""
    found = identities.swaps(texts[0])
    scores: list[Mapping[str, float]] = []
    every = [texts[0], *(swap.text for swap in found)]
    for text in every:
        scores.append(_scores(_classified(runner, text)))
        yield {"text": texts[0], "scores": list(scores), "share": len(scores) / len(every)}


def _classified(runner: Runner, text: str) -> Answer[Any]:
    return runner.call(text_classification.TASK, {"text": text, "model": CLASSIFIER})


def _scores(answer: Answer[Any]) -> dict[str, float]:
    return {one["label"]: one["score"] for one in answer.as_json()["labels"]}
