"""Plain JSON over HTTP: `POST /v1/<task>`, the catalog, its description, and the health check.

Any site may call these from a browser: there is no login and no cookie, so an answer
holds nothing that belongs to the browser's owner. Gradio's CORS layer wraps the whole
app and allows every origin on a public host, and on localhost local origins only;
requiring `application/json` makes browsers ask it before each cross-origin request.

Routes are flat: below a root path whose prefix a proxy takes away, Starlette's `Mount` finds nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from components.models.registry import Registry
from components.models.tokenizers import Tokenizers
from components.serving import anatomy, attention, hugging_face, openai
from components.serving.body import MalformedError, parse
from components.serving.errors import (
    DisconnectedError,
    JsonResponse,
    Told,
    refusal,
    refused,
    reported,
)
from components.serving.events import Events
from components.serving.inference import Inference, partial
from components.serving.listing import listing
from components.serving.openapi import describe
from components.serving.tokenizations import packed
from components.tasks.batched import batches
from components.tasks.task import Answer, Finding, Operation, Progress
from components.texts import in_folder

TEXTS = in_folder(__file__)

Handler = Callable[[Request], Awaitable[Response]]


class Endpoint:
    """One address: the handler's answer for its method, and every refusal in one shape."""

    def __init__(
        self, method: str, handler: Handler, refuse: Callable[[Exception], Response] = refused
    ) -> None:
        self._method = method
        self._handler = handler
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        response = await self._answer(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        allowed = (self._method, "HEAD") if self._method == "GET" else (self._method,)
        if request.method not in allowed:
            message = f"{request.url.path} takes {self._method}, not {request.method}."
            return refusal(405, "method_not_allowed", message, headers={"Allow": ", ".join(allowed)})
        try:
            with reported():
                return await self._handler(request)
        except Told as error:
            return self._refuse(error)
        except DisconnectedError:
            return Response(status_code=499)  # only the log sees it


def routes(
    tasks: Sequence[Operation],
    registry: Registry,
    inference: Inference,
    tokenizers: Tokenizers,
    *,
    compatible: bool = True,
) -> list[BaseRoute]:
    """What `launch(app_kwargs={"routes": ...})` takes; `compatible` adds OpenAI's and the Hub's addresses."""
    others = [
        *(
            Route(path, Endpoint(method, handler, openai.refused))
            for path, method, handler in openai.endpoints(inference, registry, read_payload)
        ),
        *(
            Route(path, Endpoint(method, handler))
            for path, method, handler in hugging_face.endpoints(inference, read_payload)
        ),
    ]
    status_threads = CapacityLimiter(4)  # availability may have to ask the Hub
    lane_threads = CapacityLimiter(4)

    async def models(request: Request) -> Response:
        found = await to_thread.run_sync(listing, registry, limiter=status_threads)
        data = [openai.described(registry.catalog[one.id]) for one in found.models]
        return JsonResponse({"object": "list", "data": data, **asdict(found)})

    async def tokenizer_lanes(request: Request) -> Response:
        payload = await read_payload(request)
        return JsonResponse(await to_thread.run_sync(packed, tokenizers, payload, limiter=lane_threads))

    async def openapi(request: Request) -> Response:
        server = request.scope.get("root_path") or "/"
        return JsonResponse(describe(tasks, registry.catalog, server, compatible=compatible))

    async def to_openapi(request: Request) -> Response:
        return RedirectResponse(f"{request.scope.get('root_path', '')}/v1/openapi.json")

    return [
        Route("/health", health),
        *(Route(path, Endpoint("GET", to_openapi)) for path in ("/v1", "/v1/")),
        Route("/v1/models", Endpoint("GET", models)),
        Route("/v1/openapi.json", Endpoint("GET", openapi)),
        # What pages alone use; it changes with them.
        Route("/data/tokenizations", Endpoint("POST", tokenizer_lanes)),
        *(
            Route(path, Endpoint(method, handler))
            for page in (attention, anatomy)
            for path, method, handler in page.endpoints(inference, read_payload)
        ),
        *(Route(f"/v1/{task.name}", Endpoint("POST", _operation(task, inference))) for task in tasks),
        *(
            Route(f"/v1/{name}/batch", Endpoint("POST", _operation(tool, inference)))
            for name, tool in batches(tasks).items()
        ),
        *(others if compatible else ()),
        *(Route(f"/{root}/{{rest:path}}", _Nowhere()) for root in ("v1", "hf", "data")),
    ]


async def health(request: Request) -> Response:
    """Answers from the event loop alone, so also while models load and run."""
    return JsonResponse({"status": "ok"})


async def read_payload(request: Request) -> dict[str, object]:
    """The JSON object that a request carries; raises `MalformedError`."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise MalformedError("Send JSON, with the header Content-Type: application/json.", 415)
    payload = parse(await request.body())
    if not isinstance(payload, dict):
        raise MalformedError(TEXTS["no_object"])
    return payload


class _Nowhere:
    """Whatever is below `/v1` or `/data` and not there."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = f"There is no {Request(scope).url.path}. See /v1/openapi.json for all operations."
        await refusal(404, "not_found", message)(scope, receive, send)


def _operation(task: Operation, inference: Inference) -> Handler:
    async def answer(request: Request) -> Response:
        payload = await read_payload(request)
        if Events.media_type in request.headers.get("accept", ""):
            return Events(_named(inference.steps(task, payload, gone=request.is_disconnected)))
        found = await inference.answer(task, payload, gone=request.is_disconnected)
        return JsonResponse(found.as_json())

    return answer


async def _named(steps: AsyncGenerator[object, None]) -> AsyncIterator[tuple[str | None, object]]:
    """Progress, the answer as far as it has come, and the whole answer."""
    async with aclosing(steps):
        async for step in steps:
            if isinstance(step, Progress):
                yield "progress", asdict(step)
            elif isinstance(step, Answer | Finding):
                yield "partial" if partial(step) else "answer", step.as_json()
