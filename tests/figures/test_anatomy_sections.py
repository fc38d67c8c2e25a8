"""Positions, ablations and sizes as they are drawn: true to their numbers, and text stays text."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from components.figures import ablation as ablations
from components.figures import positions as places
from components.figures import scaling as sizes_drawn
from components.figures.chart import Chart
from components.insight import scaling
from components.insight.difference import Choice, Difference, Predicts
from components.insight.parts import EVERY, Ablated, Cost, Costs, Offered, Part
from components.insight.placement import Map, Positions
from tests.figures.test_escaping import HOSTILE, Skeleton

PREDICTS: tuple[Predicts, ...] = (
    "next token",
    "first token",
    "gap",
    "label",
    "labels of tokens",
    "answer",
    "vector",
)


def difference(text: str, predicts: Predicts = "next token", after: str | None = None) -> Difference:
    other = text if after is None else after
    return Difference(
        predicts=predicts,
        before=text,
        after=other,
        had=0.8,
        kept=0.1,
        choices=(
            Choice(text=text, before=0.8, after=0.1, becomes=other),
            Choice(text="the", before=0.1, after=0.7, becomes="the"),
        ),
        distance=(0.25, 0.5),
        written_before=text,
        written_after=text,
    )


def offered(text: str) -> tuple[Offered, ...]:
    return (Offered(side="", layers=2, heads=2, cross_heads=0, what=("head",), missing=(text,)),)


def ablated(text: str, predicts: Predicts = "next token", after: str | None = None) -> Ablated:
    return Ablated(
        part=Part(what="head", layer=1, head=0),
        difference=difference(text, predicts, after),
        tokens=(text, "is"),
        offered=offered(text),
    )


def costs(text: str, predicts: Predicts = "next token") -> Costs:
    return Costs(
        had=0.8,
        says=text,
        predicts=predicts,
        costs=(
            Cost(part=Part(what="attention", layer=0), kept=0.7, says=text),
            Cost(part=Part(what="feed-forward", layer=0), kept=0.01, says=text),
        ),
        offered=offered(text),
    )


def positions(text: str) -> Positions:
    return Positions(
        maps=(drawn(text),),
        tokens=(text, "is"),
        shuffled=("is", text),
        moved_to=(1, 0),
        compared=(text, "is"),
        order=difference(text),
        order_without=replace(difference(text), distance=(0.0, 0.0)),
        without=difference(text),
        causal=False,
        missing=text,
    )


def drawn(path: str) -> Map:
    return Map(
        path=path,
        side="encoder",
        kind="learned",
        count=2,
        places=(0, 1),
        similarity=((1.0, 0.25), (0.25, 1.0)),
        nearest=0,
        by_distance=((path, (1.0, 0.25)),),
    )


def html(figure: Any) -> str:
    return str(figure.below()) if isinstance(figure, Chart) else str(figure)


FIGURES: dict[str, Callable[[str], Any]] = {
    "moved": lambda text: ablations.moved(ablated(text)),
    "costs": lambda text: ablations.costs(costs(text)),
    "order": lambda text: places.order(positions(text)),
    "changed": lambda text: places.changed(positions(text)),
    "heading": lambda text: places.heading(drawn(text)),
    "similarity": lambda text: places.similarity(drawn(text)),
    "by distance": lambda text: places.by_distance(drawn(text)),
    **{
        f"compared {one}": partial(lambda one, text: ablations.compared(ablated(text, one)), one)
        for one in PREDICTS
    },
}


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_model_says_stays_text(name: str, text: str) -> None:
    made, harmless = FIGURES[name](text), FIGURES[name]("word")
    assert Skeleton(html(made)).elements == Skeleton(html(harmless)).elements
    if isinstance(made, Chart):
        shown = json.dumps(json.loads(made.json())["data"])
        assert "<script" not in shown
        assert "<img" not in shown


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (Part(what="head", layer=3, head=2), "head 3 of layer 4"),
        (Part(what="head", layer=EVERY, head=EVERY), "every head of every layer"),
        (
            Part(what="head", layer=0, head=1, side="decoder", cross=True),
            "cross-attention head 2 of layer 1 of the decoder",
        ),
        (Part(what="feed-forward", layer=0), "the feed-forward part of layer 1"),
        (
            Part(what="residual", layer=EVERY, side="encoder"),
            "the residual path of every layer of the encoder",
        ),
        (Part(what="layer", layer=5), "layer 6"),
        (Part(what="positions"), "positions"),
    ],
)
def test_a_part_is_called_what_it_is(part: Part, words: str) -> None:
    assert ablations.named(part) == words


def test_what_it_cost_is_said_in_a_sentence() -> None:
    assert ablations.sentence(difference(" Paris", after=" the")) == (
        "“Paris” becomes “the”: what was 80.0 % likely is 10.0 % likely."
    )
    assert ablations.sentence(difference(" Paris")) == (
        "It stays “Paris”: 80.0 % with everything, 10.0 % without."
    )
    assert "1 of 2 tokens get another label" in ablations.sentence(
        difference("B-PER", "labels of tokens", "O")
    )
    assert "cosine of 0.100" in ablations.sentence(difference("", "vector"))


def test_the_costs_point_at_the_part_that_matters() -> None:
    chart = ablations.costs(costs("Paris"))
    assert "Most is lost without the feed-forward part of layer 1: 1.0 % is kept" in chart.below()
    [heat] = json.loads(chart.json())["data"]
    assert heat["z"] == [[0.7, 0.01]]
    assert (heat["zmin"], heat["zmax"]) == (0.01, 0.8)


def test_an_order_that_is_nothing_to_a_model_is_said_to_be() -> None:
    found = positions("word")
    assert "bag of words" in places.verdict(found)
    moved = replace(found, order_without=difference("word"))
    assert "still moves by up to 0.500" in places.verdict(moved)
    assert "sees only those before it" in places.verdict(replace(moved, causal=True))
    assert "cannot be told" in places.verdict(replace(found, order_without=None))


def test_a_relative_bias_has_no_map() -> None:
    bias = replace(drawn("bias"), kind="relative", similarity=(), places=(), nearest=-1)
    assert places.similarity(bias) is None
    [line] = json.loads(places.by_distance(bias).json())["data"]
    assert line["x"] == [-1, 0]


def test_sizes_are_told_in_words_and_numbers() -> None:
    own = scaling.checkpoints()["SmolLM2-135M-Instruct"]
    facts = Skeleton(str(sizes_drawn.facts(own, 1000, 100e9))).text
    for expected in ("135 million parameters", "134,515,008", "269 MB", "23 kB", "9 heads share", "69.1 kB"):
        assert expected in facts
    encoder = Skeleton(str(sizes_drawn.facts(scaling.checkpoints()["all-MiniLM-L6-v2"], 1000, 100e9))).text
    assert "it has no cache" in encoder
    ways = Skeleton(str(sizes_drawn.ways(own, 7e9))).text
    assert "What would make this 7 billion?" in ways
    assert "width alone" in ways


@pytest.mark.parametrize("id", ["SmolLM2-135M-Instruct", "all-MiniLM-L6-v2", "translator-en-de"])
def test_the_bars_are_the_shares_of_all_parameters(id: str) -> None:
    own = scaling.checkpoints()[id]
    traces = json.loads(sizes_drawn.parts(own, own).json())["data"]
    assert sum(trace["x"][0] for trace in traces) == pytest.approx(1)
    lines = json.loads(sizes_drawn.curves(own).json())["data"]
    for line in lines:
        assert line["y"][line["x"].index(1)] == scaling.count(own).total
