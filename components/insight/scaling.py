"""What a network's sizes cost: parameters, memory, the cache per token, time per token. Formulas alone.

A layer of width w with heads of size d, h of them for queries and g for keys and values, has w(h + 2g)d + hdw
parameters of attention and 2wi of its feed-forward part with i neurons, 3wi if that is gated. What a decoder
writes with costs at least one reading of all its weights per token, so memory bandwidth bounds its speed
(Shazeer 2019, https://arxiv.org/abs/1911.02150).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

DATA = Path(__file__).with_suffix(".toml")
# Bytes per parameter; 4 bits come with a scale of 16 bits for each 32 of them.
PRECISIONS: Mapping[str, float] = {"fp32": 4, "bf16 / fp16": 2, "int8": 1, "4-bit": 0.5625}
# Of what is kept of keys and values; with 4-bit weights they usually stay in 16 bits.
CACHE: Mapping[str, float] = {**PRECISIONS, "4-bit": 2}

Kind = Literal["encoder", "decoder", "encoder-decoder"]
Dial = Literal["width", "layers", "vocabulary", "inner"]


@dataclass(frozen=True, kw_only=True)
class Family:
    """What a network consists of, beside its sizes; see `scaling.toml`."""

    title: str
    about: str
    kind: Kind
    norm: int
    norms: int
    ends: int
    bias: bool = False
    gated: bool = False
    normed_heads: bool = False


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """`heads` of size `head_size` (0: the width shared among them), of which `shared_by` have keys and
    values in common; `inner` neurons in a feed-forward part. `decoder_layers` are those of an
    encoder-decoder, whose `layers` are its encoder's. `tied`: the output has the embeddings' matrix."""

    family: str
    vocabulary: int
    width: int
    layers: int
    heads: int
    inner: int
    decoder_layers: int = 0
    shared_by: int = 1
    head_size: int = 0
    positions: int = 0
    types: int = 0
    tied: bool = True
    extra: str = ""
    labels: int = 0
    rank: int = 0

    @property
    def size(self) -> int:
        """Of a head."""
        return self.head_size or self.width // self.heads

    @property
    def queries(self) -> int:
        """Numbers of all heads' queries together."""
        return self.heads * self.size

    @property
    def keys(self) -> int:
        return max(1, self.heads // self.shared_by) * self.size


@dataclass(frozen=True, kw_only=True)
class Count:
    """Parameters by what they are part of; `rest` are norms, types, heads and adapters."""

    embeddings: int
    positions: int
    attention: int
    feed_forward: int
    output: int
    rest: int

    @property
    def total(self) -> int:
        return sum(getattr(self, field.name) for field in fields(self))


@cache
def families() -> Mapping[str, Family]:
    return {name: Family(**given) for name, given in _data()["families"].items()}


@cache
def checkpoints() -> Mapping[str, Sizes]:
    """By the catalog's ids."""
    return {id: Sizes(**_given(id)) for id in _data()["checkpoints"]}


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(DATA.read_text("utf-8"))


def _given(id: str) -> dict[str, Any]:
    own = dict(_data()["checkpoints"][id])
    like = own.pop("like", None)
    return {**(_given(like) if like else {}), **own}


# Parameters


def count(sizes: Sizes) -> Count:
    """Of a whole network, each tensor once."""
    family = families()[sizes.family]
    bias = int(family.bias)
    w, i, qs, ks = sizes.width, sizes.inner, sizes.queries, sizes.keys
    one_attention = w * (qs + 2 * ks) + qs * w + bias * (qs + 2 * ks + w)
    one_feed = (3 if family.gated else 2) * w * i + bias * (i + w)
    one_norm = family.norm * w
    both = family.kind == "encoder-decoder"
    layers = sizes.layers + sizes.decoder_layers
    attentions = sizes.layers + 2 * sizes.decoder_layers
    sides = 2 if both else 1
    norms = layers * family.norms + sizes.decoder_layers + sides * family.ends
    return Count(
        embeddings=sizes.vocabulary * w,
        positions=sides * sizes.positions * w,
        attention=attentions * one_attention + (layers * 2 * sizes.size if family.normed_heads else 0),
        feed_forward=layers * one_feed,
        output=0 if sizes.tied or family.kind == "encoder" else sizes.vocabulary * w,
        rest=norms * one_norm + sizes.types * w + _on_top(sizes, family) + _adapters(sizes),
    )


def _on_top(sizes: Sizes, family: Family) -> int:
    """Pooler or head."""
    w = sizes.width
    bias = int(family.bias)
    labels = sizes.labels * (w + 1)
    if sizes.extra == "masked":
        return w * w + bias * w + family.norm * w + sizes.vocabulary
    return labels + (w * w + w if sizes.extra == "pooler" else 0)


def _adapters(sizes: Sizes) -> int:
    """LoRA (Hu et al. 2021, https://arxiv.org/abs/2106.09685): two thin matrices beside each one."""
    w, i = sizes.width, sizes.inner
    return sizes.rank * sizes.layers * (3 * (w + sizes.queries) + (sizes.queries + w) + 2 * (w + i))


# Memory and time


def weights_bytes(sizes: Sizes, precision: str) -> int:
    return round(count(sizes).total * PRECISIONS[precision])


def cache_bytes(sizes: Sizes, precision: str = "bf16 / fp16") -> int:
    """That each further token adds to the cache of keys and values; 0 for an encoder, which has none. Of an
    encoder-decoder for each token that is written."""
    kind = families()[sizes.family].kind
    layers = {"encoder": 0, "decoder": sizes.layers, "encoder-decoder": sizes.decoder_layers}[kind]
    return round(2 * layers * sizes.keys * CACHE[precision])


def source_bytes(sizes: Sizes, precision: str = "bf16 / fp16") -> int:
    """That each token of the source adds to the cache of an encoder-decoder's cross-attention."""
    if families()[sizes.family].kind != "encoder-decoder":
        return 0
    return round(2 * sizes.decoder_layers * sizes.keys * CACHE[precision])


def read_per_token(sizes: Sizes, precision: str, context: int) -> int:
    """Bytes that a decoder reads for one token after `context` others: its weights, and the cache.

    Of an embedding table it reads one row, unless that is the output's matrix too; of an encoder-decoder
    the decoder's part alone. An encoder reads all of its weights once for a whole text.
    """
    parts = count(sizes)
    kind = families()[sizes.family].kind
    needed = parts.total - parts.positions
    if kind == "decoder" and not sizes.tied:
        needed -= parts.embeddings
    if kind == "encoder":
        needed -= parts.embeddings
    if kind == "encoder-decoder":
        needed -= count(replace(sizes, decoder_layers=0)).attention
        needed -= parts.feed_forward * sizes.layers // (sizes.layers + sizes.decoder_layers)
    return round(needed * PRECISIONS[precision]) + cache_bytes(sizes, precision) * context


def seconds_per_token(sizes: Sizes, precision: str, context: int, bandwidth: float) -> float:
    """At least, with `bandwidth` bytes per second."""
    return read_per_token(sizes, precision, context) / bandwidth


def operations(sizes: Sizes) -> int:
    """Multiply-adds per token of all matrices, without the scores of attention."""
    parts = count(sizes)
    kind = families()[sizes.family].kind
    says = kind != "encoder" or sizes.extra == "masked"
    return parts.attention + parts.feed_forward + (sizes.vocabulary * sizes.width if says else 0)


# What would make it larger


def scaled(sizes: Sizes, dial: Dial, factor: float) -> Sizes:
    """With one size `factor` times as large. Heads and feed-forward neurons grow with the width, heads keep
    their size."""
    if dial == "width":
        groups = max(1, round(sizes.heads // sizes.shared_by * factor))
        heads = groups * sizes.shared_by
        width = heads * sizes.width // sizes.heads
        return replace(
            sizes,
            heads=heads,
            width=width,
            head_size=sizes.head_size,
            inner=max(1, round(sizes.inner * width / sizes.width)),
        )
    if dial == "layers":
        return replace(
            sizes,
            layers=max(1, round(sizes.layers * factor)),
            decoder_layers=round(sizes.decoder_layers * factor),
        )
    return replace(sizes, **{dial: max(1, round(getattr(sizes, dial) * factor))})


def both(sizes: Sizes, factor: float) -> Sizes:
    """Width and depth in the proportion that they have."""
    return scaled(scaled(sizes, "width", factor), "layers", factor)


def reaching(sizes: Sizes, total: float, grow: Callable[[Sizes, float], Sizes]) -> Sizes | None:
    """The network that comes closest to `total` parameters as `grow` makes it larger or smaller; None if it
    cannot come within a tenth of that."""
    low, high = 1e-4, 1e5
    for _ in range(80):
        middle = (low * high) ** 0.5
        if count(grow(sizes, middle)).total < total:
            low = middle
        else:
            high = middle
    found = min((grow(sizes, one) for one in (low, high)), key=lambda one: abs(count(one).total - total))
    return found if abs(count(found).total - total) <= total / 10 else None
