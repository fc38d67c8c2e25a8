"""The catalog as `GET /v1/models` gives it: what is known of each checkpoint, and its state now."""

from __future__ import annotations

from dataclasses import dataclass

from components.models.checkpoint import kind_of
from components.models.registry import Registry
from components.models.status import Availability, Memory, State, Status


@dataclass(frozen=True, kw_only=True)
class Model:
    id: str
    title: str
    about: str
    tasks: list[str]
    head: str
    source: str  # "hub", "wheel", "repo" or "local"
    body: str | None  # the checkpoint whose network this one shares; counts and bytes are what it adds
    embedded: bool
    licence: str
    parameters: int
    download_bytes: int
    token_limit: int
    languages: list[str]
    state: State
    availability: Availability
    share: float | None
    stage: str
    error: str | None
    bytes_in_memory: int
    leases: int
    device: str | None


@dataclass(frozen=True, kw_only=True)
class Listing:
    models: list[Model]
    memory: Memory


def listing(registry: Registry) -> Listing:
    return Listing(models=[_model(status) for status in registry.statuses()], memory=registry.memory())


def _model(status: Status) -> Model:
    checkpoint = status.checkpoint
    return Model(
        id=checkpoint.id,
        title=checkpoint.title,
        about=checkpoint.about,
        tasks=list(checkpoint.tasks),
        head=checkpoint.head.value,
        source=kind_of(checkpoint.source),
        body=checkpoint.body.id if checkpoint.body else None,
        embedded=checkpoint.embedded,
        licence=checkpoint.licence,
        parameters=checkpoint.parameters,
        download_bytes=checkpoint.download_bytes,
        token_limit=checkpoint.token_limit,
        languages=list(checkpoint.languages),
        state=status.state,
        availability=status.availability,
        share=status.share,
        stage=status.stage,
        error=status.error,
        bytes_in_memory=status.nbytes,
        leases=status.leases,
        device=status.device,
    )
