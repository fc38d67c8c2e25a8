"""Plain JSON over HTTP: `POST /v1/<task>`, the catalog, its description, and a pulse.

Any site may call these from a browser: there is no login and no cookie, so an answer
holds nothing that belongs to the browser's owner. Gradio's CORS layer wraps the whole
app and allows every origin on a public host, and on localhost local origins only;
requiring `application/json` makes browsers ask it before each cross-origin request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from components.models.errors import Code, TourError
from components.models.registry import Registry
from components.models.tokenizers import Tokenizers
from components.serving import attention
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
from components.serving.lanes import packed
from components.serving.listing import listing
from components.serving.openapi import describe
from components.tasks.task import Operation


def routes(
    tasks: Sequence[Operation], registry: Registry, inference: Inference, tokenizers: Tokenizers
) -> list[BaseRoute]:
    """What `launch(app_kwargs={"routes": ...})` takes."""
    status_threads = CapacityLimiter(4)  # availability may have to ask the Hub
    lane_threads = CapacityLimiter(4)

    async def models(request: Request) -> Response:
        with reported():
            found = await to_thread.run_sync(listing, registry, limiter=status_threads)
            return JsonResponse(asdict(found))

    async def tokenizer_lanes(request: Request) -> Response:
        payload = await _payload(request)
        with reported():
            return JsonResponse(await to_thread.run_sync(packed, tokenizers, payload, limiter=lane_threads))

    async def openapi(request: Request) -> Response:
        with reported():
            server = request.scope.get("app_root_path") or "/"
            return JsonResponse(describe(tasks, registry.catalog, server))

    v1 = Starlette(
        routes=[
            Route("/", RedirectResponse("openapi.json")),
            Route("/models", models),
            Route("/openapi.json", openapi),
            Route("/tokenize/lanes", tokenizer_lanes, methods=["POST"]),
            *attention.routes(inference, _payload),
            *(Route(f"/{task.name}", _endpoint(task, inference), methods=["POST"]) for task in tasks),
        ],
        exception_handlers=dict.fromkeys(
            (HTTPException, TourError, MalformedError, InternalError, DisconnectedError), _refuse
        ),
    )
    return [Route("/health", health), Route("/v1", RedirectResponse("v1/openapi.json")), Mount("/v1", v1)]


async def health(request: Request) -> Response:
    """Answers from the event loop alone, so also while models load and run."""
    return JsonResponse({"status": "ok"})


def _endpoint(task: Operation, inference: Inference) -> Any:
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
