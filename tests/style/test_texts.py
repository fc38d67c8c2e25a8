"""Texts for visitors use the field's words in plain English; style.toml lists what they do without."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.style.collect import Text, files, python_strings, reads_like_text, relative, texts

STYLE: dict[str, Any] = tomllib.loads(Path(__file__).with_name("style.toml").read_text("utf-8"))
TEXTS = list(texts())


@pytest.mark.parametrize("rule", STYLE["phrases"], ids=lambda rule: rule["instead"])
def test_no_text_uses_a_phrase_that_is_not_plain_english(rule: dict[str, str]) -> None:
    pattern = re.compile(rule["pattern"], re.IGNORECASE)
    found = [f"{text.place}: {around(pattern, text)}" for text in TEXTS if pattern.search(text.text)]
    assert not found, f"Write instead: {rule['instead']}\n" + "\n".join(found)


def around(pattern: re.Pattern[str], text: Text) -> str:
    found = pattern.search(text.text)
    assert found is not None
    return f"… {text.text[max(0, found.start() - 40) : found.end() + 40]} …"


def test_texts_of_every_kind_are_looked_at() -> None:
    kinds = {re.split(r"[:,\[]", text.place)[0].rpartition(".")[2] for text in TEXTS}
    assert kinds >= {"py", "toml", "md", "js"}
    assert any("snippets" in text.place for text in TEXTS)


# In Python are labels, no texts: what is longer is in the TOML file beside the module (components/texts.py).
LABEL = 60  # characters
PAGES = ("demos/", "components/figures/", "components/ui/")


def test_no_text_of_a_page_is_in_python() -> None:
    long = [
        f"{text.place}: {text.text}"
        for path in files(".py")
        if relative(path).startswith(PAGES)
        for text in python_strings(path)
        if len(re.sub(r"\{[^{}]*\}", "", text.text)) > LABEL and reads_like_text(text.text)
    ]
    assert not long, "Move to the TOML file beside the module:\n" + "\n".join(long)


def modules() -> list[Path]:
    return [
        path
        for path in files(".py")
        if path.with_suffix(".toml").is_file() and "TEXTS" in path.read_text("utf-8")
    ]


@pytest.mark.parametrize("path", modules(), ids=relative)
def test_each_text_that_a_module_asks_for_is_in_its_file_and_the_other_way_round(path: Path) -> None:
    """A key made of parts, as in TEXTS[f"views.{view}"], may be any that fits."""
    data = tomllib.loads(path.with_suffix(".toml").read_text("utf-8"))
    there = set(keys(data))
    used = [pattern for node in ast.walk(ast.parse(path.read_text("utf-8"))) for pattern in asked(node)]
    # Tables that a module reads as a whole, from TEXTS.data or a name for it.
    lists = [f"{name}." for name in re.findall(r'(?:\.data|STORY)\["([\w-]+)"\]', path.read_text("utf-8"))]
    missing = [pattern for pattern in used if not any(re.fullmatch(pattern, key) for key in there)]
    assert not missing, f"{relative(path)} asks for texts that are not in its file: {missing}"
    unused = [
        key
        for key in there
        if not key.startswith(tuple(lists)) and not any(re.fullmatch(pattern, key) for pattern in used)
    ]
    assert not unused, f"Nobody asks for {unused} of {relative(path.with_suffix('.toml'))}"


def keys(data: dict[str, Any], prefix: str = "") -> list[str]:
    """Those of the strings in a file; lists are data."""
    return [
        key
        for name, value in data.items()
        for key in (
            keys(value, f"{prefix}{name}.")
            if isinstance(value, dict)
            else [f"{prefix}{name}"]
            if isinstance(value, str)
            else []
        )
    ]


def asked(node: ast.AST) -> list[str]:
    """Patterns of the keys that an expression asks for: TEXTS[key], TEXTS.html(key), TEXTS.line(key)."""
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "TEXTS":
        return key_patterns(node.slice)
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "TEXTS"
    ):
        return key_patterns(node.args[0])
    return []


def key_patterns(key: ast.expr) -> list[str]:
    if isinstance(key, ast.IfExp):
        return [*key_patterns(key.body), *key_patterns(key.orelse)]
    if isinstance(key, ast.JoinedStr):
        parts = [
            re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"[\w-]+" for part in key.values
        ]
        return ["".join(parts)]
    return [re.escape(str(key.value))] if isinstance(key, ast.Constant) else [r"[\w.-]+"]


def test_buttons_are_verbs() -> None:
    labels = {label for path in files(".py") if relative(path).startswith(PAGES) for label in buttons(path)}
    labels |= {
        str(data["run"])
        for path in files(".toml")
        if "run" in (data := tomllib.loads(path.read_text("utf-8"))) and relative(path).startswith("demos/")
    }
    assert len(labels) > 20
    assert not {
        label
        for label in labels
        if label.split()[0] not in STYLE["buttons"]["verbs"] and not label.endswith("…")  # a state
    }


def buttons(path: Path) -> list[str]:
    """What is written on the buttons that a module makes, where it is written there."""
    calls = (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call))
    return [
        str(call.args[0].value)
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in ("Button", "DownloadButton", "UploadButton")
        and call.args
        and isinstance(call.args[0], ast.Constant)
    ]


def test_an_error_says_what_to_do() -> None:
    """Messages written where they are raised; those that end with what is filled in are passed over."""
    advice = re.compile(rf"\b(?:{'|'.join(STYLE['errors']['verbs'])})\b", re.IGNORECASE)
    found = [
        (f"{relative(path)}:{call.lineno}", message)
        for path in files(".py")
        if "snippets" not in path.parts
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "TourError"
        for message in messages(call)
    ]
    assert len(found) > 100
    silent = [f"{place}: {message}" for place, message in found if not advice.search(message)]
    assert not silent, "\n".join(silent)


def messages(call: ast.Call) -> list[str]:
    """The text of an error, with … for what is filled in; none if it comes from elsewhere or ends with it."""
    if len(call.args) < 2 or not isinstance(call.args[1], ast.Constant | ast.JoinedStr):
        return []
    given = call.args[1]
    if isinstance(given, ast.Constant):
        return [str(given.value)]
    text = "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in given.values)
    return [] if text.rstrip(".").endswith("…") else [text]
