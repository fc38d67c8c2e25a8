"""Attention with numbers small enough to follow by hand; every figure shown is computed here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components import texts
from components.figures.markup import Markup, bar_rows, join, percent

TEXTS = texts.beside(__file__)

Vector = tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Attended:
    """What one query reads: four numbers for each word, and the mean of their values [size of a value]."""

    products: list[float]
    scores: list[float]
    powers: list[float]
    shares: list[float]
    mean: list[float]


def attend(query: Vector, keys: Sequence[Vector], values: Sequence[Vector]) -> Attended:
    """Scaled dot-product attention (Vaswani and others, 2017) of one query over words."""
    products = [math.fsum(a * b for a, b in zip(query, key, strict=True)) for key in keys]
    scores = [product / math.sqrt(len(query)) for product in products]
    powers = [math.exp(score) for score in scores]
    shares = [power / math.fsum(powers) for power in powers]
    mean = [
        math.fsum(share * number for share, number in zip(shares, column, strict=True))
        for column in zip(*values, strict=True)
    ]
    return Attended(products=products, scores=scores, powers=powers, shares=shares, mean=mean)


def steps(
    asking: str, query: Vector, keys: Mapping[str, Vector], values: Mapping[str, Vector], means: Sequence[str]
) -> Markup:
    """The three steps for the word `asking`; `means` names what the numbers of a value stand for."""
    words = list(keys)
    found = attend(query, list(keys.values()), [values[word] for word in words])
    root = math.sqrt(len(query))
    compared = join(
        Markup("<li><b>{}</b> {} = {}, divided by {} is <b>{}</b></li>").format(
            word,
            " + ".join(f"{_short(a)}×{_short(b)}" for a, b in zip(query, keys[word], strict=True)),
            _short(product),
            _short(root),
            f"{score:.2f}",
        )
        for word, product, score in zip(words, found.products, found.scores, strict=True)
    )
    shared = " + ".join(f"{power:.2f}" for power in found.powers)
    mixed = join(
        Markup("<li><b>{}</b> {} = <b>{}</b></li>").format(
            name,
            " + ".join(
                f"{share:.2f}×{values[word][place]:.1f}"
                for word, share in zip(words, found.shares, strict=True)
            ),
            f"{found.mean[place]:.2f}",
        )
        for place, name in enumerate(means)
    )
    parts = (
        TEXTS.html(
            "compare",
            asking=asking,
            query=f"({', '.join(map(_short, query))})",
            size=len(query),
            root=_short(root),
            compared=Markup("<ul>{}</ul>").format(compared),
        ),
        TEXTS.html(
            "share",
            shared=shared,
            total=math.fsum(found.powers),
            bars=bar_rows(
                [(word, share, percent(share)) for word, share in zip(words, found.shares, strict=True)],
                caption=f"What “{asking}” reads from each word",
                columns=("Word", "Weight"),
            ),
        ),
        TEXTS.html("mix", mixed=Markup("<ul>{}</ul>").format(mixed)),
    )
    return Markup('<ol class="worked-steps">{}</ol>').format(
        join(Markup("<li>{}</li>").format(part) for part in parts)
    )


def _short(number: float) -> str:
    return f"{number:g}"
