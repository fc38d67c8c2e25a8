"""The only way to a model in memory: load once, share, count leases, evict within a budget."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.models import devices
from components.models.catalog import Catalog
from components.models.checkpoint import Checkpoint, HubSource, LoadedModel
from components.models.errors import Code, TourError
from components.models.fairlock import FairLock
from components.models.library import import_transformers
from components.models.settings import Settings
from components.models.sources import Sources, lookup
from components.models.sources.folder import found
from components.models.status import Availability, Memory, Report, State, Status
from components.texts import in_folder

if TYPE_CHECKING:
    import torch

TEXTS = in_folder(__file__)

__all__ = ["Availability", "Memory", "Registry", "State", "Status"]

Load = Callable[[Checkpoint, Path, "torch.device", "torch.dtype", LoadedModel | None], LoadedModel]

MOST_ADOPTED = 20  # checkpoints that visitors may add to a running app

_log = logging.getLogger(__name__)
_UNDER_WAY = (State.FETCHING, State.LOADING)


@dataclass(eq=False)
class _Slot:
    """What the registry knows of one checkpoint; guarded by the registry's condition."""

    checkpoint: Checkpoint
    state: State = State.ABSENT
    share: float | None = None
    stage: str = ""
    error: TourError | None = None
    model: LoadedModel | None = None
    nbytes: int = 0  # in memory; while loading: set aside
    leases: int = 0
    waiting: int = 0  # for a lease; keeps the model from being evicted before they get it
    attempt: Future[None] = field(default_factory=Future)
    used_at: float = 0.0
    adapters: list[_Slot] = field(default_factory=list)  # of the checkpoints whose body this is

    @property
    def active_adapters(self) -> tuple[str, ...]:
        """The adapters that are loaded, or being loaded, on this body: it stays as long as they do."""
        return tuple(a.checkpoint.id for a in self.adapters if a.state in (*_UNDER_WAY, State.READY))

    @property
    def listed_adapters(self) -> tuple[str, ...]:
        """Those of them that everybody may know of."""
        listed = {a.checkpoint.id for a in self.adapters if a.checkpoint.listed}
        return tuple(id for id in self.active_adapters if id in listed)

    @property
    def idle(self) -> bool:
        return self.state is State.READY and not (self.leases or self.waiting or self.active_adapters)

    @property
    def last_used(self) -> float:
        """Who uses an adapter uses its body."""
        return max(slot.used_at for slot in (self, *self.adapters))


class _ClosedError(Exception):
    """The registry was closed while a load was under way."""


class Registry:
    """Loaded models of one instance of the app.

    `patience` is how many seconds a load waits for leased models to make room. `load` is
    for tests: what turns a folder into a model.
    """

    def __init__(
        self, catalog: Catalog, settings: Settings, *, patience: float = 20.0, load: Load | None = None
    ) -> None:
        self.catalog = _with_local(catalog, settings.models_dir)
        self._settings = settings
        self._sources = Sources(settings)
        self._patience = patience
        self._load_model = load
        self._adopted = 0
        self._slots = {checkpoint.id: _Slot(checkpoint) for checkpoint in self.catalog}
        for slot in self._slots.values():
            if body := slot.checkpoint.body:
                self._slots[body.id].adapters.append(slot)
        self._changed = threading.Condition()
        self._building = threading.Lock()  # concurrent `from_pretrained` calls disturb each other
        self._turn = FairLock()
        self._device: torch.device | None = None
        self._budget = settings.memory_budget
        self._closed = False

    # What a visitor sees

    def status(self, id: str) -> Status:
        checkpoint = self.catalog[id]
        cached, unreachable = self._sources.cached(checkpoint), self._sources.unreachable(checkpoint)
        with self._changed:
            slot = self._slots[id]
            if slot.state is State.READY:
                availability = Availability.LOADED
            elif cached:
                availability = Availability.CACHED
            else:
                availability = Availability.UNREACHABLE if unreachable else Availability.DOWNLOAD
            return Status(
                checkpoint=checkpoint,
                state=slot.state,
                availability=availability,
                share=slot.share,
                stage=slot.stage,
                error=slot.error.message if slot.error else None,
                nbytes=slot.model.nbytes if slot.model else 0,
                leases=slot.leases,
                adapters=slot.listed_adapters,
                device=str(slot.model.device) if slot.model else None,
            )

    def statuses(self) -> tuple[Status, ...]:
        """All of the catalog, at once: nothing here waits for a network or a device."""
        return tuple(self.status(checkpoint.id) for checkpoint in self.catalog)

    def reachable(self, wait: float = 3.0) -> bool | None:
        """Whether the Hub answers; waits at most `wait` seconds, None if still unknown then."""
        return self._sources.hub.reachable(wait)

    @property
    def endpoint(self) -> str:
        """The Hub's address."""
        return self._sources.hub.endpoint

    def search(self, words: str, **filters: Any) -> list[lookup.Found]:
        """What the Hub has; see `lookup.search`."""
        return lookup.search(self.endpoint, words, **filters)

    @property
    def open(self) -> bool:
        """Whether visitors may name repositories that the catalog does not have."""
        return self._settings.any_checkpoint

    @property
    def visitors_unload(self) -> bool:
        """Whether visitors may take models out of the memory that all share."""
        return self._settings.visitors_unload

    def may_be_named(self, id: str) -> bool:
        """Whether a visitor may ask for a model by that name, which is not to say that there is one."""
        # A visitor's model that is gone: its id, which was its key, is not sent to the Hub.
        return id in self.catalog or (self.open and lookup.is_repo(id) and not id.startswith("local/"))

    def describe(self, id: str) -> Checkpoint:
        """A checkpoint of the catalog, or a repository on the Hub as one; `TourError` if it is neither.

        Asks the Hub for what it does not know yet, and downloads nothing.
        """
        if id in self.catalog or not self.may_be_named(id):
            return self.catalog[id]  # raises, with the ids that there are, if it is none of them
        if not self.reachable():
            raise TourError(
                Code.UNREACHABLE,
                TEXTS["unlisted"].format(model=id, endpoint=self.endpoint),
                "model",
            )
        return lookup.describe(self.endpoint, id, tuple(self.catalog))

    def card(self, checkpoint: Checkpoint) -> str:
        """Its model card as Markdown, empty if it has none; raises `TourError` UNREACHABLE."""
        return self._sources.card(checkpoint)

    def fetch_tokenizer(self, owner: Checkpoint | HubSource, report: Report) -> Path:
        """A folder with a tokenizer; see `Sources.fetch_tokenizer`."""
        return self._sources.fetch_tokenizer(owner, report, lambda: self._building)

    def adopt(self, id: str) -> Checkpoint:
        """As `describe`, and from then on it is in the catalog."""
        checkpoint = self.describe(id)
        with self._changed:
            if id not in self.catalog:
                if self._adopted >= MOST_ADOPTED:
                    raise TourError(
                        Code.IN_USE,
                        TEXTS["too_many_adopted"].format(limit=MOST_ADOPTED),
                        "model",
                    )
                self._adopted += 1
                self._add(checkpoint)
            return self.catalog[id]

    def add(self, checkpoint: Checkpoint) -> None:
        """Puts a checkpoint that has just been made into the catalog, after all others."""
        with self._changed:
            self._add(checkpoint)
            self._changed.notify_all()

    def list(self, id: str, listed: bool) -> None:
        """Whether a checkpoint is offered to everybody, or found by its id alone."""
        with self._changed:
            checkpoint = replace(self.catalog[id], listed=listed)
            self.catalog = self.catalog.including(checkpoint)
            self._slots[id].checkpoint = checkpoint
            self._changed.notify_all()

    def remove(self, id: str) -> None:
        """Takes a checkpoint out of memory and catalog; raises `TourError` IN_USE as `unload` does."""
        self.unload(id)
        with self._changed:
            slot = self._slots[id]
            if slot.leases or slot.waiting or slot.state in _UNDER_WAY:
                raise TourError(
                    Code.IN_USE, f"{id} has just been asked for; try again when it is idle.", "model"
                )
            self.catalog = self.catalog.without(id)
            if body := slot.checkpoint.body:
                self._slots[body.id].adapters.remove(slot)
            del self._slots[id]

    def _add(self, checkpoint: Checkpoint) -> None:
        """Condition held."""
        self.catalog = self.catalog.including(checkpoint)
        slot = self._slots[checkpoint.id] = _Slot(checkpoint)
        if body := checkpoint.body:
            self._slots[body.id].adapters.append(slot)

    def memory(self) -> Memory:
        with self._changed:
            used = sum(slot.nbytes for slot in self._slots.values())
            device = str(self._device or self._settings.device or "auto")
            budget = self._budget if self._budget is not None else devices.default_budget(None)
            return Memory(used, budget, device)

    # Loading and leasing

    def load(self, id: str) -> None:
        """Start loading in the background unless it is loaded or under way."""
        self.catalog[id]
        with self._changed:
            self._start(self._slots[id])

    def prefetch(self) -> None:
        """Start loading, in the background, what needs no Hub and is not on this host yet."""
        for checkpoint in self.catalog:
            if checkpoint.embedded and checkpoint.body is None and not self._sources.cached(checkpoint):
                self.load(checkpoint.id)

    def wait(self, id: str) -> Iterator[Status]:
        """Load, and yield a status on each change, at least twice a second, until the model is ready."""
        self.catalog[id]
        slot = self._slots[id]
        while True:
            with self._changed:
                attempt = self._start(slot)
            while not attempt.done():
                status = self.status(id)
                yield status
                with self._changed:
                    if _view(slot) == (status.state, status.share, status.stage) and not attempt.done():
                        self._changed.wait(0.5)
            if failure := attempt.exception():
                raise _again(failure)
            status = self.status(id)
            yield status
            if status.state is State.READY:  # else it was evicted at once: load it again
                return

    @contextmanager
    def lease(self, id: str) -> Iterator[LoadedModel]:
        """Hold a loaded model: it is not evicted until the lease ends. Keep no reference beyond that."""
        self.catalog[id]
        slot = self._slots[id]
        model = self._acquire(slot)
        try:
            yield model
        finally:
            del model
            with self._changed:
                slot.leases -= 1
                slot.used_at = time.monotonic()
                self._changed.notify_all()

    def device_slot(self, used: float = 0.0, *, light: bool = False) -> AbstractContextManager[None]:
        """A turn on the device, inside which each step of a task runs; see `FairLock.turn`. A light step only
        runs a short pass, and leaves the networks as they are.
        """
        return self._turn.turn(used, light)

    def unload(self, id: str) -> None:
        self.catalog[id]
        with self._changed:
            slot = self._slots[id]
            if slot.leases or slot.waiting:
                raise TourError(
                    Code.IN_USE, f"{id} is answering somebody; try again when it is idle.", "model"
                )
            if slot.active_adapters:
                raise TourError(
                    Code.IN_USE,
                    f"{id} is the body of {', '.join(slot.listed_adapters) or 'what a visitor has trained'}: "
                    "unload these first.",
                    "model",
                )
            if slot.state in _UNDER_WAY:
                raise TourError(Code.IN_USE, f"{id} is being loaded; try again when it is ready.", "model")
            _drop(slot)
            self._changed.notify_all()
        devices.release(self._device)

    def make_room(self) -> None:
        """Drop every idle model: the device has run out of memory."""
        self._evict(lambda: True)
        devices.release(self._device)

    def close(self) -> None:
        """Give up loads under way and drop what nobody leases."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._evict(lambda: True)

    # Inside: methods below that start with the condition held say so

    def _acquire(self, slot: _Slot) -> LoadedModel:
        with self._changed:
            attempt = self._start(slot)
            slot.waiting += 1
        try:
            failure = attempt.exception()  # waits until the attempt has ended
        except BaseException:
            with self._changed:
                slot.waiting -= 1
            raise
        with self._changed:
            slot.waiting -= 1
            model = slot.model  # there unless the attempt failed: what is waited for is not evicted
            if model is not None:
                slot.leases += 1
        if model is None:
            raise _again(failure)
        return model

    def _start(self, slot: _Slot) -> Future[None]:
        """Begin an attempt unless one is under way or done; condition held. Returns the attempt."""
        if self._closed:
            raise TourError(Code.BUSY, "The app is shutting down. Try again in a minute.")
        if slot.state not in (*_UNDER_WAY, State.READY):
            slot.attempt = Future()
            slot.state, slot.share, slot.stage, slot.error = State.FETCHING, None, "starting", None
            threading.Thread(
                target=self._attempt,
                args=(slot, slot.attempt),
                name=f"load {slot.checkpoint.id}",
                daemon=True,
            ).start()
            self._changed.notify_all()
        return slot.attempt

    def _attempt(self, slot: _Slot, attempt: Future[None]) -> None:
        try:
            model = self._bring_up(slot)
            with self._changed:
                slot.model, slot.nbytes, slot.used_at = model, model.nbytes, time.monotonic()
                slot.state, slot.share, slot.stage = State.READY, None, ""
                attempt.set_result(None)
                self._changed.notify_all()
            return
        except TourError as error:
            failure = _again(error)  # without its traceback, whose frames hold tensors
        except _ClosedError:
            failure = TourError(Code.BUSY, "The app is shutting down. Try again in a minute.")
        except Exception as error:  # noqa: BLE001 - a loader may raise anything; whoever waits must hear of it
            _log.exception("loading %s failed", slot.checkpoint.id)
            failure = TourError(
                Code.LOAD_FAILED,
                TEXTS["not_loaded"].format(model=slot.checkpoint.id, kind=type(error).__name__, error=error),
            )
        with self._changed:
            had_memory = slot.state is not State.FETCHING
            _drop(slot)
            slot.state, slot.error = State.FAILED, failure
            attempt.set_exception(failure)
            self._changed.notify_all()
        if had_memory:  # looking for it holds up everybody; a Hub out of reach is asked for many times
            devices.release(self._device)

    def _bring_up(self, slot: _Slot) -> LoadedModel:
        checkpoint = slot.checkpoint

        def report(share: float | None, stage: str, state: State = State.FETCHING) -> None:
            with self._changed:
                if self._closed:
                    raise _ClosedError
                if _view(slot) != (state, share, stage):  # else loads that watch one another would never rest
                    slot.state, slot.share, slot.stage = state, share, stage
                    self._changed.notify_all()

        self._sources.unreachable(checkpoint)  # starts the probe, so that its answer is there in time
        report(None, "starting PyTorch")
        device = self._pick_device()
        dtype = devices.precision(device)
        self._refuse_beyond_budget(checkpoint, checkpoint.whole_parameters * dtype.itemsize)
        body = self._bring_up_body(checkpoint, report)
        folder = self._sources.fetch(checkpoint, report, lambda: self._building)
        report(None, "waiting for memory", State.LOADING)
        self._reserve(slot, checkpoint.parameters * dtype.itemsize)
        report(None, "waiting for another load", State.LOADING)
        with self._building:
            report(None, "loading", State.LOADING)
            model = self._build(checkpoint, folder, device, dtype, body)
        self._refuse_beyond_budget(checkpoint, model.nbytes + (body.nbytes if body else 0))
        self._reserve(slot, model.nbytes)  # the estimate may have been low
        model.passes.beside = self._turn.shared
        return model

    def _bring_up_body(
        self, checkpoint: Checkpoint, report: Callable[[float | None, str, State], None]
    ) -> LoadedModel | None:
        """The loaded body of an adapter that is under way, which keeps it from being evicted."""
        if checkpoint.body is None:
            return None
        for status in self.wait(checkpoint.body.id):
            if status.state in _UNDER_WAY:
                report(status.share, f"{checkpoint.body.id}: {status.stage}", status.state)
        with self._changed:
            return self._slots[checkpoint.body.id].model

    def _build(
        self,
        checkpoint: Checkpoint,
        folder: Path,
        device: torch.device,
        dtype: torch.dtype,
        body: LoadedModel | None,
    ) -> LoadedModel:
        """Load; when memory runs out drop every idle model and load once more."""
        load = self._load_model
        if load is None:
            import_transformers()
            from components.models.loading import load as load_from_folder  # brings torch and transformers

            load = load_from_folder
        try:
            return load(checkpoint, folder, device, dtype, body)
        except Exception as error:
            if not devices.out_of_memory(error):
                raise
        self.make_room()
        try:
            return load(checkpoint, folder, device, dtype, body)
        except Exception as error:
            if not devices.out_of_memory(error):
                raise
            memory = self.memory()
            raise TourError(
                Code.OUT_OF_MEMORY,
                TEXTS["no_memory"].format(
                    model=checkpoint.id, device=device, used=_size(memory.used), budget=_size(memory.budget)
                ),
                "model",
            ) from None

    def _pick_device(self) -> torch.device:
        if self._device is None:
            with self._building:
                device = devices.pick(self._settings.device)
                if self._budget is None:
                    self._budget = devices.default_budget(device)
                self._device = device
        return self._device

    def _refuse_beyond_budget(self, checkpoint: Checkpoint, need: int) -> None:
        budget = self.memory().budget
        if need > budget:
            raise TourError(
                Code.OUT_OF_MEMORY,
                TEXTS["over_budget"].format(model=checkpoint.id, need=_size(need), budget=_size(budget)),
                "model",
            )

    def _reserve(self, slot: _Slot, need: int) -> None:
        """Set `need` bytes aside for a slot, evicting idle models; waits for leases to end."""

        def fits() -> bool:
            others = sum(other.nbytes for other in self._slots.values() if other is not slot)
            return others + need <= self.memory().budget

        deadline = time.monotonic() + self._patience
        while True:
            self._evict(lambda: not fits())
            with self._changed:
                if self._closed:
                    raise _ClosedError
                if fits():
                    slot.nbytes = need
                    return
                if (left := deadline - time.monotonic()) <= 0:
                    memory = self.memory()
                    raise TourError(
                        Code.OUT_OF_MEMORY,
                        TEXTS["memory_in_use"].format(
                            model=slot.checkpoint.id,
                            need=_size(need),
                            used=_size(memory.used - slot.nbytes),
                            budget=_size(memory.budget),
                        ),
                        "model",
                    )
                self._changed.wait(min(left, 0.5))

    def _evict(self, wanted: Callable[[], bool]) -> None:
        """Drop idle models, least recently used first, as long as `wanted`; then really free the memory."""
        dropped = False
        with self._changed:
            while wanted():
                idle = [slot for slot in self._slots.values() if slot.idle]
                if not idle:
                    break
                _drop(min(idle, key=lambda slot: slot.last_used))
                dropped = True
                self._changed.notify_all()
        if dropped:
            devices.release(self._device)


def _drop(slot: _Slot) -> None:
    slot.model, slot.nbytes = None, 0
    slot.state, slot.share, slot.stage, slot.error = State.ABSENT, None, "", None


def _view(slot: _Slot) -> tuple[State, float | None, str]:
    return slot.state, slot.share, slot.stage


def _again(failure: BaseException | None) -> TourError:
    """A copy for each waiter: raising one exception in several threads would tangle its traceback."""
    if not isinstance(failure, TourError):
        return TourError(Code.LOAD_FAILED, TEXTS["unloaded"])
    return TourError(failure.code, failure.message, failure.field)


def _size(nbytes: int) -> str:
    return f"{nbytes / 1e6:,.0f} MB"


def _with_local(catalog: Catalog, models_dir: Path | None) -> Catalog:
    """The catalog and, after it, the checkpoints found under `--models-dir`."""
    if models_dir is None:
        return catalog
    return Catalog((*catalog, *found(models_dir, tuple(catalog))))
