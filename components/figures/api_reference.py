"""The reference of the API: every operation with its inputs, options, an example and how to call it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components import texts
from components.figures.markup import Markup, join
from components.tasks.fields import InputField, OptionField, input_fields, option_fields
from components.tasks.task import Operation, Task

TEXTS = texts.beside(__file__)

LONGEST_LIST = 6  # entries of a list in an example answer
LONGEST_TEXT = 300  # characters of a text in it


@dataclass(frozen=True, kw_only=True)
class Described:
    """An operation, a request and the answer to it (None where none is stored), and how to send the
    request: code by the name of its language or program."""

    operation: Operation
    request: Mapping[str, Any]
    answer: Mapping[str, Any] | None
    samples: Mapping[str, str]


def reference(found: Sequence[Described]) -> Markup:
    contents = join(
        Markup('<tr><td><a href="./api#{name}"><code>{name}</code></a></td><td>{title}</td></tr>').format(
            name=one.operation.name, title=one.operation.title
        )
        for one in found
    )
    return Markup(
        '<div class="grid-box" tabindex="0" role="region" aria-label="Operations"><table class="grid">'
        "<thead><tr><th>Operation</th><th>Title</th></tr></thead><tbody>{}</tbody></table></div>{}"
    ).format(contents, join(map(_section, found)))


def _section(one: Described) -> Markup:
    operation = one.operation
    answer = (
        Markup("<details><summary>Example answer</summary>{}</details>").format(
            code(json.dumps(_short(one.answer), indent=2, ensure_ascii=False), "Example answer")
        )
        if one.answer
        else Markup()
    )
    samples = join(
        Markup("<details{}><summary>{}</summary>{}</details>").format(
            Markup(" open") if index == 0 else "", title, code(text, title)
        )
        for index, (title, text) in enumerate(one.samples.items())
    )
    return Markup(
        '<section id="{name}" '
        'class="operation"><h2><code>{name}</code></h2><p>{about}</p>{fields}{samples}{answer}</section>'
    ).format(
        name=operation.name,
        about=operation.about,
        fields=_fields(operation),
        samples=samples,
        answer=answer,
    )


def _fields(operation: Operation) -> Markup:
    rows = [_input(field) for field in input_fields(operation.inputs)]
    if isinstance(operation, Task):
        rows.append(("model", "text", "the page's default", TEXTS["model"]))
    rows += map(_option, option_fields(operation.options))
    return Markup(
        '<div class="grid-box" tabindex="0" role="region" aria-label="Fields of {}"><table '
        'class="grid"><thead><tr>'
        "<th>Field</th><th>Type</th><th>Default</th><th>Meaning</th></tr></thead><tbody>{}</tbody></table></div>"
    ).format(
        operation.name,
        join(
            Markup("<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>").format(*row)
            for row in rows
        ),
    )


def _input(field: InputField) -> tuple[str, str, str, str]:
    kinds = {"text": "text", "texts": "list of texts", "table": "object with columns and rows"}
    kinds["messages"] = TEXTS["messages"]
    kind = " or ".join(field.choices) if field.kind == "choice" else kinds[field.kind]
    if field.max_length:
        kind += f", at most {field.max_length:,} characters"
    if field.max_items:
        kind += f", at most {field.max_items:,} entries"
    default = "required" if field.required else json.dumps(field.default, ensure_ascii=False)
    return field.name, kind, default, _meaning(field)


def _option(field: OptionField) -> tuple[str, str, str, str]:
    kinds = {"int": "whole number", "float": "number", "bool": "true or false", "text": "text"}
    kind = " or ".join(field.choices) if field.kind == "choice" else kinds[field.kind]
    if field.minimum is not None and field.maximum is not None:
        kind += f", {field.minimum:g} to {field.maximum:g}"
    elif field.minimum is not None:
        kind += f", at least {field.minimum:g}"
    return field.name, kind, json.dumps(field.default, ensure_ascii=False), _meaning(field)


def _meaning(field: InputField | OptionField) -> str:
    return f"{field.title}. {field.help}".strip()


def code(text: str, label: str) -> Markup:
    """Text to copy."""
    return Markup(
        '<div class="code-box"><button type="button" class="copy" aria-label="Copy: {label}">Copy</button>'
        '<pre tabindex="0" role="region" aria-label="{label}"><code>{text}</code></pre></div>'
    ).format(label=label, text=text)


def _short(value: Any) -> Any:
    """JSON without what would fill pages; what is left out says so."""
    match value:
        case dict():
            return {name: _short(one) for name, one in value.items()}
        case list() if len(value) > LONGEST_LIST:
            return [*map(_short, value[:LONGEST_LIST]), f"… {len(value) - LONGEST_LIST} more"]
        case list():
            return [_short(one) for one in value]
        case str() if len(value) > LONGEST_TEXT:
            return value[:LONGEST_TEXT] + "…"
    return value
