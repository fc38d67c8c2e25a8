"""`generate()` a token at a time. Imports torch: import this inside `run`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import torch
from transformers import LogitsProcessor, LogitsProcessorList

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class _StoppedError(Exception):
    """Nobody wants the rest."""


Processor = Callable[[torch.LongTensor, torch.FloatTensor], torch.FloatTensor]


def generate(
    network: PreTrainedModel, *processors: Processor, **arguments: Any
) -> Generator[int, None, torch.Tensor]:
    """What `network.generate(**arguments)` returns; yields how many tokens there are after each.

    `processors` change logits after the library's own, as `logits_processor` does.

    `generate()` runs in a thread of its own, which goes on only while this generator is being asked for
    its next value: so work stays inside the caller's turn, and closing the generator ends it at once.
    """
    relay = _Relay()

    def work() -> Any:
        write: Any = network.generate  # typed as a module's attribute
        return write(**arguments, logits_processor=LogitsProcessorList([*processors, relay]))

    worker = threading.Thread(target=relay.run, args=(work,), name="generate", daemon=True)
    worker.start()
    tokens = 0
    try:
        while not relay.next():
            yield tokens
            tokens += 1
    finally:
        relay.stop()
        worker.join()
    ids: torch.Tensor = relay.result()
    return ids


class _Relay(LogitsProcessor):
    """A baton between two threads, of which one runs at a time; as a processor it changes no logits."""

    def __init__(self) -> None:
        self._go, self._done = threading.Semaphore(0), threading.Semaphore(0)
        self._ended = self._stopped = False
        self._result: Any = None
        self._error: BaseException | None = None

    def run(self, work: Any) -> None:
        self._go.acquire()
        try:
            if not self._stopped:
                self._result = work()
        except _StoppedError:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again where the caller waits
            self._error = error
        self._ended = True
        self._done.release()

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        self._done.release()
        self._go.acquire()
        if self._stopped:
            raise _StoppedError
        return scores

    def next(self) -> bool:
        """Lets the work go on to the next token; whether it has ended."""
        self._go.release()
        self._done.acquire()
        return self._ended

    def stop(self) -> None:
        self._stopped = True
        self._go.release()

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._result
