from __future__ import annotations

import pytest

from components.figures import answers, translations
from components.figures.markup import byte_size, percent


@pytest.mark.parametrize(
    ("text", "sequence", "marked"),
    [
        ("Paris is the [MASK] of France.", "Paris is the capital of France.", ["capital"]),
        ("[MASK] days are [MASK]", "Short days are cold", ["Short", "cold"]),
        ("the [MASK] the [MASK] the", "the cat the dog the", ["cat", "dog"]),
        # A tokenizer that lower-cases gives back another text: shown whole, nothing marked.
        ("Paris is the [MASK].", "paris is the capital.", []),
    ],
)
def test_what_was_filled_in_is_marked(text: str, sequence: str, marked: list[str]) -> None:
    drawn = str(answers.filled(text, {"sequence": sequence}))
    assert [part.split("</mark>")[0] for part in drawn.split("<mark>")[1:]] == marked
    assert drawn.replace("<mark>", "").replace("</mark>", "") == sequence


def test_similarity_is_ranked_and_keeps_each_sentence_with_its_score() -> None:
    request = {"source": "s", "sentences": ["far", "near", "middle"]}
    drawn = str(answers.similarity(request, {"scores": [-0.2, 0.9, 0.4], "matrix": []}))
    assert drawn.index("near") < drawn.index("0.900") < drawn.index("middle") < drawn.index("0.400")
    assert drawn.index("0.400") < drawn.index("far") < drawn.index("-0.200")
    assert "--share:0.0000" in drawn  # a bar can't be shorter than nothing
    assert "heat-map" not in drawn


def test_dot_products_fill_their_bars_by_the_largest() -> None:
    request = {"source": "s", "sentences": ["a", "b"], "measure": "dot"}
    drawn = str(answers.similarity(request, {"scores": [20.0, 5.0], "matrix": []}))
    assert "--share:1.0000" in drawn
    assert "--share:0.2500" in drawn


def test_all_pairs_are_a_square_with_the_highest_fullest() -> None:
    request = {"source": "s", "sentences": ["<b>x</b>"]}
    drawn = str(answers.similarity(request, {"scores": [0.5], "matrix": [[1.0, 0.5], [0.5, 1.0]]}))
    square = drawn.partition("heat-map")[2]
    assert square.count("--share:1.000") == square.count("--share:0.000") == 2
    assert "<b>" not in drawn


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.9731, "97.3 %"),
        (1.0, "100.0 %"),
        (0.0, "0.0 %"),
        (0.00001, "< 0.1 %"),
        (0.0006, "0.1 %"),
        (0.9999, "> 99.9 %"),
    ],
)
def test_percent_never_rounds_to_nothing_or_everything(share: float, words: str) -> None:
    assert percent(share) == words


@pytest.mark.parametrize(
    ("nbytes", "words"),
    [(0, "0 B"), (999, "999 B"), (92_871_040, "92.9 MB"), (725_800_000, "726 MB"), (24e9, "24.0 GB")],
)
def test_byte_size(nbytes: int, words: str) -> None:
    assert byte_size(nbytes) == words


@pytest.mark.parametrize("unsure", [True, False])
def test_translations_side_by_side_are_unfolded_where_the_model_is_unsure(unsure: bool) -> None:
    segments = [
        {"source": "a", "translation": "b", "score": 0.81, "unsure": False},
        {"source": "c", "translation": "d", "score": 0.31, "unsure": unsure},
    ]
    drawn = str(
        translations.translation({}, {"translation": "b d", "segments": segments, "alternatives": []})
    )
    assert (" open>" in drawn) == unsure
    assert drawn.count("(unsure)") == unsure
    assert drawn.index("81.0 %") < drawn.index("31.0 %")
