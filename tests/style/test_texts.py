"""Texts for visitors use the field's words in plain English; style.toml lists what they do without."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from components.texts import SHARED, Texts, beside, in_folder, table_of
from tests.style.collect import Text, files, relative, texts

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


# In Python are labels, no texts: what is longer is in TOML (components/texts.py).
LABEL = 60  # characters
PAGES = ("demos/", "components/figures/", "components/ui/")
READS = re.compile(r"^TEXTS = (beside|in_folder)\(__file__\)$", re.MULTILINE)


def test_no_text_is_in_python() -> None:
    long = [
        f"{text.place}: {text.text}"
        for text in TEXTS
        if ".py:" in text.place and "snippets" not in text.place
        if len(re.sub(r"\{[^{}]*\}", "", text.text)) > LABEL
    ]
    assert not long, "Move to a TOML file, as components/texts.py says:\n" + "\n".join(long)


def texts_of(path: Path) -> Texts | None:
    """Those that a module reads from its own file or its folder's."""
    reads = READS.search(path.read_text("utf-8"))
    return {"beside": beside, "in_folder": in_folder}[reads[1]](str(path)) if reads else None


def modules() -> list[Path]:
    return [path for path in files(".py") if texts_of(path)]


def test_each_table_of_a_folder_is_read_by_its_module() -> None:
    read: dict[Path, set[str]] = {}
    for path in modules():
        if (found := texts_of(path)) and found.path.name == SHARED:
            read.setdefault(found.path, set()).add(table_of(str(path)))
    there = {path: set(tomllib.loads(path.read_text("utf-8"))) for path in files(SHARED)}
    assert there
    unread = {relative(path): tables - read.get(path, set()) for path, tables in there.items()}
    assert not any(unread.values()), f"No module reads these tables: {unread}"


def test_a_text_that_is_missing_is_named_with_its_file() -> None:
    module = next(path for path in modules() if path.with_name(SHARED).is_file())
    with pytest.raises(KeyError, match=f"{module.parent.name}/{SHARED} has no text 'no_such_text'"):
        in_folder(str(module))["no_such_text"]
    with pytest.raises(KeyError, match=rf"{module.parent.name}/{SHARED} has no table \[no_such_module\]"):
        in_folder(str(module.with_name("no_such_module.py")))


@pytest.mark.parametrize("path", modules(), ids=relative)
def test_each_text_that_a_module_asks_for_is_in_its_file_and_the_other_way_round(path: Path) -> None:
    """A key made of parts, as in TEXTS[f"views.{view}"], may be any that fits."""
    texts = texts_of(path)
    assert texts
    there = set(keys(texts.data))
    used = [pattern for node in ast.walk(ast.parse(path.read_text("utf-8"))) for pattern in asked(node)]
    # Tables that a module reads as a whole, from TEXTS.data or a name for it.
    lists = [f"{name}." for name in re.findall(r'(?:\.data|STORY)\["([\w-]+)"\]', path.read_text("utf-8"))]
    missing = [pattern for pattern in used if not any(re.fullmatch(pattern, key) for key in there)]
    assert not missing, f"{relative(path)} asks for texts that {relative(texts.path)} lacks: {missing}"
    unused = [
        key
        for key in there
        if not key.startswith(tuple(lists)) and not any(re.fullmatch(pattern, key) for pattern in used)
    ]
    assert not unused, f"Nobody asks for {unused} of {relative(texts.path)} in {relative(path)}"


def keys(data: Mapping[str, Any], prefix: str = "") -> list[str]:
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
    """Messages that are written, or named by their key, where they are raised; those that end with what is
    filled in are passed over."""
    advice = re.compile(rf"\b(?:{'|'.join(STYLE['errors']['verbs'])})\b", re.IGNORECASE)
    found = [
        (f"{relative(path)}:{call.lineno}", message)
        for path in files(".py")
        if "snippets" not in path.parts
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "TourError"
        for message in messages(call, texts_of(path))
    ]
    assert len(found) > 100
    silent = [f"{place}: {message}" for place, message in found if not advice.search(message)]
    assert not silent, "\n".join(silent)


def messages(call: ast.Call, texts: Texts | None) -> list[str]:
    """What an error may say, with … for what is filled in; none if that comes from elsewhere or ends it."""
    written = said(call.args[1], texts) if len(call.args) > 1 else []
    return [text for text in written if not text.rstrip(".").endswith("…")]


def said(node: ast.expr, texts: Texts | None) -> list[str]:
    """A string, an f-string, TEXTS[key], one of the two with .format, or a choice among such."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        return ["".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)]
    if isinstance(node, ast.IfExp):
        return said(node.body, texts) + said(node.orelse, texts)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return [
            "".join(text + ("" if name is None else "…") for text, name, _, _ in Formatter().parse(form))
            for form in said(node.func.value, texts)
        ]
    patterns = asked(node) if texts else []
    return (
        [texts[key] for key in keys(texts.data) for each in patterns if re.fullmatch(each, key)]
        if texts
        else []
    )
