"""Hugging Face Spaces: `Spacefile` is the one place for the Space's metadata.

`space:` in it is what the Hub reads, but from the front matter of README.md, so
`write` copies it there and `check` tells whether the two still agree. `app:` holds
what the app itself sets differently on a Space, which it knows by `SPACE_ID`. `deploy:`
says which files make up a Space, and which requirements are pinned otherwise in one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import yaml

from components.models.settings import PROFILES, Profile
from components.texts import in_folder

TEXTS = in_folder(__file__)

ROOT = Path(__file__).parents[2]
FRONT_MATTER = re.compile(r"\A---\n.*?^---\n\n?", re.DOTALL | re.MULTILINE)
NOTE = "# Written by `python app.py --space write` from Spacefile; edit that."


def read(root: Path = ROOT) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((root / "Spacefile").read_text("utf-8"))
    return content


def on_space(environ: Mapping[str, str] = os.environ) -> bool:
    return bool(environ.get("SPACE_ID"))


def profile(root: Path = ROOT) -> Profile:
    chosen = read(root)["app"]["profile"]
    if chosen not in PROFILES:
        raise ValueError(f"Spacefile: app.profile must be one of {', '.join(PROFILES)}, not {chosen!r}")
    return cast(Profile, chosen)


def hub_cache() -> Path:
    """Where a Space's builder puts what `preload_from_hub` lists."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def with_front_matter(readme: str, metadata: Mapping[str, Any]) -> str:
    """The README with its front matter replaced, or added; not a character after it changes."""
    block = yaml.safe_dump(dict(metadata), sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{NOTE}\n{block}---\n\n" + FRONT_MATTER.sub("", readme, count=1)


def write(root: Path = ROOT) -> None:
    readme = root / "README.md"
    readme.write_text(with_front_matter(readme.read_text("utf-8"), read(root)["space"]), "utf-8")


def agrees(root: Path = ROOT) -> bool:
    readme = (root / "README.md").read_text("utf-8")
    return readme == with_front_matter(readme, read(root)["space"])


class DeployError(Exception):
    """Why a Space could not be made or updated, and what to do."""


@dataclass(frozen=True)
class Contents:
    """The files of a Space by their path in it: a file on this host, or the text that stands in its place."""

    files: Mapping[str, Path | bytes]

    def listing(self) -> Iterator[tuple[str, int]]:
        """Path and bytes of each file."""
        for path, file in self.files.items():
            yield path, len(file) if isinstance(file, bytes) else file.stat().st_size

    @cached_property
    def nbytes(self) -> int:
        return sum(size for _, size in self.listing())


def contents(root: Path = ROOT, torch_index: str | None = None) -> Contents:
    """What `deploy:` in the Spacefile names; `torch_index` is a package index for torch's CPU builds."""
    wanted = read(root)["deploy"]
    found: dict[str, Path | bytes] = {}
    for pattern in wanted["files"]:
        for path in sorted(root.glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                found[path.relative_to(root).as_posix()] = path
    requirements = (root / "requirements.txt").read_text("utf-8")
    found["requirements.txt"] = _pinned(requirements, wanted["requirements"], torch_index).encode()
    return Contents(found)


def _pinned(requirements: str, pins: Mapping[str, str], index: str | None) -> str:
    """The requirements with other versions of some packages, each in its own line."""
    for name, version in pins.items():
        line = re.compile(rf"^{re.escape(name)}(?=[=<>!~ ])[^#\n]*", re.MULTILINE)
        requirements, count = line.subn(f"{name}=={version}  ", requirements)
        if count != 1:
            raise ValueError(f"Spacefile: deploy.requirements names {name}, which requirements.txt lacks")
    return requirements if index is None else f"--extra-index-url {index}\n{requirements}"


def deploy(
    repo: str,
    contents: Contents,
    *,
    private: bool = False,
    endpoint: str | None = None,
    token: str | None = None,
) -> str:
    """Makes or updates the Space `repo` ("owner/name") so that it holds these files and no others.

    Binary files go to the Hub's large file storage, as it requires. The token is the argument, `HF_TOKEN` or
    the one of `hf auth login`. Returns the Space's address; raises `DeployError`.
    """
    import httpx2
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError

    api = HfApi(endpoint=endpoint, token=token)
    try:
        made = api.create_repo(repo, repo_type="space", space_sdk="gradio", private=private, exist_ok=True)
        there: Sequence[str] = api.list_repo_files(made.repo_id, repo_type="space")
        kept = {*contents.files, ".gitattributes"}  # the Hub's own, about large files
        api.create_commit(
            made.repo_id,
            [
                *(CommitOperationAdd(path, file) for path, file in contents.files.items()),
                *(CommitOperationDelete(path) for path in there if path not in kept),
            ],
            commit_message="Deploy Transformers Tour",
            repo_type="space",
        )
    except (HFValidationError, LocalTokenNotFoundError) as error:
        raise DeployError(f"{error}") from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 403):
            raise DeployError(TEXTS["no_right"].format(repo=repo)) from error
        raise DeployError(f"The Hub answers {status}: {error}") from error
    except (httpx2.TransportError, OSError) as error:
        raise DeployError(f"The Hub at {api.endpoint} cannot be reached: {error}") from error
    return str(made)
