"""Code for the drawer: a plain Transformers program that repeats one request outside this app.

`snippets/` holds a body per task and head. In it, `MODEL` stands for the checkpoint, `TOKEN_LIMIT` for its
limit, and each input and option for itself, by its name in capitals; what they are comes where the body
says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from components.models.checkpoint import Checkpoint

_BODIES = Path(__file__).with_name("snippets")
_REQUEST = "# The request\n"


def snippet(task: str) -> Callable[[Checkpoint, Any, Any], str]:
    """The function that writes the code for a request of `task`: it runs as it stands, prints the answer."""

    def write(checkpoint: Checkpoint, inputs: Any, options: Any) -> str:
        from components.models.sources.snippet import loading_lines

        body = _BODIES.joinpath(f"{task}_{checkpoint.head.replace('-', '_')}.py").read_text("utf-8")
        loading = loading_lines(checkpoint.source)
        values = {
            "token_limit": checkpoint.token_limit,
            **{
                field.name: getattr(source, field.name)
                for source in (inputs, options)
                for field in fields(source)
            },
        }
        request = [f"{name.upper()} = {value!r}" for name, value in values.items() if name.upper() in body]
        imports, marker, code = body.partition(_REQUEST)
        if any(line.startswith("GGUF = ") for line in loading):
            code = code.replace("from_pretrained(MODEL", "from_pretrained(MODEL, gguf_file=GGUF")
        return imports + "\n".join([*loading, "", marker.rstrip(), *request]) + "\n" + code

    return write
