"""What the page is sent of a journey: a description of the whole, then one stage at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.insight.anatomy.facts import FACTS
from components.insight.anatomy.record import HIDDEN, Heads, Journey, Stage
from components.insight.weights import Bytes, Floats, Piece

NEURONS = 12  # the strongest ones
CLIPPED = 99.5  # percentile of the numbers of a strip beyond which colours stay the same


def described(journey: Journey) -> dict[str, Any]:
    """All but the numbers."""
    kinds = {*(part.kind for part in journey.parts), *(stage.kind for stage in journey.stages)}
    return {
        "network": journey.network,
        "architecture": journey.architecture,
        "dtype": journey.dtype,
        "parts": [asdict(part) for part in journey.parts],
        "facts": {kind: asdict(FACTS[kind]) for kind in FACTS if kind in kinds or kind == "embeddings"},
        "sketch": journey.sketch,
        "tokens": _tokens(journey.pieces),
        "given": _tokens(journey.given),
        "written": journey.written,
        "stages": [_about(stage) for stage in journey.stages],
        "ending": {"kind": journey.ending.kind, "next": journey.ending.next},
    }


def _tokens(pieces: Sequence[Piece]) -> list[dict[str, Any]]:
    return [{"text": piece.text, "id": piece.id, "special": piece.special} for piece in pieces]


def _about(stage: Stage) -> dict[str, Any]:
    return {
        "kind": stage.kind,
        "side": stage.side,
        "block": stage.block,
        "part": stage.part,
        "on_stream": stage.on_stream,
        "writes": stage.writes,
        "width": stage.after.shape[-1],
        "heads": stage.heads.count if stage.heads else 0,
        "neurons": stage.neurons.shape[-1] if stage.neurons is not None else 0,
        "projection": stage.projection,
    }


def stage(found: Stage, token: int, head: int, column: int) -> dict[str, Any]:
    """One token's vectors on their way through a part; `column` is the token that its query is compared
    with."""
    before, after = found.before[token], found.after[token]
    written = after - before
    return {
        "before": _rounded(before),
        "after": _rounded(after),
        "written": _rounded(written) if found.writes else [],
        "cosine": round(_cosine(written if found.writes else after, before), 4),
        "stream": _rounded(np.linalg.norm(found.after, axis=-1)),
        "added": _rounded(np.linalg.norm(found.after - found.before, axis=-1)),
        "head": None if found.heads is None else _head(found.heads, head, token, column),
        "neurons": None if found.neurons is None else _neurons(found.neurons[token].astype(np.float32)),
    }


def _head(heads: Heads, head: int, row: int, column: int) -> dict[str, Any]:
    scores, biases = heads.scores(head)[row], heads.biases(head)[row]
    weights = heads.weights(head)[row]
    values = heads.value(head)
    hidden = biases < HIDDEN
    return {
        "scale": heads.scale,
        "query": _rounded(heads.queries[head, row]),
        "key": _rounded(heads.keys[head * len(heads.keys) // heads.count, column]),
        "value": _rounded(values[column]),
        "scores": _rounded(scores),
        "biases": _rounded(np.where(hidden, 0, biases)),
        "hidden": hidden.tolist(),
        "weights": _rounded(weights, 6),
        "output": _rounded(weights @ values),
    }


def _neurons(values: Floats) -> dict[str, Any]:
    best = np.argsort(-np.abs(values))[:NEURONS]
    return {
        "count": len(values),
        "active": int((values > 0).sum()),
        "top": [{"index": int(at), "value": round(float(values[at]), 4)} for at in best],
    }


def strip(found: Stage, of: str) -> tuple[Bytes, float]:
    """[tokens, width] in 8 bits, 128 for 0, and what 127 more or less stands for."""
    values = (
        found.after - found.before if of == "written" else found.before if of == "before" else found.after
    )
    scale = float(np.percentile(np.abs(values), CLIPPED)) or 1.0
    return (128 + np.rint(np.clip(values / scale, -1, 1) * 127)).astype(np.uint8), scale


def weights(heads: Heads, head: int) -> Bytes:
    """[rows, columns] in shares of 255."""
    return np.rint(heads.weights(head) * 255).astype(np.uint8)


def ending(journey: Journey, token: int) -> dict[str, Any]:
    """What the head makes of a token's last state, or of the whole text where that is all there is."""
    found = journey.ending
    row = min(token, len(found.logits) - 1)
    names = found.names if found.kind == "spans" else [found.names[row]]
    rows = range(len(found.logits)) if found.kind == "spans" else [row]
    return {
        "kind": found.kind,
        "next": found.next,
        "rows": [
            {
                "names": name,
                "logits": found.logits[at],
                "probabilities": found.probabilities[at] if found.probabilities else [],
            }
            for name, at in zip(names, rows, strict=True)
        ],
    }


def _cosine(one: Floats, other: Floats) -> float:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths else 0.0


def _rounded(values: NDArray[Any], places: int = 4) -> list[float]:
    found: list[float] = values.astype(np.float64).round(places).tolist()
    return found
