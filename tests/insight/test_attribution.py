"""Attribution: what is explained is the task's own prediction, and every method does what it claims."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

from components.insight import attribution, attribution_methods
from components.insight.attribution import EDIT, EXPLAINED, TASK, Method, compare, spearman
from components.models.checkpoint import Head, LoadedModel
from components.models.errors import Code, TourError
from components.models.registry import Registry
from components.tasks import causal, explanation
from components.tasks.attribution_input import AttributionInput, Term
from components.tasks.explained import Asked
from components.tasks.runner import Runner
from components.tasks.summarization import abstractive
from components.tasks.summarization import explain as summary
from components.tasks.task import Progress
from components.tasks.text_generation import Options
from components.tasks.text_generation.model import prompt_ids
from components.tasks.zero_shot_classification.cosine import COSINE_SCALE
from demos import TASKS as PAGES_TASKS
from demos.attribution import EXAMPLES
from tests.fakes.architectures import ARCHITECTURES

R = TypeVar("R")
Lease = Callable[[str], LoadedModel]
EDGE_CASES: list[str] = json.loads(
    (Path(__file__).parents[1] / "data" / "edge_cases.json").read_text("utf-8")
)
OWN = {task.name: task for task in PAGES_TASKS}

REVIEW = "The room was small and the street was loud, but the staff were wonderful."
NAMES = "In 1906 Marie Curie began to teach at the Sorbonne in Paris."
BREAD = "She put the bread in the oven and baked it for an hour. Later she made tea."
BRIDGE = "The old bridge is closed. A free ferry will cross the river. Shops fear for their trade."
GOAL = "The striker scored twice in the second half."
SMOLLM = "SmolLM2-135M-Instruct"
# Task, checkpoint, text, second text: an embedded checkpoint and a tiny one for each way to predict.
CASES = [
    ("text_classification", "sentiment", REVIEW, ""),
    ("text_classification", "emotions", "I am so proud of my daughter, though I miss her.", ""),
    ("text_classification", "tiny-classifier", "The quick fox jumps over the lazy dog.", ""),
    ("named_entities", "entities", NAMES, ""),
    ("named_entities", "tiny-tagger", "The quick fox jumps over Paris.", ""),
    ("question_answering", "answers", BREAD, "What did she put in the oven?"),
    (
        "question_answering",
        "tiny-question-answering",
        "Paris is the capital of France.",
        "What is the capital?",
    ),
    ("summarization", "summarizer", BRIDGE, ""),
    ("summarization", "tiny-summarizer", BRIDGE, ""),
    ("translation", "translator-en-de", "She put the bread in the oven. It was late.", "de"),
    ("translation", "tiny-marian", "She put the bread in the oven.", "de"),
    ("sentence_similarity", "all-MiniLM-L6-v2", "The chef prepared a meal.", "A cook made tasty food."),
    ("sentence_similarity", "tiny-encoder", "The chef prepared a meal.", "A cook made food."),
    ("text_generation", "tiny-causal-lm", "Paris is the capital", "It is"),
    ("fill_mask", "tiny-masked-lm", "Paris is the [MASK] of France.", ""),
    ("fill_mask", "tiny-causal-lm", "Paris is the [MASK] of France.", ""),
    ("zero_shot_classification", "all-MiniLM-L6-v2", GOAL, "politics, sports, technology"),
    ("zero_shot_classification", "entailment", GOAL, "politics, sports, technology"),
    ("zero_shot_classification", "tiny-causal-lm", GOAL, "politics, sports"),
]
of_cases = pytest.mark.parametrize(("task", "model", "text", "pair"), CASES, ids=lambda one: one[:30])


def request(task: str, model: str, text: str, pair: str = "", **more: object) -> dict[str, object]:
    return {"task": task, "model": model, "text": text, "text_pair": pair, **more}


def drained(work: Generator[Progress, None, R]) -> R:
    while True:
        try:
            next(work)
        except StopIteration as done:
            result: R = done.value
            return result


def predicted(
    model: LoadedModel, task: str, text: str, pair: str = "", target: str = "", against: str = ""
) -> explanation.Prediction:
    asked = Asked(task=task, text=text, text_pair=pair, target=target, against=against, by_words=True)
    return drained(attribution._predict(model, asked))


def score(prediction: explanation.Prediction) -> float:
    return sum(term.now() for term in prediction.terms) + prediction.offset


# Methods on a network whose answer is known


class Bag(PreTrainedModel):
    """Its one score is the sum of a weight for each token: attention has no part in it."""

    config_class = PretrainedConfig

    def __init__(self, weights: list[float]) -> None:
        super().__init__(PretrainedConfig())
        generator = torch.Generator().manual_seed(0)
        self.words = torch.nn.Embedding(len(weights), 8)
        self.words.weight.data = torch.randn(len(weights), 8, generator=generator)
        # The direction along which each embedding is as long as its weight says.
        self.direction = torch.linalg.pinv(self.words.weight.data) @ torch.tensor(weights)
        self.requires_grad_(False)

    def get_input_embeddings(self) -> Any:
        return self.words

    def forward(self, inputs_embeds: torch.Tensor, attention_mask: torch.Tensor, **_: object) -> Any:
        summed = (inputs_embeds * attention_mask[:, :, None]).sum(dim=1)
        return SimpleNamespace(logits=summed @ self.direction, attentions=None)


WEIGHTS = [0.0, 0.5, -3.0, 2.0, 0.25, 7.0]


def bag(owners: list[int | None], filler: int | None = 0) -> Term:
    network_input = AttributionInput(
        network=Bag(WEIGHTS),
        ids=torch.tensor([5, 1, 2, 3, 4]),
        given={"attention_mask": torch.ones(1, 5, dtype=torch.long)},
        owners=owners,
        filler=filler,
        reads=None,
        options={},
    )
    return Term(input=network_input, score=lambda output: output.logits)


def test_methods_agree_exactly_where_every_token_has_a_weight() -> None:
    found = drained(attribution_methods.attribute([bag([None, 0, 1, 2, 2])], 3, 4))
    assert [one.name for one in found.methods] == list(
        attribution_methods.METHODS[:3]
    )  # there is no attention
    for method in found.methods:
        assert method.values == pytest.approx([0.5, -3.0, 2.25], abs=1e-4), method.name
    assert found.change == pytest.approx(-0.25, abs=1e-4)
    assert found.error < 1e-3
    assert found.steps == 4  # a straight line needs no more


def test_occlusion_finds_the_token_whose_removal_changes_most() -> None:
    term = bag([None, 0, 1, 2, 3])
    values = drained(attribution_methods.attribute([term], 4, 4)).methods[0].values
    with torch.no_grad():
        whole, *left = term.score(
            term.input.read(torch.stack([term.input.without(units) for units in (set(), {0}, {1}, {2}, {3})]))
        ).tolist()
    assert values == pytest.approx([whole - one for one in left], abs=1e-5)
    assert int(np.abs(values).argmax()) == 1


def test_weighted_terms_add_up() -> None:
    term = bag([None, 0, 1, 2, 3])
    other = Term(input=term.input, score=lambda output: 2 * output.logits, weight=-1.0)
    found = drained(attribution_methods.attribute([term, other], 4, 4))
    for method in found.methods:
        assert method.values == pytest.approx([-0.5, 3.0, -2.0, -0.25], abs=1e-4)


def test_without_a_filler_token_the_mean_of_all_stands_in() -> None:
    network_input = bag([None, 0, 1, 2, 3], filler=None).input
    assert torch.allclose(network_input.empty[1], Bag(WEIGHTS).words.weight.mean(dim=0), atol=1e-6)
    assert torch.equal(network_input.empty[0], network_input.embedded[0])  # what has no owner stays


class Curve(Bag):
    """As steep as a step: a few points of the way miss it."""

    def forward(self, inputs_embeds: torch.Tensor, attention_mask: torch.Tensor, **more: object) -> Any:
        summed = super().forward(inputs_embeds, attention_mask).logits
        return SimpleNamespace(logits=torch.sigmoid(200 * (summed - 6.9)), attentions=None)


def test_steps_grow_until_the_integral_is_right() -> None:
    straight = bag([None, 0, 1, 2, 3])
    network_input = replace(straight.input, network=Curve(WEIGHTS))
    found = drained(attribution_methods.attribute([Term(input=network_input, score=straight.score)], 4, 8))
    assert found.error <= attribution_methods.TOLERANCE
    assert 8 < found.steps <= 8 * attribution_methods.MORE


def test_integrated_gradients_are_captums(lease: Lease) -> None:
    from captum.attr import IntegratedGradients  # type: ignore[import-untyped]

    prediction = predicted(lease("sentiment"), "text_classification", REVIEW)
    [term] = prediction.terms
    network_input, units = term.input, len(prediction.units)
    parts = attribution_methods._parts([term])
    ours = drained(attribution_methods._stretch(parts, 0.25, 1.0, 8, units))
    way = network_input.embedded - network_input.empty
    theirs = IntegratedGradients(lambda rows: term.weight * term.score(network_input.read(rows))).attribute(
        inputs=network_input.embedded[None],
        baselines=(network_input.empty + 0.25 * way)[None],
        n_steps=8,
        method="gausslegendre",
    )
    assert ours.abs().max() > 0.01
    assert ours.tolist() == pytest.approx(
        network_input.per_unit(theirs[0].sum(dim=-1), units).tolist(), rel=1e-3, abs=1e-7
    )


DECODERS = [name for name, tiny in ARCHITECTURES.items() if tiny.head is Head.CAUSAL_LM]


@pytest.mark.parametrize("name", DECODERS)
def test_what_no_text_changes_is_read_once_to_the_same_effect(name: str, tmp_path: Path) -> None:
    network = AutoModelForCausalLM.from_pretrained(ARCHITECTURES[name].build(tmp_path)).eval()
    network.requires_grad_(False)
    once = AttributionInput(
        network=network,
        ids=torch.arange(3, 15),
        given={"attention_mask": torch.ones(1, 12, dtype=torch.long)},
        owners=[*[None] * 5, *range(6), None],
        filler=2,
        reads=[10, 11],
        options={"use_cache": False, "logits_to_keep": torch.arange(-2, 0)},
        once=5,
    )
    found = []
    for network_input in (once, replace(once, once=0)):
        rows = network_input.on_the_way([0.0, 0.3, 1.0]).requires_grad_(True)
        scores = explanation.log_probability([7], -2)(network_input.read(rows))
        (slopes,) = torch.autograd.grad(scores.sum(), rows)
        found.append((scores, slopes[:, 5:]))
    for ours, whole in zip(*found, strict=True):
        assert whole.abs().max() > 1e-4
        assert torch.allclose(ours, whole, rtol=1e-4, atol=1e-5)


# Every task


@of_cases
def test_every_task_is_explained(runner: Runner, task: str, model: str, text: str, pair: str) -> None:
    answer = runner.call(TASK, request(task, model, text, pair, steps=16))
    result = answer.result
    assert (result.task, answer.model) == (task, model)
    assert [method.name for method in result.methods] == list(attribution_methods.METHODS)
    for method in result.methods:
        assert len(method.values) == len(result.units)
        assert np.isfinite(method.values).all()
        assert method.sum == pytest.approx(sum(method.values))
    sources = {"text": text, "text_pair": pair}
    for unit in result.units:
        assert sources[unit.source][unit.start : unit.end] == unit.text
        assert unit.text == unit.text.strip() != ""
    integral = next(one for one in result.methods if one.name == attribution_methods.INTEGRATED)
    missed = abs(integral.sum - result.change) / max(abs(result.change), 1e-6)
    assert missed == pytest.approx(result.completeness_error, abs=1e-3)
    rollout = result.methods[-1].values
    assert min(rollout) >= 0
    assert 0 < sum(rollout) <= 2.001  # of two texts each has a share
    assert result.agreement.sentence.endswith(".")
    json.dumps(answer.as_json(), allow_nan=False)
    if not model.startswith("tiny-"):
        assert result.completeness_error <= attribution_methods.TOLERANCE


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_the_examples_of_the_page_are_complete(runner: Runner, example: tuple[str, ...]) -> None:
    task, text, pair, model, target, against = example
    result = runner.call(TASK, request(task, model, text, pair, target=target, against=against)).result
    assert result.completeness_error <= attribution_methods.TOLERANCE
    assert not target or result.target.strip() == target


# What is explained is what the task's page says


def own_choices(runner: Runner, task: str, model: str, text: str, pair: str) -> dict[str, float]:
    """What the task's own endpoint answers, as names with numbers."""
    labels = [label.strip() for label in pair.split(",")]
    asked: dict[str, dict[str, object]] = {
        "question_answering": {"context": text, "question": pair},
        "text_generation": {"prompt": text, "begin": pair, "alternatives": 5, "max_new_tokens": 1},
        "zero_shot_classification": {"text": text, "labels": labels},
        "sentence_similarity": {"source": text, "sentences": [pair]},
        "translation": {"text": text, "target": pair},
    }
    inputs = asked.get(task, {"text": text})
    answer = runner.call(OWN[task], {**inputs, "model": model, **MORE.get(task, {})}).as_json()
    if task == "text_generation":
        return {one["text"]: one["probability"] for one in answer["steps"][0]["alternatives"]}
    if task == "sentence_similarity":
        return {pair: answer["scores"][0]}
    if task == "named_entities":
        best = max(answer["entities"], key=lambda one: one["score"], default=None)
        return {best["label"]: best["score"]} if best else {}
    key, name = {
        "text_classification": ("labels", "label"),
        "zero_shot_classification": ("labels", "label"),
        "question_answering": ("answers", "text"),
        "summarization": ("sentences", "text"),
        "translation": ("segments", "translation"),
        "fill_mask": ("candidates", "token"),
    }[task]
    # What only went round in circles is not shown, and is nobody's prediction.
    return {one[name]: one["score"] for one in answer[key] if one.get("translated", True)}


MORE: dict[str, dict[str, object]] = {"question_answering": {"allow_no_answer": False, "stride": 0}}
MEASURED = [
    *CASES,
    ("text_generation", SMOLLM, "What is the capital of France?", "The capital of France is"),
    ("fill_mask", SMOLLM, "I looked at my [MASK] and saw that it was late.", ""),
    ("zero_shot_classification", SMOLLM, GOAL, "politics, sports, technology"),
]


@pytest.mark.parametrize(("task", "model", "text", "pair"), MEASURED, ids=lambda one: one[:30])
def test_the_prediction_is_the_tasks_own(
    runner: Runner,
    lease: Lease,
    task: str,
    model: str,
    text: str,
    pair: str,
    subtests: pytest.Subtests,
) -> None:
    """And its score: softmaxes tell scores up to a constant, so that the score of one choice less another is
    known.
    """
    loaded = lease(model)
    plain = predicted(loaded, task, text, pair)
    with subtests.test("the score"):
        assert_the_score_is_the_tasks_own(loaded, plain, task, text, pair)
    own = own_choices(runner, task, model, text, pair)
    if not own:
        pytest.skip("the tiny network has nothing to show")
    found = {choice.text: choice.score for choice in plain.choices}
    for name, number in own.items():
        assert found[name] == pytest.approx(number, abs=2e-4), name
    best = max(own, key=lambda name: own[name])
    if task == "named_entities":
        assert max(found, key=lambda name: found[name]) == best
    elif task != "translation":
        assert plain.target == best


def assert_the_score_is_the_tasks_own(
    loaded: LoadedModel, plain: explanation.Prediction, task: str, text: str, pair: str
) -> None:
    if task == "translation":
        tokens = [len(term.input.given["decoder_input_ids"][0]) for term in plain.terms]
        for term, count, choice in zip(plain.terms, tokens, plain.choices, strict=True):
            assert math.exp(term.now() / count) == pytest.approx(choice.score, rel=1e-3)
        return
    if task == "sentence_similarity":
        assert score(plain) == pytest.approx(plain.choices[0].score, abs=1e-5)
        return
    if task == "question_answering":
        network_input = plain.terms[0].input
        row = dict(network_input.given)
        with torch.no_grad():
            output = loaded.network(input_ids=network_input.ids[None], **row)
        own = [place for place, owner in enumerate(network_input.owners) if owner is not None]
        context = [place for place in own if plain.units[network_input.owners[place] or 0].source == "text"]
        best = max(
            float(output.start_logits[0, start] + output.end_logits[0, end])
            for start in context
            for end in context
            if start <= end < start + 30
        )
        assert score(plain) == pytest.approx(best, abs=1e-3)
        return
    first, second = (choice.text for choice in plain.choices[:2])
    odds = math.log(plain.choices[0].score / plain.choices[1].score)
    if task == "text_classification" and loaded.checkpoint.id != "sentiment":  # each label by itself
        chances = [choice.score for choice in plain.choices[:2]]
        odds = math.log(chances[0] / (1 - chances[0])) - math.log(chances[1] / (1 - chances[1]))
    target = plain.target if task == "named_entities" else first
    contrast = predicted(loaded, task, text, pair, target, second)
    scale = 1 / COSINE_SCALE if loaded.checkpoint.head == "encoder" else 1.0
    loose = 0.05 if task == "named_entities" else 2e-3  # several words: a mean of logarithms
    assert score(contrast) == pytest.approx(scale * odds, rel=loose, abs=loose)
    if task in ("text_generation", "fill_mask") and len(plain.terms[0].input.reads or ()) == 1:
        assert math.exp(score(plain)) == pytest.approx(plain.choices[0].score, rel=1e-3)


def test_a_contrast_is_the_difference(runner: Runner) -> None:
    asked = request("text_classification", "emotions", "I am proud, though I miss her.", steps=16)
    both, one, other = (
        runner.call(TASK, {**asked, **more}).result
        for more in (
            {"target": "joy", "against": "sadness"},
            {"target": "joy"},
            {"target": "sadness"},
        )
    )
    assert both.score == pytest.approx(one.score - other.score, abs=1e-4)
    for index, name in enumerate(attribution_methods.METHODS[:2]):
        expected = np.subtract(one.methods[index].values, other.methods[index].values)
        assert both.methods[index].values == pytest.approx(expected.tolist(), abs=1e-3), name


@pytest.mark.parametrize("model", [SMOLLM, "tiny-causal-lm"])
def test_prompts_are_read_as_on_the_pages(lease: Lease, model: str) -> None:
    loaded = lease(model)
    ids, places = summary._summary_prompt(loaded, BRIDGE, 2)
    assert ids == abstractive.prompt(loaded, BRIDGE, 2)
    read = [BRIDGE[slice(*place)] for place in places if place]
    assert "".join(read).replace(" ", "") == BRIDGE.replace(" ", "")
    network_input = predicted(loaded, "text_generation", "What is it?").terms[0].input
    prompt = prompt_ids(loaded, "What is it?", Options())
    assert network_input.ids.tolist() == prompt
    assert causal.separator(loaded) is not None


def test_a_word_of_a_translation_and_one_in_its_place(lease: Lease) -> None:
    loaded = lease("translator-en-de")
    text = "She put the bread in the oven."
    whole = predicted(loaded, "translation", text, "de")
    word = predicted(loaded, "translation", text, "de", "Ofen")
    contrast = predicted(loaded, "translation", text, "de", "Ofen", "Garten")
    other = [term for term in contrast.terms if term.weight < 0]
    assert score(whole) < score(word) < 0
    assert score(contrast) == pytest.approx(score(word) + other[0].now())
    assert score(contrast) > 0
    result = drained(attribution_methods.attribute(word.terms, len(word.units), 16))
    occlusion = result.methods[0].values
    assert word.units[int(np.argmax(occlusion))].text == "oven"


# Refusals


@pytest.mark.parametrize(
    ("asked", "code", "field"),
    [
        (request("", "tables", "Some text"), Code.UNSUITABLE_MODEL, "model"),
        (request("question_answering", "sentiment", "Some text", "What?"), Code.UNSUITABLE_MODEL, "model"),
        (request("question_answering", "answers", "Some text"), Code.INVALID_INPUT, "text_pair"),
        (request("zero_shot_classification", "entailment", "Text", "one"), Code.INVALID_INPUT, "text_pair"),
        (request("translation", "translator-en-de", "A text.", "xx"), Code.INVALID_INPUT, "text_pair"),
        (request("text_classification", "sentiment", "Good", target="fear"), Code.INVALID_INPUT, "target"),
        (
            request("text_classification", "sentiment", "Good", target="positive", against="Positive"),
            Code.INVALID_INPUT,
            "against",
        ),
        (request("named_entities", "entities", "It rained all day."), Code.INVALID_INPUT, "target"),
        (request("named_entities", "entities", NAMES, target="London"), Code.INVALID_INPUT, "target"),
        (request("fill_mask", "tiny-masked-lm", "No gap here."), Code.INVALID_INPUT, "text"),
        (
            request("fill_mask", "tiny-masked-lm", "A [MASK].", target="zzzqqq"),
            Code.INVALID_INPUT,
            "target",
        ),
        (
            request("text_generation", "tiny-causal-lm", "Hi", target="an impossible token"),
            Code.INVALID_INPUT,
            "target",
        ),
        (request("summarization", "summarizer", BRIDGE, target="tunnel"), Code.INVALID_INPUT, "target"),
        (request("sums", "sentiment", "Good"), Code.INVALID_INPUT, "task"),
    ],
    ids=lambda one: str(one)[:60],
)
def test_refusals_say_what_is_wrong(runner: Runner, asked: dict[str, object], code: Code, field: str) -> None:
    with pytest.raises(TourError) as caught:
        runner.call(TASK, asked)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert len(caught.value.message) > 20


def test_an_empty_task_is_what_the_checkpoint_was_trained_for(runner: Runner) -> None:
    result = runner.call(TASK, request("", "sentiment", "A good film.", steps=4)).result
    assert result.task == "text_classification"


def test_every_task_with_a_score_for_a_text_can_be_explained(registry: Registry) -> None:
    assert {*OWN} - {*EXPLAINED} == {"table_question_answering", "feature_extraction"}
    assert all(one.can("attribution") for one in registry.catalog if {*one.tasks} & {*EXPLAINED})


# Texts


def test_a_long_text_is_cut_with_a_note(lease: Lease) -> None:
    text = "A good film. " * 200
    prediction = predicted(lease("sentiment"), "text_classification", text)
    assert prediction.tokens <= 256
    assert "only the first" in prediction.notes[0]
    assert prediction.units[-1].end < len(text)


@pytest.mark.parametrize("by_words", [True, False], ids=["words", "tokens"])
@pytest.mark.parametrize("model", ["all-MiniLM-L6-v2", SMOLLM, "translator-en-de"])
def test_units_part_any_text_without_overlap(lease: Lease, model: str, by_words: bool) -> None:
    loaded = lease(model)
    for text in EDGE_CASES:
        units = explanation.Units(by_words)
        offsets = explanation.offsets_of(loaded, text)
        owners = units.owners(text, "text", offsets)
        assert len(owners) == len(offsets)
        assert {owner for owner in owners if owner is not None} == {*range(len(units.found))}
        after = 0
        for unit in units.found:
            assert after <= unit.start < unit.end <= len(text)
            assert unit.text == text[unit.start : unit.end]
            after = unit.end


def test_words_hold_their_tokens(runner: Runner) -> None:
    asked = request("text_classification", "sentiment", "Unbelievably good, isn't it?", steps=16)
    words, tokens = (runner.call(TASK, {**asked, "unit": unit}).result for unit in ("words", "tokens"))
    assert [unit.text for unit in words.units] == ["Unbelievably", "good", ",", "isn't", "it", "?"]
    assert len(tokens.units) > len(words.units)
    assert words.change == pytest.approx(tokens.change)
    assert words.methods[1].sum == pytest.approx(tokens.methods[1].sum, abs=1e-4)


# Editing


def test_a_masked_word_costs_what_occlusion_says(runner: Runner) -> None:
    asked = request("text_classification", "sentiment", REVIEW)
    found = runner.call(TASK, {**asked, "steps": 4}).result
    index = [unit.text for unit in found.units].index("wonderful")
    edit = runner.call(EDIT, {**asked, "index": index}).result
    assert edit.before.score is not None
    assert edit.after.score is not None
    assert edit.before.score - edit.after.score == pytest.approx(found.methods[0].values[index], abs=1e-4)
    assert edit.after.text == REVIEW.replace("wonderful", "[MASK]")


def test_a_replaced_word_is_read_in_its_place(runner: Runner) -> None:
    asked = request("text_classification", "sentiment", REVIEW)
    edit = runner.call(EDIT, {**asked, "index": 14, "replacement": "terrible"}).result
    assert edit.after.text == REVIEW.replace("wonderful", "terrible")
    own = runner.call(OWN["text_classification"], {"text": edit.after.text, "model": "sentiment"}).result
    assert edit.after.choices[0].text == own.labels[0].label == "negative"
    assert edit.after.choices[0].score == pytest.approx(own.labels[0].score, abs=1e-4)
    assert (edit.after.score or 0.0) < (edit.before.score or 0.0)
    assert edit.target == "positive"


def test_what_cannot_be_predicted_any_more_has_no_score(runner: Runner) -> None:
    asked = request("named_entities", "entities", NAMES, target="Paris")
    units = [unit.text for unit in runner.call(TASK, {**asked, "steps": 4}).result.units]
    edit = runner.call(EDIT, {**asked, "index": units.index("Paris"), "replacement": "spring"}).result
    assert edit.after.score is None
    assert edit.after.choices


def test_only_parts_that_there_are_can_be_edited(runner: Runner) -> None:
    with pytest.raises(TourError) as caught:
        runner.call(EDIT, request("text_classification", "sentiment", "Good.", index=9))
    assert caught.value.field == "index"


# Work and its end


def test_work_is_told_and_can_be_stopped(runner: Runner) -> None:
    stream = runner.stream(TASK, request("text_classification", "sentiment", REVIEW))
    shares = []
    for step in stream:
        if isinstance(step, Progress):
            shares.append(step.share or 0.0)
        if len(shares) == 5:
            break
    stream.close()
    assert shares == sorted(shares)
    assert shares[-1] < 1


def test_no_gradients_are_kept_for_weights(runner: Runner, lease: Lease) -> None:
    runner.call(TASK, request("text_classification", "sentiment", "Good.", steps=4))
    assert not any(
        one.requires_grad or one.grad is not None for one in lease("sentiment").network.parameters()
    )


# Agreement


def test_correlation_of_ranks() -> None:
    up = np.array([1.0, 2.0, 3.0, 4.0])
    assert spearman(up, np.exp(up)) == pytest.approx(1)
    assert spearman(up, -up) == pytest.approx(-1)
    assert spearman(up, np.ones(4)) == 0
    assert spearman(up, np.array([1.0, 3.0, 2.0, 4.0])) == pytest.approx(0.8)


def test_the_sentence_names_where_methods_disagree_most() -> None:
    methods = [
        Method(name=name, values=values, sum=sum(values), note="")
        for name, values in {
            "occlusion": [3.0, -2.0, 1.0, 0.1],
            "gradient_x_input": [-3.0, 0.1, 2.0, 1.0],
        }.items()
    ]
    found = compare(["a", "b", "c", "d"], methods)
    assert found.unit == 1
    assert "“b”" in found.sentence
    assert "occlusion puts it at place 2" in found.sentence
    assert "gradient × input at place 4" in found.sentence
    assert found.pairs[0].correlation == pytest.approx(spearman(*(np.array(one.values) for one in methods)))


def test_a_second_text_that_is_not_read_is_told(runner: Runner) -> None:
    answer = runner.call(TASK, {"model": "tiny-classifier", "text": "The quick fox.", "text_pair": "A dog."})
    assert "Text classification reads one text: the second is left out." in answer.notes
