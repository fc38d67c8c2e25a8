"""The three interfaces as one kind of thing: ask a task, get its JSON object or a refusal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

import anyio
import httpx
from gradio_client import Client
from gradio_client.exceptions import AppError
from mcp import ClientSession, types
from mcp.client.streamable_http import streamable_http_client

from components.tasks.fields import input_fields, option_fields
from components.tasks.task import Operation, Task

PATIENCE = 240.0  # a first answer may have to fetch and convert weights
# A loaded host exceeds the five seconds that httpx waits by itself.
get, post = partial(httpx.get, timeout=PATIENCE), partial(httpx.post, timeout=PATIENCE)
AnyTask = Operation


class RefusedError(Exception):
    """What an interface says no with."""


class Interface(Protocol):
    name: str

    def ask(self, task: AnyTask, payload: Mapping[str, Any]) -> dict[str, Any]: ...


class Http:
    name = "http"

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx.Client(base_url=url, timeout=PATIENCE)

    def ask(self, task: AnyTask, payload: Mapping[str, Any]) -> dict[str, Any]:
        # Escaped as JSON allows, so that half a character can be sent too.
        response = self.client.post(
            f"/v1/{task.name}", content=json.dumps(payload), headers={"Content-Type": "application/json"}
        )
        answer: dict[str, Any] = response.json()
        if response.status_code == 200:
            return answer
        assert 400 <= response.status_code < 500, response.text
        assert set(answer["error"]) == {"code", "message", "field"}
        raise RefusedError(answer["error"]["message"])


class Gradio:
    """The protocol under gradio_client, which itself cannot send everything that another client can."""

    name = "gradio"

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=f"{url}/gradio_api", timeout=PATIENCE)

    def ask(self, task: AnyTask, payload: Mapping[str, Any]) -> dict[str, Any]:
        joined = self.client.post(
            f"/call/v2/{task.name}", content=json.dumps(payload), headers={"Content-Type": "application/json"}
        )
        if joined.status_code != 200:
            assert 400 <= joined.status_code < 500, joined.text
            raise RefusedError(joined.text)
        events = self.client.get(f"/call/{task.name}/{joined.json()['event_id']}").text
        kind, data = [line.partition(": ")[2] for line in events.strip().splitlines()[-2:]]
        content = json.loads(data)
        if kind == "error":
            raise RefusedError(content["error"])
        assert kind == "complete", events
        answer: dict[str, Any] = content[0]
        return answer


class GradioClient:
    name = "gradio_client"

    def __init__(self, url: str) -> None:
        self.client = Client(url, verbose=False, httpx_kwargs={"timeout": PATIENCE})

    def ask(self, task: AnyTask, payload: Mapping[str, Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self.client.predict(**payload, api_name=f"/{task.name}")
        except AppError as error:
            raise RefusedError(str(error)) from error
        return answer


class Mcp:
    name = "mcp"

    def __init__(self, url: str) -> None:
        self.url = f"{url}/gradio_api/mcp/"

    def ask(self, task: AnyTask, payload: Mapping[str, Any]) -> dict[str, Any]:
        result = self.call(task.name, payload)
        [content] = result.content
        assert isinstance(content, types.TextContent)
        if result.isError:
            raise RefusedError(content.text)
        answer: dict[str, Any] = json.loads(content.text)
        assert result.structuredContent == answer
        return answer

    def call(self, name: str, payload: Mapping[str, Any], progress: Any = None) -> types.CallToolResult:
        async def call() -> types.CallToolResult:
            async with self.session() as session:
                return await session.call_tool(name, dict(payload), progress_callback=progress)

        return anyio.run(call)

    def tools(self) -> list[types.Tool]:
        async def tools() -> list[types.Tool]:
            async with self.session() as session:
                return (await session.list_tools()).tools

        return anyio.run(tools)

    def session(self) -> Any:
        return _session(self.url)


def _session(url: str) -> Any:
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def session() -> Any:
        client = httpx.AsyncClient(timeout=PATIENCE)
        async with (
            client,
            streamable_http_client(url, http_client=client) as (read, write, _),
            ClientSession(read, write) as opened,
        ):
            await opened.initialize()
            yield opened

    return session()


class RawMcp(Mcp):
    """Without the client's own validation: one request without a handshake, as stateless servers allow."""

    name = "raw_mcp"

    def call(self, name: str, payload: Mapping[str, Any], progress: Any = None) -> types.CallToolResult:
        params = {"name": name, "arguments": payload}
        response = httpx.post(
            self.url,
            content=json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}),
            headers={"Content-Type": "application/json", "Accept": "application/json, text/event-stream"},
            timeout=PATIENCE,
        )
        assert response.status_code < 500, response.text
        if response.status_code >= 400:
            raise RefusedError(response.text)
        [data] = [
            line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: ")
        ]
        message = json.loads(data)
        if "error" in message:
            raise RefusedError(message["error"]["message"])
        return types.CallToolResult.model_validate(message["result"])


def of_the_model(task: AnyTask) -> list[str]:
    """The field that names a checkpoint, where there is one."""
    return ["model"] if isinstance(task, Task) else []


def quick(task: AnyTask) -> dict[str, Any]:
    """The task's own example, cut short, with the options that make it quick and repeatable."""
    names = {field.name for field in option_fields(task.options)}
    wanted = {"max_new_tokens": 4, "temperature": 0.0, "seed": 1, "targets": "capital, city", "steps": 4}
    fewest = {field.name: max(2, field.min_items or 0) for field in input_fields(task.inputs)}
    inputs = {
        name: value[: fewest[name]] if isinstance(value, list) else value
        for name, value in task.example.items()
    }
    if "parts" in fewest:
        inputs["parts"] = ["tokens", "sentiment"]
    return {**inputs, **{name: value for name, value in wanted.items() if name in names}}
