"""The tokenizers of checkpoints, without their weights in memory, and those that visitors trained."""

from __future__ import annotations

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Generator
from concurrent.futures import Future
from dataclasses import dataclass, field

from components.models.checkpoint import Checkpoint, HubSource, Source
from components.models.errors import Code, TourError
from components.models.library import import_transformers
from components.models.registry import Registry
from components.models.status import Report
from components.models.tokenizer import Tokenizer, wrapped
from components.texts import in_folder

TEXTS = in_folder(__file__)

MOST_KEPT = 24  # tokenizers of checkpoints; a large one takes some ten megabytes
MOST_TRAINED = 50
TRAINED = "trained:"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stage:
    """What goes on while a tokenizer is fetched; `share` in [0, 1], None if unknown."""

    words: str
    share: float | None = None


@dataclass
class _Attempt:
    stage: Stage = Stage("starting")
    outcome: Future[Tokenizer] = field(default_factory=Future)


class Tokenizers:
    """Asked for by a checkpoint's id, by that of any repository on the Hub, or by what `add` gave back."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._kept: OrderedDict[str, Tokenizer] = OrderedDict()
        self._trained: OrderedDict[str, Tokenizer] = OrderedDict()
        self._attempts: dict[str, _Attempt] = {}
        self._lock = threading.Lock()
        self._reading = threading.Lock()  # one at a time: the libraries' first import is slow enough

    def wait(self, id: str) -> Generator[Stage, None, Tokenizer]:
        """The tokenizer; until it is there, what goes on, about three times a second. Raises `TourError`."""
        if (found := self.ready(id)) is not None:
            return found
        attempt = self._start(id)
        while True:
            try:
                return attempt.outcome.result(timeout=0.3)
            except TimeoutError:
                yield attempt.stage

    def get(self, id: str) -> Tokenizer:
        """As `wait`, without a word until it is there."""
        return self.ready(id) or self._start(id).outcome.result()

    def ready(self, id: str) -> Tokenizer | None:
        """The tokenizer if it is in memory."""
        with self._lock:
            for place in (self._kept, self._trained):
                if id in place:
                    place.move_to_end(id)
                    return place[id]
        return None

    def add(self, tokenizer: Tokenizer) -> str:
        """Keeps a trained tokenizer as long as there is room; returns the id to ask for it by."""
        id = TRAINED + secrets.token_urlsafe(6)
        with self._lock:
            self._trained[id] = tokenizer
            while len(self._trained) > MOST_TRAINED:
                self._trained.popitem(last=False)
        return id

    def limit(self, id: str) -> int | None:
        """How many tokens the checkpoint reads at once; None where the catalog does not say."""
        return self._registry.catalog[id].token_limit if id in self._registry.catalog else None

    def source(self, id: str) -> Source | None:
        """Where its files come from; None for one that was trained here. Raises `TourError`."""
        if id in self._trained:
            return None
        owner = self._owner(id)
        return owner.source if isinstance(owner, Checkpoint) else owner

    def _owner(self, id: str) -> Checkpoint | HubSource:
        """Whose files hold the tokenizer: an adapter's are its body's."""
        catalog = self._registry.catalog
        if id in catalog:
            return catalog[id].parts[0]
        if id.startswith(TRAINED):
            raise TourError(
                Code.UNKNOWN_MODEL,
                TEXTS["expired"],
                "tokenizers",
            )
        if not self._registry.may_be_named(id):
            known = ", ".join(checkpoint.id for checkpoint in catalog if checkpoint.body is None)
            raise TourError(
                Code.UNKNOWN_MODEL,
                f"There is no tokenizer {id[:80]!r}. Pick one of {known}"
                + (", or the id of a repository on the Hub, as owner/name." if self._registry.open else "."),
                "tokenizers",
            )
        return HubSource(repo=id)

    def _start(self, id: str) -> _Attempt:
        owner = self._owner(id)
        with self._lock:
            attempt = self._attempts.get(id)
            if attempt is None:
                attempt = self._attempts[id] = _Attempt()
                threading.Thread(
                    target=self._attempt, args=(id, owner, attempt), name=f"tokenizer {id}", daemon=True
                ).start()
        return attempt

    def _attempt(self, id: str, owner: Checkpoint | HubSource, attempt: _Attempt) -> None:
        def report(share: float | None, words: str) -> None:
            attempt.stage = Stage(words, share)

        try:
            # Adapters of one body share its tokenizer, whichever of them was asked for first.
            name = owner.id if isinstance(owner, Checkpoint) else id
            tokenizer = self.ready(name) or self._read(name, owner, report)
        except TourError as error:
            unlisted = isinstance(owner, HubSource) and error.code is Code.UNREACHABLE
            failure: Exception = TourError(
                error.code,
                f"{id} is not in the list, and {error.message}" if unlisted else error.message,
                "tokenizers",
            )
        except Exception as error:  # noqa: BLE001 - the libraries raise anything for files they cannot read
            _log.exception("reading the tokenizer of %s failed", id)
            failure = TourError(
                Code.LOAD_FAILED,
                f"The tokenizer of {id} could not be read ({type(error).__name__}). Pick another.",
                "tokenizers",
            )
        else:
            with self._lock:
                for each in {id, name}:
                    self._kept[each] = tokenizer
                while len(self._kept) > MOST_KEPT:
                    self._kept.popitem(last=False)
                del self._attempts[id]
            attempt.outcome.set_result(tokenizer)
            return
        with self._lock:
            del self._attempts[id]  # failure is not kept: whoever asks next tries again
        attempt.outcome.set_exception(failure)

    def _read(self, name: str, owner: Checkpoint | HubSource, report: Report) -> Tokenizer:
        folder = self._registry.fetch_tokenizer(owner, report)
        report(None, "reading")
        with self._reading:
            import_transformers()
            from transformers import AutoTokenizer

            library = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            found = wrapped(library)
        if found is None:
            raise TourError(
                Code.UNSUITABLE_MODEL,
                TEXTS["no_positions"].format(name=name),
                "tokenizers",
            )
        return found
