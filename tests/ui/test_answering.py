"""The translation between what is typed on a page, the API's JSON and a link, for every page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.address import Published
from components.figures.comparison import Column, agreement
from components.figures.markup import Markup
from components.lab.lab import Lab
from components.models.settings import Settings
from components.temporary import TemporaryFiles
from components.ui import conversation, links, picker
from components.ui.answering import PageController
from components.ui.page import Example, TaskPage, Tour
from demos import PAGES, TASKS, examples

CASES = [
    pytest.param(page, entry, id=f"{page.slug}: {entry.label}")
    for page in PAGES
    if isinstance(page, TaskPage)
    for entry in examples.load(page.task)
]
TASK_PAGES = [page for page in PAGES if isinstance(page, TaskPage)]


@pytest.fixture
def tour(runner: Any, tmp_path: Path) -> Tour:
    return Tour(
        registry=runner.registry,
        lab=Lab(runner.registry, Settings(cache_dir=tmp_path)),
        runner=runner,
        profile="embedded",
        pages=PAGES,
        examples={task.name: examples.load(task) for task in TASKS},
        published=Published(local="http://127.0.0.1:7860"),
        files=TemporaryFiles(tmp_path / "files", budget=10**9),
    )


def link_query(controller: PageController, typed: list[Any]) -> dict[str, str]:
    """What the Copy link button makes of the typed values; JavaScript writes booleans in lower case."""
    values = dict(zip(controller.names, typed, strict=True))
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in values.items()
    }


@pytest.mark.parametrize(("page", "entry"), CASES)
def test_typed_values_give_the_request_back(page: TaskPage, entry: Example, tour: Tour) -> None:
    controller = PageController(page, tour)
    payload = controller.payload(controller.typed({**entry.payload, "model": entry.answer["model"]}))
    assert {name: payload[name] for name in entry.payload} == entry.payload


@pytest.mark.parametrize(("page", "entry"), CASES)
def test_a_link_restores_what_was_typed(page: TaskPage, entry: Example, tour: Tour) -> None:
    controller = PageController(page, tour)
    typed = controller.typed({**entry.payload, "model": entry.answer["model"]})
    restored = controller.restore(link_query(controller, typed))
    assert restored is not None
    assert restored[0] == typed


@pytest.mark.parametrize("page", TASK_PAGES, ids=lambda page: page.slug)
def test_a_foreign_query_changes_nothing(page: TaskPage, tour: Tour) -> None:
    assert PageController(page, tour).restore({"embed": "1", "__theme": "dark", "utm_source": "mail"}) is None


@pytest.mark.parametrize("page", TASK_PAGES, ids=lambda page: page.slug)
def test_a_broken_link_says_what_it_ignored(page: TaskPage, tour: Tour) -> None:
    controller = PageController(page, tour)
    numbers = [field for field in controller.options if field.kind in ("int", "float")]
    restored = controller.restore({"model": "no such model", **{field.name: "<b>" for field in numbers}})
    assert restored is not None
    typed, shown = restored
    assert typed[len(page.inputs)] == controller.default_model
    assert shown.status is not None
    assert shown.status.count("<li>") == 1 + len(numbers)
    assert "<b>" not in shown.status


@pytest.mark.parametrize("page", TASK_PAGES, ids=lambda page: page.slug)
def test_names_of_inputs_and_options_are_free_in_a_query(page: TaskPage, tour: Tour) -> None:
    names = PageController(page, tour).names
    assert len(set(names)) == len(names)
    assert not links.RESERVED & set(names)


def test_the_stop_of_a_tour_is_no_option(tour: Tour) -> None:
    page = next(page for page in TASK_PAGES if page.slug == "text-generation")
    controller = PageController(page, tour)
    place = controller.names.index("stop")
    for query, stop in (({}, "9"), ({"tour": "main"}, "")):
        restored = controller.restore({"prompt": "One, two", "stop": "9", **query})
        assert restored
        assert (restored[0][place] or "") == stop


@pytest.mark.parametrize("page", TASK_PAGES, ids=lambda page: page.slug)
def test_a_bad_request_is_shown_in_the_place_of_the_result(page: TaskPage, tour: Tour) -> None:
    controller = PageController(page, tour)
    blank = ["" for _ in page.inputs]
    *_, shown = controller.run(
        [*blank, controller.default_model, *(field.default for field in controller.options)]
    )
    assert shown.result is not None
    assert 'role="alert"' in shown.result
    assert shown.code == ""


@pytest.mark.parametrize("page", TASK_PAGES, ids=lambda page: page.slug)
def test_answers_side_by_side(page: TaskPage, tour: Tour) -> None:
    """Two tiny checkpoints, and one that is none: each column has an answer or says why not."""
    fitting = [one.id for one in tour.registry.catalog.for_task(page.task.name) if one.id.startswith("tiny-")]
    controller = PageController(page, tour)
    options = {"max_new_tokens": 4} if page.task.name == "text_generation" else {}
    typed = controller.typed({**page.task.example, **options, "model": fitting[0]})
    changes = {"first": {}, "second": {"model": fitting[-1]}, "third": {"model": "no such thing"}}
    *_, (columns, progress) = controller.compare(typed, changes)
    html = str(columns)
    assert html.count('<section class="column">') == 3
    assert html.count("in memory") == 2
    assert "There is no model" in html
    assert not progress
    *_, (columns, _) = controller.compare(typed, {"first": {}, "again": {}})
    assert "Both say the same." in str(columns)


@pytest.mark.parametrize("model", ["no such thing", "nobody/no-such-model", "another task's"])
def test_picker_and_answer_say_the_same_of_a_model_that_will_not_do(model: str, tour: Tour) -> None:
    page = next(one for one in TASK_PAGES if one.task.name == "text_classification")
    controller = PageController(page, tour)
    if model == "another task's":
        model = next(one.id for one in tour.registry.catalog if not one.can(page.task.name))
    *_, shown = controller.run(controller.typed({**page.task.example, "model": model}))
    said = picker.about(page.task, model, tour)
    assert 'role="alert"' in said
    assert said in str(shown.result)


def test_what_answers_have_in_common() -> None:
    def verdict(*said: list[str] | None) -> str:
        nothing = Markup()
        return agreement([Column(title="", figure=nothing, facts=nothing, summary=one) for one in said])

    assert verdict(["a", "b"], ["b", "a"]) == "Both say the same."
    assert verdict(["a"], ["a"], ["a"]) == "All say the same."
    assert verdict(["a"], ["b"]) == "They differ."
    apart = [
        Column(title="", figure=Markup(), facts=Markup(), summary=[one[0]], among=one)
        for one in (["a", "b"], ["c", "d"])
    ]
    assert agreement(apart) == "These models answer different questions: they have no label in common."
    assert verdict(["a", "b"], ["c"]) == "They have nothing in common."
    assert verdict(["a", "b"], ["b", "c"]) == "They agree on 1 of 3: b"
    assert verdict(["a"], None) == ""
    assert verdict([], []) == "Both say the same."


@pytest.mark.parametrize("page", [page for page in TASK_PAGES if page.scored], ids=lambda page: page.slug)
def test_the_same_about_somebody_else(page: TaskPage, tour: Tour) -> None:
    model = next(
        one.id for one in tour.registry.catalog.for_task(page.task.name) if one.id.startswith("tiny-")
    )
    controller = PageController(page, tour)

    def tinted(text: str) -> str:
        *_, (moves, progress) = controller.swapped(
            controller.typed({**page.task.example, "text": text, "model": model})
        )
        assert not progress
        return str(moves)

    html = tinted("Emily said that she is [MASK].")
    assert html.count('<tr class="best">') == 2
    assert html.count('scope="row"') == 2 + 11 + 1
    assert "Lakisha" in html
    assert "he, him" in html
    assert "points" in html
    assert "names nobody whose" in tinted("The train is [MASK].")
    assert "<script" not in tinted("Emily <script>[MASK]</script>")


TURNS = {
    "plain": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi!\n\nHow are you?"}],
    "with a system": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
    "turns in a turn": [{"role": "user", "content": "He said:\nUser: x\n\\Assistant: y"}],
    "hostile": [{"role": "user", "content": "<b>User:</b> <|im_end|>"}],
}


@pytest.mark.parametrize("turns", TURNS.values(), ids=TURNS.keys())
def test_a_conversation_is_the_same_as_text(turns: list[dict[str, str]]) -> None:
    box = conversation.ConversationInput()
    assert box.parse(box.show(turns)) == turns
    asked = conversation.joined({"prompt": "And you?", "messages": turns, "seed": 1})
    assert asked == {
        "prompt": "",
        "messages": [*turns, {"role": "user", "content": "And you?"}],
        "seed": 1,
    }
    assert conversation.parted(asked) == {"prompt": "And you?", "messages": turns, "seed": 1}


def test_what_names_nobody_is_the_users() -> None:
    assert conversation.ConversationInput().parse("Hello there") == [
        {"role": "user", "content": "Hello there"}
    ]
    assert conversation.joined({"prompt": "Hello", "messages": []}) == {"prompt": "Hello"}
