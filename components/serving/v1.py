"""Plain JSON over HTTP: `POST /v1/<task>`, the catalog, its description, and a pulse.

Any site may call these from a browser: there is no login and no cookie, so an answer
holds nothing that belongs to the browser's owner. Gradio's CORS layer wraps the whole
app and allows every origin on a public host, and on localhost local origins only;
requiring `application/json` makes browsers ask it before each cross-origin request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from components.models.errors import Code, TourError
from components.models.registry import Registry, Status
from components.serving.body import MalformedError, parse
from components.serving.errors import (
    DisconnectedError,
    InternalError,
    JsonResponse,
    refusal,
    refusal_of,
    reported,
)
from components.serving.inference import Inference
from components.serving.openapi import describe
from components.tasks.task import Task


def routes(tasks: Sequence[Task[Any, Any, Any]], registry: Registry, inference: Inference) -> list[BaseRoute]:
    """What `launch(app_kwargs={"routes": ...})` takes."""
    status_threads = CapacityLimiter(4)  # availability may have to ask the Hub

    async def models(request: Request) -> Response:
        return JsonResponse(await to_thread.run_sync(_catalog, registry, limiter=status_threads))

    async def openapi(request: Request) -> Response:
        server = request.scope.get("app_root_path") or "/"
        return JsonResponse(describe(tasks, registry.catalog, server))

    async def index(request: Request) -> Response:
        return RedirectResponse(request.scope.get("app_root_path", "") + "/v1/openapi.json")

    v1 = Starlette(
        routes=[
            Route("/models", models),
            Route("/openapi.json", openapi),
            *(Route(f"/{task.name}", _endpoint(task, inference), methods=["POST"]) for task in tasks),
        ],
        exception_handlers=dict.fromkeys(
            (HTTPException, TourError, MalformedError, InternalError, DisconnectedError), _refuse
        ),
    )
    return [Route("/health", health), Route("/v1", index), Route("/v1/", index), Mount("/v1", v1)]


async def health(request: Request) -> Response:
    """Answers from the event loop alone, so also while models load and run."""
    return JsonResponse({"status": "ok"})


def _endpoint(task: Task[Any, Any, Any], inference: Inference) -> Any:
    async def answer(request: Request) -> Response:
        payload = await _payload(request)
        with reported():
            answer = await inference.answer(task, payload, gone=request.is_disconnected)
            return JsonResponse(answer.as_json())

    return answer


async def _payload(request: Request) -> dict[str, object]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise MalformedError("Send JSON, with the header Content-Type: application/json.", 415)
    payload = parse(await request.body())
    if not isinstance(payload, dict):
        raise MalformedError(
            'The body is JSON but no object: send the inputs by name, as in {"text": "..."}.'
        )
    return payload


def _catalog(registry: Registry) -> dict[str, Any]:
    memory = registry.memory()
    return {
        "models": [_model(status) for status in registry.statuses()],
        "memory": {"used": memory.used, "budget": memory.budget, "device": memory.device},
    }


def _model(status: Status) -> dict[str, Any]:
    checkpoint = status.checkpoint
    return {
        "id": checkpoint.id,
        "title": checkpoint.title,
        "about": checkpoint.about,
        "tasks": list(checkpoint.tasks),
        "head": checkpoint.head.value,
        "source": type(checkpoint.source).__name__.removesuffix("Source").lower(),
        "embedded": checkpoint.embedded,
        "licence": checkpoint.licence,
        "parameters": checkpoint.parameters,
        "download_bytes": checkpoint.download_bytes,
        "token_limit": checkpoint.token_limit,
        "languages": list(checkpoint.languages),
        "state": status.state.value,
        "availability": status.availability.value,
        "share": status.share,
        "stage": status.stage,
        "error": status.error,
        "bytes_in_memory": status.nbytes,
        "leases": status.leases,
        "device": status.device,
    }


async def _refuse(request: Request, error: Exception) -> Response:
    path = request.url.path
    match error:
        case TourError():
            return refusal_of(error)
        case MalformedError():
            return refusal(error.status, Code.INVALID_INPUT, error.message, error.field)
        case InternalError():
            return refusal(500, "internal", str(error))
        case DisconnectedError():
            return Response(status_code=499)  # only the log sees it
        case HTTPException(status_code=404):
            return refusal(404, "not_found", f"There is no {path}. /v1/openapi.json lists what there is.")
        case HTTPException(status_code=405):
            allowed = (error.headers or {}).get("Allow", "")
            message = f"{path} takes {allowed}, not {request.method}."
            return refusal(405, "method_not_allowed", message, headers=error.headers)
        case _:
            raise error
