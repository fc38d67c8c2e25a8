"""What holds for every task, on every checkpoint that can do it; a new one needs no new test."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import grimp
import pytest
from pydantic import BeforeValidator

from components.models.catalog import load_catalog
from components.models.checkpoint import INSPECTIONS
from components.models.errors import Code, TourError
from components.models.registry import Registry
from components.tasks import catalog
from components.tasks.fields import OptionField, input_fields, option_fields
from components.tasks.runner import Runner
from components.tasks.task import Answer, Progress
from tests.tasks.suite import (
    EMBEDDED,
    TASKS,
    TINY,
    AnyTask,
    assert_alike,
    example,
    name,
    takes_any_text,
    typed,
)

# The API's contract: the keys of a task's answer, and of each entry where it is a list of objects.
CONTRACT: dict[str, dict[str, set[str]]] = {
    "sentence_similarity": {"scores": set()},
    "text_generation": {"text": set()},
    "fill_mask": {"candidates": {"token", "score", "sequence", "token_ids"}},
    "zero_shot_classification": {"labels": {"label", "score"}},
    "question_answering": {"answers": {"text", "score", "start", "end"}},
    "summarization": {"summary": set()},
    "translation": {"translation": set()},
    "text_classification": {"labels": {"label", "score"}},
    "named_entities": {"entities": {"text", "label", "score", "start", "end"}},
    "layers": {"tokens": set(), "lens": set(), "similarity": set(), "norms": set()},
    "attribution": {"task": set(), "target": set(), "units": set(), "methods": set()},
    "anatomy": {
        "tokens": set(),
        "parameters": set(),
        "parts": {"name", "type", "kind", "parameters", "shared", "shape", "operations"},
        "stream": {"part", "kind", "side", "block", "added", "stream"},
        "activations": set(),
    },
    "attention": {"tokens": set(), "weights": set(), "layers": set(), "heads": set()},
}
RUN_KEYS = ["model", "device", "seconds", "tokens_used", "token_limit", "notes"]

HARMLESS = {
    "emoji with joiners": "👩‍🚀 👨‍👩‍👧‍👦 🏳️‍🌈",
    "right to left": "\u202eشكرا جزيلا\u202c שלום",
    "script": "<script>alert(1)</script>",
    "template": "${alert(1)} {{7*7}} {0} %s",
    "special tokens": "<|im_end|> <|endoftext|> [SEP] </s>",
    "one letter": "x",
    "controls": "a\x01b\x7f\u2028c\r\n",
    "combining": "Z͑ͫa̴l͡g͠o " * 3,
}
REFUSED = {
    "empty": "",
    "blank": " \n\t\u00a0 ",
    "null": "a\0b",
    "lone surrogate": "a\ud83db",
    "1 MB": "word " * 200_000,
}

TWENTY_PAGES = " ".join(
    f"On day {day} Ada Byron of Acme Ltd wrote {day * 7} letters from Oslo. It rained; nobody minded much."
    for day in range(700)
)


def longest(task: AnyTask) -> str:
    """The input that takes twenty pages, empty if there is none."""
    fields = [
        one.name
        for one in input_fields(task.inputs)
        if one.kind == "text" and (one.max_length or 0) >= len(TWENTY_PAGES)
    ]
    return fields[0] if fields else ""


# Every task that reads long texts, on the model that it starts with.
LONG = [(task, load_catalog().default(task.name, "embedded").id) for task in TASKS if longest(task)]

all_tasks = pytest.mark.parametrize("task", TASKS, ids=name)
everywhere = pytest.mark.parametrize(("task", "model"), TINY, ids=name)


def test_there_are_tasks() -> None:
    assert set(CONTRACT) <= {task.name for task in TASKS}


@all_tasks
def test_a_tiny_checkpoint_can_do_it(task: AnyTask) -> None:
    """The suites below would pass over one without."""
    assert [model for tested, model in TINY if tested is task]


def test_no_task_knows_another() -> None:
    """What several need stands beside their folders."""
    graph = grimp.build_graph("components", exclude_type_checking_imports=True)
    folders = [f"components.tasks.{name}" for name in catalog.TASKS]
    known = [
        (one, other)
        for one, other in permutations(folders, 2)
        if graph.direct_import_exists(importer=one, imported=other, as_packages=True)
    ]
    assert known == []


def test_specs_import_neither_torch_nor_transformers() -> None:
    imports = "; ".join(f"import {task.inputs.__module__}" for task in TASKS)
    loaded = "print({'torch', 'transformers'} & {*sys.modules})"
    code = f"import sys, components.tasks.runner; {imports}; {loaded}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(("task", "model"), [*EMBEDDED, *TINY], ids=name)
def test_the_example(task: AnyTask, model: str, runner: Runner, registry: Registry) -> None:
    answer = runner.call(task, example(task, model))
    body = answer.as_json()
    keys = list(body)
    assert keys[-len(RUN_KEYS) :] == RUN_KEYS
    for key, inner in CONTRACT.get(task.name, {}).items():
        assert key in keys
        if inner:
            assert body[key]
            assert all(set(entry) == inner for entry in body[key])
    assert json.loads(json.dumps(body, allow_nan=False)) == body
    assert body["model"] == model
    assert body["device"] == "cpu"
    assert 0 < body["seconds"] < 120
    assert 0 < body["tokens_used"] <= body["token_limit"]
    if task.name not in INSPECTIONS:  # which look at more, or less, than the checkpoint is used with
        assert body["token_limit"] == registry.catalog[model].token_limit
    if model.startswith("tiny-"):  # random weights are unsure of what they write
        doubts = ("unsure", "above one half", "Could not be translated", "Nothing says that")
        body["notes"] = [note for note in body["notes"] if not any(doubt in note for doubt in doubts)]
    assert body["notes"] == [] or task.name in INSPECTIONS  # which say how they are to be read
    for score in scores_in(body) if task.name not in INSPECTIONS else ():
        assert -1.0001 <= score <= 1.0001
    assert registry.status(model).leases == 0


@everywhere
def test_shares_only_grow(task: AnyTask, model: str, runner: Runner) -> None:
    runner.call(task, example(task, model))  # so that no load is under way
    stage, share = "", 0.0
    answers: list[Answer[Any]] = []
    for step in runner.stream(task, example(task, model)):
        if isinstance(step, Answer):
            assert step.share >= (answers[-1].share if answers else 0)
            answers.append(step)
        else:
            assert isinstance(step, Progress)
            assert step.stage
            if step.share is not None:
                assert (share if step.stage == stage else 0) <= step.share <= 1
                stage, share = step.stage, step.share
    assert answers[-1].share == 1


@everywhere
def test_requests_that_share_a_pass_are_answered_as_alone(task: AnyTask, model: str, runner: Runner) -> None:
    usual = example(task, model)
    texts = [
        field.name for field in input_fields(task.inputs) if field.kind == "text" and usual.get(field.name)
    ]
    payloads = [usual, *({**usual, name: f"{usual[name]} It was late."} for name in texts[:1]), usual]
    together = runner.together(task, payloads)
    for payload, answer in zip(payloads, together, strict=True):
        assert isinstance(answer, Answer)
        alone = runner.call(task, payload).as_json()
        assert_alike({**answer.as_json(), "seconds": alone["seconds"]}, alone, within=1e-5)


@pytest.mark.parametrize(("task", "model"), LONG, ids=name)
def test_twenty_pages_show_progress_and_can_be_stopped(
    task: AnyTask, model: str, runner: Runner, registry: Registry
) -> None:
    """Short pieces of work with shares that grow, and a stop half-way leaves nothing behind."""
    runner.call(task, example(task, model))
    shares: list[float] = []
    stream = runner.stream(task, {**example(task, model), longest(task): TWENTY_PAGES})
    for step in stream:
        if step.share:
            shares.append(step.share)
        if len(shares) == 5:
            break
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] < 0.9
    stream.close()
    assert registry.status(model).leases == 0


@everywhere
def test_a_text_longer_than_the_model_reads_is_answered(task: AnyTask, model: str, runner: Runner) -> None:
    """By windows, or with a note of what was left out, or not at all: never cut without a word."""
    for field in input_fields(task.inputs):
        if not takes_any_text(task, field) or (field.max_length or 0) < 4000:
            continue
        long = f"{example(task, model).get(field.name, '')} {TWENTY_PAGES[:3000]}"
        request = example(task, model, **{field.name: long})
        if task.name == "text_generation":  # a prompt cannot be read in parts
            with pytest.raises(TourError) as caught:
                runner.call(task, request)
            assert caught.value.code is Code.TOO_LONG
            assert caught.value.field == field.name
            check_message(caught.value)
        else:
            answer = runner.call(task, request)
            assert answer.tokens_used > answer.token_limit or answer.notes
            json.dumps(answer.as_json(), allow_nan=False)


@everywhere
def test_the_same_request_gives_the_same_answer(task: AnyTask, model: str, runner: Runner) -> None:
    first, second = (runner.call(task, example(task, model)) for _ in range(2))
    assert first.result == second.result


@everywhere
def test_a_closed_stream_frees_model_and_device(
    task: AnyTask, model: str, runner: Runner, registry: Registry
) -> None:
    runner.call(task, example(task, model))
    stream = runner.stream(task, example(task, model))
    next(stream)
    assert registry.status(model).leases == 1
    stream.close()
    assert registry.status(model).leases == 0
    runner.call(task, example(task, model))


@everywhere
def test_a_stream_leaves_the_device_to_others_between_steps(
    task: AnyTask, model: str, runner: Runner
) -> None:
    stream = runner.stream(task, example(task, model))
    next(stream)
    # On the same thread: this would wait for ever if a turn were held.
    expected = runner.call(task, example(task, model)).result
    *_, last = stream
    assert isinstance(last, Answer)
    assert last.result == expected


# Inputs


@everywhere
@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS.keys())
def test_harmless_text_is_answered(task: AnyTask, model: str, text: str, runner: Runner) -> None:
    for field in input_fields(task.inputs):
        if field.kind in ("choice", "messages") or (field.kind == "text" and not takes_any_text(task, field)):
            continue
        given = example(task, model).get(field.name, "")
        value = typed(task, field, f"{given} {text}" if field.kind == "text" else text)
        try:
            body = runner.call(task, example(task, model, **{field.name: value})).as_json()
        except TourError as error:
            # Typed control tokens are read as text, whose places in a prompt nothing tells.
            if task.name != "attribution" or "control token" not in error.message:
                raise
            check_message(error)
            continue
        assert json.loads(json.dumps(body, ensure_ascii=False, allow_nan=False).encode()) == body


@everywhere
@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_text_that_is_none_is_refused(task: AnyTask, model: str, text: str, runner: Runner) -> None:
    for field in input_fields(task.inputs):
        if field.kind in ("choice", "messages"):
            continue
        if field.kind == "table" and not text.strip():  # a cell may be empty
            continue
        if not field.required and not text.strip():
            continue
        refused(runner, task, field.name, **{"model": model, field.name: typed(task, field, text)})


@all_tasks
def test_inputs_of_a_wrong_type_are_refused(task: AnyTask, runner: Runner) -> None:
    for field in input_fields(task.inputs):
        wrong = [
            *([None] if field.required else []),  # null stands for what is left out
            5,
            True,
            1.5,
            {},
            b"bytes",
            object(),
            float("nan"),
            10**6000,
            [["nested"]],
            [None],
            [5],
        ]
        malformed: dict[str, list[object]] = {
            "text": [["a"]],
            "texts": [[], [""], *([] if takes_more(task.inputs, field.name) else ["a"])],
            "table": ["a", [], {"columns": ["a"]}, {"columns": ["a"], "rows": [["b", "c"]]}, {"columns": []}],
        }
        for value in [*wrong, *malformed.get(field.kind, [])]:
            refused(runner, task, field.name, **{field.name: value})


@all_tasks
def test_input_limits_are_said(task: AnyTask, runner: Runner) -> None:
    for field in input_fields(task.inputs):
        if field.kind == "choice":
            continue
        assert field.max_length is not None, "every text has a limit"
        if field.kind == "messages":
            continue
        given = task.example.get(field.name, "")
        text = given if isinstance(given, str) else ""
        long = text + "x" * (field.max_length + 1 - len(text))
        value = [long] * (field.min_items or 1) if field.kind == "texts" else typed(task, field, long)
        message = refused(runner, task, field.name, **{field.name: value})
        assert f"{field.max_length + 1:,}" in message
        assert f"{field.max_length:,}" in message
        if field.kind == "texts":
            assert field.max_items is not None, "every list has a limit"
            crowd = [f"text {index}" for index in range(field.max_items + 1)]
            assert f"{field.max_items:,}" in refused(runner, task, field.name, **{field.name: crowd})


@all_tasks
def test_missing_inputs_are_named(task: AnyTask, runner: Runner) -> None:
    for field in input_fields(task.inputs):
        if field.required:
            payload = {key: value for key, value in task.example.items() if key != field.name}
            with pytest.raises(TourError) as caught:
                runner.parse(task, payload)
            assert caught.value.field == field.name


@all_tasks
@pytest.mark.parametrize("key", ["nonsense", "", "a\0b", "\ud800", "x" * 100_000])
def test_unknown_fields_are_refused(task: AnyTask, key: str, runner: Runner) -> None:
    message = refused(runner, task, None, **{key: 1})
    assert all(field.name in message for field in input_fields(task.inputs))


# Options


@all_tasks
def test_options_of_a_wrong_type_are_refused(task: AnyTask, runner: Runner) -> None:
    for field in option_fields(task.options):
        for value in wrong_values(field, also_lists=takes_more(task.options, field.name)):
            message = refused(runner, task, field.name, **{field.name: value})
            if field.minimum is not None:
                assert f"{field.minimum} to {field.maximum}" in message
            for choice in field.choices:
                assert choice in message


@everywhere
def test_every_option_works_from_end_to_end(task: AnyTask, model: str, runner: Runner) -> None:
    for field in option_fields(task.options):
        for value in (field.minimum, field.maximum, *field.choices[:8], field.default):
            if value is None:
                continue
            if field.name == "max_new_tokens":  # of a tiny checkpoint's limit
                value = min(value, 64)
            try:
                answer = runner.call(task, example(task, model, **{field.name: value}))
            except TourError as error:
                # Not every network has a thousand layers, or each kind of attention, or reads each language.
                if (
                    task.name not in {*INSPECTIONS, "translation"}
                    or error.field != field.name
                    or value == field.default
                ):
                    raise
                check_message(error)
            else:
                json.dumps(answer.as_json(), allow_nan=False)


@all_tasks
def test_options_have_what_a_form_needs(task: AnyTask) -> None:
    for field in option_fields(task.options):
        assert field.title
        assert field.help
        if field.kind in ("int", "float"):
            assert field.minimum is not None
            assert field.maximum is not None
            assert field.minimum <= field.default <= field.maximum
            assert field.step
        if field.kind == "choice":
            assert field.default in field.choices
        if field.kind == "text":
            assert field.max_length


# Models


@all_tasks
def test_without_a_model_the_profile_chooses(task: AnyTask, runner: Runner, registry: Registry) -> None:
    default = registry.catalog.default(task.name, runner.profile)
    for model in (None, ""):
        assert runner.parse(task, {**task.example, "model": model}).checkpoint == default
    assert runner.parse(task, task.example).checkpoint == default


@all_tasks
@pytest.mark.parametrize("model", ["nothing", "../../etc/passwd", "\ud800", "x" * 10_000])
def test_an_unknown_model_is_refused(task: AnyTask, model: str, runner: Runner, registry: Registry) -> None:
    with pytest.raises(TourError) as caught:
        runner.parse(task, {**task.example, "model": model})
    assert caught.value.code is Code.UNKNOWN_MODEL
    assert caught.value.field == "model"
    check_message(caught.value, longest=2000)
    assert all(one.id in caught.value.message for one in registry.catalog.for_task(task.name))


@all_tasks
@pytest.mark.parametrize("model", [5, True, [], {}, ["all-MiniLM-L6-v2"]])
def test_a_model_of_a_wrong_type_is_refused(task: AnyTask, model: object, runner: Runner) -> None:
    refused(runner, task, "model", model=model)


@all_tasks
def test_a_model_that_cannot_do_the_task_is_refused(
    task: AnyTask, runner: Runner, registry: Registry
) -> None:
    able = registry.catalog.for_task(task.name)
    for unable in (one for one in registry.catalog if one not in able):
        with pytest.raises(TourError) as caught:
            runner.parse(task, {**task.example, "model": unable.id})
        assert caught.value.code is Code.UNSUITABLE_MODEL
        assert all(one.id in caught.value.message for one in able)


def refused(runner: Runner, task: AnyTask, field: str | None, /, **changes: object) -> str:
    """The message with which a request is refused before any model is touched."""
    with pytest.raises(TourError) as caught:
        runner.stream(task, {**task.example, **changes})
    error = caught.value
    assert error.code in (Code.INVALID_INPUT, Code.TOO_LONG)
    assert error.field == field
    check_message(error)
    return error.message


def check_message(error: TourError, longest: int = 600) -> None:
    """Plain, short, printable, and nothing of what happens inside."""
    message = error.message
    assert message.endswith(".")
    assert len(message) <= longest
    assert message.isprintable()
    assert not any(word in message for word in ("Traceback", "pydantic", "Input should", "<class", "None"))
    json.dumps(error.as_json(), ensure_ascii=False).encode()


def takes_more(fields: type[Any], name: str) -> bool:
    """Whether a field takes a list for a text, or a text for a list, too."""
    return any(isinstance(one, BeforeValidator) for one in fields.__pydantic_fields__[name].metadata)


def wrong_values(field: OptionField, *, also_lists: bool) -> list[object]:
    never = [[5] if also_lists else [], {}, object(), b"bytes"]
    if field.kind in ("int", "float"):
        assert field.minimum is not None
        assert field.maximum is not None
        numbers = [field.minimum - 1, field.maximum + 1, float("nan"), float("inf"), -float("inf"), 10**6000]
        return [*never, *numbers, True, str(field.default), "", *([1.5] if field.kind == "int" else [])]
    if field.kind == "bool":
        return [*never, 0, 1, "true", "yes", ""]
    if field.kind == "choice":
        return [*never, 0, True, "nonsense", "", field.choices[0].upper() + " "]
    assert field.max_length
    return [*never, 0, True, "x" * (field.max_length + 1), "a\0b", "\ud800"]


def scores_in(body: object) -> Iterator[float]:
    """All numbers that an answer calls scores."""
    if isinstance(body, dict):
        for key, value in body.items():
            if key == "score":
                yield value
            elif key == "scores":
                yield from value
            else:
                yield from scores_in(value)
    elif isinstance(body, list):
        for value in body:
            yield from scores_in(value)
