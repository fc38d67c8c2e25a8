"""Which sentences of a text sum it up: every token votes, a sentence's score is the mean of its tokens'.

Trained listwise: the softmax over a document's sentences is to match that of their ROUGE with what
people wrote, as in extractive summarization with BERT (Liu and Lapata 2019,
https://arxiv.org/abs/1908.08345) but on a token classifier, which any token-classification code loads.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from rouge_score.rouge_scorer import RougeScorer

from components.training import adapter
from components.training.data import Abstract, load
from components.training.run import Example, Job

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from components.training.recipe import Recipe

SHARPNESS = 20.0  # of the softmax over sentences' ROUGE, which is in [0, 1]


def prepare(recipe: Recipe, data: Path) -> Job:
    tokenizer = adapter.body_tokenizer()
    network = adapter.adapted(
        recipe,
        "BertForTokenClassification",
        ["classifier"],
        num_labels=2,
        id2label={0: "leave", 1: "keep"},
        label2id={"leave": 0, "keep": 1},
    )
    train = [one for name in recipe.data for one in cast(list[Abstract], load(name, data, "train"))]

    def collate(rows: Sequence[Example]) -> dict[str, Any]:
        padded = dict(tokenizer.pad([{"input_ids": row["input_ids"]} for row in rows], return_tensors="pt"))
        width = padded["input_ids"].shape[1]
        padded["sentence"] = torch.tensor(
            [row["sentence"] + [-1] * (width - len(row["sentence"])) for row in rows]
        )
        count = max(len(row["worth"]) for row in rows)
        padded["worth"] = torch.tensor([row["worth"] + [-1.0] * (count - len(row["worth"])) for row in rows])
        return padded

    return Job(
        network=network,
        train=examples(tokenizer, train, recipe.length),
        collate=collate,
        export=lambda folder: adapter.export(network, folder),
        loss=loss,
    )


def examples(tokenizer: PreTrainedTokenizerBase, texts: Sequence[Abstract], length: int) -> list[Example]:
    """Each token's sentence (-1 for special tokens), each sentence's best ROUGE with a summary."""
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)

    def worth(sentence: str, summaries: Sequence[str]) -> float:
        scores = [scorer.score(summary, sentence).values() for summary in summaries]
        return float(max(sum(score.fmeasure for score in each) / 3 for each in scores))

    rows: list[Example] = []
    for one in texts:
        ids: list[int] = [tokenizer.cls_token_id]
        sentence = [-1]
        kept = 0
        for index, tokens in enumerate(tokenizer(list(one.sentences), add_special_tokens=False)["input_ids"]):
            if len(ids) + len(tokens) + 1 > length or not tokens:
                break
            ids += tokens
            sentence += [index] * len(tokens)
            kept = index + 1
        if kept > 1:
            values = [worth(text, one.summaries) for text in one.sentences[:kept]]
            ids.append(tokenizer.sep_token_id)
            rows.append({"input_ids": ids, "sentence": [*sentence, -1], "worth": values, "length": len(ids)})
    return rows


def loss(network: torch.nn.Module, inputs: dict[str, Any]) -> torch.Tensor:
    sentence, worth = inputs["sentence"], inputs["worth"]
    logits = network(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits
    votes = logits[..., 1] - logits[..., 0]
    member = torch.nn.functional.one_hot(sentence + 1, worth.shape[1] + 1)[..., 1:].to(votes.dtype)
    scores = torch.einsum("bt,bts->bs", votes, member) / member.sum(1).clamp(min=1)
    there = worth >= 0
    target = (SHARPNESS * worth).masked_fill(~there, -torch.inf).softmax(1)
    log_scores = scores.masked_fill(~there, -1e4).log_softmax(1)
    lost: torch.Tensor = -(target * log_scores).sum(1).mean()
    return lost
