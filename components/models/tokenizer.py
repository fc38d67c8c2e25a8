"""A tokenizer as the tour looks at it: tokens with their places in the text, and each step on the way.

Two kinds wrap what the libraries have: `FastTokenizer` the Rust pipelines of `tokenizers`, and
`SentencePieceTokenizer` the SentencePiece models that Transformers reads in Python, which tell it nothing
of places. Both are read-only once made, so that threads can share one.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    import tokenizers
    from sentencepiece import SentencePieceProcessor
    from transformers import PreTrainedTokenizerBase

Side = Literal["left", "right"]

SPACE = "\u2581"  # how SentencePiece writes a space

BYTES, WORDPIECE, BPE, UNIGRAM, WORDS = (
    "byte-level BPE",
    "WordPiece",
    "BPE",
    "Unigram",
    "whole words",
)


class Token(NamedTuple):
    """`piece` is the vocabulary's spelling. `start` and `end` count code points of the text, end excluded;
    they are equal for a token that stands for no character, such as [CLS]."""

    id: int
    piece: str
    start: int
    end: int
    special: bool


class Columns(NamedTuple):
    """The fields of many tokens, a list each: long texts have too many for an object each."""

    ids: list[int]
    pieces: list[str]
    starts: list[int]
    ends: list[int]
    special: list[bool]

    def tokens(self) -> list[Token]:
        return list(map(Token, *self))


@dataclass(frozen=True, kw_only=True)
class Components:
    """The names of a pipeline's parts, each empty if there is none."""

    normalizer: str
    pre_tokenizer: str
    model: str
    post_processor: str
    decoder: str


@dataclass(frozen=True, kw_only=True)
class Growth:
    """One of: the pairs that were merged, in order; pieces with their log-probabilities; entries in the order
    of their ids."""

    merges: Sequence[tuple[str, str]] = ()
    scores: Sequence[tuple[str, float]] = ()
    entries: Sequence[str] = ()


class Tokenizer(ABC):
    """`family` is the algorithm's name. `unknown` is the id for what is not in the vocabulary, None if there
    is nothing that is not; `pad` the id that fills up short texts, None if no token is meant for it."""

    family: str
    unknown: int | None
    pad: int | None

    @abstractmethod
    def columns(self, text: str, *, special: bool = True) -> Columns:
        """Tokens in order; `special` adds those that the model's input begins and ends with."""

    def encode(self, text: str, *, special: bool = True) -> list[Token]:
        return self.columns(text, special=special).tokens()

    @abstractmethod
    def cut(self, text: str, longest: int, side: Side) -> list[Token]:
        """As `encode`, shortened at one side to at most `longest` tokens, of which special ones stay."""

    @abstractmethod
    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids, without special tokens."""

    @abstractmethod
    def normalized(self, text: str) -> str:
        """What the vocabulary is matched against."""

    @abstractmethod
    def pre_tokens(self, normalized: str) -> list[str]:
        """The parts of a normalised text that no token reaches across, as the pipeline spells them."""

    @property
    @abstractmethod
    def components(self) -> Components: ...

    @property
    @abstractmethod
    def size(self) -> int:
        """Entries of the vocabulary, special ones included."""

    @abstractmethod
    def piece(self, id: int) -> str: ...

    @abstractmethod
    def file(self) -> tuple[str, bytes]:
        """Name and content of the file that others load it from."""

    def raw(self, piece: str) -> bytes:
        """The UTF-8 bytes that a piece stands for; only part of a character's where it was split."""
        if piece.startswith("<0x") and piece.endswith(">") and len(piece) == 6:
            return bytes([int(piece[3:5], 16)])
        return piece.replace(SPACE, " ").encode("utf-8", "replace")

    @abstractmethod
    def growth(self) -> Growth:
        """How the vocabulary came about, read anew each time: it is as large as the vocabulary."""


class FastTokenizer(Tokenizer):
    """A pipeline of `tokenizers`. It is changed: truncation and padding are turned off."""

    def __init__(self, backend: tokenizers.Tokenizer, pad: int | None = None) -> None:
        self.pad = pad
        backend.no_truncation()
        backend.no_padding()
        self._backend = backend
        self._special = {id for id, token in backend.get_added_tokens_decoder().items() if token.special}
        self._spec: dict[str, Any] = json.loads(backend.to_str())
        model = self._spec["model"]
        kind = model["type"]
        self._in_bytes = "ByteLevel" in str(self._spec["pre_tokenizer"])
        self.family = {"WordPiece": WORDPIECE, "Unigram": UNIGRAM, "WordLevel": WORDS}.get(
            kind, BYTES if self._in_bytes else BPE
        )
        unknown = model.get("unk_token")
        self.unknown = model.get("unk_id") if unknown is None else backend.token_to_id(unknown)
        for large in ("vocab", "merges"):
            model.pop(large, None)

    def columns(self, text: str, *, special: bool = True) -> Columns:
        return self._columns(self._backend.encode(text, add_special_tokens=special))

    def cut(self, text: str, longest: int, side: Side) -> list[Token]:
        encoded = self._backend.encode(text, add_special_tokens=False)
        room = max(0, longest - self._backend.num_special_tokens_to_add(False))
        encoded.truncate(room, direction=side)
        return self._columns(self._backend.post_process(encoded)).tokens()

    def _columns(self, encoded: tokenizers.Encoding) -> Columns:
        ids, offsets = encoded.ids, encoded.offsets
        added = encoded.special_tokens_mask
        return Columns(
            ids=ids,
            pieces=encoded.tokens,
            starts=[start for start, _ in offsets],
            ends=[end for _, end in offsets],
            special=[bool(mask) or id in self._special for id, mask in zip(ids, added, strict=True)],
        )

    def decode(self, ids: Sequence[int]) -> str:
        return str(self._backend.decode(list(ids)))

    def normalized(self, text: str) -> str:
        normalizer = self._backend.normalizer
        return normalizer.normalize_str(text) if normalizer else text

    def pre_tokens(self, normalized: str) -> list[str]:
        splitter = self._backend.pre_tokenizer
        return [part for part, _ in splitter.pre_tokenize_str(normalized)] if splitter else [normalized]

    @property
    def components(self) -> Components:
        return Components(
            **{part: _name(self._spec[part]) for part in ("normalizer", "pre_tokenizer", "post_processor")},
            decoder=_name(self._spec["decoder"]),
            model=self.family,
        )

    @property
    def size(self) -> int:
        return int(self._backend.get_vocab_size())

    def piece(self, id: int) -> str:
        return str(self._backend.id_to_token(id))

    def raw(self, piece: str) -> bytes:
        if self._in_bytes and all(character in _BYTES for character in piece):
            return bytes(_BYTES[character] for character in piece)
        prefix = self._spec["model"].get("continuing_subword_prefix") or ""
        return super().raw(piece.removeprefix(prefix) if piece != prefix else piece)

    def growth(self) -> Growth:
        model = json.loads(self._backend.to_str())["model"]
        if model.get("merges"):
            return Growth(merges=[(left, right) for left, right in model["merges"]])
        if model["type"] == "Unigram":
            return Growth(scores=[(piece, score) for piece, score in model["vocab"]])
        return Growth(entries=sorted(model["vocab"], key=model["vocab"].__getitem__))

    def file(self) -> tuple[str, bytes]:
        return "tokenizer.json", self._backend.to_str(pretty=True).encode()


class SentencePieceTokenizer(Tokenizer):
    """A SentencePiece model, whose ids may be renumbered by Transformers (`around`)."""

    def __init__(self, model: SentencePieceProcessor, around: PreTrainedTokenizerBase | None = None) -> None:
        self._model = model
        self._around: Any = around
        self.family = UNIGRAM if _is_unigram(model) else BPE
        self.unknown = around.unk_token_id if around else model.unk_id()
        self.pad = around.pad_token_id if around else None

    def columns(self, text: str, *, special: bool = True) -> Columns:
        found = Columns([], [], [], [], [])
        before, after = self._ends() if special else ([], [])
        self._add(found, before, 0)
        at = 0
        for part, alone in self._parts(text):
            if alone:
                self._add(found, [self._id(part)], at, at + len(part))
            else:
                self._add_pieces(found, part, at)
            at += len(part)
        self._add(found, after, len(text))
        return found

    def _add(self, found: Columns, ids: Sequence[int], start: int, end: int | None = None) -> None:
        """Special tokens, which stand for no character unless they are written out in the text."""
        for id in ids:
            found.ids.append(id)
            found.pieces.append(self.piece(id))
            found.starts.append(start)
            found.ends.append(start if end is None else end)
            found.special.append(True)

    def _add_pieces(self, found: Columns, part: str, at: int) -> None:
        encoded = self._model.encode(part, return_type="offset_mapping")
        ids, pieces, offsets = encoded["ids"], encoded["pieces"], encoded["offsets"]
        if self._around is not None:  # which has numbers of its own
            numbers = {piece: self._id(piece) for piece in {*pieces}}
            ids = [numbers[piece] for piece in pieces]
        found.ids.extend(ids)
        found.pieces.extend(pieces)
        found.starts.extend(at + start for start, _ in offsets)
        found.ends.extend(at + end for _, end in offsets)
        found.special.extend([False] * len(ids))

    def cut(self, text: str, longest: int, side: Side) -> list[Token]:
        tokens, around = self.encode(text, special=False), self.encode("")
        room = max(0, longest - len(around))
        kept = tokens[:room] if side == "right" else tokens[max(0, len(tokens) - room) :]
        before = len(self._ends()[0])
        return [*around[:before], *kept, *around[before:]]

    def _parts(self, text: str) -> Iterator[tuple[str, bool]]:
        """Special tokens that are written out stand for themselves, the rest is for the model."""
        if self._around is None:
            yield text, False
            return
        for part in self._around.tokens_trie.split(text):
            special = part in self._around.added_tokens_encoder
            code = "" if special else self._language_code(part)
            if code:
                yield code, True
            if rest := part[len(code) :]:
                yield rest, special

    def _language_code(self, part: str) -> str:
        """What Marian takes for the name of a language, as in ">>fr<< Good morning."."""
        if hasattr(self._around, "remove_language_code"):
            return "".join(self._around.remove_language_code(part)[0])
        return ""

    def _ends(self) -> tuple[list[int], list[int]]:
        if self._around is None:
            return [], []
        inside = -1
        whole = self._around.build_inputs_with_special_tokens([inside])
        return whole[: whole.index(inside)], whole[whole.index(inside) + 1 :]

    def _id(self, piece: str) -> int:
        return int(self._around.convert_tokens_to_ids(piece))

    def decode(self, ids: Sequence[int]) -> str:
        if self._around is None:
            return str(self._model.decode(list(ids)))
        return str(self._around.decode(list(ids), skip_special_tokens=True))

    def normalized(self, text: str) -> str:
        return str(self._model.normalize(text))

    def pre_tokens(self, normalized: str) -> list[str]:
        parts = normalized.split(SPACE)
        return [*filter(None, parts[:1]), *(SPACE + part for part in parts[1:])]

    @property
    def components(self) -> Components:
        return Components(
            normalizer="SentencePiece's own rules (NFKC, spaces)",
            pre_tokenizer="before each space",
            model=f"SentencePiece {self.family}",
            post_processor=type(self._around).__name__ if self._around else "",
            decoder="SentencePiece",
        )

    @property
    def size(self) -> int:
        return len(self._around) if self._around else int(self._model.get_piece_size())

    def piece(self, id: int) -> str:
        if self._around is None:
            return str(self._model.id_to_piece(id))
        return str(self._around.convert_ids_to_tokens(id))

    def growth(self) -> Growth:
        ids = range(self._model.get_piece_size())
        pieces = [str(self._model.id_to_piece(id)) for id in ids]
        if self.family == UNIGRAM:
            scores = map(self._model.get_score, ids)
            return Growth(scores=list(zip(pieces, scores, strict=True)))
        return Growth(entries=pieces)

    def file(self) -> tuple[str, bytes]:
        return "sentencepiece.model", bytes(self._model.serialized_model_proto())


def wrapped(tokenizer: PreTrainedTokenizerBase) -> Tokenizer | None:
    """A tokenizer of Transformers as the tour looks at it; None if it does not tell places in the text."""
    library: Any = tokenizer
    if tokenizer.is_fast:
        return FastTokenizer(library.backend_tokenizer, library.pad_token_id)
    for name in ("sp_model", "spm_source"):
        if model := getattr(tokenizer, name, None):
            return SentencePieceTokenizer(model, tokenizer)
    return None


def _name(part: Mapping[str, Any] | None) -> str:
    """As in "Lowercase, NFD": the types in one part of a pipeline's description."""
    if part is None:
        return ""
    sequences = ("normalizers", "pretokenizers", "processors", "decoders")
    inner = next((part[key] for key in sequences if key in part), None)
    return str(part["type"]) if inner is None else ", ".join(_name(each) for each in inner)


def _is_unigram(model: SentencePieceProcessor) -> bool:
    """BPE models number their pieces by the order of the merges: scores are 0, -1, -2 and so on."""
    scores = [model.get_score(id) for id in range(model.get_piece_size()) if not model.is_control(id)]
    return not all(float(score).is_integer() for score in scores)


def _byte_alphabet() -> dict[str, int]:
    """Byte-level BPE writes each byte as a printable character (Radford et al. 2019, GPT-2)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {
        **{chr(byte): byte for byte in printable},
        **{chr(256 + index): byte for index, byte in enumerate(others)},
    }


_BYTES = _byte_alphabet()
