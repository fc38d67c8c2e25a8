"""An attention record in a file, so that a page has a picture before any model is on the host."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from components.tasks.task import Answer

if TYPE_CHECKING:
    from components.insight.weights import Attentions, Kind

OPENING = Path(__file__).parent / "opening.npz"  # what the attention page opens with; `app.py --examples all`


def save(path: Path, payload: Mapping[str, Any], answer: Answer[Attentions]) -> None:
    """Of an encoder: one stack whose queries and keys are known."""
    import numpy as np

    (stack,) = answer.result.stacks
    if stack.vectors is None:
        raise ValueError("The record has no queries and keys.")
    about = {
        "payload": dict(payload),
        "answer": {name: value for name, value in vars(answer).items() if name != "result"},
        "result": {"tokens_used": answer.result.tokens_used, "written": answer.result.written},
        "stack": {"kind": stack.kind, "causal": stack.causal, "scale": stack.vectors.scale},
        "pieces": [asdict(piece) for piece in stack.rows],
    }
    file = io.BytesIO()
    np.savez_compressed(
        file,
        about=np.frombuffer(json.dumps(about).encode(), np.uint8),
        weights=stack.weights,
        queries=stack.vectors.queries,
        keys=stack.vectors.keys,
    )
    path.write_bytes(file.getvalue())


def load(path: Path) -> tuple[Mapping[str, Any], Answer[Attentions]]:
    """The request and the answer to it."""
    import numpy as np

    from components.insight.weights import Attentions, Piece, Stack, Vectors

    with np.load(path, allow_pickle=False) as arrays:
        about = json.loads(arrays["about"].tobytes())
        pieces = tuple(Piece(**piece) for piece in about["pieces"])
        vectors = Vectors(queries=arrays["queries"], keys=arrays["keys"], scale=about["stack"]["scale"])
        stack = Stack(
            kind=cast("Kind", about["stack"]["kind"]),
            weights=arrays["weights"],
            rows=pieces,
            columns=pieces,
            causal=about["stack"]["causal"],
            vectors=vectors,
        )
    notes = tuple(about["answer"].pop("notes"))
    result = Attentions(stacks=(stack,), notes=notes, **about["result"])
    return about["payload"], Answer(result=result, notes=notes, **about["answer"])
