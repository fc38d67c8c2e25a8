"""The OpenAPI 3.1 description of `/v1`, derived from the tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from components.models.catalog import Catalog
from components.models.errors import Code
from components.serving.listing import Listing
from components.serving.schema import API_VERSION, Schema, answer_schema, request_schema
from components.tasks.task import Operation

ERROR: Schema = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "code": {
                    "type": "string",
                    "description": "Machine-readable reason.",
                    "examples": [code.value for code in Code],
                },
                "message": {"type": "string", "description": "What is wrong and what is allowed."},
                "field": {
                    "type": ["string", "null"],
                    "description": "The input or option at fault, if one is.",
                },
            },
            "required": ["code", "message", "field"],
        }
    },
    "required": ["error"],
}


def describe(tasks: Sequence[Operation], catalog: Catalog, server: str) -> dict[str, Any]:
    """`server` is the path that the app answers under, "/" unless a proxy adds a prefix."""
    models = TypeAdapter(Listing).json_schema(
        mode="serialization", ref_template="#/components/schemas/{model}"
    )
    schemas: dict[str, Schema] = {"Error": ERROR, **models.pop("$defs"), "Models": models}
    paths: dict[str, Any] = {}
    for task in tasks:
        refs = f"#/components/schemas/{task.name}.{{model}}"
        able = [checkpoint.id for checkpoint in catalog.for_task(task.name)]
        for part, schema in (
            ("request", request_schema(task, able, refs, nullable=True)),
            ("answer", answer_schema(task, refs)),
        ):
            for name, nested in {**schema.pop("$defs", {}), part: schema}.items():
                # Client generators name classes after titles, so no two may be the same.
                schemas[f"{task.name}.{name}"] = {**nested, "title": _class_name(task.name, name)}
        paths[f"/v1/{task.name}"] = {"post": _operation(task)}
    paths["/v1/models"] = {
        "get": _lookup("models", "The catalog, with the state of each checkpoint", "Models")
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Transformers Tour",
            "version": API_VERSION,
            "description": "Transformer models over plain JSON: inputs, `model`, options in one object.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _class_name(*parts: str) -> str:
    return "".join(word[:1].upper() + word[1:] for part in parts for word in part.split("_"))


def _operation(task: Operation) -> dict[str, Any]:
    refused = {"description": "Refused, with the reason.", "content": _json("Error")}
    return {
        "operationId": task.name,
        "summary": task.title,
        "description": task.about,
        "requestBody": {
            "required": True,
            "content": _json(f"{task.name}.request", example=dict(task.example)),
        },
        "responses": {
            "200": {"description": "The answer.", "content": _json(f"{task.name}.answer")},
            "4XX": refused,
            "5XX": refused,
        },
    }


def _lookup(name: str, summary: str, schema: str) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": summary,
        "responses": {"200": {"description": summary, "content": _json(schema)}},
    }


def _json(schema: str, **extra: Any) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}, **extra}}
