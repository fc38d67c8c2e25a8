"""What ZeroGPU's `spaces.GPU` does with a generator function, without a GPU: each call runs in a fork.

Arguments and results are pickled, and whatever the fork changes is lost with it.
"""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any


def forked(task: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    context = multiprocessing.get_context("fork")

    @wraps(task)
    def call(*arguments: Any) -> Iterator[Any]:
        receiver, sender = context.Pipe(duplex=False)
        worker = context.Process(target=_work, args=(task, pickle.dumps(arguments), sender), daemon=True)
        worker.start()
        sender.close()
        try:
            while True:
                try:
                    kind, value = receiver.recv()
                except EOFError:
                    raise RuntimeError("the worker ended without a word") from None
                if kind == "end":
                    return
                if kind == "error":
                    raise RuntimeError(value)
                yield value
        finally:
            worker.terminate()
            worker.join()

    return call


def _work(task: Callable[..., Iterator[Any]], arguments: bytes, sender: Any) -> None:
    import torch

    torch.set_num_threads(1)  # OpenMP's threads are not there after a fork
    try:
        for step in task(*pickle.loads(arguments)):  # noqa: S301 - our own
            sender.send(("step", step))
        sender.send(("end", None))
    except Exception as error:  # noqa: BLE001 - the caller shall hear of anything
        sender.send(("error", repr(error)))
