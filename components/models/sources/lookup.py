"""What a repository on the Hub is, before more of it is downloaded than its configuration."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from components.models.checkpoint import Checkpoint, Head, HubSource
from components.models.errors import Code, TourError
from components.models.library import import_transformers
from components.models.sources.folder import head_of
from components.texts import in_folder

TEXTS = in_folder(__file__)

PATIENCE = 10.0  # seconds for the Hub's answer
MOST_FOUND = 20  # repositories that a search lists
LARGEST = 4_000_000_000  # bytes that a visitor may have downloaded
_LONGEST_CARD = 200_000  # bytes
_REPO = re.compile(r"\w[\w.-]{0,95}/\w[\w.-]{0,95}", re.ASCII)
_WRITERS = {
    "translation": ("marian", "m2m_100", "mbart", "nllb-moe", "fsmt"),
    "summarization": ("bart", "pegasus", "led", "bigbird_pegasus", "longt5"),
}

# The Hub's names of tasks, where they are not ours with hyphens.
_PIPELINE_TAGS = {"named_entities": "token-classification"}

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A repository as the Hub lists it; `task` is the Hub's own name for what it does."""

    id: str
    task: str | None
    downloads: int
    likes: int
    parameters: int | None
    licence: str | None
    gated: bool


def is_repo(id: str) -> bool:
    """Whether a text can be the id of a repository: an owner and a name."""
    return _REPO.fullmatch(id) is not None


def search(
    endpoint: str,
    words: str,
    *,
    task: str | None = None,
    language: str | None = None,
    parameters: str | None = None,
    limit: int = MOST_FOUND,
) -> list[Found]:
    """Repositories with safetensors weights, most downloaded first; raises `TourError` UNREACHABLE.

    `language` is a code as in ISO 639-1, `parameters` a range as in "min:50M,max:500M".
    """
    from huggingface_hub import HfApi

    def ask() -> list[Found]:
        models = HfApi(endpoint=endpoint).list_models(
            filter=["safetensors", *([language] if language else [])],
            search=words or None,
            pipeline_tag=_PIPELINE_TAGS.get(task, task.replace("_", "-")) if task else None,
            num_parameters=parameters,
            sort="downloads",
            limit=limit,
            expand=["pipeline_tag", "downloads", "likes", "safetensors", "tags", "gated"],
        )
        return [
            Found(
                id=model.id,
                task=model.pipeline_tag,
                downloads=model.downloads or 0,
                likes=model.likes or 0,
                parameters=model.safetensors.total if model.safetensors else None,
                licence=_licence(model.tags or []),
                gated=bool(model.gated),
            )
            for model in models
        ]

    return _answered(ask, endpoint, "the search")


def describe(endpoint: str, repo: str, known: Sequence[Checkpoint]) -> Checkpoint:
    """The repository as a checkpoint, at the commit that it has now.

    It does the tasks of the `known` checkpoints with its head. Raises `TourError`: UNREACHABLE,
    UNKNOWN_MODEL, or UNSUITABLE_MODEL with the reason.
    """
    from huggingface_hub import HfApi, get_session

    def ask() -> tuple[Any, Mapping[str, Any], Mapping[str, Any]]:
        info = HfApi(endpoint=endpoint).model_info(repo, files_metadata=True, timeout=PATIENCE)

        def read(name: str) -> Mapping[str, Any]:
            if name not in {file.rfilename for file in info.siblings or ()}:
                return {}
            response = get_session().get(f"{endpoint}/{repo}/resolve/{info.sha}/{name}", timeout=PATIENCE)
            response.raise_for_status()
            content = json.loads(response.content[:1_000_000])
            return content if isinstance(content, dict) else {}

        return info, read("config.json"), read("tokenizer_config.json")

    info, config, tokenizer = _answered(ask, endpoint, repo)
    files = [file for file in info.siblings or () if "/" not in file.rfilename]
    weights = sum(file.size or 0 for file in files if file.rfilename.endswith(".safetensors"))
    if not weights:
        raise _unsuitable(repo, "has no safetensors weights, and other formats are not loaded")
    if weights > LARGEST:
        raise _unsuitable(
            repo, f"is a download of {weights / 1e9:.1f} GB, more than the {LARGEST / 1e9:.0f} allowed"
        )
    architecture = str(next(iter(config.get("architectures") or ["no architecture"])))
    head = head_of(architecture) if _in_transformers(config) else None
    tasks = _tasks(head, config, known)
    if head is None or not tasks:
        raise _unsuitable(repo, f"is a {architecture}, which has no task in this tour")
    return Checkpoint(
        id=repo,
        title=repo,
        tasks=tasks,
        head=head,
        source=HubSource(repo=repo, revision=str(info.sha)),
        licence=_licence(info.tags or []) or "not stated",
        parameters=info.safetensors.total if info.safetensors else max(1, weights // 4),
        download_bytes=weights,
        token_limit=_token_limit(config, tokenizer),
        languages=tuple(tag for tag in info.tags or () if re.fullmatch("[a-z]{2}", tag)),
        about=f"A {architecture} that a visitor brought from the Hub.",
    )


def card(endpoint: str, repo: str, revision: str) -> str:
    """The repository's model card as Markdown, empty if it has none; raises `TourError` UNREACHABLE."""
    from huggingface_hub import get_session

    def ask() -> str:
        response = get_session().get(f"{endpoint}/{repo}/resolve/{revision}/README.md", timeout=PATIENCE)
        if response.status_code == 404:
            return ""
        response.raise_for_status()
        return response.content[:_LONGEST_CARD].decode("utf-8", errors="replace")

    return _answered(ask, endpoint, f"the card of {repo}")


def _in_transformers(config: Mapping[str, Any]) -> bool:
    """Whether the library has the architecture: code from a repository is never run."""
    import_transformers()
    from transformers import CONFIG_MAPPING

    return config.get("model_type") in CONFIG_MAPPING


def _tasks(head: Head | None, config: Mapping[str, Any], known: Sequence[Checkpoint]) -> tuple[str, ...]:
    """Those of the known checkpoints with that head, less those that its configuration speaks against."""
    tasks = dict.fromkeys(
        task for one in known if one.head is head and one.body is None for task in one.tasks
    )
    labels = " ".join(map(str, (config.get("id2label") or {}).values())).lower()
    against: set[str] = set()
    match head:
        case Head.SEQUENCE_CLASSIFICATION:
            against = {"text_classification" if "entail" in labels else "zero_shot_classification"}
        case Head.SEQ2SEQ_LM:
            kind = config.get("model_type")
            fitting = {task for task, kinds in _WRITERS.items() if kind in kinds} or set(_WRITERS)
            against = set(_WRITERS) - fitting
    return tuple(task for task in tasks if task not in against)


def _token_limit(config: Mapping[str, Any], tokenizer: Mapping[str, Any]) -> int:
    """The least that configuration and tokenizer say; RoBERTa's positions begin after the padding's."""
    positions = next(
        (int(config[name]) for name in ("max_position_embeddings", "n_positions") if config.get(name)), 512
    )
    if config.get("model_type") in ("roberta", "xlm-roberta", "camembert"):
        positions -= int(config.get("pad_token_id") or 0) + 1
    said = tokenizer.get("model_max_length")
    return min(positions, int(said)) if isinstance(said, int | float) and 0 < said < 1e9 else positions


def _licence(tags: Sequence[str]) -> str | None:
    return next((tag.removeprefix("license:") for tag in tags if tag.startswith("license:")), None)


def _unsuitable(repo: str, why: str) -> TourError:
    return TourError(Code.UNSUITABLE_MODEL, f"{repo} {why}. Pick another model.", "model")


def asked(ask: Callable[[], T], what: str) -> T | Exception:
    """What the Hub says, in a thread of its own: not all of the client's requests have a time-out."""
    outcome: list[T | Exception] = []

    def work() -> None:
        try:
            outcome.append(ask())
        except Exception as error:  # noqa: BLE001 - told apart below
            outcome.append(error)

    thread = threading.Thread(target=work, name=f"look up {what}", daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return outcome[0] if outcome else TimeoutError(what)


def _answered(ask: Callable[[], T], endpoint: str, what: str) -> T:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    match asked(ask, what):
        case GatedRepoError():
            raise _unsuitable(what, "requires you to accept its terms on the Hub, and a token")
        case RepositoryNotFoundError():
            raise TourError(
                Code.UNKNOWN_MODEL, f"{what} does not exist on the Hub, or is private. Check the id.", "model"
            )
        case Exception():
            raise TourError(
                Code.UNREACHABLE,
                TEXTS["unreachable"].format(endpoint=endpoint, what=what),
                "model",
            )
        case answer:
            return answer
