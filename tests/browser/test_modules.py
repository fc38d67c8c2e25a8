"""Functions of the pages' modules that need no page: what they give for what they are given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

CALL = """async ([name, called, given]) => (await import(`./${name}.js`))[called](...given)"""


def called(page: Page, name: str, function: str, *given: Any) -> Any:
    return page.evaluate(CALL, [name, function, list(given)])


LOGITS = {"tokens": [["a", 3.0], ["b", 2.0], ["c", 0.5]], "rest": [[-1.0, 10]]}
FREE = {"temperature": 1, "top_k": 0, "top_p": 1, "min_p": 0}


@pytest.mark.parametrize(
    ("options", "kept"),
    [({}, 4), ({"top_k": 2}, 2), ({"top_p": 0.5}, 1), ({"min_p": 0.2}, 2), ({"temperature": 0}, 1)],
)
def test_shares_of_the_next_token_sum_to_one(module_page: Page, options: Any, kept: int) -> None:
    rows = called(module_page, "generation", "distribution", LOGITS, FREE | options)
    assert sum(share * count for share, count in rows) == pytest.approx(1)
    assert sum(share > 0 for share, _ in rows) == kept
    if not options:
        logits = np.array([3.0, 2.0, 0.5, *[-1.0] * 10])
        shares = np.exp(logits) / np.exp(logits).sum()
        assert [share for share, _ in rows] == pytest.approx(shares[:4].tolist())


def test_cells_are_code_points_but_where_the_answer_says_otherwise(module_page: Page) -> None:
    assert called(module_page, "aligned-tokenizations", "cellsOf", "añ😀x", []) == ["a", "ñ", "😀", "x"]
    assert called(module_page, "aligned-tokenizations", "cellsOf", "a👩‍👧b", [[1, 3]]) == ["a", "👩‍👧", "b"]


def test_search_ranks_titles_before_mentions_and_needs_every_word(module_page: Page) -> None:
    entries = [
        {"kind": "Page", "title": "Layer by layer", "about": "What attention adds.", "href": "./a"},
        {"kind": "Example", "title": "Self-attention", "about": "", "href": "./b"},
        {"kind": "Page", "title": "Attention", "about": "Who reads from whom.", "href": "./c"},
        {"kind": "Page", "title": "Café", "about": "", "href": "./d"},
    ]

    def found(query: str) -> list[str]:
        return [one["href"][2:] for one in called(module_page, "search", "matches", entries, query)]

    assert found("ATTEN") == ["c", "b", "a"]
    assert found("attention whom") == ["c"]
    assert found("cafe") == ["d"]
    assert found("nothing") == found("attention nothing") == []
    assert found(" ") == ["a", "c", "d"]


def test_links_leave_out_defaults_and_are_refused_when_too_long(module_page: Page) -> None:
    setting = {"names": ["text", "top_k", "model"], "defaults": {"top_k": 5}}
    link = called(module_page, "links", "linkTo", setting, ["a b&c", "5", None])
    assert link == "http://modules.test/?text=a+b%26c&run=1"
    assert called(module_page, "links", "linkTo", setting, ["x" * 9000, 5, "m"]) is None


def test_a_link_says_what_is_seen_of_attention(module_page: Page) -> None:
    given = {"view": "lines", "layer": 1}
    search = "?view=matrix&layer=3&head=mean&words=1&special=0"
    assert called(module_page, "attention-links", "linkedView", given, search) == {
        "view": "matrix",
        "layer": 3,
        "head": "mean",
        "words": True,
        "special": False,
    }
    assert called(module_page, "attention-links", "linkedView", given, "?layer=x1&head=-2") == given


def test_tokens_of_a_group_are_drawn_as_one(module_page: Page) -> None:
    tokens = [
        {"text": "[CLS]", "special": True, "sequence": 0},
        {"text": "play", "special": False, "sequence": 0},
        {"text": "ing", "special": False, "sequence": 0},
        {"text": "play", "special": False, "sequence": 1},
    ]
    assert called(module_page, "attention-data", "items", tokens, [[1, 2], [3]]) == [
        {"text": "playing", "places": [1, 2], "special": False, "sequence": 0},
        {"text": "play", "places": [3], "special": False, "sequence": 1},
    ]


STATE = {"view": "matrix", "head": 1, "special": True, "words": False, "pair": "all", "run": "first"}
STACK = {
    "causal": False,
    "rows": [{"text": text, "special": False, "sequence": place} for place, text in enumerate("ab")],
    "columns": [{"text": text, "special": False, "sequence": place} for place, text in enumerate("ab")],
    "groups": {"special=1&words=0": {"rows": [[0], [1]], "columns": [[0], [1]]}},
}


@pytest.mark.parametrize(
    ("changes", "values"),
    [
        ({}, [0, 1, 0.2, 0.8]),
        ({"head": "mean"}, [0.5, 0.5, 0.2, 0.8]),
        ({"pair": "ab"}, [1]),
        ({"run": "second"}, [0.4, 0.6, 0.2, 0.8]),
        ({"run": "difference"}, [0.4, -0.4, 0, 0]),
    ],
)
def test_a_matrix_of_attention_is_cut_from_the_bytes_of_a_layer(
    module_page: Page, changes: dict[str, Any], values: list[float]
) -> None:
    drawn = module_page.evaluate(
        """async ([first, second, stack, state]) => {
          const { matrixOf } = await import("./attention-data.js");
          const weights = (data) => ({ shape: [2, 2, 2], data: Uint8Array.from(data) });
          const matrix = matrixOf(weights(first), second && weights(second), stack, state);
          return { ...matrix, values: [...matrix.values] };
        }""",
        [
            [255, 0, 51, 204, 0, 255, 51, 204],
            [0, 0, 0, 0, 102, 153, 51, 204] if "run" in changes else None,
            STACK,
            STATE | changes,
        ],
    )
    assert drawn["values"] == pytest.approx(values)
    assert drawn["most"] == pytest.approx(max(map(abs, values)))
    assert drawn["signed"] == (changes.get("run") == "difference")


@pytest.mark.parametrize(
    ("x", "y", "found"),
    [(45, 35, {"row": 1, "column": 2}), (5, 35, {"row": 1, "column": None}), (45, 5, None), (90, 35, None)],
)
def test_a_point_of_the_matrix_is_a_pair(module_page: Page, x: int, y: int, found: Any) -> None:
    picture = {"view": "matrix", "rows": [{}] * 3, "columns": [{}] * 5}
    view = {"picture": picture, "place": {"x": 20, "top": 20, "cell": 10}}
    assert called(module_page, "attention-drawing", "found", view, x, y) == found


def test_long_text_is_cut_between_characters(module_page: Page) -> None:
    assert called(module_page, "typing", "drawable", 3, "ab😀", 1) == ["ab\ufffd", 1]
    assert called(module_page, "typing", "shortened", 2, 0, "😀😀😀", "x") == [0, "😀😀", "x"]


@pytest.mark.parametrize(("values", "shape"), [([1.5, -2, 0], [3]), ([[1, 2, 3], [4, 5, 6]], [2, 3])])
def test_npy_files_are_numpys(module_page: Page, values: Any, shape: list[int], tmp_path: Any) -> None:
    sent = module_page.evaluate(
        """async ([values, shape]) => {
          const blob = (await import("./exports.js")).npy(values, shape);
          return [...new Uint8Array(await blob.arrayBuffer())];
        }""",
        [values, shape],
    )
    (tmp_path / "a.npy").write_bytes(bytes(sent))
    read = np.load(tmp_path / "a.npy", allow_pickle=False)
    assert read.dtype == np.float32
    assert read.tolist() == values


def test_text_of_an_element_stays_text(module_page: Page) -> None:
    html = module_page.evaluate(
        """async () => (await import("./dom.js")).make("b", "c", "<img src=x>").outerHTML"""
    )
    assert html == '<b class="c">&lt;img src=x&gt;</b>'


@pytest.mark.parametrize(
    ("language", "text", "kinds"),
    [
        ("python", "for x in a:  # 'b'\n", {"for": "keyword", "in": "keyword", "# 'b'": "comment"}),
        ("python", "s = \"# no\" + 'it\\'s' + 1.5e-3", {'"# no"': "string", "1.5e-3": "number"}),
        ("json", '{"a#": [true, -1, null]}', {'"a#"': "string", "true": "keyword", "-1": "number"}),
        ("shell", "curl -d '{\"a\": 1}' # call", {"'{\"a\": 1}'": "string", "# call": "comment"}),
        ("python", '"' * 30_000, {'"' * 6: "string"}),
    ],
)  # fmt: skip
def test_code_is_coloured_and_stays_what_it_is(
    module_page: Page, language: str, text: str, kinds: dict[str, str]
) -> None:
    parts = called(module_page, "code", "parts", text, language)
    assert "".join(part for _, part in parts) == text
    found = {part: kind for kind, part in parts if kind}
    assert {part: found.get(part) for part in kinds} == kinds
