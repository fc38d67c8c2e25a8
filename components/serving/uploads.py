"""Takes uploads at Gradio's address, in its place.

Gradio's own handler keeps what has arrived of an upload that breaks off, names a file by its content, so that
two visitors who send the same one share it, and counts bytes per file alone.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from gradio.route_utils import upload_fn
from gradio.routes import file_upload_statuses
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from components.models import disk
from components.models.errors import TourError
from components.serving.errors import RETRY_AFTER, STATUS
from components.serving.guards import counted
from components.temporary import TemporaryFiles
from components.texts import in_folder

TEXTS = in_folder(__file__)

PATH = "/gradio_api/upload"
FORM = 1_000_000  # bytes of an upload that are not the file's

log = logging.getLogger(__name__)


class TooLargeError(Exception):
    """A request has brought more than one upload may have."""


def uploads(files: TemporaryFiles, largest: int) -> Route:
    """`largest` is how many bytes the files of one request may have, together."""

    async def upload(request: Request) -> Response:
        declared = request.headers.get("content-length", "")
        nbytes = int(declared[:20]) if declared.isdecimal() else largest
        if nbytes > largest + FORM:
            return _too_large(largest)
        try:
            folder = await run_in_threadpool(files.take, nbytes, counted(request.scope))
        except TourError as error:
            return _refused(error)
        number = request.query_params.get("upload_id")
        kept = False
        try:
            found, _, _ = await upload_fn(
                _Counted(request, largest + FORM),
                folder,
                largest,
                number,
                force_move=True,
                upload_progress=file_upload_statuses if number else None,
            )
            kept = bool(found)
            return JSONResponse(found)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it
        except TooLargeError:
            return _too_large(largest)
        except MultiPartException as error:
            if error.message.startswith("File size"):
                return _too_large(largest)
            return _said(400, f"The upload cannot be read: {error.message}")
        except HTTPException as error:
            return _said(error.status_code, f"The upload cannot be read: {error.detail}")
        except OSError as error:
            if not disk.is_full(error):
                raise
            log.warning("an upload found the disk full")
            return _refused(disk.no_room("the file could not be kept"))
        except (TypeError, ValueError, KeyError, AttributeError):
            # Gradio's parser takes much for granted: a progress of a form without files, a body without end.
            return _said(400, "The upload is no form with files in it.")
        finally:
            if number:
                file_upload_statuses.set_done(number)
            files.done(folder)
            if not kept:
                files.discard(folder)

    return Route(PATH, upload, methods=["POST"])


class _Counted(Request):
    """A request whose body ends with `TooLargeError` beyond so many bytes, declared or not."""

    def __init__(self, request: Request, most: int) -> None:
        super().__init__(request.scope, request.receive)
        self._most = most

    async def stream(self) -> Any:
        received = 0
        async for chunk in super().stream():
            received += len(chunk)
            if received > self._most:
                raise TooLargeError
            yield chunk


def _too_large(largest: int) -> Response:
    words = TEXTS["too_large"].format(limit=largest / 1e6)
    return _said(413, words, {"Connection": "close"})


def _refused(error: TourError) -> Response:
    return _said(STATUS[error.code], error.message, {"Retry-After": str(RETRY_AFTER.get(error.code, 60))})


def _said(status: int, words: str, headers: Mapping[str, str] | None = None) -> Response:
    """Plain text, because Gradio's pages show whatever comes."""
    return PlainTextResponse(words, status, headers=headers)
