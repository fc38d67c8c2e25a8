"""Questions to spans of a text, or to none (Devlin et al. 2019, https://arxiv.org/abs/1810.04805)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from components.training import adapter
from components.training.near_misses import Swaps, near_misses
from components.training.questions import Question, held_back, questions
from components.training.recipe import EMBEDDED
from components.training.run import Collate, Example, Job, predict

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from components.training.recipe import Recipe

# As when visitors are answered: see components/tasks/question_answering/model.py.
N_BEST = 20
LONGEST = 30  # tokens of an answer
WINDOW = 384  # tokens that the shipped network reads at once


def prepare(recipe: Recipe, data: Path) -> Job:
    """Questions of all files, some with other names, and near misses made of them."""
    chance = random.Random(recipe.seed)  # noqa: S311 - a sample, not a secret
    files = {name: questions(data / name) for name in recipe.extra["shares"]}
    learned = {name: [one for one in asked if not held_back(one)] for name, asked in files.items()}
    swaps = Swaps(one.question for asked in learned.values() for one in asked)
    train: list[Question] = []
    for name, share in recipe.extra["shares"].items():
        asked = learned[name]
        train += near_misses(asked, share * recipe.extra["near_misses"], swaps, chance)
        while share >= 1:
            train += asked
            share -= 1
        train += chance.sample(asked, round(share * len(asked)))
    for index in chance.sample(range(len(train)), round(recipe.extra["renamed"] * len(train))):
        train[index] = swaps.renamed(train[index], chance) or train[index]
    tokenizer = adapter.body_tokenizer()
    network = adapter.adapted(recipe, "BertForQuestionAnswering", ["qa_outputs"])
    if start := recipe.extra.get("start"):
        adapter.load(network, EMBEDDED / start)

    def collate(rows: Sequence[Example]) -> dict[str, Any]:
        inputs = [{key: row[key] for key in ("input_ids", "token_type_ids")} for row in rows]
        padded = dict(tokenizer.pad(inputs, return_tensors="pt"))
        for key in ("start_positions", "end_positions"):
            padded[key] = torch.tensor([row[key] for row in rows])
        return padded

    def export(folder: Path) -> None:
        kept = [one for asked in files.values() for one in asked if held_back(one)]
        count = min(recipe.extra["tuned_on"], len(kept))
        share = recipe.extra["near_misses"] * count / len(kept)
        tune = [*chance.sample(kept, count), *near_misses(kept, share, swaps, chance)]
        adapter.export(
            network, folder, **calibrated(network, examples(tokenizer, tune, WINDOW, chance), collate)
        )

    return Job(
        network=network,
        train=examples(tokenizer, train, recipe.length, chance),
        collate=collate,
        export=export,
    )


def examples(
    tokenizer: PreTrainedTokenizerBase, asked: Sequence[Question], length: int, chance: random.Random
) -> list[Example]:
    """One window per question; a long context is cut at random around its answer."""
    rows: list[Example] = []
    queries = tokenizer([one.question for one in asked], add_special_tokens=False)["input_ids"]
    contexts = tokenizer(
        [one.context for one in asked], add_special_tokens=False, return_offsets_mapping=True, verbose=False
    )
    for one, query, context, offsets in zip(
        asked, queries, contexts["input_ids"], contexts["offset_mapping"], strict=True
    ):
        query = query[:48]
        room = length - len(query) - 3
        span = (0, 0)
        if one.answers:
            (answer, begin), _ = Counter(one.answers).most_common(1)[0]
            inside = [
                index
                for index, (start, end) in enumerate(offsets)
                if start < begin + len(answer) and end > begin
            ]
            if not inside or inside[-1] - inside[0] >= room:
                continue
            span = (inside[0], inside[-1])
        lowest = max(0, span[1] - room + 1)
        highest = max(lowest, min(span[0], len(context) - room)) if len(context) > room else 0
        cut = chance.randint(lowest, highest) if len(context) > room else 0
        window = context[cut : cut + room]
        before = len(query) + 2
        ids = [tokenizer.cls_token_id, *query, tokenizer.sep_token_id, *window, tokenizer.sep_token_id]
        start, end = (span[0] - cut + before, span[1] - cut + before) if one.answers else (0, 0)
        rows.append(
            {
                "input_ids": ids,
                "token_type_ids": [0] * before + [1] * (len(window) + 1),
                "start_positions": start,
                "end_positions": end,
                "length": len(ids),
            }
        )
    return rows


def calibrated(network: torch.nn.Module, tune: Sequence[Example], collate: Collate) -> dict[str, Any]:
    """The `answer_temperature` and `no_answer_bias` under which the right passages, or none, are likeliest
    (Guo et al. 2017, https://arxiv.org/abs/1706.04599)."""
    logits, right = [], []
    for row, output in predict(network, tune, collate):
        begin, end = row["start_positions"], row["end_positions"]
        first, last = row["token_type_ids"].index(1), row["length"] - 1
        table = output["start_logits"][first:last, None] + output["end_logits"][first:last]
        allowed = torch.ones_like(table, dtype=torch.bool).triu().tril(LONGEST - 1)
        best = table.where(allowed, -torch.inf).flatten().topk(N_BEST)
        cell = (begin - first) * len(table) + end - first if begin else None
        places = [*best.indices.tolist(), None]
        if cell in places:  # else neither number can make it likelier
            logits.append([*best.values.tolist(), float(output["start_logits"][0] + output["end_logits"][0])])
            right.append(places.index(cell))
    table, wanted = torch.tensor(logits), torch.tensor(right)

    def lost(temperature: float, bias: float) -> float:
        scores = torch.cat([table[:, :-1], table[:, -1:] + bias], dim=1) / temperature
        return float(torch.nn.functional.cross_entropy(scores, wanted))

    grid = [(step / 20, bias / 4) for step in range(10, 61) for bias in range(-40, 41)]
    temperature, bias = min(grid, key=lambda pair: lost(*pair))
    # Plain `temperature` would be lost: Transformers takes it for an option of generation.
    return {"answer_temperature": temperature, "no_answer_bias": bias}
