"""The style sheet of what Gradio builds: one file below an address with its hash.

Gradio takes CSS as a string, sends it with every page and rewrites each rule in the browser. A file is sent
once, and applies to what stands in the HTML before Gradio has built anything.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

_FOLDER = Path(__file__).parent / "ui" / "assets"
_SHEETS = ("first-paint.css", "tour.css", "home.css", "lab.css", "story.css", "anatomy.css")


def _wins(css: str) -> str:
    """The rules with more weight than those of Gradio's components, which are made of up to three classes.

    Animations cannot be nested, and stand on a line of their own.
    """
    lines = css.splitlines()
    animations = [line for line in lines if line.startswith("@keyframes")]
    rules = [line for line in lines if not line.startswith("@keyframes")]
    return "\n".join((":root:root:root {", *rules, "}", *animations, ""))


CONTENT = _wins("".join((_FOLDER / name).read_text("utf-8") for name in _SHEETS)).encode()
PLACE = f"assets/tour-{hashlib.sha256(CONTENT).hexdigest()[:12]}.css"


def link() -> str:
    """HTML that applies it, before the first paint."""
    return f'<link rel="stylesheet" href="./{PLACE}">'
