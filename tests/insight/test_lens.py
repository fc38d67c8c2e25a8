"""What is read off a network's layers: the last layer as words is what the network itself says."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from components.insight import lens, reading
from components.insight.layers import TASK, Layers
from components.insight.reading import WRITTEN
from components.models.catalog import Catalog
from components.models.checkpoint import Head, LoadedModel
from components.models.registry import Registry
from components.models.settings import Settings, default_cache_dir
from components.tasks.explained import LONGEST
from components.tasks.runner import Runner
from components.tasks.task import Answer
from demos import examples
from tests.fakes.architectures import ARCHITECTURES
from tests.fakes.checkpoints import TINY, Tiny, local_entry
from tests.tasks.suite import finish

LANGUAGE = (Head.CAUSAL_LM, Head.MASKED_LM, Head.SEQ2SEQ_LM)
TABLES = "table_question_answering"
ALL: dict[str, Tiny] = {f"tiny-{name}": tiny for name, tiny in TINY.items() if TABLES not in tiny.tasks}
ALL |= {name: tiny for name, tiny in ARCHITECTURES.items() if TABLES not in tiny.tasks}
ASKED = [name for name, tiny in ALL.items() if tiny.head in TASK.heads]
SPEAKING = [name for name in ASKED if ALL[name].head in LANGUAGE]
REAL = ["SmolLM2-135M-Instruct", "translator-en-de"]
TEXT = "She put the bread in the oven."


@pytest.fixture(scope="module")
def tiny(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """Over the catalog, the tiny checkpoints, and one of each architecture of the Hub's."""
    root = tmp_path_factory.mktemp("architectures")
    more = [
        local_entry(name, one.head, one.build(root / name), one.tasks) for name, one in ARCHITECTURES.items()
    ]
    settings = Settings(cache_dir=default_cache_dir(), device="cpu")
    own = Registry(Catalog([*registry.catalog, *more]), settings)
    yield Runner(own, "embedded")
    own.close()


def ask(runner: Runner, model: str, text: str = TEXT, **more: object) -> Answer[Layers]:
    return runner.call(TASK, {"text": text, "model": model, **more})


def own(model: LoadedModel, read: reading.Reading) -> torch.Tensor:
    """The shared network's own distribution [tokens, vocabulary]."""
    with torch.inference_mode():
        logits: torch.Tensor = model.network(**read.inputs).logits
    return logits[0].float().softmax(-1)


@pytest.mark.parametrize("name", [*REAL, *SPEAKING])
def test_the_last_layer_says_what_the_network_says(name: str, tiny: Runner) -> None:
    with tiny.registry.lease(name) as model:
        read = finish(reading.read(model, TEXT, ""))
        seen = lens.look(model, read)
        expected = own(model, read)
        assert seen.head is not None
        made = seen.head(seen.norm(seen.states[-1][None]))[0].float().softmax(-1)
        torch.testing.assert_close(made, expected, atol=1e-4, rtol=1e-3)
        guesses = finish(lens.lens(model, read, seen, 5))
        best = expected.topk(5)
        assert guesses.missing == ""
        torch.testing.assert_close(
            torch.tensor(guesses.probabilities[-1]), best.values.cpu(), atol=1e-4, rtol=0
        )
        for said, ids, chances in zip(
            guesses.tokens[-1], best.indices.tolist(), best.values.tolist(), strict=True
        ):
            if chances[0] - chances[1] > 1e-3:  # or the order is a matter of rounding
                assert said[0] == lens.shown(model.tokenizer, ids[:1])[0]


@pytest.mark.parametrize("name", [*REAL, *SPEAKING])
def test_earlier_layers_go_through_the_final_norm_too(name: str, tiny: Runner) -> None:
    """By hand: the network's last norm, wherever it is, and its own head on the embeddings."""
    with tiny.registry.lease(name) as model:
        network: Any = model.network
        read = finish(reading.read(model, TEXT, ""))
        seen = lens.look(model, read)
        norms = {
            "model.norm": ("llama", "qwen3"),
            "transformer.ln_f": ("gpt2",),
            "decoder.final_layer_norm": ("t5",),
            "model.decoder.layer_norm": ("m2m_100",),
            "model.final_norm": ("modernbert",),
        }
        kind = network.config.model_type
        [path] = [path for path, kinds in norms.items() if kind in kinds] or [""]
        state = seen.states[0][None]
        with torch.inference_mode():
            expected = network.get_submodule(path)(state) if path else state
            torch.testing.assert_close(seen.norm(state), expected)


@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", *REAL, *ASKED])
def test_every_checkpoint_answers_in_full(name: str, tiny: Runner) -> None:
    answer = ask(tiny, name, lens_top_k=2)
    result = answer.result
    rows, tokens = result.layers + 1, len(result.tokens)
    assert tokens > 0
    assert len(result.norms) == len(result.median_norms) == len(result.similarity) == rows
    assert all(len(row) == tokens for row in (*result.norms, *result.kept))
    assert len(result.kept) == result.layers
    for first in range(rows):
        assert result.similarity[first][first] == 1
        for second in range(rows):
            assert result.similarity[first][second] == result.similarity[second][first]
            assert -1 <= result.similarity[first][second] <= 1
    if tiny.registry.catalog[name].head in LANGUAGE:
        assert result.no_lens == ""
        assert [len(row) for row in result.lens] == [tokens] * rows
        for row in result.probabilities:
            assert all(1 >= first >= second >= 0 for first, second in row)
    else:
        assert not result.lens
        assert not result.probabilities
        assert result.predicts == "nothing"
        assert "no head" in result.no_lens


def test_similarity_and_norms_are_what_they_are_called() -> None:
    first = torch.tensor([[3.0, 4.0], [1.0, 0.0]])
    second = torch.tensor([[4.0, -3.0], [2.0, 0.0]])
    moved = lens.moved([first, second])
    assert moved.norms == [[5.0, 1.0], [5.0, 2.0]]
    assert moved.median_norms == [3.0, 3.5]
    assert moved.kept == [[0.0, 1.0]]
    assert moved.similarity == [[1.0, 0.5], [0.5, 1.0]]


def test_a_state_without_length_has_no_direction() -> None:
    moved = lens.moved([torch.zeros(1, 2), torch.ones(1, 2)])
    assert moved.similarity == [[1.0, 0.0], [0.0, 1.0]]


def test_a_network_that_does_otherwise_is_not_shown_wrongly(tiny: Runner) -> None:
    """Its last layer's words would not be its own."""
    with tiny.registry.lease("SmolLM2-135M-Instruct") as model:
        read = finish(reading.read(model, TEXT, ""))
        seen = lens.look(model, read)
        assert seen.logits is not None
        other = lens.Seen(
            states=seen.states, norm=seen.norm, head=seen.head, logits=seen.logits.roll(1, dims=-1)
        )
        guesses = finish(lens.lens(model, read, other, 1))
    assert guesses.tokens == []
    assert "model's output" in guesses.missing


def test_the_shared_network_stays_as_it_was(lease: Callable[[str], LoadedModel]) -> None:
    model = lease("SmolLM2-135M-Instruct")
    read = finish(reading.read(model, TEXT, ""))
    before = own(model, read)
    finish(lens.lens(model, read, lens.look(model, read), 1))
    assert torch.equal(own(model, read), before)
    assert not any(module._forward_hooks for module in model.network.modules())


def test_a_long_text_is_cut_with_a_note(tiny: Runner, lease: Callable[[str], LoadedModel]) -> None:
    """Before anything is made of it: the words of 30 layers for 512 tokens would be seconds of work."""
    text = "one two three four " * 200
    answer = ask(tiny, "all-MiniLM-L6-v2", text)
    assert len(answer.result.tokens) == LONGEST
    read = finish(reading.read(lease("SmolLM2-135M-Instruct"), text, ""))
    assert len(read.pieces) == LONGEST
    for [note] in (answer.notes, read.notes):
        assert f"first {LONGEST} of 8" in note


def test_a_long_text_for_an_encoder_decoder_is_cut_with_a_note(tiny: Runner) -> None:
    answer = ask(tiny, "translator-en-de", "The house is small. " * 150, text_pair="Das Haus. " * 200)
    assert len(answer.result.tokens) == LONGEST
    assert len(answer.notes) == 2
    assert "second text" in answer.notes[1]


def test_an_encoder_decoder_writes_and_reads_what_it_is_given(tiny: Runner) -> None:
    wrote = ask(tiny, "translator-en-de", "The house is small.").result
    assert wrote.written == "Das Haus ist klein."
    assert [row[0] for row in wrote.lens[-1]] == [*wrote.tokens[1:], "</s>"]
    given = ask(tiny, "translator-en-de", "The house is small.", text_pair="Das Haus ist klein.").result
    assert given == wrote
    other = ask(tiny, "translator-en-de", "The house is small.", text_pair="Ein Hund").result
    assert other.tokens[1:] == [" Ein", " Hund"]
    assert other.written == "Ein Hund"


def test_what_an_encoder_decoder_writes_has_an_end(tiny: Runner) -> None:
    answer = ask(tiny, "t5", "The house is small.")
    assert len(answer.result.tokens) == WRITTEN
    assert answer.notes == (f"The model wrote more than {WRITTEN} tokens; the first {WRITTEN} are shown.",)


def test_a_second_text_for_a_short_decoder_is_cut_with_a_note(tiny: Runner) -> None:
    with tiny.registry.lease("tiny-marian") as model:
        most = model.network.config.max_position_embeddings
    assert most < LONGEST
    answer = ask(tiny, "tiny-marian", "The house is small.", text_pair="The house is small. " * most)
    assert len(answer.result.tokens) == most
    assert "second text" in answer.notes[-1]


def test_a_second_text_is_read_with_the_first(tiny: Runner) -> None:
    pair = ask(tiny, "all-MiniLM-L6-v2", "One.", text_pair="Two.").result
    assert pair.tokens == ["[CLS]", "one", ".", "[SEP]", "two", ".", "[SEP]"]
    whole = ask(tiny, "SmolLM2-135M-Instruct", "One", text_pair=" two").result
    assert whole.tokens == ["One", " two"]


def test_a_masked_model_fills_the_gap(tiny: Runner) -> None:
    result = ask(tiny, "roberta-masked", "The [MASK] fox").result
    assert result.predicts == "same"
    assert "<mask>" in result.tokens


def test_the_examples_in_words_are_true(tiny: Runner) -> None:
    """What the page says of its own examples."""
    result = ask(tiny, "SmolLM2-135M-Instruct", "The capital of France is").result
    last = [row[-1] for row in result.lens]
    assert (last[28][0], last[29][0], last[30][0]) == (" the", " capital", " Paris")
    assert round(result.probabilities[30][-1][0], 2) == 0.77
    assert [round(result.median_norms[layer], 1) for layer in (0, 30)] == pytest.approx([2.5, 619.2], abs=0.3)
    assert result.norms[15][0] == pytest.approx(22_680, abs=20)
    likeness = ask(tiny, "all-MiniLM-L6-v2", "The bank of the river was steep.").result.similarity
    assert round(likeness[1][2], 2) == 0.90
    assert round(likeness[0][6], 2) == 0.36


def test_the_stored_answers_are_what_the_models_answer(tiny: Runner) -> None:
    for example in examples.load(TASK):
        fresh = tiny.call(TASK, example.payload).as_json()
        for name in ("tokens", "written", "predicts", "layers", "no_lens"):
            assert fresh[name] == example.answer[name]
        for name in ("probabilities", "similarity", "kept"):
            stored = torch.tensor(example.answer[name])
            torch.testing.assert_close(torch.tensor(fresh[name]), stored, atol=0.02, rtol=0)


@pytest.mark.parametrize("name", [name for name in ASKED if name != "m2m100"])  # it is not told languages
def test_the_drawers_code_prints_the_same(name: str, tiny: Runner) -> None:
    """Of a language model the words at the last place or the gap, of others how alike layers are."""
    payload = {"text": "The [MASK] fox." if ALL[name].head is Head.MASKED_LM else TEXT}
    request = tiny.parse(TASK, {**payload, "model": name})
    code = TASK.snippet(request.checkpoint, request.inputs, request.options)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "snippet", "exec"), {"__name__": "__main__"})  # noqa: S102 - the code under test
    lines = [line.split("  ", 1) for line in printed.getvalue().splitlines()]
    result = ask(tiny, name, payload["text"]).result
    place = next((index for index, token in enumerate(result.tokens) if "mask" in token.lower()), -1)
    expected = [chance for row in result.probabilities for chance in row[place]]
    if not expected:
        expected = [sum(row) / len(row) for row in result.kept]
        expected[-1] = float(lines[-1][0])  # where there is a final norm, the code takes the state after it
    assert [float(value) for value, _ in lines] == pytest.approx(expected, abs=1e-3)
