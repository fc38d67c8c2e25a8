"""A trained checkpoint as a file to take home, or as a repository on the Hub."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

from components.models import disk
from components.models.errors import Code, TourError
from components.models.sources.files import size
from components.models.sources.lookup import is_repo
from components.texts import in_folder

TEXTS = in_folder(__file__)

EVERY = 0.5  # seconds between two words about a push


def archive(model: Path, target: Path) -> None:
    """The checkpoint's folder as a ZIP file; weights do not get smaller by compressing them."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as file:
        for path in sorted(model.rglob("*")):
            if path.is_file():
                file.write(path, f"{target.stem}/{path.relative_to(model)}")


def push(model: Path, repo: str, token: str, *, private: bool, endpoint: str) -> Iterator[str]:
    """Uploads a checkpoint's folder in one commit, into a repository that is made if there is none.

    Yields what is being done, and last the repository's address. The token is used for these requests and
    kept nowhere. Raises `TourError`.
    """
    import httpx2  # what huggingface_hub speaks with
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import HfHubHTTPError

    if not is_repo(repo):
        raise TourError(Code.INVALID_INPUT, TEXTS["no_name"], "repo")
    if not token.strip() or not token.strip().isascii():
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["no_token"],
            "token",
        )
    api = HfApi(endpoint=endpoint, token=token.strip())
    files = [path for path in sorted(model.rglob("*")) if path.is_file()]
    try:
        yield f"Making {repo}"
        address = api.create_repo(repo, private=private, exist_ok=True)
        words = f"Uploading {size(model) / 1e6:,.1f} MB to {repo}"
        yield words
        uploading: Future[object] = api.run_as_future(
            api.create_commit,
            repo,
            [CommitOperationAdd(str(path.relative_to(model)), path) for path in files],
            commit_message="A classifier trained in Transformers Tour",
        )
        yield from _until(uploading, words)
        uploading.result()
    except HfHubHTTPError as error:
        raise _explained(error.response.status_code, repo, endpoint) from None
    except (OSError, httpx2.HTTPError) as error:
        if disk.is_full(error):
            raise disk.no_room("nothing was sent") from None
        raise TourError(
            Code.UNREACHABLE,
            f"The Hub at {endpoint} cannot be reached ({type(error).__name__}). Try again later.",
        ) from None
    yield str(address)


def _until(future: Future[object], words: str) -> Iterator[str]:
    while not future.done():
        try:
            future.exception(timeout=EVERY)
        except TimeoutError:
            yield words


def _explained(status: int, repo: str, endpoint: str) -> TourError:
    if status in (401, 403):
        return TourError(
            Code.INVALID_INPUT,
            TEXTS["no_right"].format(endpoint=endpoint, repo=repo),
            "token",
        )
    return TourError(
        Code.UNREACHABLE, f"The Hub at {endpoint} refused {repo} (HTTP {status}). Try again later."
    )
