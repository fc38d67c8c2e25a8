"""The API page: what can be called, with what, what comes back, and how to call it. It needs no Gradio."""

from __future__ import annotations

import json
from collections.abc import Sequence

from components.figures.api_reference import Described, code, reference
from components.figures.markup import Markup
from components.tasks.task import Operation
from components.ui import api_samples, links
from demos import examples

SLUG = "api"
TITLE = "API"
SENTENCE = (
    "Everything that the pages do can be called over HTTP, from Python and JavaScript, and as MCP tools."
)
DEPLOY = """\
make demo                                  # http://127.0.0.1:7860
docker compose up                          # the same in a container
python app.py --space deploy OWNER/NAME    # a Hugging Face Space"""


def content(operations: Sequence[Operation], origin: str) -> Markup:
    """`origin` is the address that the samples call."""
    return Markup(
        "<p>Three interfaces take the same inputs and options and give the same answer: JSON over HTTP "
        "(<code>POST {origin}/v1/…</code>), Gradio's endpoints for <code>gradio_client</code>, and an MCP "
        "server. No key is needed.</p>"
        '<ul><li><a href="./v1/openapi.json">OpenAPI description</a></li>'
        '<li><a href="./v1/models">List of models</a> with their states</li>'
        '<li><a href="./health">Health</a></li></ul>'
        "<p>A request that is refused gets a status of 4xx or 5xx and "
        '<code>{{"error": {{"code", "message", "field"}}}}</code>: the message says what is wrong and '
        "what is allowed.</p>"
        '<section id="mcp"><h2>MCP server</h2><p>Add it to the configuration of your client; each '
        "operation is a tool of the same name.</p>{mcp}</section>"
        '<section id="frames"><h2>Pages in your own</h2><p>Any page of the tour can stand in an iframe, its '
        "answer first. Put another page's name for <code>text-classification</code>; <code>__theme</code> is "
        "<code>light</code> or <code>dark</code>, and without it the reader's system decides. The script is "
        "optional: it makes the frame as high as its content.</p>{frame}</section>"
        '<section id="deploy"><h2>An app of your own</h2><p>From a copy of the repository: on this machine, '
        "as a container, or as a Hugging Face Space. docs/deploying.md describes proxies, limits and other "
        "ways.</p>{deploy}</section>"
        "<h2>Operations</h2>{operations}"
    ).format(
        origin=origin,
        mcp=code(json.dumps(api_samples.mcp_server(origin), indent=2), "MCP configuration"),
        frame=code(
            links.frame_code(origin, "text-classification", "Text classification"), "Code of the frame"
        ),
        deploy=code(DEPLOY, "Commands"),
        operations=reference([_described(one, origin) for one in operations]),
    )


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
