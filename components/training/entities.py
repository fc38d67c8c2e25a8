"""Words to BIO tags; the first sub-token of a word stands for it.

The body reads lower case. Capitals, the best sign of a name, reach it as the token type, whose embeddings
are trained too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from transformers import DataCollatorForTokenClassification

from components.tasks.windows import case_types
from components.training import adapter
from components.training.data import Tagged, load
from components.training.run import Example, Job

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from components.training.recipe import Recipe

IGNORED = -100  # PyTorch's index of what counts nothing in the loss


def prepare(recipe: Recipe, data: Path) -> Job:
    types: list[str] = recipe.extra["types"]
    tags = ["O", *(f"{place}-{name}" for name in types for place in "BI")]
    tokenizer = adapter.body_tokenizer()
    train = [one for name in recipe.data for one in cast(list[Tagged], load(name, data, "train"))]
    network = adapter.adapted(
        recipe,
        "BertForTokenClassification",
        ["classifier", "token_type_embeddings"],
        num_labels=len(tags),
        id2label=dict(enumerate(tags)),
        label2id={tag: index for index, tag in enumerate(tags)},
    )
    pad = DataCollatorForTokenClassification(tokenizer)

    def collate(rows: Sequence[Example]) -> dict[str, Any]:
        return dict(
            pad([{key: row[key] for key in ("input_ids", "token_type_ids", "labels")} for row in rows])
        )

    return Job(
        network=network,
        train=examples(tokenizer, train, tags, recipe.length),
        collate=collate,
        export=lambda folder: adapter.export(network, folder, marks_case=True),
    )


def examples(
    tokenizer: PreTrainedTokenizerBase, sentences: Sequence[Tagged], tags: Sequence[str], length: int
) -> list[Example]:
    encoded = tokenizer(
        [list(one.words) for one in sentences],
        is_split_into_words=True,
        return_offsets_mapping=True,
        truncation=True,
        max_length=length,
    )
    rows: list[Example] = []
    for index, sentence in enumerate(sentences):
        words = encoded.word_ids(index)
        labels = [
            tags.index(sentence.tags[word]) if word is not None and word != before else IGNORED
            for before, word in zip([None, *words], words, strict=False)
        ]
        ids = encoded["input_ids"][index]
        types = [
            case_types(sentence.words[word], [pair])[0] if word is not None else 0
            for word, pair in zip(words, encoded["offset_mapping"][index], strict=True)
        ]
        rows.append({"input_ids": ids, "token_type_ids": types, "labels": labels, "length": len(ids)})
    return rows
