"""What the story page draws and counts: masks as in the networks, attention as its formula says."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from components.figures.architectures import drawn, may_read
from components.figures.attention_example import attend, steps
from tests.figures.test_escaping import HOSTILE, Skeleton

SVG = "{http://www.w3.org/2000/svg}"


def test_an_encoder_reads_everything() -> None:
    assert may_read(3, 0) == [[True] * 3] * 3


def test_a_decoder_reads_what_was_before() -> None:
    assert may_read(0, 3) == [[True, False, False], [True, True, False], [True, True, True]]


def test_what_is_written_reads_the_source_and_what_was_written_before() -> None:
    assert may_read(2, 2) == [
        [True, True, False, False],
        [True, True, False, False],
        [True, True, True, False],
        [True, True, True, True],
    ]


@pytest.mark.parametrize(("source", "target"), [(4, 0), (0, 4), (3, 2)])
def test_lines_and_matrix_say_the_same_as_the_mask(source: int, target: int) -> None:
    words = [f"w{place}" for place in range(source + target)]
    picture = ElementTree.fromstring(str(drawn(words[:source], words[source:], "Said")))  # noqa: S314 - ours
    allowed = sum(map(sum, may_read(source, target)))
    lines = [one.attrib["class"] for one in picture.iter(f"{SVG}polyline")]
    cells = [one.attrib["class"] for one in picture.iter(f"{SVG}rect")]
    assert len([one for one in lines if one.startswith("reads")]) == allowed
    assert cells.count("may") + cells.count("across") == allowed
    assert cells.count("across") == lines.count("reads across") == source * target
    assert cells.count("hidden") == lines.count("stroke") == len(words) ** 2 - allowed


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_tokens_stay_text(text: str) -> None:
    assert Skeleton(drawn([text], [text], text)).elements == Skeleton(drawn(["a"], ["b"], "c")).elements
    told, harmless = (steps(one, (1.0,), {one: (1.0,)}, {one: (1.0,)}, [one]) for one in (text, "a"))
    assert Skeleton(told).elements == Skeleton(harmless).elements


def test_attention_is_what_torch_computes() -> None:
    torch = pytest.importorskip("torch")
    query, keys, values = (0.3, -1.2, 2.0), [(1.0, 0.5, -0.2), (0.0, 2.0, 1.0)], [(1.0, 4.0), (-2.0, 0.5)]
    found = attend(query, keys, values)
    expected = torch.nn.functional.scaled_dot_product_attention(
        torch.tensor([query]), torch.tensor(keys), torch.tensor(values)
    )
    assert found.mean == pytest.approx(expected[0].tolist(), abs=1e-6)
    assert math.fsum(found.shares) == pytest.approx(1)


def test_steps_show_what_was_computed() -> None:
    keys, values = {"a": (2.0, 9.0), "b": (0.0, 1.0)}, {"a": (1.0,), "b": (0.0,)}
    text = Skeleton(steps("it", (2.0, 0.0), keys, values, ["x"])).text
    share = math.exp(4 / math.sqrt(2)) / (math.exp(4 / math.sqrt(2)) + 1)
    assert f"{share * 100:.1f} %" in text
    assert f"{share:.2f}×1.0 + {1 - share:.2f}×0.0 = {share:.2f}" in text
