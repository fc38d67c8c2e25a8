"""The three ways to cut a text, next to each other: characters, words, pieces of words.

Vocabularies of the first two are made of the given text, as they would be of a training corpus; a word that
is not in it shows what each can do with what it has never seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from components.models.tokenizer import Tokenizer

UNKNOWN = "[UNK]"


@dataclass(frozen=True, kw_only=True)
class Family:
    """`tokens` are the text's, as spelled; `unseen` those of a word that the text need not contain."""

    kind: str
    rule: str
    vocabulary_size: int
    tokens: list[str]
    unseen: list[str]


def families(text: str, word: str, tokenizers: dict[str, Tokenizer]) -> list[Family]:
    """Characters, words by two rules, then the subwords of each tokenizer; `tokenizers` by title."""
    from tokenizers import pre_tokenizers

    rules = {
        "cut at spaces": pre_tokenizers.WhitespaceSplit(),
        "cut at spaces and punctuation": pre_tokenizers.BertPreTokenizer(),
    }
    found = [_closed("Characters", "one by one", list(text), list(word))]
    for rule, splitter in rules.items():
        tokens, unseen = ([part for part, _ in splitter.pre_tokenize_str(each)] for each in (text, word))
        found.append(_closed("Words", rule, tokens, unseen))
    for title, tokenizer in tokenizers.items():
        tokens, unseen = (
            [token.piece for token in tokenizer.encode(each, special=False)] for each in (text, word)
        )
        found.append(
            Family(
                kind="Subwords",
                rule=f"{tokenizer.family}, {title}",
                vocabulary_size=tokenizer.size,
                tokens=_readable(tokenizer, tokens),
                unseen=_readable(tokenizer, unseen),
            )
        )
    return found


def _closed(kind: str, rule: str, tokens: Sequence[str], unseen: Sequence[str]) -> Family:
    """A family whose vocabulary is what occurs in the text, and a token for all else."""
    vocabulary = {*tokens}
    return Family(
        kind=kind,
        rule=rule,
        vocabulary_size=len(vocabulary) + 1,
        tokens=list(tokens),
        unseen=[token if token in vocabulary else UNKNOWN for token in unseen],
    )


def _readable(tokenizer: Tokenizer, pieces: Sequence[str]) -> list[str]:
    return [spelled(tokenizer, piece) for piece in pieces]


def spelled(tokenizer: Tokenizer, piece: str) -> str:
    """A piece as a reader can read it: bytes as text where they are whole characters, else in hexadecimal."""
    raw = tokenizer.raw(piece)
    if raw == piece.encode("utf-8", "replace") or not raw:
        return piece
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return raw.hex(" ")
    # A WordPiece keeps its mark: "##ing" is another token than "ing".
    return piece if piece.endswith(text) else text
