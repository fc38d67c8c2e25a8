"""How to send a page's request over each door, for the API tab."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from components.tasks.task import Operation


def calls(task: Operation, payload: Mapping[str, Any], origin: str) -> str:
    """Shell and Python text that repeats `payload` over HTTP, gradio_client and MCP."""
    body = json.dumps(payload, ensure_ascii=False)
    arguments = ", ".join(f"{name}={value!r}" for name, value in payload.items())
    return f"""# HTTP: plain JSON in and out, described by {origin}/v1/openapi.json
curl {origin}/v1/{task.name} -H 'Content-Type: application/json' -d {shlex.quote(body)}

# Python: pip install gradio_client
python - <<'END'
from gradio_client import Client

print(Client("{origin}").predict({arguments}, api_name="/{task.name}"))
END

# MCP: add this server to your client, then ask for the tool {task.name}
#   {{"mcpServers": {{"transformers-tour": {{"url": "{origin}/gradio_api/mcp/"}}}}}}
"""
