"""Tokenizers trained on a visitor's text, by the libraries that the large ones come from."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from components.models.errors import Code, TourError
from components.models.tokenizer import FastTokenizer, SentencePieceTokenizer, Tokenizer

Algorithm = Literal["WordPiece", "byte-level BPE", "Unigram", "SentencePiece Unigram", "SentencePiece BPE"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)

LARGEST_TEXT = 2_000_000  # characters
SMALLEST, LARGEST = 50, 8000  # entries of a vocabulary
PATIENCE = 60  # seconds
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

_ROOT = Path(__file__).resolve().parents[2]
_UNFIT = 3  # the exit status of a process whose text does not do


def train(text: str, algorithm: Algorithm, size: int) -> Generator[None, None, Tokenizer]:
    """Learns in a process of its own, since none of the libraries can be stopped; yields while it works.

    Closing the generator ends the process. Raises `TourError` where the text does not do.
    """
    _check(text, algorithm, size)
    command = [sys.executable, "-m", "components.training.tokenizers", algorithm, str(size)]
    with subprocess.Popen(  # noqa: S603 - our own module
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            sent: bytes | None = text.encode()
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    written, complaint = process.communicate(sent, timeout=0.3)
                    break
                except subprocess.TimeoutExpired:
                    sent = None  # it is kept for the next call
                if time.monotonic() > deadline:
                    raise TourError(
                        Code.TOO_LONG,
                        f"{algorithm} has not learned the text within {PATIENCE} seconds. Take less text, a "
                        "smaller vocabulary, or another algorithm.",
                        "text",
                    )
                yield
        finally:
            process.kill()
    if process.returncode == _UNFIT:
        raise TourError(Code.INVALID_INPUT, complaint.decode(errors="replace").strip(), "size")
    if process.returncode:
        raise RuntimeError(f"training a tokenizer failed: {complaint.decode(errors='replace')[-2000:]}")
    return _read(written)


def learn(text: str, algorithm: Algorithm, size: int) -> Tokenizer:
    """As `train`, in this process."""
    _check(text, algorithm, size)
    lines = [line for line in text.splitlines() if line.strip()]
    if algorithm.startswith("SentencePiece"):
        return _sentencepiece(lines, algorithm, size)
    return _pipeline(lines, algorithm, size)


def remarks(tokenizer: Tokenizer, size: int) -> tuple[str, ...]:
    """What is to be said of a vocabulary of which `size` entries were asked for."""
    if tokenizer.size < size:
        return (f"The text is enough for {tokenizer.size:,} entries, not for the {size:,} asked for.",)
    if tokenizer.size > size:
        return (f"Single characters or bytes alone make {tokenizer.size:,} entries, more than asked for.",)
    return ()


def _check(text: str, algorithm: str, size: int) -> None:
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
    if algorithm not in ALGORITHMS:
        raise TourError(Code.INVALID_INPUT, f"Algorithm must be one of {', '.join(ALGORITHMS)}.", "algorithm")
    if not SMALLEST <= size <= LARGEST:
        raise TourError(
            Code.INVALID_INPUT, f"A vocabulary has from {SMALLEST} to {LARGEST:,} entries.", "size"
        )


def _read(content: bytes) -> Tokenizer:
    """From what `Tokenizer.file` gave."""
    if content.startswith(b"{"):
        from tokenizers import Tokenizer as Pipeline

        pipeline = Pipeline.from_buffer(content)
        return FastTokenizer(pipeline, pipeline.token_to_id("[PAD]"))
    import sentencepiece

    return SentencePieceTokenizer(sentencepiece.SentencePieceProcessor(model_proto=content))


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


def main(algorithm: str, size: str) -> int:
    """The process behind `train`: text in, the tokenizer's file out."""
    text = sys.stdin.buffer.read().decode()
    try:
        tokenizer = learn(text, algorithm, int(size))  # type: ignore[arg-type]
    except TourError as error:
        print(error.message, file=sys.stderr)
        return _UNFIT
    _, content = tokenizer.file()
    sys.stdout.buffer.write(content)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
