"""JSON Schemas of a task's request and answer, read off its dataclasses; OpenAPI and MCP share them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from components.tasks.task import Operation, Task
from components.texts import in_folder

TEXTS = in_folder(__file__)

API_VERSION = "1"  # as in /v1

Schema = dict[str, Any]

RUN: Schema = {
    "model": {"type": "string", "description": "Id of the checkpoint that answered."},
    "device": {"type": "string", "description": "Where it ran, e.g. cpu or cuda:0."},
    "seconds": {"type": "number", "minimum": 0, "description": "Time the model took."},
    "tokens_used": {
        "type": "integer",
        "minimum": 0,
        "description": "Tokens of the input, counted by the model.",
    },
    "token_limit": {"type": "integer", "minimum": 0, "description": "Tokens that the model takes at once."},
    "notes": {
        "type": "array",
        "items": {"type": "string"},
        "description": TEXTS["notes"],
    },
}
CACHED: Schema = {
    "cached": {
        "type": "boolean",
        "description": TEXTS["cached"],
    }
}


def request_schema(
    task: Operation, models: Sequence[str], refs: str = "#/$defs/{model}", *, nullable: bool = False
) -> Schema:
    """The flat object that an interface takes: inputs by name, `model`, options by name.

    `refs` says where nested definitions will live; they are returned under `$defs`. `nullable` says of each
    field that may be left out that it may be null too, which not every client can read.
    """
    inputs = TypeAdapter(task.inputs).json_schema(ref_template=refs)
    options = TypeAdapter(task.options).json_schema(ref_template=refs)
    model: Schema = {
        "type": "string",
        "title": "Model",
        "default": "",
        "description": "Id of the checkpoint to use; empty for the task's default.",
        "examples": list(models),
    }
    required = [*inputs.get("required", ()), *options.get("required", ())]
    properties = {
        **inputs.get("properties", {}),
        **({"model": model} if isinstance(task, Task) else {}),
        **options.get("properties", {}),
    }
    return _without_empty(
        {
            "type": "object",
            "properties": {
                name: _or_null(schema) if nullable and name not in required else schema
                for name, schema in properties.items()
            },
            "required": required,
            "additionalProperties": False,
            "examples": [dict(task.example)],
            "$defs": {**inputs.get("$defs", {}), **options.get("$defs", {})},
        }
    )


def answer_schema(task: Operation, refs: str = "#/$defs/{model}") -> Schema:
    """The contract's keys first, then those of the run of a model."""
    result = TypeAdapter(task.result).json_schema(mode="serialization", ref_template=refs)
    always = {**result.get("properties", {}), **(RUN if isinstance(task, Task) else {})}
    properties = {**always, **(CACHED if isinstance(task, Task) else {})}
    return _without_empty(
        {
            "type": "object",
            "properties": properties,
            "required": list(always),
            "$defs": result.get("$defs", {}),
        }
    )


def _or_null(schema: Schema) -> Schema:
    match schema:
        case {"type": str(kind)}:
            choices = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
            return {**schema, "type": [kind, "null"], **choices}
        case {"type": list(kinds)}:
            return {**schema, "type": [*dict.fromkeys([*kinds, "null"])]}
    if "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    said = {key: value for key, value in schema.items() if key in ("title", "description", "default")}
    return {**said, "anyOf": [{k: v for k, v in schema.items() if k not in said}, {"type": "null"}]}


def _without_empty(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if value not in ({}, [])}
