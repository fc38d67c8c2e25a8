"""Code for the drawer: a plain Transformers program that repeats one request outside this app.

A folder of snippets holds a body per architecture, or `any.py` for all. In it, `MODEL` stands for the
checkpoint, `TOKEN_LIMIT` for its limit, and each input and option for itself, by its name in capitals; what
they are comes where the body says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from pprint import pformat
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from components.models.checkpoint import Checkpoint, Head, Source

_REQUEST = "# The request\n"
_IMPORT = "from transformers import "
_WHOLE_MODEL = re.compile(r"^model = (AutoModel\w*)\.from_pretrained\(MODEL\)$", re.MULTILINE)
_ADAPTED_MODEL = r"""# Warnings of missing weights mean the head: it comes with the adapter.
model = \1.from_pretrained(MODEL, config=AutoConfig.from_pretrained(ADAPTER))
model.load_adapter(ADAPTER)"""


def snippet(folder: Path) -> Callable[[Checkpoint, Any, Any], str]:
    """The function that writes the code for a request of a task: a program that prints the answer."""

    def write(checkpoint: Checkpoint, inputs: Any, options: Any) -> str:
        from components.models.sources.snippet import loading_lines

        body = _body(folder, checkpoint.head)
        values = {
            "token_limit": checkpoint.token_limit,
            **{
                field.name: getattr(source, field.name)
                for source in (inputs, options)
                for field in fields(source)
            },
        }
        if checkpoint.body is not None:
            body = _WHOLE_MODEL.sub(_ADAPTED_MODEL, body.replace(_IMPORT, f"{_IMPORT}AutoConfig, ", 1))
        return _filled(body, loading_lines(checkpoint), values)

    return write


def _body(folder: Path, head: Head) -> str:
    """That of the architecture, or else the one for all, which loads the network as AutoModel."""
    own = folder / f"{head.replace('-', '_')}.py"
    if own.exists():
        return own.read_text("utf-8")
    return (folder / "any.py").read_text("utf-8").replace("AutoModel", head.auto_class)


def tokenizer_snippet(source: Source, text: str) -> str:
    """Code that prints the tokens of a text, with the tokenizer of a whole checkpoint."""
    from components.models.sources.snippet import source_lines

    body = (Path(__file__).parent / "tokenize" / "snippets" / "any.py").read_text("utf-8")
    return _filled(body, source_lines(source), {"text": text})


def _filled(body: str, loading: Sequence[str], values: Mapping[str, object]) -> str:
    """A body with what it needs of `values`, after the lines that fetch the checkpoint."""
    request = [
        f"{name.upper()} = {_literal(value)}" for name, value in values.items() if name.upper() in body
    ]
    imports, marker, code = body.partition(_REQUEST)
    if any(line.startswith("GGUF = ") for line in loading):
        code = code.replace("from_pretrained(MODEL", "from_pretrained(MODEL, gguf_file=GGUF")
    return imports + "\n".join([*loading, "", marker.rstrip(), *request]) + "\n" + code


def _literal(value: object) -> str:
    """Python for a value: a table in lines that can be read, everything else as it is."""
    if isinstance(value, dict):
        return pformat(value, width=110, compact=True, sort_dicts=False)
    return repr(value)
