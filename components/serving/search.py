"""What the search of the pages looks through, fetched when it is first opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from components.serving.errors import JsonResponse


def index(entries: Callable[[], Sequence[Mapping[str, str]]]) -> Route:
    """Made anew for each visitor who searches: checkpoints come and go."""

    async def answer(request: Request) -> Response:
        return JsonResponse({"entries": await to_thread.run_sync(entries)})

    return Route("/data/search", answer)
