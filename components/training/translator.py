"""A small MarianMT translator, trained from scratch on sentence pairs of Tatoeba."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sentencepiece
import torch
from transformers import DataCollatorForSeq2Seq, MarianConfig, MarianMTModel, MarianTokenizer

from components.training import text
from components.training.run import Example, Job

if TYPE_CHECKING:
    from collections.abc import Iterable

    from components.training.recipe import Recipe

HELD_OUT = {"test": 2000, "dev": 1000}  # pairs
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Pair:
    source: str
    target: str


# No run of as many tokens is written twice: far from what it was trained on, the network would stammer.
NO_REPEAT = 4


def pairs(data: Path, recipe: Recipe) -> dict[str, list[Pair]]:
    """Train, dev and test; no sentence of dev or test, of either language, occurs in train.

    Sentences are the same if their words are, whatever case and punctuation. Which ones are held
    out follows from a hash of the English words, so that it depends on no order and no seed.
    """
    everything = [
        Pair(*fields[:2]) for fields in text.rows(data / recipe.data[0] / str(recipe.extra["file"]))
    ]
    if recipe.extra.get("reverse"):
        everything = [Pair(pair.target, pair.source) for pair in everything]
    first: dict[str, Pair] = {}
    for pair in everything:
        first.setdefault(_key(pair.source), pair)
    order = sorted(first, key=lambda key: hashlib.sha256(key.encode()).digest())
    split: dict[str, list[Pair]] = {}
    start = 0
    for name, count in HELD_OUT.items():
        split[name] = [first[key] for key in order[start : start + count]]
        start += count
    sources = set(order[:start])
    targets = {_key(pair.target) for held in split.values() for pair in held}
    split["train"] = [
        pair for pair in everything if _key(pair.source) not in sources and _key(pair.target) not in targets
    ]
    return split


def prepare(recipe: Recipe, data: Path) -> Job:
    split = pairs(data, recipe)
    tokenizer = _tokenizer(recipe, split["train"])
    network = MarianMTModel(_config(recipe, tokenizer))

    def export(folder: Path) -> None:
        network.generation_config.no_repeat_ngram_size = NO_REPEAT
        network.half().save_pretrained(folder)
        tokenizer.save_pretrained(folder)

    return Job(
        network=network,
        train=_examples(tokenizer, split["train"], recipe.length),
        collate=_collate(DataCollatorForSeq2Seq(tokenizer, model=network)),
        export=export,
    )


def _collate(pad: DataCollatorForSeq2Seq):  # type: ignore[no-untyped-def]
    def collate(examples):  # type: ignore[no-untyped-def]
        keys = ("input_ids", "attention_mask", "labels")
        return dict(pad([{key: example[key] for key in keys} for example in examples]))

    return collate


def _examples(tokenizer: MarianTokenizer, split: list[Pair], length: int) -> list[Example]:
    encoded = tokenizer(
        [pair.source for pair in split], text_target=[pair.target for pair in split], verbose=False
    )
    columns = zip(encoded["input_ids"], encoded["attention_mask"], encoded["labels"], strict=True)
    return [
        {"input_ids": ids, "attention_mask": mask, "labels": labels, "length": len(labels)}
        for ids, mask, labels in columns
        if max(len(ids), len(labels)) <= length
    ]


def _tokenizer(recipe: Recipe, train: Iterable[Pair]) -> MarianTokenizer:
    """One SentencePiece vocabulary for both languages (Kudo 2018, https://arxiv.org/abs/1804.10959)."""
    with tempfile.TemporaryDirectory() as place:
        model = Path(place) / "shared.model"
        with model.open("wb") as file:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=(sentence for pair in train for sentence in (pair.source, pair.target)),
                model_writer=file,
                vocab_size=recipe.extra["vocabulary"],
                character_coverage=0.9999,
                num_threads=1,  # more of them end in another vocabulary
                minloglevel=2,
            )
        processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
        pieces = [processor.id_to_piece(index) for index in range(processor.get_piece_size())]
        words = [
            "</s>",
            "<unk>",
            *(piece for piece in pieces if piece not in ("<s>", "</s>", "<unk>")),
            "<pad>",
        ]
        vocabulary = Path(place) / "vocab.json"
        vocabulary.write_text(json.dumps({word: index for index, word in enumerate(words)}), encoding="utf-8")
        return MarianTokenizer(
            source_spm=str(model),
            target_spm=str(model),
            vocab=str(vocabulary),
            source_lang=recipe.extra["source"],
            target_lang=recipe.extra["target"],
            model_max_length=recipe.length,
        )


def _config(recipe: Recipe, tokenizer: MarianTokenizer) -> MarianConfig:
    """A deep encoder and a shallow decoder: as good, and faster at decoding (Kasai et al. 2021,
    https://arxiv.org/abs/2006.10369)."""
    width = recipe.extra["width"]
    return MarianConfig(
        vocab_size=len(tokenizer),
        d_model=width,
        encoder_layers=recipe.extra["encoder_layers"],
        decoder_layers=recipe.extra["decoder_layers"],
        encoder_attention_heads=width // 64,
        decoder_attention_heads=width // 64,
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
        activation_function="relu",
        dropout=recipe.dropout,
        attention_dropout=0.0,
        activation_dropout=0.0,
        max_position_embeddings=512,
        scale_embedding=True,
        share_encoder_decoder_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        decoder_start_token_id=tokenizer.pad_token_id,
        forced_eos_token_id=tokenizer.eos_token_id,
        init_std=0.02,
        dtype=torch.float32,
    )


def _key(sentence: str) -> str:
    return " ".join(_WORD.findall(sentence.casefold()))
