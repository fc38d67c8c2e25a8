"""A small MarianMT translator, trained on sentence pairs from many sources."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import sentencepiece
import torch
from torch.nn import functional
from transformers import DataCollatorForSeq2Seq, MarianConfig, MarianMTModel, MarianTokenizer

from components.training import text as files
from components.training import variety
from components.training.letters import Letters, letters
from components.training.optimizers import MuonAdamW
from components.training.parallel import Pair, corpora, key
from components.training.recipe import EMBEDDED
from components.training.run import Example, Job
from components.training.warm_start import grown, widened

if TYPE_CHECKING:
    from components.training.recipe import Recipe

HELD_OUT = {"test": 2000, "dev": 1000}  # pairs
# No run of as many tokens is written twice: far from what it was trained on, the network would stammer.
NO_REPEAT = 4
# Sentences of which the vocabulary is made.
_SAMPLE = 150_000


def pairs(data: Path, recipe: Recipe) -> dict[str, list[Pair]]:
    """Train, dev and test of Tatoeba; no sentence of dev or test, of either language, occurs in train.

    Sentences are the same if their words are, whatever case and punctuation. Which ones are held
    out follows from a hash of the English words, so that it depends on no order and no seed.
    """
    everything = [
        Pair(*fields[:2]) for fields in files.rows(data / recipe.data[0] / str(recipe.extra["file"]))
    ]
    if recipe.extra.get("reverse"):
        everything = [Pair(pair.target, pair.source) for pair in everything]
    first: dict[str, Pair] = {}
    for pair in everything:
        first.setdefault(key(pair.source), pair)
    order = sorted(first, key=lambda one: hashlib.sha256(one.encode()).digest())
    split: dict[str, list[Pair]] = {}
    start = 0
    for name, count in HELD_OUT.items():
        split[name] = [first[one] for one in order[start : start + count]]
        start += count
    sources = set(order[:start])
    targets = {key(pair.target) for held in split.values() for pair in held}
    split["train"] = [
        pair for pair in everything if key(pair.source) not in sources and key(pair.target) not in targets
    ]
    return split


def prepare(recipe: Recipe, data: Path) -> Job:
    """Batches drawn from the recipe's groups of files; or, where it has none, Tatoeba as it is."""
    groups = recipe.extra.get("groups", ())
    split = pairs(data, recipe)["train"]
    sources = corpora(data, [group["files"] for group in groups], held_out(data, recipe)) if groups else []
    everything = [pair for group in sources for alike in group for pair in alike] or split
    tokenizer = _tokenizer(recipe, everything)
    network = MarianMTModel(_config(recipe, tokenizer))
    if start := recipe.extra.get("start"):
        grown(network, tokenizer, EMBEDDED / start)

    def export(folder: Path) -> None:
        network.generation_config.no_repeat_ngram_size = NO_REPEAT
        network.half().save_pretrained(folder)
        tokenizer.save_pretrained(folder)

    def loss(network: Any, inputs: dict[str, Any]) -> torch.Tensor:
        labels = inputs.pop("labels")
        logits = network(**inputs, use_cache=False).logits
        return functional.cross_entropy(
            logits.flatten(0, 1).float(), labels.flatten(), label_smoothing=recipe.label_smoothing
        )

    return Job(
        network=network,
        train=(
            Mixture(recipe, sources, [group["share"] for group in groups], _encoder(tokenizer))
            if groups
            else _examples(tokenizer, split, recipe.length)
        ),
        collate=_collate(DataCollatorForSeq2Seq(tokenizer, model=network)),
        export=export,
        loss=loss,
        optimizer=(
            (lambda network: MuonAdamW(network, recipe.learning_rate, recipe.weight_decay))
            if groups
            else None
        ),
    )


def held_out(data: Path, recipe: Recipe) -> frozenset[str]:
    """Keys of all sentences, of either language, that nothing is trained on."""
    split = pairs(data, recipe)
    kept = [(pair.source, pair.target) for name in HELD_OUT for pair in split[name]]
    for file in recipe.extra["held_out"]:
        kept += [(source, target) for source, target, *_ in files.rows(data / file)]
    return frozenset(key(sentence) for pair in kept for sentence in pair)


Encode = Callable[[Sequence[str]], list[list[int]]]


@dataclass(frozen=True)
class Mixture:
    """Batches of about `recipe.batch` tokens per side, drawn from groups of sources in shares and made up.

    Each group is gone through in an order of its own before any of it comes again; of several translations
    of a source one is drawn. What is drawn for a stretch of steps follows from the seed and the stretch.
    """

    recipe: Recipe
    groups: Sequence[Sequence[Sequence[Pair]]]
    shares: Sequence[float]
    encode: Encode
    stretch: int = 20_000  # pairs
    letters: Letters = field(default_factory=letters)
    names: variety.Names = field(init=False)

    def __post_init__(self) -> None:
        everything = (pair for group in self.groups for alike in group for pair in alike[:1])
        object.__setattr__(self, "names", variety.names(everything))
        object.__setattr__(self, "_batches", lru_cache(maxsize=1)(self._drawn))

    @property
    def steps(self) -> int:
        """Of a stretch."""
        return max(1, round(self.stretch * float(self.recipe.extra["tokens"]) / self.recipe.batch))

    def __len__(self) -> int:
        """Steps until as many pairs are drawn as there are sources."""
        return max(1, round(sum(map(len, self.groups)) * self.steps / self.stretch))

    def __getitem__(self, step: int) -> list[Example]:
        stretch, index = divmod(step, self.steps)
        return self._batches(stretch)[index]  # type: ignore[attr-defined, no-any-return]

    def _drawn(self, stretch: int) -> list[list[Example]]:
        random = Random(f"{self.recipe.seed} {stretch}")  # noqa: S311 - draws, no secret
        drawn = [
            self._varied(group, index, random)
            for group, share in zip(self.groups, self.shares, strict=True)
            for index in self._indices(group, round(share * self.stretch), stretch)
        ]
        drawn += [
            self.letters.draw(self.names, random)
            for _ in range(round(self.recipe.extra["letters"] * self.stretch))
        ]
        ids = zip(
            self.encode([pair.source for pair in drawn]),
            self.encode([pair.target for pair in drawn]),
            strict=True,
        )
        examples: list[Example] = [
            {"input_ids": source, "attention_mask": [1] * len(source), "labels": target}
            for source, target in ids
            if max(len(source), len(target)) <= self.recipe.length
        ]
        examples.sort(key=lambda one: (max(len(one["input_ids"]), len(one["labels"])), random.random()))
        batches = _cut(examples, self.steps)
        random.shuffle(batches)
        return batches

    def _indices(self, group: Sequence[Any], count: int, stretch: int) -> list[int]:
        """Where the group is to be drawn from in this stretch: its next places in the order of each pass."""
        start = stretch * count
        orders: dict[int, list[int]] = {}
        found = []
        for place in range(start, start + count):
            turn, index = divmod(place, len(group))
            if turn not in orders:
                orders[turn] = list(range(len(group)))
                Random(f"{self.recipe.seed} {turn}").shuffle(orders[turn])  # noqa: S311 - draws, no secret
            found.append(orders[turn][index])
        return found

    def _varied(self, group: Sequence[Sequence[Pair]], index: int, random: Random) -> Pair:
        chances = self.recipe.extra["variety"]
        pair = random.choice(group[index])
        if random.random() < chances["joined"] and index + 1 < len(group):
            pair = variety.joined(pair, random.choice(group[index + 1]))
        if random.random() < chances["swapped"]:
            pair = variety.swapped(pair, self.names, random)
        return variety.small(pair) if random.random() < chances["small"] else pair


def _cut(examples: Sequence[Example], parts: int) -> list[list[Example]]:
    """As many batches, neighbours together, of about the same number of tokens once padded."""
    sizes = [max(len(one["input_ids"]), len(one["labels"])) for one in examples]
    each = sum(sizes) / parts
    batches: list[list[Example]] = [[] for _ in range(parts)]
    done = 0
    for example, size in zip(examples, sizes, strict=True):
        batches[min(int(done / each), parts - 1)].append(example)
        done += size
    if not all(batches):
        raise ValueError(f"{len(examples)} pairs are too few for {parts} batches")
    return batches


def _encoder(tokenizer: MarianTokenizer) -> Encode:
    """What the tokenizer does, for very many sentences at once."""
    processor, known = tokenizer.spm_source, tokenizer.get_vocab()
    ids = [
        known.get(processor.id_to_piece(index), tokenizer.unk_token_id)
        for index in range(processor.get_piece_size())
    ]

    def encode(sentences: Sequence[str]) -> list[list[int]]:
        return [
            [*(ids[piece] for piece in pieces), tokenizer.eos_token_id]
            for pieces in processor.encode(list(sentences))
        ]

    return encode


def _examples(tokenizer: MarianTokenizer, split: Sequence[Pair], length: int) -> list[Example]:
    encode = _encoder(tokenizer)
    ids = zip(encode([pair.source for pair in split]), encode([pair.target for pair in split]), strict=True)
    return [
        {"input_ids": source, "attention_mask": [1] * len(source), "labels": target, "length": len(target)}
        for source, target in ids
        if max(len(source), len(target)) <= length
    ]


def _collate(pad: DataCollatorForSeq2Seq):  # type: ignore[no-untyped-def]
    def collate(examples):  # type: ignore[no-untyped-def]
        keys = ("input_ids", "attention_mask", "labels")
        return dict(pad([{key: example[key] for key in keys} for example in examples]))

    return collate


def _tokenizer(recipe: Recipe, pairs: Sequence[Pair]) -> MarianTokenizer:
    """One vocabulary for both languages: that of the start, made able to write everything, or a new one."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        sentences = chain.from_iterable((pair.source, pair.target) for pair in pairs)
        if recipe.extra.get("vocabulary"):
            model, words = _new_vocabulary(recipe, pairs, place)
        else:
            model, words = widened(EMBEDDED / recipe.extra["start"], place, sentences)
        vocabulary = place / "vocab.json"
        vocabulary.write_text(json.dumps({word: index for index, word in enumerate(words)}), encoding="utf-8")
        return MarianTokenizer(
            source_spm=str(model),
            target_spm=str(model),
            vocab=str(vocabulary),
            source_lang=recipe.extra["source"],
            target_lang=recipe.extra["target"],
            model_max_length=recipe.length,
        )


def _new_vocabulary(recipe: Recipe, pairs: Sequence[Pair], place: Path) -> tuple[Path, list[str]]:
    """A SentencePiece model (Kudo 2018, https://arxiv.org/abs/1804.10959) and the words of its vocabulary:
    what no piece writes is written in bytes, and numbers digit by digit, so that everything can be copied."""
    random = Random(recipe.seed)  # noqa: S311 - a sample, no secret
    sample = random.sample(pairs, min(len(pairs), _SAMPLE // 2))
    model = place / "shared.model"
    with model.open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=chain.from_iterable((pair.source, pair.target) for pair in sample),
            model_writer=file,
            vocab_size=recipe.extra["vocabulary"],
            character_coverage=0.9998,
            byte_fallback=True,
            split_digits=True,
            num_threads=1,  # more of them end in another vocabulary
            minloglevel=2,
        )
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    pieces = [processor.id_to_piece(index) for index in range(processor.get_piece_size())]
    return model, [
        "</s>",
        "<unk>",
        *(piece for piece in pieces if piece not in ("<s>", "</s>", "<unk>")),
        "<pad>",
    ]


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
