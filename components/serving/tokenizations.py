"""What the tokenizers page draws: tokenizations over a text's cells, small enough to send while one types.

`/v1/tokenize` is for programs; here texts and places are packed for one page, and a tokenizer that is not
there yet does not keep the others waiting.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.insight import aligned_tokenizations
from components.models.errors import TourError
from components.models.tokenizers import Tokenizers
from components.tasks.fields import validate
from components.tasks.tokenize import Inputs


def packed(tokenizers: Tokenizers, payload: Mapping[str, object]) -> dict[str, Any]:
    """How the text's code points make up its cells, and a lane for each tokenizer: itself, or {"tokenizer",
    "waits"} while it is fetched, or {"tokenizer", "error"}. Raises `TourError`.

    Most cells are one code point; `wide` has [cell, how many] for the others.
    """
    inputs = validate(Inputs, {name: payload.get(name) for name in ("text", "tokenizers")})
    cells = aligned_tokenizations.cells(inputs.text)
    return {
        "wide": [[index, len(cell)] for index, cell in enumerate(cells) if len(cell) > 1],
        "characters": len(inputs.text),
        "words": len(inputs.text.split()),
        "lanes": [_lane(tokenizers, id, inputs.text, cells) for id in inputs.tokenizers],
    }


def _lane(tokenizers: Tokenizers, id: str, text: str, cells: list[str]) -> dict[str, Any]:
    try:
        work = tokenizers.wait(id)
        try:
            stage = next(work)
        except StopIteration as end:
            return vars(aligned_tokenizations.lane(id, end.value, tokenizers.limit(id), text, cells))
        share = "" if stage.share is None else f" {100 * stage.share:.0f} %"
        return {"tokenizer": id, "waits": f"{stage.words}{share}"}
    except TourError as error:
        return {"tokenizer": id, "error": error.message}
