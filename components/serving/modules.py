"""Serves the pages' JavaScript modules and their style sheet, and the script for pages that embed ours."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from components import stylesheet
from components.javascript import EMBED, FOLDER, PLACE


def modules() -> Route:
    """Each below the hash of all; a page that another version of the app has sent is led to the present one.

    Browsers keep what is below `/assets/` for good (`CacheHeaders`), a redirect they don't.
    """
    present = PLACE.split("/")[1]

    async def module(request: Request) -> Response:
        name = f"{request.path_params['name']}.js"
        if name not in {file.name for file in FOLDER.glob("*.js")}:
            return Response("There is no such module.", 404, media_type="text/plain")
        if f"tour-{request.path_params['version']}" != present:
            return RedirectResponse(f"../{present}/{name}", headers={"Cache-Control": "no-store"})
        return FileResponse(FOLDER / name, media_type="text/javascript")

    return Route("/assets/tour-{version}/{name}.js", module)


def styles() -> Route:
    """The style sheet, whatever version of it a page asks for."""

    async def style(request: Request) -> Response:
        present = stylesheet.PLACE.split("/")[1]
        if f"tour-{request.path_params['version']}.css" != present:
            return RedirectResponse(present, headers={"Cache-Control": "no-store"})
        return Response(stylesheet.CONTENT, media_type="text/css")

    return Route("/assets/tour-{version}.css", style)


def embed_script() -> Route:
    """At an address without a hash, which others write into their pages: kept for an hour."""

    async def script(request: Request) -> Response:
        return FileResponse(
            EMBED, media_type="text/javascript", headers={"Cache-Control": "public, max-age=3600"}
        )

    return Route("/embed.js", script)
