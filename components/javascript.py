"""The pages' JavaScript: ES modules in a folder, served as they are below an address with their hash.

Gradio takes code as strings, for a component that has been built and for an event. What it gets is one line
that imports a module: `start` for a component, `call` for an event.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "ui" / "assets" / "modules"
EMBED = FOLDER.parent / "embed.js"  # for pages of others that show ours in frames
_IMPORTS = re.compile(r'^(?:import|export) [^;"]*"\./([\w-]+\.js)";', re.MULTILINE)
_VERSION = hashlib.sha256(
    b"\0".join(
        part for file in sorted(FOLDER.glob("*.js")) for part in (file.name.encode(), file.read_bytes())
    )
).hexdigest()[:12]

# One folder for all: modules find each other by relative addresses, and a change of any changes all of them.
PLACE = f"assets/tour-{_VERSION}/"
_MENTIONED = re.compile(rf"{PLACE}([\w-]+\.js)")


def start(name: str, *triggers: str) -> str:
    """`js_on_load` of a `gr.HTML`: hands the component to a module's `start`.

    `triggers` are the events that the module triggers: Gradio offers those that are quoted here.
    """
    handed = f"{{ element, props, trigger, watch, triggers: {json.dumps(triggers)} }}"
    return f"{_import(name)}.then(({{ start }}) => start({handed}));"


def call(name: str, function: str, *given: object) -> str:
    """`js` of an event: calls a function of a module with what is `given`, then the inputs' values."""
    first = "".join(f"{_json(value)}, " for value in given)
    return f"async (...values) => (await {_import(name)}).{function}({first}...values)"


def script(name: str) -> str:
    """HTML that runs a module on its own."""
    return f'<script type="module" src="./{PLACE}{name}.js"></script>'


def preloads(html: str) -> str:
    """Links that fetch all modules that a page's HTML mentions, and what these import, at once."""
    return "".join(
        f'<link rel="modulepreload" href="./{PLACE}{name}">' for name in _needed(_MENTIONED.findall(html))
    )


def _needed(names: Iterable[str]) -> Iterator[str]:
    waiting, seen = list(names), set[str]()
    while waiting:
        if (name := waiting.pop(0)) not in seen:
            seen.add(name)
            waiting += _imported(name)
            yield name


@cache
def _imported(name: str) -> tuple[str, ...]:
    return tuple(_IMPORTS.findall((FOLDER / name).read_text("utf-8")))


def _import(name: str) -> str:
    """Compiled code has no address of its own to start from, hence the page's."""
    return f'import(new URL("./{PLACE}{name}.js", document.baseURI))'


def _json(value: object) -> str:
    """JSON that can stand inside a script, whatever text it holds."""
    return json.dumps(value).replace("<", "\\u003c")
