"""A tokenizer's pipeline, each part with its real output."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

from components.insight.families import spelled
from components.models.tokenizer import Tokenizer


@dataclass(frozen=True, kw_only=True)
class Step:
    """`parts` is what the step makes of what came before: one text, or several tokens."""

    name: str
    by: str  # the part of the pipeline that does it, empty if there is none
    parts: list[str]
    says: str


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """`changes` are (what it was, what it became) where decoding does not give the text back."""

    steps: list[Step]
    ids: list[int]
    decoded: str
    changes: list[tuple[str, str]]


def pipeline(tokenizer: Tokenizer, text: str) -> Pipeline:
    """Special tokens that are written out in the text are taken out before the first step."""
    normalized = tokenizer.normalized(text)
    pre_tokens = tokenizer.pre_tokens(normalized)
    plain = tokenizer.encode(text, special=False)
    whole = tokenizer.encode(text)
    parts = tokenizer.components
    ids = [token.id for token in whole]
    decoded = tokenizer.decode(ids)
    steps = [
        Step(
            name="Normalisation",
            by=parts.normalizer,
            parts=[normalized],
            says="Nothing is changed." if normalized == text else _altered(text, normalized),
        ),
        Step(
            name="Pre-tokenisation",
            by=parts.pre_tokenizer,
            parts=[spelled(tokenizer, part) for part in pre_tokens],
            says=f"{len(pre_tokens):,} parts; no token reaches from one into the next.",
        ),
        Step(
            name="Model",
            by=parts.model,
            parts=[spelled(tokenizer, token.piece) for token in plain],
            says=f"{len(plain):,} tokens of a vocabulary of {tokenizer.size:,}.",
        ),
        Step(
            name="Post-processing",
            by=parts.post_processor,
            parts=[spelled(tokenizer, token.piece) for token in whole],
            says=f"{len(whole) - len(plain):,} special tokens are added."
            if len(whole) > len(plain)
            else "Nothing is added.",
        ),
        Step(
            name="Ids",
            by="the vocabulary",
            parts=[str(id) for id in ids],
            says="What the network gets.",
        ),
        Step(
            name="Decoding",
            by=parts.decoder,
            parts=[decoded],
            says="Gives the text back, to the letter." if decoded == text else "Does not give the text back.",
        ),
    ]
    return Pipeline(steps=steps, ids=ids, decoded=decoded, changes=_changes(text, decoded))


def _altered(before: str, after: str) -> str:
    return f"{len(before):,} characters became {len(after):,}."


def _changes(before: str, after: str, most: int = 20) -> list[tuple[str, str]]:
    if before == after:
        return []
    # Quadratic in the worst case: of a long text the beginning shows what happens.
    matcher = SequenceMatcher(None, before[:2000], after[:2000], autojunk=False)
    return [(before[a:b], after[c:d]) for kind, a, b, c, d in matcher.get_opcodes() if kind != "equal"][:most]
