"""Packed continuations of a shared text, against one plain forward pass each."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest
import torch

from components.models.checkpoint import LoadedModel
from components.tasks import causal
from tests.tasks.suite import finish

SHARED = [5, 17, 40, 9, 33, 8, 21]
CONTINUATIONS = [[7], [7, 8, 9], [30, 31, 32, 33, 34], [7, 8], [50] * 12]


def logprobs(model: LoadedModel, ids: list[int]) -> torch.Tensor:
    with torch.inference_mode():
        return model.network(input_ids=torch.tensor([ids])).logits[0].log_softmax(dim=-1)


@pytest.mark.parametrize(
    ("id", "room"),
    [("tiny-causal-lm", 192), ("tiny-causal-lm", 6), ("tiny-causal-lm", 1), ("SmolLM2-135M-Instruct", 6)],
)
def test_equal_to_plain_forward_passes(
    id: str, room: int, lease: Callable[[str], LoadedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = lease(id)
    continuations = CONTINUATIONS if id.startswith("tiny-") else CONTINUATIONS[:3]
    monkeypatch.setitem(causal.CHUNK, "cpu", room)  # all in one pack, several in one, one in each
    context = causal.Context(model)

    @functools.cache  # what is shared comes again, and so do its continuations
    def plain(ids: tuple[int, ...]) -> torch.Tensor:
        return logprobs(model, [*ids])

    # What is shared grows, shrinks, stays and changes; what was kept of it must not show.
    for shared in (SHARED, SHARED[:3], SHARED[:3], [*SHARED[:2], 60, 61], [5]):
        likelihoods = finish(context.log_likelihoods(shared, continuations))
        following = finish(context.next_tokens(shared, [[], *continuations]))
        for ids, likelihood in zip(continuations, likelihoods, strict=True):
            table = plain((*shared, *ids))[len(shared) - 1 : -1]
            expected = table[torch.arange(len(ids)), torch.tensor(ids)].sum()
            torch.testing.assert_close(likelihood, expected, atol=1e-3, rtol=1e-5)
        for ids, row in zip([[], *continuations], following, strict=True):
            torch.testing.assert_close(row, plain((*shared, *ids))[-1], atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("id", ["tiny-causal-lm", "SmolLM2-135M-Instruct"])
def test_several_texts_in_one_pass(id: str, lease: Callable[[str], LoadedModel]) -> None:
    model = lease(id)
    texts = [
        causal.Branching(ids=shared, continuations=continuations)
        for shared, continuations in ((SHARED, CONTINUATIONS[:3]), ([5], [[7, 8], [9]]), (SHARED[:3], [[4]]))
    ]
    for text, found in zip(texts, causal.log_likelihoods(model, texts), strict=True):
        expected = finish(causal.Context(model).log_likelihoods(text.ids, text.continuations))
        torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-5)


def test_the_shared_start_of_sequences() -> None:
    assert causal.shared_start([[1, 2, 3], [1, 2], [1, 2, 4]]) == [1, 2]
    assert causal.shared_start([[1], [2]]) == []
    assert causal.shared_start([[1, 2]]) == [1, 2]
