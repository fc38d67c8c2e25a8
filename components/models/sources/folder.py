"""Checkpoints that are folders on this host: shipped by the repository, or a visitor's own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from components.models.checkpoint import (
    Checkpoint,
    Head,
    HubSource,
    LocalSource,
    RepoSource,
    Source,
    WheelSource,
)
from components.models.errors import Code, TourError
from components.texts import in_folder

TEXTS = in_folder(__file__)

_EMBEDDED = Path(__file__).resolve().parents[1] / "embedded"
_HEADS = {
    "ForCausalLM": Head.CAUSAL_LM,
    "LMHeadModel": Head.CAUSAL_LM,
    "ForMaskedLM": Head.MASKED_LM,
    "ForConditionalGeneration": Head.SEQ2SEQ_LM,
    "MTModel": Head.SEQ2SEQ_LM,
    "ForSequenceClassification": Head.SEQUENCE_CLASSIFICATION,
    "ForTokenClassification": Head.TOKEN_CLASSIFICATION,
    "TapasForQuestionAnswering": Head.TABLE_QUESTION_ANSWERING,
    "ForQuestionAnswering": Head.QUESTION_ANSWERING,
    "Model": Head.ENCODER,
}


def head_of(architecture: str) -> Head | None:
    """By the name of the network's class, as config.json has it."""
    return next((head for end, head in _HEADS.items() if architecture.endswith(end)), None)


def place(source: RepoSource | LocalSource) -> Path:
    return _EMBEDDED / source.folder if isinstance(source, RepoSource) else Path(source.folder)


def present(source: RepoSource | LocalSource) -> bool:
    return (place(source) / "config.json").is_file()


def fetch(source: RepoSource | LocalSource) -> Path:
    if not present(source):
        raise TourError(
            Code.LOAD_FAILED,
            TEXTS["no_config"].format(place=place(source)),
        )
    return place(source)


def card(source: RepoSource | LocalSource) -> str:
    """The folder's model card as Markdown, empty if there is none."""
    file = place(source) / "README.md"
    return file.read_text("utf-8", errors="replace") if file.is_file() else ""


def loading_lines(source: RepoSource | LocalSource) -> list[str]:
    if isinstance(source, RepoSource):  # seen from the root of the repository
        return [f"MODEL = {f'components/models/embedded/{source.folder}'!r}"]
    return [f"MODEL = {source.folder!r}"]


def found(models_dir: Path, known: Sequence[Checkpoint]) -> tuple[Checkpoint, ...]:
    """The checkpoints in the folders of `models_dir`.

    A folder is one if it holds a config.json that says which network it is, and safetensors
    weights; an adapter's, if its base model is among the `known`. Others are passed over. A
    checkpoint does the tasks of the known ones with its head.
    """
    checkpoints = []
    for path in sorted(models_dir.iterdir()) if models_dir.is_dir() else ():
        try:
            checkpoints.append(trained(path, f"local/{path.name}", known))
        except TourError:
            continue
    return tuple(checkpoints)


def trained(path: Path, id: str, known: Sequence[Checkpoint]) -> Checkpoint:
    """The checkpoint in a folder on this host; raises `TourError` LOAD_FAILED where there is none."""
    weights = [file.stat().st_size for file in path.glob("*.safetensors")]
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
        architecture = str(config["architectures"][0])
        body = _body(path, known)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise TourError(Code.LOAD_FAILED, f"There is no checkpoint in {path}. Check the folder.") from error
    head = head_of(architecture)
    if head is None or not weights:
        raise TourError(Code.LOAD_FAILED, f"{path} has no weights for a task here. Use another folder.")
    limit = config.get("max_position_embeddings") or config.get("n_positions") or 512
    return Checkpoint(
        id=id,
        title=id.removeprefix("local/"),
        tasks=tuple(dict.fromkeys(task for one in known if one.head is head for task in one.tasks)),
        head=head,
        source=LocalSource(folder=str(path.resolve())),
        licence="not stated",
        parameters=max(1, sum(weights) // _bytes_per_parameter(config)),
        download_bytes=0,
        token_limit=int(limit),
        languages=(),
        about=f"A {architecture} from a folder on this host.",
        body=body,
    )


def _body(path: Path, known: Sequence[Checkpoint]) -> Checkpoint | None:
    """The body of an adapter, None for a whole checkpoint; raises `LookupError` if it is not known."""
    if not (file := path / "adapter_config.json").is_file():
        return None
    base = json.loads(file.read_text(encoding="utf-8"))["base_model_name_or_path"]
    for one in known:
        if one.head is Head.ENCODER and one.body is None and base in (one.id, origin(one.source)):
            return one
    raise LookupError(base)


def origin(source: Source) -> str:
    """The name that others know the weights by."""
    match source:
        case HubSource():
            return source.repo
        case WheelSource():
            return source.upstream
        case RepoSource() | LocalSource():
            return str(place(source))


def _bytes_per_parameter(config: dict[str, object]) -> int:
    return 2 if str(config.get("dtype") or config.get("torch_dtype")) in ("bfloat16", "float16") else 4
