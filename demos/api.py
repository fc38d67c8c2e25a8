"""The API page: what can be called, with what, what comes back, and how to call it. It needs no Gradio."""

from __future__ import annotations

import json
from collections.abc import Sequence

from components import texts
from components.figures.api_reference import Described, code, reference
from components.figures.markup import Markup
from components.tasks.batched import MOST
from components.tasks.task import Operation
from components.tasks.text_classification import TASK
from components.ui import api_samples, links
from demos import examples

TEXTS = texts.beside(__file__)

SLUG = "api"
TITLE = TEXTS["title"]
SENTENCE = TEXTS["sentence"]


def content(operations: Sequence[Operation], origin: str) -> Markup:
    """`origin` is the address that the samples call."""
    return TEXTS.html(
        "content",
        origin=origin,
        mcp=_section("mcp", code(json.dumps(api_samples.mcp_server(origin), indent=2), "MCP configuration")),
        frame=_section(
            "frames",
            code(links.frame_code(origin, "text-classification", "Text classification"), "Code of the frame"),
        ),
        most=MOST,
        batch=_section("batch", code(_batch(origin), "Many requests")),
        deploy=_section("deploy", code(TEXTS["commands"], "Commands")),
        operations=reference([_described(one, origin) for one in operations]),
    )


def _batch(origin: str) -> str:
    requests = [{"text": text} for text in ("What a lovely day.", "The bus was late again.")]
    return api_samples.curl_to(f"{origin}/v1/{TASK.name}/batch", {"requests": requests})


def _section(id: str, content: Markup) -> Markup:
    """What links and tours can point at."""
    return Markup('<section id="{}">{}</section>').format(id, content)


def _described(operation: Operation, origin: str) -> Described:
    stored = examples.load(operation)[0]
    request = dict(stored.payload)
    return Described(
        operation=operation,
        request=request,
        answer=stored.answer,
        samples={
            "curl": api_samples.curl(operation, request, origin),
            "Python": api_samples.python(operation, request, origin),
            "JavaScript": api_samples.javascript(operation, request, origin),
            "MCP tool call": api_samples.mcp_call(operation, request),
        },
    )
