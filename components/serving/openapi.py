"""The OpenAPI 3.1 description of `/v1`, derived from the tasks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from components.models.catalog import Catalog
from components.models.errors import Code
from components.serving import hugging_face
from components.serving.listing import Listing
from components.serving.schema import API_VERSION, Schema, answer_schema, request_schema
from components.tasks.batched import batches
from components.tasks.task import Operation
from components.texts import in_folder

TEXTS = in_folder(__file__)

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


OPENAI = Path(__file__).with_name("openai.json")
LISTED: Schema = {
    "object": {"const": "list"},
    "data": {"type": "array", "items": {"$ref": "#/components/schemas/openai.Model"}},
}


def describe(
    tasks: Sequence[Operation], catalog: Catalog, server: str, *, compatible: bool = True
) -> dict[str, Any]:
    """`server` is the path that the app answers under, "/" unless a proxy adds a prefix; `compatible` says
    whether OpenAI's and the Hub's clients are answered.
    """
    models = TypeAdapter(Listing).json_schema(
        mode="serialization", ref_template="#/components/schemas/{model}"
    )
    schemas: dict[str, Schema] = {"Error": ERROR, **models.pop("$defs"), "Models": models}
    paths: dict[str, Any] = {}
    many = batches(tasks)
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
        if task.name in many:
            paths[f"/v1/{task.name}/batch"] = {"post": _operation(many[task.name])}
            schemas |= _lists(task.name, many[task.name])
    paths["/v1/models"] = {
        "get": _lookup("models", "The catalog, with the state of each checkpoint", "Models")
    }
    own = json.loads(OPENAI.read_text("utf-8"))
    schemas["openai.Model"] = own["schemas"]["openai.Model"]
    models["properties"] |= LISTED
    if compatible:
        schemas |= own["schemas"]
        paths |= {
            path: {method: _openais(operation) for method, operation in methods.items()}
            for path, methods in own["paths"].items()
        }
        for name, form in hugging_face.FORMS.items():
            task = next(one for one in tasks if one.name == form.task)
            fields = request_schema(task, (), f"#/components/schemas/{task.name}.{{model}}", nullable=True)
            schemas[f"hf.{name}.request"] = _hubs_request(name, form, fields["properties"])
            paths[f"/hf/{name}"] = {"post": _hubs(name, form, task)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Transformers Tour",
            "version": API_VERSION,
            "description": TEXTS["about"],
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _lists(name: str, many: Operation) -> dict[str, Schema]:
    """A batch's request and answer, whose entries are those of the task."""
    request, answer = request_schema(many, ()), answer_schema(many)
    request["properties"]["requests"]["items"] = {"$ref": f"#/components/schemas/{name}.request"}
    answer["properties"]["answers"]["items"] = {
        "anyOf": [{"$ref": f"#/components/schemas/{one}"} for one in (f"{name}.answer", "Error")]
    }
    return {
        f"{many.name}.{part}": {**schema, "title": _class_name(many.name, part)}
        for part, schema in (("request", request), ("answer", answer))
    }


def _openais(operation: dict[str, Any]) -> dict[str, Any]:
    """An entry of the file with its schemas where OpenAPI has them."""
    request, answer, events = (operation.pop(name, None) for name in ("request", "answer", "events"))
    example = operation.pop("example", None)
    refused = {"description": "Refused, with the reason.", "content": _json("openai.Error")}
    body = {"required": True, "content": _json(request, example=example)} if request else None
    return {
        **operation,
        **({"requestBody": body} if body else {}),
        "responses": {
            "200": {"description": "The answer.", "content": _json(answer) if answer else _events(events)},
            "4XX": refused,
            "5XX": refused,
        },
    }


def _events(schema: str) -> dict[str, Any]:
    """The data of each server-sent event."""
    return {"text/event-stream": _json(schema)["application/json"]}


def _hubs(name: str, form: hugging_face.Form, task: Operation) -> dict[str, Any]:
    refused = {"description": "Refused, with the reason.", "content": _json("Error")}
    answer = {"description": "In the form of the Hub's specification.", "type": ["array", "object"]}
    return {
        "operationId": f"hf_{form.task}",
        "tags": ["The Hub's clients"],
        "summary": f"{task.title}, in the form of the Hub's inference API",
        "description": f"As {form.task}; for `huggingface_hub.InferenceClient`.",
        "externalDocs": {
            "description": "The specification of request and answer",
            "url": f"https://huggingface.co/docs/inference-providers/tasks/{name}",
        },
        "parameters": [
            {
                "name": "model",
                "in": "query",
                "description": "Id of the checkpoint; without it the task's default.",
                "schema": {"type": "string"},
            }
        ],
        "requestBody": {
            "required": True,
            "content": _json(f"hf.{name}.request", example=dict(form.example)),
        },
        "responses": {
            "200": {"description": "The answer.", "content": {"application/json": {"schema": answer}}},
            "4XX": refused,
            "5XX": refused,
        },
    }


def _hubs_request(name: str, form: hugging_face.Form, fields: Schema) -> Schema:
    own = dict(form.given)
    given = {"anyOf": [own, {"type": "array", "items": own}]} if form.lists else own
    parameters = {
        "type": ["object", "null"],
        "properties": {theirs: fields[ours] for theirs, ours in form.parameters.items()},
    }
    return {
        "type": "object",
        "title": _class_name("hf", name.replace("-", "_"), "request"),
        "properties": {"inputs": given, "parameters": parameters},
        "required": ["inputs"],
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
