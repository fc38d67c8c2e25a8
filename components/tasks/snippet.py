"""Code for the drawer: a plain Transformers program that repeats one request outside this app.

`snippets/` holds a body per task and head, in which upper-case names stand for the request: `MODEL`
for the checkpoint's folder or Hub id, and each input and option by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from components.models.checkpoint import Checkpoint

_BODIES = Path(__file__).with_name("snippets")
_HERE = "# The request\n"


def snippet(task: str) -> Callable[[Checkpoint, Any, Any], str]:
    """The function that writes the code for a request of `task`."""

    def write(checkpoint: Checkpoint, inputs: Any, options: Any) -> str:
        from components.models.sources.snippet import loading_lines

        body = _BODIES.joinpath(f"{task}_{checkpoint.head.replace('-', '_')}.py").read_text("utf-8")
        request = [
            f"{field.name.upper()} = {getattr(values, field.name)!r}"
            for values in (inputs, options)
            for field in fields(values)
        ]
        imports, _, rest = body.partition(_HERE)
        model = loading_lines(checkpoint.source)
        if any(line.startswith("GGUF = ") for line in model):
            rest = rest.replace("from_pretrained(MODEL", "from_pretrained(MODEL, gguf_file=GGUF")
        return imports + "\n".join([*model, "", *request]) + "\n" + rest

    return write
