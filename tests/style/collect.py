"""All texts that visitors read, with the place of each: data, Markdown, code samples, Python, JavaScript.

From source files come the strings that read like a text: three words or more, no docstring, no markup.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# What developers or training read, and texts in which mistakes belong.
LEFT_OUT = (
    "components/training/",
    "components/lab/texts/",
    "components/tasks/scripts.toml",
    "components/tasks/table_question_answering/words.toml",
)
DOCUMENTS = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
# Values in data files that are typed into a page, quoted from elsewhere, or patterns.
TYPED = {"query", "requests", "source", "target", "words", "arxiv", "languages", "pattern"}

TAG = re.compile(r"<[^<>]*>")
# Tags at which a text ends; those within a sentence are passed over.
BLOCK_TAG = re.compile(r"</?(?!(?:a|b|bdi|code|em|i|mark|span|strong)\b)[a-z][^<>]*>")
STATEMENT, FILLED_IN = re.compile(r"\{[%#].*?[%#]\}", re.DOTALL), re.compile(r"\{\{.*?\}\}", re.DOTALL)
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
LINK_TARGET = re.compile(r"\]\([^)\s]*\)")
SCRIPT_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`')
SCRIPT_COMMENT = re.compile(r"/\*.*?\*/|^\s*//[^\n]*", re.DOTALL | re.MULTILINE)
PROSE = re.compile(r"(?:[^\W\d_]+[’'-]?[^\W\d_]*[,;:.…]?\s+){2,}[^\W\d_]+")
NO_PROSE = re.compile(r"^#|=>|^\s*(?:import|from|def|const) |\w\(\)|[{;]\s*\w[\w-]*:\s*[^ ]+;|\\[bdws]|\(\?")


@dataclass(frozen=True)
class Text:
    place: str  # file:line, or file:key
    text: str


def texts() -> Iterator[Text]:
    for path in files(".py"):
        if "snippets" in path.parts:
            yield from comments(path)
        else:
            yield from (text for text in python_strings(path) if reads_like_text(text.text))
    for path in files(".toml"):
        yield from data(relative(path), tomllib.loads(path.read_text("utf-8")))
    for path in chain(files(".md"), (ROOT / "docs").glob("*.md"), (ROOT / name for name in DOCUMENTS)):
        yield from markdown(path)
    for path in files(".js"):
        yield from javascript(path)
    for path in files(".html"):
        yield from template(path)


def files(suffix: str) -> Iterator[Path]:
    found = (path for folder in ("demos", "components") for path in (ROOT / folder).rglob(f"*{suffix}"))
    return (path for path in sorted(found) if not relative(path).startswith(LEFT_OUT))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def python_strings(path: Path) -> Iterator[Text]:
    """String constants without docstrings; of an f-string the whole, with … for what is filled in. Tags are
    taken out; what stands between two blocks, as in two cells of a table, is a text of its own."""
    tree = ast.parse(path.read_text("utf-8"))
    passed_over = {id(part) for node in ast.walk(tree) for part in _no_text(node)}
    for node in ast.walk(tree):
        if id(node) in passed_over:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            written = node.value
        elif isinstance(node, ast.JoinedStr):
            written = "".join(
                str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values
            )
        else:
            continue
        for block in BLOCK_TAG.split(written):
            yield Text(f"{relative(path)}:{node.lineno}", " ".join(TAG.sub(" ", block).split()))


def template(path: Path) -> Iterator[Text]:
    """What stands between the tags of HTML or of a Jinja2 template, with … for what is filled in."""
    written = FILLED_IN.sub("…", STATEMENT.sub("<br>", path.read_text("utf-8")))
    for block in BLOCK_TAG.split(written):
        text = " ".join(TAG.sub(" ", block).split())
        if reads_like_text(text):
            yield Text(relative(path), text)


def _no_text(node: ast.AST) -> Iterable[ast.AST]:
    """Docstrings, and the parts of f-strings."""
    if isinstance(node, ast.JoinedStr):
        return node.values
    return [node.value] if isinstance(node, ast.Expr) else ()


def reads_like_text(text: str) -> bool:
    return bool(PROSE.search(text)) and not NO_PROSE.search(text)


def comments(path: Path) -> Iterator[Text]:
    """Comments of a code sample, which visitors copy."""
    for token in tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline):
        if token.type == tokenize.COMMENT:
            yield Text(f"{relative(path)}:{token.start[0]}", token.string.lstrip("# "))


def data(place: str, value: Any) -> Iterator[Text]:
    if isinstance(value, str):
        if reads_like_text(value):
            yield Text(place, TAG.sub(" ", value))
    elif isinstance(value, dict):
        for key, each in value.items():
            if key not in TYPED:
                yield from data(f"{place}:{key}", each)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from data(f"{place}[{number}]", each)


def markdown(path: Path) -> Iterator[Text]:
    written = CODE.sub(" ", FRONT_MATTER.sub("", path.read_text("utf-8")))
    for number, paragraph in enumerate(re.split(r"\n\s*\n", TAG.sub(" ", written)), 1):
        yield Text(f"{relative(path)}, paragraph {number}", " ".join(LINK_TARGET.sub("]", paragraph).split()))


def javascript(path: Path) -> Iterator[Text]:
    written = SCRIPT_COMMENT.sub(lambda found: "\n" * found[0].count("\n"), path.read_text("utf-8"))
    for found in SCRIPT_STRING.finditer(written):
        text = TAG.sub(" ", re.sub(r"\$\{[^{}]*\}", "…", found[0][1:-1]))
        if reads_like_text(text):
            yield Text(f"{relative(path)}:{written.count(chr(10), 0, found.start()) + 1}", text)
