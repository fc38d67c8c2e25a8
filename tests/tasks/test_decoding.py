"""What is said of a decoder's choices: against the network's own logits and the library's own scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from components.models.checkpoint import LoadedModel
from components.tasks.runner import Runner
from components.tasks.text_generation import TASK, Branch, Generation, decoding
from components.tasks.text_generation.model import prompt_ids

Lease = Callable[[str], LoadedModel]
TINY, SMOL = "tiny-causal-lm", "SmolLM2-135M-Instruct"
PROMPT = "The quick brown"


def ask(runner: Runner, **changes: Any) -> Generation:
    payload = {"prompt": PROMPT, "mode": "plain", "model": TINY, "max_new_tokens": 12, "alternatives": 3}
    result = runner.call(TASK, {**payload, **changes}).result
    assert isinstance(result, Generation)
    return result


def network_logits(model: LoadedModel, text: str) -> torch.Tensor:
    with torch.inference_mode():
        logits: torch.Tensor = model.network(**model.tokenizer(text, return_tensors="pt")).logits[0, -1]
    return logits


@pytest.mark.parametrize(
    "changes", [{}, {"num_beams": 3}, {"begin": " fox"}, {"temperature": 1.9, "seed": 4}]
)
def test_steps_are_the_answer_with_the_networks_own_probabilities(
    changes: dict[str, Any], runner: Runner, lease: Lease
) -> None:
    model, result = lease(TINY), ask(runner, **changes)
    assert len(result.steps) == result.generated_tokens
    first = result.steps[0]
    logits = network_logits(model, PROMPT + changes.get("begin", ""))
    best = logits.softmax(0).topk(3).values.tolist()
    assert [one.probability for one in first.alternatives] == pytest.approx(best, rel=1e-4, abs=1e-6)
    assert first.start == len(changes.get("begin", ""))
    for one in result.steps:
        assert one.special or result.text[one.start :].startswith(one.text.rstrip("\ufffd"))
    assert result.beams if "num_beams" in changes else not result.beams


def test_without_alternatives_there_is_the_text_alone(runner: Runner) -> None:
    result = ask(runner, alternatives=0)
    assert (result.steps, result.next_token, result.beams) == ([], None, [])
    assert result.text == ask(runner).text


def test_an_alternative_can_be_gone_on_from(runner: Runner) -> None:
    """What a click does: the text before a token, the alternative, and then the model."""
    result = ask(runner, temperature=0.0, repetition_penalty=1.0)
    third = result.steps[3]
    other = next(one for one in third.alternatives if one.text != third.text and not one.special)
    begun = result.text[: third.start] + other.text
    assert ask(runner, temperature=0.0, begin=begun).text.startswith(begun)
    same = result.text[: third.start] + third.text
    whole = ask(runner, temperature=0.0, repetition_penalty=1.0, begin=same, max_new_tokens=8).text
    assert whole == result.text


@pytest.mark.parametrize("id", [TINY, SMOL])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.0])
def test_bins_stand_for_all_other_tokens(id: str, temperature: float, runner: Runner, lease: Lease) -> None:
    found = ask(runner, model=id, max_new_tokens=1).next_token
    assert found is not None
    logits = network_logits(lease(id), PROMPT).float()
    assert len(found.tokens) + sum(one.count for one in found.rest) == len(logits)
    shown = torch.tensor(
        [one.logit for one in found.tokens] + [one.logit for one in found.rest for _ in range(one.count)]
    )
    expected = (logits / temperature).softmax(0).sort(descending=True).values
    mine = (shown / temperature).softmax(0)[: len(found.tokens)]
    torch.testing.assert_close(mine, expected[: len(found.tokens)], rtol=5e-3, atol=1e-5)


def path(beams: list[Branch]) -> list[Branch]:
    return [one for one in beams if one.best]


def test_the_tree_of_beams_has_the_answer_and_its_score(runner: Runner, lease: Lease) -> None:
    model, result = lease(TINY), ask(runner, num_beams=4, max_new_tokens=10, repetition_penalty=1.0)
    best = path(result.beams)
    assert "".join(one.text for one in best if "<|" not in one.text) == result.text
    assert sum(one.tokens for one in best) == result.generated_tokens
    ids = torch.tensor([model.tokenizer(PROMPT).input_ids])
    output: Any = model.network.generate(  # type: ignore[operator]
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=10,
        num_beams=4,
        do_sample=False,
        return_dict_in_generate=True,
        output_scores=True,
    )
    assert best[-1].log_probability == pytest.approx(
        float(output.sequences_scores[0]) * result.generated_tokens, abs=1e-3
    )
    for index, one in enumerate(result.beams):
        assert one.parent < index
        assert one.log_probability <= (result.beams[one.parent].log_probability if one.parent >= 0 else 0.0)
    leaves = len(result.beams) - len({one.parent for one in result.beams if one.parent >= 0})
    assert leaves >= 4


def test_special_tokens_are_named_and_are_no_text(lease: Lease) -> None:
    model = lease(SMOL)
    pieces = decoding.TokenTexts(model)
    (end,) = model.tokenizer("<|im_end|>", add_special_tokens=False).input_ids
    before = model.tokenizer("Hello", add_special_tokens=False).input_ids
    likely = pieces.token(before, end, 0.5)
    assert (likely.text, likely.special) == ("<|im_end|>", True)
    (word,) = model.tokenizer(" there", add_special_tokens=False).input_ids
    assert pieces.after(before, word) == " there"
    assert prompt_ids(model, "x", TASK.options(mode="plain"))
