"""The tasks as MCP tools, at the address where Gradio would put its own server.

Gradio's server answers with the `repr` of a Python object and drops titles and bounds
from the schemas, so the app is launched with `mcp_server=False` and mounts this one:
streamable HTTP that keeps nothing between requests, so that any replica can answer any request. A client
is given a session id all the same: by it a cancellation finds the call that it is about.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import ValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

from components.models.catalog import Catalog
from components.models.errors import TourError
from components.serving.body import MalformedError, parse
from components.serving.errors import DisconnectedError, InternalError, JsonResponse, refusal, reported
from components.serving.guards import may_call
from components.serving.inference import Inference
from components.serving.middleware import BODY_LIMIT
from components.serving.schema import API_VERSION, answer_schema, request_schema
from components.tasks.task import Operation, Progress
from components.texts import in_folder

TEXTS = in_folder(__file__)

PATH = "/gradio_api/mcp"
SESSION = "mcp-session-id"
PAUSE = 0.25  # seconds between two messages of progress

# It would write the names of tools that clients make up into the log.
logging.getLogger(Server.__module__).setLevel(logging.ERROR)

Call = tuple[str, str]
"""A session's id and the id of a request in it."""


@dataclass
class Calls:
    """The tool calls under way, and those of them that their client has cancelled."""

    under_way: set[Call] = field(default_factory=set)
    cancelled: set[Call] = field(default_factory=set)

    def cancel(self, call: Call) -> None:
        if call in self.under_way and call[0]:  # without a session it could be anybody's
            self.cancelled.add(call)


class McpServer:
    """`routes` go to the app; `run()` is the context its lifespan holds open."""

    def __init__(
        self, tasks: Sequence[Operation], catalog: Catalog, inference: Inference, hosts: Sequence[str] = ()
    ) -> None:
        self._hosts = hosts
        self._tools = [_tool(task, catalog) for task in tasks]
        self._calls = Calls()
        self._manager = StreamableHTTPSessionManager(
            app=_server({task.name: task for task in tasks}, self._tools, inference, self._calls),
            stateless=True,
            # `Hosts` has checked the name, and `__call__` the origin, for more than one name.
            security_settings=TransportSecuritySettings(enable_dns_rebinding_protection=False),
            max_request_body_size=BODY_LIMIT,
        )
        self.run = self._manager.run

    @property
    def routes(self) -> list[BaseRoute]:
        return [Route(PATH, self), Route(f"{PATH}/", self), Route(f"{PATH}/schema", self._schema)]

    async def _schema(self, request: Request) -> Response:
        """Where the Hub's own MCP server looks a Space's tools up; `?tools=a,b` asks for some of them."""
        wanted = request.query_params.get("tools")
        names = None if wanted is None else wanted.split(",")
        return JsonResponse(
            [
                {
                    "name": tool.name,
                    "description": tool.description,
                    "inputSchema": tool.inputSchema,
                    "meta": {"file_data_present": False, "mcp_type": "tool", "endpoint_name": tool.name},
                }
                for tool in self._tools
                if names is None or tool.name in names
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is not None and not may_call(origin, headers.get("host", ""), self._hosts):
            message = TEXTS["foreign_origin"].format(origin=origin[:100])
            await refusal(403, "unknown_origin", message)(scope, receive, send)
            return
        if scope["method"] == "POST":
            request = Request(scope, receive)
            body = await request.body()
            try:
                message = parse(body)
            except MalformedError as error:
                # The SDK would answer some of these with a bare 500.
                fault = {
                    "jsonrpc": "2.0",
                    "id": None,
                    "error": {"code": types.PARSE_ERROR, "message": str(error)},
                }
                await JsonResponse(fault, status_code=400)(scope, receive, send)
                return
            if isinstance(message, dict) and message.get("method") == "notifications/cancelled":
                about = message.get("params") or {}
                if isinstance(about, dict):
                    self._calls.cancel((request.headers.get(SESSION, ""), str(about.get("requestId"))))
            elif isinstance(message, dict) and message.get("method") == "initialize":
                send = _with_session(send)
            if (misfit := _misfit(message)) is not None:
                await misfit(scope, receive, send)
                return
            await self._manager.handle_request(scope, _replay(body, receive), send)
            return
        # There is no session to listen to or to end; a person who opened the address gets a hint.
        hint = PlainTextResponse(
            TEXTS["hint"] + "\n",
            status_code=405,
            headers={"Allow": "POST"},
        )
        await hint(scope, receive, send)


def _misfit(message: object) -> Response | None:
    """The answer to a message that is none of the protocol's, or that nobody waits for.

    The SDK would answer the same, and write the message, with what a visitor sent, into the log.
    """
    try:
        envelope = types.JSONRPCMessage.model_validate(message).root
    except ValidationError:
        return None  # the SDK says why, to the client alone
    known: type[types.ClientRequest | types.ClientNotification]
    if isinstance(envelope, types.JSONRPCRequest):
        known = types.ClientRequest
    elif isinstance(envelope, types.JSONRPCNotification):
        known = types.ClientNotification
    else:
        return Response(status_code=202)  # an answer: no client is asked anything
    try:
        known.model_validate(envelope.model_dump(by_alias=True, mode="json", exclude_none=True))
    except ValidationError:
        if isinstance(envelope, types.JSONRPCNotification):
            return Response(status_code=202)
        fault = {"code": types.INVALID_PARAMS, "message": "Invalid request parameters"}
        return JsonResponse({"jsonrpc": "2.0", "id": envelope.id, "error": fault})
    return None


def _replay(body: bytes, receive: Receive) -> Receive:
    """A body that has been read, once more; then whatever the client sends, such as its leaving."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed


def _with_session(send: Send) -> Send:
    async def named(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            MutableHeaders(scope=message)[SESSION] = secrets.token_hex(16)
        await send(message)

    return named


def _server(
    tasks: Mapping[str, Operation], listed: list[types.Tool], inference: Inference, calls: Calls
) -> Server[Any, Any]:
    server: Server[Any, Any] = Server("transformers-tour", version=API_VERSION)

    @server.list_tools()  # type: ignore[no-untyped-call, untyped-decorator]
    async def tools() -> list[types.Tool]:
        return listed

    # Our own validation gives better messages, and the same ones as the other interfaces.
    @server.call_tool(validate_input=False)  # type: ignore[untyped-decorator]
    async def call(name: str, arguments: dict[str, Any]) -> types.CallToolResult:
        task = tasks.get(name)
        if task is None:
            return _failure(f"There is no tool {name[:80]!r}. There are: {', '.join(tasks)}.")
        context = server.request_context
        token = context.meta.progressToken if context.meta else None
        request: Request | None = context.request
        call = (request.headers.get(SESSION, "") if request else "", str(context.request_id))
        told, again = 0.0, 0.0

        async def tell(step: object) -> None:
            nonlocal told, again
            progress = (
                step if isinstance(step, Progress) else Progress("answering", getattr(step, "share", None))
            )
            if token is None or monotonic() < again:
                return
            again = monotonic() + PAUSE
            # The protocol wants a number that grows, also where the share is unknown or restarts.
            told = max(told + 1e-6, progress.share or 0.0)
            await context.session.send_progress_notification(
                token, told, 1.0, message=progress.stage, related_request_id=str(context.request_id)
            )

        async def gone() -> bool:
            return call in calls.cancelled or (request is not None and await request.is_disconnected())

        calls.under_way.add(call)
        try:
            with reported():
                answer = (await inference.answer(task, arguments, gone=gone, tell=tell)).as_json()
                text = json.dumps(answer, ensure_ascii=False, allow_nan=False)
        except (TourError, InternalError) as error:
            return _failure(str(error))
        except DisconnectedError:
            return _failure("The call was cancelled.")
        finally:
            calls.under_way.discard(call)
            calls.cancelled.discard(call)
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
        annotations=types.ToolAnnotations(
            title=task.title,
            readOnlyHint=True,
            destructiveHint=False,
            idempotentHint=True,
            openWorldHint=False,
        ),
    )


def _failure(message: str) -> types.CallToolResult:
    # A message may quote the input, and UTF-8 cannot carry half a character.
    text = message.encode("utf-8", "backslashreplace").decode()
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], isError=True)
