"""What is MCP's own: the tools as clients list them, progress, and leaving early."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from mcp import types

from components.tasks.fields import input_fields, option_fields
from demos import OPERATIONS, TASKS
from tests.serving.interfaces import AnyTask, Http, Mcp, of_the_model, post, quick
from tests.serving.test_v1 import LONG, freed, leases, until

tasks = pytest.mark.parametrize("task", OPERATIONS, ids=lambda task: task.name)


@pytest.fixture(scope="module")
def tools(mcp: Mcp) -> dict[str, types.Tool]:
    return {tool.name: tool for tool in mcp.tools()}


@tasks
def test_a_tool_is_described_by_its_task(mcp: Mcp, tools: Mapping[str, types.Tool], task: AnyTask) -> None:
    tool = tools[task.name]
    assert (tool.title, tool.description) == (task.title, task.about)
    Draft202012Validator.check_schema(tool.inputSchema)
    Draft202012Validator(tool.inputSchema).validate(quick(task))
    properties = tool.inputSchema["properties"]
    options, inputs = option_fields(task.options), input_fields(task.inputs)
    assert list(properties) == [
        *(field.name for field in inputs),
        *of_the_model(task),
        *(field.name for field in options),
    ]
    for field in options:
        assert properties[field.name]["default"] == field.default
        assert properties[field.name].get("minimum") == field.minimum
        assert properties[field.name].get("maximum") == field.maximum
        assert properties[field.name]["title"] == field.title
    answer = mcp.ask(task, quick(task))
    assert tool.outputSchema is not None
    Draft202012Validator(tool.outputSchema).validate(answer)


@tasks
def test_a_tool_is_said_to_change_nothing(tools: Mapping[str, types.Tool], task: AnyTask) -> None:
    annotations = tools[task.name].annotations
    assert annotations is not None
    assert (annotations.readOnlyHint, annotations.idempotentHint) == (True, True)
    assert (annotations.destructiveHint, annotations.openWorldHint) == (False, False)


def test_the_hub_finds_the_tools_where_it_looks_for_them(http: Http, mcp: Mcp) -> None:
    listed = http.client.get("/gradio_api/mcp/schema").json()
    assert [(tool["name"], tool["description"], tool["inputSchema"]) for tool in listed] == [
        (tool.name, tool.description, tool.inputSchema) for tool in mcp.tools()
    ]
    names = [TASKS[1].name, TASKS[0].name]
    some = http.client.get("/gradio_api/mcp/schema", params={"tools": ",".join(names)}).json()
    assert {tool["name"] for tool in some} == {*names}


def test_there_is_a_tool_for_each_task_and_no_other(mcp: Mcp) -> None:
    assert [tool.name for tool in mcp.tools()] == [task.name for task in OPERATIONS]


def test_an_unknown_tool_is_an_error_that_lists_the_known_ones(mcp: Mcp) -> None:
    result = mcp.call("nothing", {})
    assert result.isError
    assert TASKS[0].name in str(result.content)


@pytest.mark.parametrize("path", ["/gradio_api/mcp", "/gradio_api/mcp/"])
def test_a_browser_gets_a_hint_instead_of_an_endless_stream(http: Http, path: str) -> None:
    response = http.client.get(path, headers={"Accept": "text/html, text/event-stream"})
    assert response.status_code == 405
    assert "MCP" in response.text


def test_the_server_answers_under_a_name_that_it_is_given(app_url: str) -> None:
    response = post(
        f"{app_url}/gradio_api/mcp/",
        json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
        headers={
            "Host": "tour.example.org",
            "Origin": "https://tour.example.org",
            "Accept": "application/json, text/event-stream",
        },
    )
    assert response.status_code == 200
    assert TASKS[0].name in response.text


def test_leaving_during_generation_frees_the_model(mcp: Mcp, http: Http) -> None:
    mcp.call("text_generation", {**LONG, "max_new_tokens": 1})

    async def leave() -> None:
        async with mcp.session() as session, anyio.create_task_group() as group:
            group.start_soon(session.call_tool, "text_generation", LONG)
            assert await anyio.to_thread.run_sync(until, lambda: leases(http) == 1)
            group.cancel_scope.cancel()

    anyio.run(leave)
    assert freed(http)


def test_cancelled_calls_free_their_model_while_the_session_goes_on(mcp: Mcp, http: Http) -> None:
    mcp.call("text_generation", {**LONG, "max_new_tokens": 1})

    async def cancel() -> types.CallToolResult:
        async with mcp.session() as session, anyio.create_task_group() as group:
            first = session._request_id
            for _ in range(16):  # as many as may be under way
                group.start_soon(session.call_tool, "text_generation", LONG)
            assert await anyio.to_thread.run_sync(until, lambda: leases(http) == 16)
            for number in range(first, first + 16):
                params = types.CancelledNotificationParams(requestId=number, reason="no longer needed")
                await session.send_notification(
                    types.ClientNotification(types.CancelledNotification(params=params))
                )
            # Each ends with the step that it is in, which takes 16 times as long as one alone.
            assert await anyio.to_thread.run_sync(until, lambda: leases(http) == 0)
            after: types.CallToolResult = await session.call_tool(TASKS[0].name, quick(TASKS[0]))
            group.cancel_scope.cancel()
        return after

    assert not anyio.run(cancel).isError


def test_nobody_cancels_the_call_of_another_session(mcp: Mcp, http: Http) -> None:
    mcp.call("text_generation", {**LONG, "max_new_tokens": 1})

    async def meddle() -> None:
        async with mcp.session() as mine, mcp.session() as other, anyio.create_task_group() as group:
            number = mine._request_id
            group.start_soon(mine.call_tool, "text_generation", LONG)
            assert await anyio.to_thread.run_sync(until, lambda: leases(http) == 1)
            params = types.CancelledNotificationParams(requestId=number)
            note = types.ClientNotification(types.CancelledNotification(params=params))
            await other.send_notification(note)
            assert not await anyio.to_thread.run_sync(until, lambda: leases(http) == 0, 1)
            group.cancel_scope.cancel()

    anyio.run(meddle)
    assert freed(http)


def test_progress_is_a_growing_share_of_one_while_a_text_is_written(mcp: Mcp) -> None:
    heard: list[tuple[float, float | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total))

    assert not mcp.call("text_generation", {**LONG, "max_new_tokens": 40}, hear).isError
    shares = [share for share, _ in heard]
    assert len(shares) > 2
    assert shares == sorted({*shares})
    assert {total for _, total in heard} == {1.0}
    assert 0.2 < shares[-1] <= 1


def test_progress_is_told_while_a_model_loads(app_url: str, http: Http, mcp: Mcp) -> None:
    told: list[Any] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, message))

    result = mcp.call(
        "sentence_similarity", quick(next(t for t in TASKS if t.name == "sentence_similarity")), hear
    )
    assert not result.isError
    assert told
    assert [number for number, _ in told] == sorted({number for number, _ in told})
