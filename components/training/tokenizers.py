"""Tokenizers trained on a visitor's text, by the libraries that the large ones come from."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from components.models.errors import Code, TourError
from components.models.tokenizer import FastTokenizer, SentencePieceTokenizer, Tokenizer

Algorithm = Literal["WordPiece", "byte-level BPE", "Unigram", "SentencePiece Unigram", "SentencePiece BPE"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)

LARGEST_TEXT = 2_000_000  # characters
SMALLEST, LARGEST = 50, 8000  # entries of a vocabulary
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A tokenizer, and what a visitor must know of it."""

    tokenizer: Tokenizer
    notes: tuple[str, ...]


def train(text: str, algorithm: Algorithm, size: int) -> Trained:
    """Raises `TourError` where the text does not do for a vocabulary of that size."""
    if not text.strip():
        raise TourError(
            Code.INVALID_INPUT, "There is no text to train on. Paste some, or upload a file.", "text"
        )
    if len(text) > LARGEST_TEXT:
        raise TourError(
            Code.TOO_LONG,
            f"The text has {len(text):,} characters, at most {LARGEST_TEXT:,} are allowed. Take a part.",
            "text",
        )
    lines = [line for line in text.splitlines() if line.strip()]
    tokenizer = (
        _sentencepiece(lines, algorithm, size)
        if algorithm.startswith("SentencePiece")
        else _pipeline(lines, algorithm, size)
    )
    notes = []
    if tokenizer.size < size:
        notes.append(f"The text is enough for {tokenizer.size:,} entries, not for the {size:,} asked for.")
    if tokenizer.size > size:
        notes.append(f"This algorithm starts with all 256 bytes: {tokenizer.size:,} entries are the least.")
    return Trained(tokenizer=tokenizer, notes=tuple(notes))


def _pipeline(lines: Sequence[str], algorithm: Algorithm, size: int) -> Tokenizer:
    from tokenizers import Tokenizer as Pipeline
    from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

    common: dict[str, Any] = {"vocab_size": size, "show_progress": False}
    match algorithm:
        case "WordPiece":
            pipeline = Pipeline(models.WordPiece(unk_token="[UNK]"))  # noqa: S106 - no password
            pipeline.normalizer = normalizers.BertNormalizer()
            pipeline.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
            pipeline.decoder = decoders.WordPiece()
            trainer: Any = trainers.WordPieceTrainer(special_tokens=SPECIAL, **common)
        case "byte-level BPE":
            pipeline = Pipeline(models.BPE())
            pipeline.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
            pipeline.decoder = decoders.ByteLevel()
            alphabet = pre_tokenizers.ByteLevel.alphabet()
            common["vocab_size"] = max(size, len(alphabet) + len(SPECIAL))
            trainer = trainers.BpeTrainer(special_tokens=SPECIAL, initial_alphabet=alphabet, **common)
        case _:
            pipeline = Pipeline(models.Unigram())
            pipeline.normalizer = normalizers.NFKC()
            pipeline.pre_tokenizer = pre_tokenizers.Metaspace()
            pipeline.decoder = decoders.Metaspace()
            trainer = trainers.UnigramTrainer(special_tokens=SPECIAL, unk_token="[UNK]", **common)  # noqa: S106
    pipeline.train_from_iterator(lines, trainer)
    ends = [(token, pipeline.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    pipeline.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    return FastTokenizer(pipeline, pipeline.token_to_id("[PAD]"))


def _sentencepiece(lines: Sequence[str], algorithm: Algorithm, size: int) -> Tokenizer:
    import sentencepiece

    written = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines),
            model_writer=written,
            model_type=algorithm.rpartition(" ")[2].lower(),
            vocab_size=size,
            hard_vocab_limit=False,
            character_coverage=1.0,
            max_sentence_length=LARGEST_TEXT,
            minloglevel=2,
        )
    except (RuntimeError, OSError) as error:
        raise TourError(
            Code.INVALID_INPUT,
            f"SentencePiece cannot make {size:,} entries of this text: it has more different characters than "
            "that, or too few words. Change the size of the vocabulary, or add text.",
            "size",
        ) from error
    return SentencePieceTokenizer(sentencepiece.SentencePieceProcessor(model_proto=written.getvalue()))
