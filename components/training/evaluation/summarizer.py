"""ROUGE with the best of several summaries per abstract, and what a summary says that its source does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rouge_score.rouge_scorer import RougeScorer

from components.tasks.summarization import TASK
from components.tasks.text_generation import TASK as GENERATION
from components.training.data import Abstract, load
from components.training.evaluation.measure import Evaluation, Failure, each, mean, some, worst

if TYPE_CHECKING:
    from components.training.evaluation.asking import App
    from components.training.recipe import Recipe

PROMPT = "Summarize this abstract in one sentence.\n\n{}"
PROMPTED = 100  # abstracts that the chat model sums up; all of them would take an hour on two cores
_NAME_OR_NUMBER = re.compile(r"\d+(?:[.,]\d+)*|(?<=[^.!?]\s)[A-Z][\w-]+")


def evaluate(recipe: Recipe, data: Path, app: App, limit: int | None) -> Evaluation:
    name = recipe.data[0]
    abstracts = some(cast(list[Abstract], load(name, data, "test")), limit)
    scorer = RougeScorer(["rougeL"], use_stemmer=True)

    def rouge(summary: str, one: Abstract) -> float:
        return max(float(scorer.score(right, summary)["rougeL"].fmeasure) for right in one.summaries)

    def scores(
        title: str, summarize: Callable[[str, Abstract], str], those: Sequence[Abstract]
    ) -> list[tuple[Abstract, str, float]]:
        made = [(one, summarize(" ".join(one.sentences), one)) for one in each(those, title)]
        return [(one, summary, rouge(summary, one)) for one, summary in made]

    def ours(text: str, one: Abstract) -> str:
        return str(app.call(TASK, {"text": text, "max_sentences": 1, "model": recipe.name}).result.summary)

    def prompted(text: str, one: Abstract) -> str:
        payload = {"prompt": PROMPT.format(text), "temperature": 0.0, "max_new_tokens": 60}
        return str(app.call(GENERATION, payload).result.text)

    mine = scores(recipe.name, ours, abstracts)
    few = abstracts[:: max(1, len(abstracts) // PROMPTED)]
    chat = scores("plain prompting", prompted, few)
    others = {
        "first three sentences": _mean(
            scores("lead-3", lambda _, one: " ".join(one.sentences[:3]), abstracts)
        ),
        "first sentence": _mean(scores("lead-1", lambda _, one: one.sentences[0], abstracts)),
        "best single sentence (upper bound)": _mean(
            scores(
                "oracle",
                lambda _, one: max(one.sentences, key=lambda sentence: rouge(sentence, one)),
                abstracts,
            )
        ),
        f"plain prompting of the chat model, on {len(few)} of them": _mean(chat),
        f"this checkpoint, on those {len(few)}": _mean([row for row in mine if row[0] in few]),
    }
    return Evaluation(
        split="SciTLDR-A test",
        examples=len(abstracts),
        measures=(
            mean("ROUGE-L", [score for *_, score in mine]),
            mean("summaries with a name or number of their own", [_invents(*row[:2]) for row in mine]),
        ),
        others={
            **{title: {"ROUGE-L": value} for title, value in others.items()},
            "plain prompting": {
                "summaries with a name or number of their own": sum(_invents(*row[:2]) for row in chat)
                / len(chat)
            },
        },
        failures=worst(
            [
                Failure(
                    given=" ".join(one.sentences)[:300] + " …",
                    expected=one.summaries[0],
                    answered=summary,
                    weight=1 - score,
                )
                for one, summary, score in mine
            ]
        ),
    )


def _mean(rows: Sequence[tuple[Abstract, str, float]]) -> float:
    return sum(score for *_, score in rows) / len(rows)


def _invents(one: Abstract, summary: str) -> float:
    source = " ".join(one.sentences)
    return float(any(found not in source for found in _NAME_OR_NUMBER.findall(summary)))
