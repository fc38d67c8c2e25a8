"""What a language model has learned, as it is drawn."""

from __future__ import annotations

from typing import Any

import pytest
from markupsafe import escape

from components.figures.lab_language import adapted, pretrained

HOSTILE = '<img src=x onerror="alert(1)"></td></table>${x}{{7*7}}'


def fit(value: float) -> dict[str, Any]:
    return {"perplexity": value, "bits": 1.5, "counted": 9, "tokens": 10}


def adaptation(**changes: Any) -> dict[str, Any]:
    return {
        "measure": "perplexity",
        "prompt": HOSTILE,
        "before": {"held_out": fit(50.0), "general": fit(20.0), "samples": [HOSTILE, ""]},
        "after": {"held_out": fit(5.0), "general": fit(30.0), "samples": ["grey brume", HOSTILE]},
        **changes,
    }


def pretraining(text: str) -> dict[str, Any]:
    return {
        "parameters": 767_872,
        "vocabulary": 102,
        "unit": "characters",
        "read": 614_400,
        "fit": fit(6.43),
        "samples": [
            {"step": 0, "perplexity": 112.8, "text": "xK yQ"},
            {"step": 300, "perplexity": 6.4, "text": text},
        ],
    }


def test_bars_are_as_long_as_perplexities_and_say_them() -> None:
    drawn = adapted(adaptation())
    shares = [float(part.split('"')[0]) for part in drawn.split("--share:")[1:]]
    assert shares == [1.0, 0.1, 0.4, 0.6]
    for value in ("50.0", "5.0", "20.0", "30.0"):
        assert f">{value}</td>" in drawn
    assert "fell to 10 % of its previous value" in drawn
    assert "rose to 150 %" in drawn


def test_it_is_said_when_nothing_was_learned_or_forgotten() -> None:
    after = {"held_out": fit(51.0), "general": fit(20.0), "samples": []}
    drawn = adapted(adaptation(after=after))
    assert "did not fall" in drawn
    assert "stayed about the same" in drawn


def test_a_masked_model_is_not_said_to_have_a_perplexity() -> None:
    assert "Pseudo-perplexity: each token" in adapted(adaptation(measure="pseudo-perplexity"))
    assert "Pseudo" not in adapted(adaptation())


def test_what_was_written_stands_beside_its_step() -> None:
    drawn = pretrained(pretraining("the old road"))
    assert drawn.index("xK yQ") < drawn.index("the old road")
    for words in ("767,872 parameters", "102 characters", "614,400", ">112.8<", "1.50 bits"):
        assert words in drawn
    assert "only white space" in pretrained(pretraining(" \n"))


@pytest.mark.parametrize("drawn", [adapted(adaptation()), pretrained(pretraining(HOSTILE))])
def test_what_is_written_is_no_markup(drawn: str) -> None:
    assert str(escape(HOSTILE)) in drawn
    assert "<img" not in drawn
