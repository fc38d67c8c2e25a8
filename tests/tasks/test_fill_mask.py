from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import pytest
import torch
from markupsafe import escape

from components.figures.answers import filled
from components.models.checkpoint import LoadedModel
from components.models.errors import Code, TourError
from components.tasks import causal
from components.tasks.fill_mask import MASK, TASK, spelled
from components.tasks.runner import Runner

Lease = Callable[[str], LoadedModel]
SMOL, TINY_CAUSAL, TINY_MASKED = "SmolLM2-135M-Instruct", "tiny-causal-lm", "tiny-masked-lm"
ALL = [SMOL, TINY_CAUSAL, TINY_MASKED]


def fill(runner: Runner, text: str, **more: object) -> list[tuple[str, float, str]]:
    answer = runner.call(TASK, {"text": text, **more})
    return [(one.token, one.score, one.sequence) for one in answer.result.candidates]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Paris is the [MASK] of France.", "capital"),
        ("I looked at my [MASK] and saw that it was late.", "watch"),
        ("He drank a cup of [MASK] before going to work.", "coffee"),
        # Only what follows the gap tells these.
        ("My [MASK] barked at the mailman all morning.", "dog"),
        ("The [MASK] flew over the lake and landed on a branch.", "bird"),
        # Of several tokens.
        ("World War II ended in [MASK].", "1945"),
    ],
)
def test_the_first_candidate(text: str, word: str, runner: Runner) -> None:
    (token, score, sequence), *_ = fill(runner, text)
    assert token == word
    assert score > 0.5
    assert sequence == text.replace("[MASK]", word)


def test_a_sentence_can_start_with_the_gap(runner: Runner) -> None:
    candidates = fill(runner, "[MASK] is the capital of Germany.")
    assert "Berlin" in [token for token, _, _ in candidates]
    assert all(not token[0].islower() for token, _, _ in candidates)


def test_scores_are_the_softmax_of_the_whole_texts_likelihood(runner: Runner, lease: Lease) -> None:
    model = lease(SMOL)
    candidates = fill(runner, "She plays the [MASK] in an orchestra.", top_k=20)
    likelihoods = []
    for _, _, sequence in candidates:
        ids = [causal.separator(model), *model.tokenizer(sequence).input_ids]
        with torch.inference_mode():
            table = model.network(input_ids=torch.tensor([ids])).logits[0].log_softmax(dim=-1)
        likelihoods.append(table[torch.arange(len(ids) - 1), torch.tensor(ids[1:])].sum())
    expected = torch.stack(likelihoods).softmax(dim=0)
    assert [score for _, score, _ in candidates] == pytest.approx(expected.tolist(), abs=1e-3)
    assert sum(score for _, score, _ in candidates) == pytest.approx(1, abs=1e-6)


GAPS = ["The [MASK] chased the [MASK] up a tree.", "[MASK] [MASK]!", "un[MASK]able [MASK]"]


@pytest.mark.parametrize(
    ("text", "model"),
    [(GAPS[-1], SMOL), *((text, model) for text in GAPS for model in (TINY_CAUSAL, TINY_MASKED))],
)
def test_several_gaps(text: str, model: str, runner: Runner) -> None:
    candidates = fill(runner, text, model=model, top_k=4)
    assert len(candidates) == 4
    scores = [score for _, score, _ in candidates]
    assert scores == sorted(scores, reverse=True)
    for token, _, sequence in candidates:
        words = token.split(" / ")
        assert len(words) == 2
        first, middle, last = text.split("[MASK]")
        assert sequence == first + words[0] + middle + words[1] + last


def test_two_gaps_are_filled_together(runner: Runner) -> None:
    (token, _, _), *_ = fill(runner, "The [MASK] barked and the cat said [MASK].")
    assert token.split(" / ")[0] == "dog"


@pytest.mark.parametrize("model", ALL)
def test_words_to_compare(model: str, runner: Runner) -> None:
    text = "The quick brown [MASK] jumps over the lazy dog."
    known = runner.call(TASK, {"text": text, "model": model, "targets": " fox, dog ,, fox", "top_k": 20})
    assert {one.token for one in known.result.candidates} == {"fox", "dog"}
    if model == SMOL:
        assert known.result.candidates[0].token == "fox"
        assert known.result.candidates[0].score > 0.9


def test_a_masked_model_says_which_words_it_lacks(runner: Runner) -> None:
    payload = {"text": "The [MASK] dog.", "model": TINY_MASKED}
    answer = runner.call(TASK, {**payload, "targets": "lazy, xylophone"})
    assert [one.token for one in answer.result.candidates] == ["lazy"]
    assert answer.notes == ("Left out, as tiny-masked-lm has no single token for it: xylophone.",)
    with pytest.raises(TourError, match="has no single token for xylophone, zebra") as caught:
        runner.call(TASK, {**payload, "targets": "xylophone, zebra"})
    assert caught.value.field == "targets"


def test_a_masked_model_answers_with_its_own_probabilities(runner: Runner, lease: Lease) -> None:
    model = lease(TINY_MASKED)
    text = "She put the [MASK] in the oven."
    encoded = model.tokenizer(text, return_tensors="pt")
    gap = encoded.input_ids[0].tolist().index(model.tokenizer.mask_token_id)
    with torch.inference_mode():
        logits = model.network(**encoded).logits[0, gap]
    probabilities = logits.clone().softmax(dim=-1)
    probabilities[model.tokenizer.all_special_ids] = 0
    top = probabilities.topk(5)
    candidates = fill(runner, text, model=TINY_MASKED)
    assert [score for _, score, _ in candidates] == pytest.approx(top.values.tolist(), abs=1e-6)
    words = [
        str(model.tokenizer.decode([token])).strip().removeprefix("##") for token in top.indices.tolist()
    ]
    assert [token for token, _, _ in candidates] == words


@pytest.mark.parametrize("model", ALL)
def test_a_long_text_is_read_around_the_gap_and_that_is_said(model: str, runner: Runner) -> None:
    before, after = "The dog sleeps. " * 200, " and more." * 200
    payload = {"text": f"{before}The [MASK] sleeps{after}", "model": model}
    # What a large model would fill in is found gap by gap, however long the text is; here is what it reads.
    answer = runner.call(TASK, payload | ({"targets": "dog, fox"} if model == SMOL else {}))
    assert len(answer.notes) == 1
    assert answer.notes[0].startswith("The model read ")
    assert answer.tokens_used <= min(answer.token_limit, 330)
    for one in answer.result.candidates:
        assert one.sequence == f"{before}The {one.token} sleeps{after}"


@pytest.mark.parametrize("model", ALL)
def test_gaps_too_far_apart_are_refused(model: str, runner: Runner) -> None:
    with pytest.raises(TourError) as caught:
        runner.call(TASK, {"text": f"The [MASK] {'word ' * 300} [MASK].", "model": model})
    assert caught.value.code is Code.TOO_LONG
    assert caught.value.field == "text"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("No gap here.", "Text has no gap; write [MASK] or ___ where a word is missing."),
        ("A [mask] in small letters.", "Text has no gap; write [MASK] or ___ where a word is missing."),
        ("[MASK]" * 5, "Text has 5 gaps, at most 4 are allowed."),
    ],
)
def test_gaps_are_counted(text: str, message: str, runner: Runner) -> None:
    with pytest.raises(TourError) as caught:
        runner.parse(TASK, {"text": text})
    assert caught.value.message == message
    assert caught.value.code is Code.INVALID_INPUT


@pytest.mark.parametrize(
    "text",
    [
        "The quick <mask> fox jumps.",
        "The quick <MASK> fox jumps.",
        "The quick {mask} fox jumps.",
        "The quick ___ fox jumps.",
        "The quick _______ fox jumps.",
    ],
)
@pytest.mark.parametrize("model", ["tiny-masked-lm", "tiny-causal-lm"])
def test_gaps_as_others_write_them(runner: Runner, text: str, model: str) -> None:
    usual = runner.call(TASK, {"text": "The quick [MASK] fox jumps.", "model": model}).result
    assert runner.call(TASK, {"text": text, "model": model}).result == usual
    html = str(filled(text, asdict(usual.candidates[0])))
    assert f"<mark>{escape(usual.candidates[0].token)}</mark>" in html


@pytest.mark.parametrize(
    ("text", "gaps"),
    [("[MASK] and ___", 1), ("a_b ___ c__d", 1), ("snake___case ___", 1), ("___ {mask}", 1), ("___, ___", 2)],
)
def test_what_is_a_gap(text: str, gaps: int) -> None:
    assert spelled(text).count(MASK) == gaps


@pytest.mark.parametrize("words", [["fox", "dog"], ["dog"], [" fox ", "quick"]])
def test_words_to_compare_as_a_list(runner: Runner, words: list[str]) -> None:
    payload = {"text": "The [MASK] jumps.", "model": "tiny-masked-lm"}
    listed = runner.call(TASK, {**payload, "targets": words}).result
    assert listed == runner.call(TASK, {**payload, "targets": ",".join(words)}).result
    assert {one.token.strip() for one in listed.candidates} == {word.strip() for word in words}


@pytest.mark.parametrize("model", ALL)
@pytest.mark.parametrize(
    "text", ["The [MASK] chased the cat.", "[MASK] is [MASK].", "World War II ended in [MASK]."]
)
def test_token_ids_are_those_of_each_gaps_word(text: str, model: str, runner: Runner, lease: Lease) -> None:
    tokenizer = lease(model).tokenizer
    for one in runner.call(TASK, {"text": text, "model": model, "top_k": 8}).result.candidates:
        words = one.token.split(" / ")
        assert len(one.token_ids) == len(words)
        for word, ids in zip(words, one.token_ids, strict=True):
            assert str(tokenizer.decode(ids)).strip().removeprefix("##") == word
