from __future__ import annotations

import itertools
import re
from collections.abc import Callable

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from components.models.checkpoint import LoadedModel
from components.models.errors import Code, TourError
from components.tasks.question_answering import TASK, Answers
from components.tasks.question_answering.model import LEAST_LIKELY, PER_WINDOW, UNSURE
from components.tasks.runner import Runner
from components.tasks.words import Words

Lease = Callable[[str], LoadedModel]
TINY = "tiny-question-answering"
QUESTION = "What did she put in the oven?"
SHORT = "She put the bread in the oven and baked it for an hour."
LONG = " ".join(f"{SHORT} The quick brown fox number {index} jumps over the lazy dog!" for index in range(12))


def ask(runner: Runner, context: str, **options: object) -> Answers:
    payload = {"question": QUESTION, "context": context, "model": TINY, "top_k": 20, **options}
    result: Answers = runner.call(TASK, {"allow_no_answer": False, **payload}).result
    return result


def by_brute_force(model: LoadedModel, context: str, stride: int, longest: int) -> dict[str, float]:
    """Probabilities by text in small letters, and that of no answer under ""."""
    tokenizer = model.tokenizer
    windows = tokenizer(
        QUESTION,
        context,
        truncation="only_second",
        max_length=model.checkpoint.token_limit,
        stride=stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    found: dict[tuple[int, int], float] = {}
    nothing = []
    for row, ids in enumerate(windows["input_ids"]):
        inputs = {name: torch.tensor([windows[name][row]]) for name in tokenizer.model_input_names}
        with torch.inference_mode():
            output = model.network(**inputs)
        begin, end = output.start_logits[0].tolist(), output.end_logits[0].tolist()
        nothing.append(begin[0] + end[0])
        places = windows["offset_mapping"][row]
        mine = [index for index in range(len(ids)) if windows.sequence_ids(row)[index] == 1]
        pairs = [
            pair for pair in itertools.combinations_with_replacement(mine, 2) if pair[1] - pair[0] < longest
        ]
        pairs.sort(key=lambda pair: -begin[pair[0]] - end[pair[1]])
        for first, last in pairs[:PER_WINDOW]:
            start, stop = places[first][0], places[last][1]
            while start and context[start - 1 : start + 1].isalnum():
                start -= 1
            while context[stop - 1 : stop + 1].isalnum() and stop < len(context):
                stop += 1
            found[start, stop] = max(found.get((start, stop), -1e9), begin[first] + end[last])
    ranked = sorted(found, key=lambda place: (-found[place], place))
    texts = list(dict.fromkeys(context[start:stop].lower() for start, stop in ranked))[:20]
    best = [(start, stop) for start, stop in ranked if context[start:stop].lower() in texts]
    config = model.network.config
    logits = [*(found[place] for place in best), min(nothing) + config.no_answer_bias]
    scores = (torch.tensor(logits, dtype=torch.float64) / config.answer_temperature).softmax(0).tolist()
    nowhere = scores.pop()
    merged: dict[str, tuple[tuple[int, int], float]] = {}
    for place, score in zip(best, scores, strict=True):
        text = context[slice(*place)].lower()
        known = merged.get(text, (place, 0.0))
        merged[text] = known[0], known[1] + score
    kept: dict[str, tuple[tuple[int, int], float]] = {}
    for text, ((start, stop), score) in sorted(merged.items(), key=lambda one: -one[1][1]):
        if all(stop <= other[0] or other[1] <= start for other, _ in kept.values()):
            kept[text] = (start, stop), score
    return {"": nowhere} | {text: score for text, (_, score) in kept.items()}


@pytest.mark.parametrize(
    ("context", "stride", "longest"), [(SHORT, 64, 30), (SHORT, 64, 2), (LONG, 20, 8), (LONG, 0, 30)]
)
def test_against_brute_force(context: str, stride: int, longest: int, runner: Runner, lease: Lease) -> None:
    result = ask(runner, context, stride=stride, max_answer_length=longest)
    expected = by_brute_force(lease(TINY), context, stride, longest)
    assert result.no_answer == pytest.approx(expected.pop(""), abs=1e-5)
    assert {one.text.lower(): one.score for one in result.answers} == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("model", [TINY, "answers"])
def test_an_answer_with_little_probability_is_said_to_be_unsure(model: str, runner: Runner) -> None:
    payload = {"question": QUESTION, "context": SHORT, "model": model, "allow_no_answer": False}
    answer = runner.call(TASK, payload)
    unsure = [note for note in answer.notes if "unsure" in note]
    assert len(unsure) == (answer.result.answers[0].score < UNSURE) == (model == TINY)


def test_where_answers_begin_and_end(runner: Runner, lease: Lease) -> None:
    result = ask(runner, SHORT, positions=True)
    model = lease(TINY)
    encoded = model.tokenizer(QUESTION, SHORT, return_tensors="pt", return_offsets_mapping=True)
    offsets = encoded.pop("offset_mapping")[0].tolist()
    mine = [index for index, owner in enumerate(encoded.sequence_ids(0)) if owner == 1]
    with torch.inference_mode():
        output = model.network(**encoded)
    temperature = model.network.config.answer_temperature
    begins = (output.start_logits[0, mine].double() / temperature).softmax(0).tolist()
    ends = (output.end_logits[0, mine].double() / temperature).softmax(0).tolist()
    expected = {
        tuple(offsets[index]): (begin, end)
        for index, begin, end in zip(mine, begins, ends, strict=True)
        if max(begin, end) >= LEAST_LIKELY
    }
    assert [(one.start, one.end) for one in result.positions] == list(expected)
    for one in result.positions:
        assert (one.begins, one.ends) == pytest.approx(expected[one.start, one.end], abs=1e-5)
        assert one.text == SHORT[one.start : one.end]
    assert ask(runner, SHORT).positions == []


def test_a_token_of_several_windows_is_told_once(runner: Runner) -> None:
    places = [(one.start, one.end) for one in ask(runner, LONG, positions=True, stride=20).positions]
    assert places == sorted(set(places))


@given(st.text(st.sampled_from("aB3 .,-'\n\u0301é中😀ß"), min_size=1, max_size=400).filter(str.strip))
@example("Unbelievably")
@example("\x01")
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_passages_are_whole_words_of_the_context(runner: Runner, context: str) -> None:
    result = ask(runner, context)
    scores = [one.score for one in result.answers]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) + result.no_answer < 1 + 1e-6
    assert len({one.text.casefold() for one in result.answers}) == len(result.answers)
    for one in result.answers:
        assert one.text == context[one.start : one.end] == one.text.strip() != ""
        around = context[max(one.start - 1, 0) : one.start], context[one.end : one.end + 1]
        assert not (
            around[0].isascii() and around[0].isalnum() and one.text[0].isascii() and one.text[0].isalnum()
        )
        assert not (
            around[1].isascii() and around[1].isalnum() and one.text[-1].isascii() and one.text[-1].isalnum()
        )


def test_no_answer_beats_every_passage_only_where_that_is_allowed(
    runner: Runner, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease(TINY).network.config, "no_answer_bias", 50.0)
    answer = runner.call(TASK, {**TASK.example, "model": TINY})
    assert answer.result.answers == []
    assert answer.result.no_answer > 0.99
    assert "No passage answers" in answer.notes[0]
    anyway = ask(runner, SHORT, top_k=2, max_answer_length=1)  # words, which cannot overlap
    assert len(anyway.answers) == 2
    assert anyway.no_answer > 0.99


def test_a_model_that_was_not_taught_to_always_answers(
    runner: Runner, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = lease(TINY).network.config
    monkeypatch.delattr(config, "no_answer_bias")
    result = ask(runner, SHORT, allow_no_answer=True)
    assert result.no_answer == 0
    assert 0 < sum(one.score for one in result.answers) < 1 + 1e-6


def test_a_long_context_is_read_in_windows_and_that_is_said(runner: Runner) -> None:
    answer = runner.call(TASK, {"question": QUESTION, "context": LONG, "model": TINY, "stride": 256})
    assert answer.tokens_used > answer.token_limit
    (note,) = [note for note in answer.notes if "windows" in note]
    assert "last 5" in note  # half of what the question leaves of 128 tokens, not 256


def test_a_question_that_leaves_no_room_is_refused(runner: Runner) -> None:
    with pytest.raises(TourError, match="Shorten it") as caught:
        runner.call(TASK, {"question": "fox " * 120, "context": SHORT, "model": TINY})
    assert (caught.value.code, caught.value.field) == (Code.TOO_LONG, "question")


WHOLE = {
    "amounts": ["1.299,95", "12,500.00", "3 450,75", "0,5", "1'200.50"],
    "addresses": ["kim.lee@mail.example.org", "jo-ann@x.io", "a_b@c.de"],
    "versions and times": ["3.11.9", "v2.0.1-beta", "10:45", "31/12/2025", "192.168.0.1"],
    "words": ["O'Neill", "U.S", "naïve"],
    "Arabic": ["السلام", "كتابة"],
    "Hindi": ["हिन्दी", "क्षेत्र"],
    "Bengali": ["বাংলা", "বিশ্ববিদ্যালয়"],
    "Thaana": ["ދިވެހި", "ރާއްޖެ"],
}


@pytest.mark.parametrize("word", [word for words in WHOLE.values() for word in words])
def test_no_part_of_a_word_is_an_answer(word: str) -> None:
    text = f"Before {word}, (after) it. "
    words = Words(text)
    piece = max(re.findall(r"[^\W_]+", word), key=len)
    at = text.index(piece)
    for start, end in itertools.combinations(range(at, at + len(piece) + 1), 2):
        grown = text[slice(*words.around(start, end))]
        assert grown in word
        assert not re.search(rf"[^\W_]{re.escape(grown)}|{re.escape(grown)}[^\W_]", word)
        assert grown == word or " " in word or "-" in word


@pytest.mark.parametrize(
    ("text", "part", "grown"),
    [("in 1998–2003", "1998", "1998"), ("red/green", "green", "green"), ("Rome,Oslo", "Oslo", "Oslo"),
     ("東京都", "京", "京"), ("(U.S.)", "U", "U.S"), ("half-time", "tim", "time")],
)  # fmt: skip
def test_words_beside_each_other_are_two(text: str, part: str, grown: str) -> None:
    at = text.index(part)
    assert text[slice(*Words(text).around(at, at + len(part)))] == grown


@pytest.mark.parametrize(
    ("question", "context", "answer"),
    [
        ("What is the price?", "Price: 1.299,95 kr (with tax)\nNo. 4711", "1.299,95"),
        ("What is the e-mail address?", "Write to kim.lee@mail.example or call 555.", "kim.lee@mail.example"),
        ("Which version of Python is needed?", "You need Python version 3.11.9 or later.", "3.11.9"),
    ],
)  # fmt: skip
def test_amounts_and_names_are_answered_whole(
    runner: Runner, question: str, context: str, answer: str
) -> None:
    payload = {"question": question, "context": context, "model": "answers", "allow_no_answer": False}
    assert answer in runner.call(TASK, payload).result.answers[0].text


def test_answers_do_not_overlap(runner: Runner) -> None:
    spans = sorted((one.start, one.end) for one in ask(runner, LONG).answers)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))


def test_a_text_that_repeats_itself_has_other_answers_too(runner: Runner) -> None:
    assert len(ask(runner, "The fox jumps. " * 60).answers) > 1


@pytest.mark.parametrize(
    ("question", "context"),
    [
        ("When was Lisbon founded?", "Lisbon is the capital of Portugal."),
        ("How many people live in Lisbon?", "Lisbon is the capital of Portugal."),
        ("Where was Albert Einstein born?", "Marie Curie was born in Warsaw in 1867."),
        ("What colour is the kettle?", "The kettle weighs 1.2 kg and has a cable of one metre."),
    ],
)
def test_near_misses_have_no_answer(runner: Runner, question: str, context: str) -> None:
    result = runner.call(TASK, {"question": question, "context": context, "model": "answers"}).result
    assert result.answers == []
    assert result.no_answer > 0.3
