"""Which rows of several requests share a pass."""

from __future__ import annotations

import pytest
import torch

from components.models.passes import CROWD, Passes, Waiting, pick

ROOM = 64


def waiting(*lengths: int, key: str = "labels") -> Waiting[int]:
    return Waiting(key, lengths, lengths)


def run(requests: list[Waiting[int]], room: int = ROOM) -> list[int]:
    """One pass; the lengths of its rows."""
    picked = pick(requests, room)
    for one, place in picked:
        one.outputs[place] = one.lengths[place]
        one.tokens += one.lengths[place]
    return [one.lengths[place] for one, place in picked]


def test_the_longest_rows_of_one_request_fill_the_pass() -> None:
    one = waiting(8, 16, 15, 16, 9, 16, 1)
    assert run([one]) == [16, 16, 16, 15]
    assert run([one]) == [9, 8]  # a row of 1 would be padding almost alone
    assert run([one]) == [1]
    assert one.done


def test_rows_of_several_requests_share_a_pass() -> None:
    requests = [waiting(8), waiting(6), waiting(7), waiting(30), waiting(2)]
    assert run(requests) == [8, 6, 7]
    assert [one.done for one in requests] == [True, True, True, False, False]


def test_long_rows_fill_a_pass_without_those_of_others() -> None:
    requests = [waiting(16), waiting(16), waiting(9)]
    assert [run(requests[place:]) for place in range(3)] == [[16], [16], [9]]


def test_a_short_request_is_served_before_the_rest_of_long_ones() -> None:
    long = [waiting(*[16] * 50), waiting(*[16] * 50)]
    assert [run(long), run(long)] == [[16], [16]]  # no more than its share
    short = waiting(4)
    assert run([*long, short]) == [4]


def test_long_requests_go_on_in_turns() -> None:
    first, second = waiting(*[ROOM] * 3), waiting(*[ROOM] * 3)
    for _ in range(4):
        assert run([first, second]) == [ROOM]
    assert (len(first.outputs), len(second.outputs)) == (2, 2)


def test_a_row_longer_than_a_pass_has_one_to_itself() -> None:
    one = waiting(1000, 1)
    assert run([one]) == [1000]
    assert run([one]) == [1]


def test_a_crowd_leaves_each_request_its_share() -> None:
    many = [waiting(*[4] * 16) for _ in range(2 * CROWD)]
    assert sum(run(many)) == ROOM
    assert {len(one.outputs) for one in many} == {0, ROOM // CROWD // 4}


def test_requests_meet_those_of_their_kind_alone() -> None:
    passes = Passes()
    a, b, c, left = waiting(1), waiting(1, key="vectors"), waiting(1), waiting(1)
    for one in (a, b, c, left):
        passes.enter(one)
    passes.leave(left)
    passes.run(a, ROOM, lambda batch: [one.lengths[place] for one, place in batch])
    assert [one.done for one in (a, b, c, left)] == [True, False, True, False]


def test_a_row_that_fails_is_its_own_requests_alone() -> None:
    passes = Passes()
    good, bad = waiting(4), waiting(5)
    passes.enter(good)
    passes.enter(bad)

    def outputs(batch: list[tuple[Waiting[int], int]]) -> list[int]:
        if any(one is bad for one, _ in batch):
            raise ValueError("broken")
        return [0] * len(batch)

    passes.run(good, ROOM, outputs)
    assert good.done
    with pytest.raises(ValueError, match="broken"):
        passes.run(bad, ROOM, outputs)


def test_a_pass_that_runs_out_of_memory_is_run_in_parts() -> None:
    passes = Passes()
    own, other = waiting(*[4] * 6), waiting(*[4] * 6)
    passes.enter(own)
    passes.enter(other)
    tried: list[int] = []

    def outputs(batch: list[tuple[Waiting[int], int]]) -> list[int]:
        tried.append(len(batch))
        if len(batch) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return [place for _, place in batch]

    while not own.done:
        passes.run(own, ROOM, outputs)
    assert own.outputs == {place: place for place in range(6)}
    assert not other.outputs
    assert max(tried) > 2
    with pytest.raises(torch.OutOfMemoryError):
        passes.run(other, ROOM, exhausted)
    assert not other.outputs


def exhausted(batch: list[tuple[Waiting[int], int]]) -> list[int]:
    raise torch.OutOfMemoryError("CUDA out of memory.")
