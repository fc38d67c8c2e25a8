"""How to send a page's request over each interface, for the API tab and the API page."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from components.tasks.task import Operation

Payload = Mapping[str, Any]


def calls(task: Operation, payload: Payload, origin: str) -> str:
    """Shell and Python text that repeats `payload` over HTTP, gradio_client and MCP."""
    return f"""# HTTP: plain JSON in and out, described by {origin}/v1/openapi.json
{curl(task, payload, origin)}

# Python: pip install gradio_client
python - <<'END'
{python(task, payload, origin)}
END

# MCP: add this server to your client, then ask for the tool {task.name}
#   {json.dumps(mcp_server(origin))}
"""


def curl(task: Operation, payload: Payload, origin: str) -> str:
    return curl_to(f"{origin}/v1/{task.name}", payload)


def curl_to(address: str, payload: Payload) -> str:
    body = shlex.quote(json.dumps(payload, ensure_ascii=False))
    return f"curl {address} -H 'Content-Type: application/json' -d {body}"


def python(task: Operation, payload: Payload, origin: str) -> str:
    arguments = ", ".join(f"{name}={value!r}" for name, value in payload.items())
    return f"""from gradio_client import Client

print(Client("{origin}").predict({arguments}, api_name="/{task.name}"))"""


def javascript(task: Operation, payload: Payload, origin: str) -> str:
    return f"""const response = await fetch("{origin}/v1/{task.name}", {{
  method: "POST",
  headers: {{ "Content-Type": "application/json" }},
  body: JSON.stringify({json.dumps(payload, ensure_ascii=False)}),
}});
console.log(await response.json());"""


def mcp_server(origin: str) -> Mapping[str, Any]:
    """The entry for an MCP client's configuration."""
    return {"mcpServers": {"transformers-tour": {"url": f"{origin}/gradio_api/mcp"}}}


def mcp_call(task: Operation, payload: Payload) -> str:
    """The tool call that an MCP client sends."""
    call = {"method": "tools/call", "params": {"name": task.name, "arguments": payload}}
    return json.dumps(call, ensure_ascii=False, indent=2)
