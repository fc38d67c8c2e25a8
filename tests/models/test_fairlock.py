"""Turns go round in the order of asking."""

from __future__ import annotations

import threading
from collections.abc import Callable

from components.models.fairlock import FairLock


def queued(lock: FairLock, count: int) -> Callable[[], bool]:
    return lambda: len(lock._queue) == count


def wait_until(true: Callable[[], bool]) -> None:
    """Give way to other threads until something holds; the suite's time limit bounds it."""
    pause = threading.Event()
    while not true():
        pause.wait(0.001)


def test_a_greedy_thread_starves_nobody() -> None:
    """The holder asks again at once after each release; ten others are served in the order they came."""
    lock, order, threads = FairLock(), [], []

    def visitor(name: int) -> None:
        with lock.turn():
            order.append(name)

    with lock.turn():
        for name in range(10):
            threads.append(threading.Thread(target=visitor, args=(name,)))
            threads[-1].start()
            wait_until(queued(lock, name + 1))
    for _ in range(20):
        with lock.turn():
            order.append(-1)
    for thread in threads:
        thread.join()
    assert order == [*range(10), *[-1] * 20]


def test_two_generators_alternate() -> None:
    lock, order = FairLock(), []

    def generate(name: str, other: threading.Event, mine: threading.Event) -> None:
        mine.set()
        other.wait()
        for _ in range(50):
            with lock.turn():
                order.append(name)
                wait_until(lambda: bool(lock._queue) or "".join(order).count(name) == 50 or done.is_set())
        done.set()

    a, b, done = threading.Event(), threading.Event(), threading.Event()
    threads = [
        threading.Thread(target=generate, args=("a", b, a)),
        threading.Thread(target=generate, args=("b", a, b)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "aa" not in "".join(order)[:98]
    assert "bb" not in "".join(order)[:98]


def test_an_error_inside_releases() -> None:
    lock = FairLock()
    for _ in range(2):
        try:
            with lock.turn():
                raise KeyError
        except KeyError:
            pass
    with lock.turn():
        pass


def test_mutual_exclusion() -> None:
    lock, inside, seen = FairLock(), [], []

    def worker() -> None:
        for _ in range(200):
            with lock.turn():
                inside.append(1)
                seen.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=worker) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 1600
    assert set(seen) == {1}


def test_light_turns_run_beside_a_holder_that_shares_and_nobody_else_does() -> None:
    lock, order = FairLock(), []

    def visitor(name: str, light: bool) -> None:
        with lock.turn(light=light):
            order.append(name)

    threads = [threading.Thread(target=visitor, args=(name, name != "full")) for name in ("full", "a", "b")]
    with lock.turn():
        for number, thread in enumerate(threads):
            thread.start()
            wait_until(queued(lock, number + 1))
        assert not order
        with lock.shared():
            wait_until(lambda: len(order) == 2)
        order.append("holder")
    for thread in threads:
        thread.join()
    assert order == ["a", "b", "holder", "full"]


def test_who_shared_the_lock_has_it_alone_afterwards() -> None:
    lock, inside, leave = FairLock(), threading.Event(), threading.Event()
    left = []

    def guest() -> None:
        with lock.turn(light=True):
            with lock.shared():  # nobody comes beside a guest
                inside.set()
                leave.wait()
            left.append(True)

    def holder() -> None:
        with lock.turn():
            with lock.shared():
                inside.wait()
            assert left
            left.append(False)

    one, other = threading.Thread(target=holder), threading.Thread(target=guest)
    one.start()
    wait_until(lambda: lock._shared)
    other.start()
    inside.wait()
    late = threading.Thread(target=guest)
    late.start()
    wait_until(lambda: not lock._shared and len(lock._queue) == 1)  # the holder waits for its guest
    leave.set()
    for thread in (one, other, late):
        thread.join()
    assert left == [True, False, True]
