"""Windows against plain arithmetic: every token is kept once, where it has most context."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.models.checkpoint import LoadedModel
from components.models.errors import Code, TourError
from components.tasks import windows

Lease = Callable[[str], LoadedModel]
LONG = "The quick brown fox jumps over the lazy dog. 👩‍🚀 " * 40


@given(st.integers(1, 400), st.integers(2, 60), st.data())
def test_each_token_is_kept_where_it_has_most_context(tokens: int, room: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, room // 2))
    starts = [0]
    while starts[-1] + room < tokens:
        starts.append(starts[-1] + room - overlap)
    ends = [min(start + room, tokens) for start in starts]

    def context(token: int, window: int) -> int:
        """Tokens to the nearer end of the window that is not the text's own; none if it is not in it."""
        if not starts[window] <= token < ends[window]:
            return -1
        left = token - starts[window] if starts[window] else tokens
        right = ends[window] - 1 - token if ends[window] < tokens else tokens
        return min(left, right)

    kept = windows.kept([end - start for start, end in zip(starts, ends, strict=True)], overlap)
    seen = []
    for window, (start, end) in enumerate(kept):
        for token in range(starts[window] + start, starts[window] + end):
            seen.append(token)
            assert context(token, window) >= max(context(token, other) for other in range(len(starts))) - 1
    assert seen == list(range(tokens))


@pytest.mark.parametrize(
    ("model", "question"), [("tiny-tagger", None), ("tiny-tagger", "Who jumps?"), ("tiny-causal-lm", None)]
)
@pytest.mark.parametrize("overlap", [0, 1, 7, 10_000])
def test_windows_hold_the_text(model: str, overlap: int, question: str | None, lease: Lease) -> None:
    loaded = lease(model)
    whole = loaded.tokenizer(LONG, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    parts = windows.split(loaded, LONG, overlap=overlap, question=question)
    kept = [(part, place) for part in parts for place in part.kept]
    assert [part.row["input_ids"][place] for part, place in kept] == whole["input_ids"]
    assert [part.offsets[place] for part, place in kept] == [tuple(pair) for pair in whole["offset_mapping"]]
    assert max(len(part.offsets) for part in parts) <= loaded.checkpoint.token_limit
    room = len(parts[0].positions)
    assert windows.shared(parts) == min(overlap, room // 2)
    assert windows.tokens_used(parts) == len(whole["input_ids"]) + len(parts[0].offsets) - room


def test_what_leaves_no_room_is_refused(lease: Lease) -> None:
    with pytest.raises(TourError) as caught:
        windows.split(lease("tiny-tagger"), "A fox.", question="fox " * 200)
    assert (caught.value.code, caught.value.field) == (Code.TOO_LONG, "question")
