"""Plain JSON over HTTP: `POST /v1/<task>`, the catalog, its description, and a pulse.

Any site may call these from a browser: there is no login and no cookie, so an answer
holds nothing that belongs to the browser's owner. Gradio's CORS layer wraps the whole
app and allows every origin on a public host, and on localhost local origins only;
requiring `application/json` makes browsers ask it before each cross-origin request.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, NoReturn

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from components.models.errors import Code, TourError
from components.models.registry import Registry, Status
from components.serving.errors import JsonResponse, refusal, refusal_of, report
from components.serving.inference import Disconnected, Inference
from components.serving.openapi import describe
from components.tasks.task import Task


class Malformed(Exception):
    """The body is not one flat JSON object."""

    def __init__(self, message: str, status: int = 400, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.field = field


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
        exception_handlers={
            HTTPException: _http_refusal,
            TourError: _tour_refusal,
            Malformed: _malformed,
            Disconnected: _nobody,
        },
    )
    return [Route("/health", health), Route("/v1", index), Route("/v1/", index), Mount("/v1", v1)]


async def health(request: Request) -> Response:
    """Answers from the event loop alone, so also while models load and run."""
    return JsonResponse({"status": "ok"})


def _endpoint(task: Task[Any, Any, Any], inference: Inference) -> Any:
    async def answer(request: Request) -> Response:
        payload = await _payload(request)
        try:
            answer = await inference.answer(task, payload, gone=request.is_disconnected)
            return JsonResponse(answer.as_json())
        except (TourError, Disconnected):
            raise
        except Exception as error:
            return refusal(500, "internal", report(error))

    return answer


async def _payload(request: Request) -> dict[str, object]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Malformed("Send JSON, with the header Content-Type: application/json.", 415)
    body = await request.body()
    try:
        payload = json.loads(
            body.decode(), object_pairs_hook=_object, parse_constant=_not_a_number, parse_float=_float
        )
    except UnicodeDecodeError as error:
        raise Malformed("The body is not UTF-8.") from error
    except RecursionError as error:
        raise Malformed("The body is nested too deeply.") from error
    except ValueError as error:
        raise Malformed(f"The body is not JSON: {error}.") from error
    if not isinstance(payload, dict):
        raise Malformed("The body is JSON but no object: send the inputs by name, as in {\"text\": \"...\"}.")
    return payload


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise Malformed(f"{json.dumps(key[:80])} is given twice.", field=key[:80])
        found[key] = value
    return found


def _not_a_number(word: str) -> NoReturn:
    raise Malformed(f"{word} is not JSON.")


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise Malformed(f"{digits[:20]} is larger than any number can be here.")
    return value


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


async def _http_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path
    if error.status_code == 404:
        message = f"There is no {path}. /v1/openapi.json lists what there is."
        return refusal(404, "not_found", message)
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        message = f"{path} takes {allowed}, not {request.method}."
        return refusal(405, "method_not_allowed", message, headers=error.headers)
    return refusal(error.status_code, "invalid_input", error.detail, headers=error.headers)


async def _tour_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, TourError)
    return refusal_of(error)


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, Malformed)
    return refusal(error.status, Code.INVALID_INPUT, error.message, error.field)


async def _nobody(request: Request, error: Exception) -> Response:
    return Response(status_code=499)  # the client has closed the connection: only the log sees this
