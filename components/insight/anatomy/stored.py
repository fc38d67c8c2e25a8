"""A journey in a file, in half precision, so that the page has something to show before a model is there."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from components.insight.anatomy.record import Ending, Heads, Journey, Part, Stage
from components.insight.weights import Piece
from components.tasks.task import Answer

OPENING = Path(__file__).parent / "opening.npz"  # `app.py --examples anatomy`


def save(path: Path, payload: Mapping[str, Any], answer: Answer[Journey]) -> None:
    """The request and the answer to it."""
    import numpy as np

    journey = answer.result
    arrays: dict[str, Any] = {}
    names: dict[int, str] = {}

    def named(array: Any) -> str | None:
        if array is None:
            return None
        if id(array) not in names:
            names[id(array)] = f"a{len(names)}"
            # Beyond what half precision holds are only masks.
            arrays[names[id(array)]] = np.clip(array, -65504, 65504).astype(np.float16)
        return names[id(array)]

    stages = [
        {
            **vars(stage),
            "before": named(stage.before),
            "after": named(stage.after),
            "neurons": named(stage.neurons),
            "heads": stage.heads
            and {
                **vars(stage.heads),
                **{
                    part: named(getattr(stage.heads, part)) for part in ("queries", "keys", "values", "added")
                },
            },
        }
        for stage in journey.stages
    ]
    about = {
        "payload": dict(payload),
        "answer": {name: value for name, value in vars(answer).items() if name != "result"},
        "journey": {
            **vars(journey),
            "parts": [asdict(part) for part in journey.parts],
            "pieces": [asdict(piece) for piece in journey.pieces],
            "given": [asdict(piece) for piece in journey.given],
            "ending": asdict(journey.ending),
            "stages": stages,
        },
    }
    file = io.BytesIO()
    np.savez_compressed(file, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays)
    path.write_bytes(file.getvalue())


def load(path: Path) -> tuple[Mapping[str, Any], Answer[Journey]]:
    import numpy as np

    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name].astype(np.float32) for name in file.files if name != "about"}
        about = json.loads(file["about"].tobytes())
    told = about["journey"]

    def array(name: str | None) -> Any:
        return None if name is None else arrays[name]

    stages = []
    for stage in told["stages"]:
        heads = stage["heads"]
        found = heads and Heads(
            scale=heads["scale"],
            **{part: array(heads[part]) for part in ("queries", "keys", "values", "added")},
        )
        places = {part: array(stage[part]) for part in ("before", "after", "neurons")}
        stages.append(Stage(**{**stage, **places, "heads": found}))
    journey = Journey(
        **{
            **told,
            "parts": [Part(**part) for part in told["parts"]],
            "pieces": tuple(Piece(**piece) for piece in told["pieces"]),
            "given": tuple(Piece(**piece) for piece in told["given"]),
            "ending": Ending(**told["ending"]),
            "stages": stages,
            "notes": tuple(told["notes"]),
        }
    )
    answer = {**about["answer"], "notes": tuple(about["answer"]["notes"])}
    return about["payload"], Answer(result=journey, **answer)
