"""The tasks as MCP tools, at the address where Gradio would put its own server.

Gradio's server answers with the `repr` of a Python object and drops titles and bounds
from the schemas, so the app is launched with `mcp_server=False` and mounts this one:
streamable HTTP without sessions, so that any replica can answer any request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

from components.models.catalog import Catalog
from components.models.errors import TourError
from components.serving.body import MalformedError, parse
from components.serving.errors import InternalError, JsonResponse, reported
from components.serving.inference import Inference
from components.serving.middleware import BODY_LIMIT
from components.serving.schema import API_VERSION, answer_schema, request_schema
from components.tasks.task import Operation, Progress

PATH = "/gradio_api/mcp"


class McpDoor:
    """`routes` go to the app; `run()` is the context its lifespan holds open."""

    def __init__(self, tasks: Sequence[Operation], catalog: Catalog, inference: Inference) -> None:
        self._manager = StreamableHTTPSessionManager(
            app=_server({task.name: task for task in tasks}, catalog, inference),
            stateless=True,
            # The app does not know the names under which proxies and Spaces publish it, and there is
            # no login that a rebound name could abuse.
            security_settings=TransportSecuritySettings(enable_dns_rebinding_protection=False),
            max_request_body_size=BODY_LIMIT,
        )
        self.run = self._manager.run

    @property
    def routes(self) -> list[BaseRoute]:
        return [Route(PATH, self), Route(f"{PATH}/", self)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST":
            body = await Request(scope, receive).body()
            try:
                parse(body)
            except MalformedError as error:
                # The SDK would answer some of these with a bare 500.
                fault = {
                    "jsonrpc": "2.0",
                    "id": None,
                    "error": {"code": types.PARSE_ERROR, "message": str(error)},
                }
                await JsonResponse(fault, status_code=400)(scope, receive, send)
                return
            await self._manager.handle_request(scope, _replay(body, receive), send)
            return
        # There is no session to listen to or to end; a person who opened the address gets a hint.
        hint = PlainTextResponse(
            "The MCP server of Transformers Tour (streamable HTTP): give this address to an MCP client.\n",
            status_code=405,
            headers={"Allow": "POST"},
        )
        await hint(scope, receive, send)


def _replay(body: bytes, receive: Receive) -> Receive:
    """A body that has been read, once more; then whatever the client sends, such as its leaving."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed


def _server(tasks: Mapping[str, Operation], catalog: Catalog, inference: Inference) -> Server[Any, Any]:
    server: Server[Any, Any] = Server("transformers-tour", version=API_VERSION)

    @server.list_tools()  # type: ignore[no-untyped-call, untyped-decorator]
    async def tools() -> list[types.Tool]:
        return [_tool(task, catalog) for task in tasks.values()]

    # Our own validation gives better messages, and the same ones as the other doors.
    @server.call_tool(validate_input=False)  # type: ignore[untyped-decorator]
    async def call(name: str, arguments: dict[str, Any]) -> types.CallToolResult:
        task = tasks.get(name)
        if task is None:
            return _failure(f"There is no tool {name[:80]!r}. There are: {', '.join(tasks)}.")
        context = server.request_context
        token = context.meta.progressToken if context.meta else None
        told = 0

        async def tell(progress: Progress) -> None:
            nonlocal told
            if token is not None:
                told += 1  # the protocol wants a number that grows; the share is in the message
                share = "" if progress.share is None else f" {progress.share:.0%}"
                await context.session.send_progress_notification(
                    token, told, message=progress.stage + share, related_request_id=str(context.request_id)
                )

        try:
            with reported():
                answer = (await inference.answer(task, arguments, tell=tell)).as_json()
                text = json.dumps(answer, ensure_ascii=False, allow_nan=False)
        except (TourError, InternalError) as error:
            return _failure(str(error))
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=text)], structuredContent=answer, isError=False
        )

    return server


def _tool(task: Operation, catalog: Catalog) -> types.Tool:
    models = [checkpoint.id for checkpoint in catalog.for_task(task.name)]
    return types.Tool(
        name=task.name,
        title=task.title,
        description=task.about,
        inputSchema=request_schema(task, models),
        outputSchema=answer_schema(task),
        annotations=types.ToolAnnotations(title=task.title, readOnlyHint=True, openWorldHint=False),
    )


def _failure(message: str) -> types.CallToolResult:
    # A message may quote the input, and UTF-8 cannot carry half a character.
    text = message.encode("utf-8", "backslashreplace").decode()
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], isError=True)
