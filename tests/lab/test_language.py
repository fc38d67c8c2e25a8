"""Language models in the lab: measured as defined, taught a text, paused, and used on the other pages."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer

from components.lab import corpus
from components.lab.lab import Lab
from components.lab.methods import adaptation, pretraining
from components.lab.methods.method import Method
from components.lab.runs import Phase, Run, Spec
from components.lab.work import PausedError, Work
from components.lab.workspace import new_key
from components.models.catalog import Catalog
from components.models.checkpoint import Checkpoint, Head, LocalSource
from components.models.errors import TourError
from components.models.registry import Registry
from components.models.settings import Settings
from components.tasks.fields import validate
from components.tasks.runner import Runner
from components.tasks.text_generation import TASK as TEXT_GENERATION
from components.training.language import fit, log_likelihoods, pseudo_fit, token_ids, windows
from tests.fakes.checkpoints import local_entry, tiny_causal_lm, tiny_masked_lm

PATIENCE = 600  # seconds: a run gives way to whatever else the host does
pytestmark = pytest.mark.timeout(2 * PATIENCE)
TEXT = "\n".join(
    f"The {colour} {thing} number {number} is baked in the oven for an hour."
    for number in range(8)
    for colour in ("brown", "quick", "lazy")
    for thing in ("dog", "fox", "bread")
)
QUICK = {"text": TEXT, "prompt": "The brown", "longest": 32, "epochs": 2.0, "batch": 4}

HOSTILE = (
    "<script>alert(1)</script> </td></table> {{7*7}} ${x}",
    "\u202eright to left\u202c, \u200bnothing\ufeff, e\u0301\u0301\u0301",
    "日本語の文です。",
    "السلام عليكم",
    "👩\u200d👩\u200d👧 e\u0301",
    "a" * 300,
    "\t\v\f\x85\u2028",
    "[MASK] [CLS] <|endoftext|> <|im_end|> <unk>",
)


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return local_entry("tiny-decoder", Head.CAUSAL_LM, tiny_causal_lm(tmp_path_factory.mktemp("decoder")))


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return local_entry("tiny-masked", Head.MASKED_LM, tiny_masked_lm(tmp_path_factory.mktemp("masked")))


@pytest.fixture
def tiny_lab(tmp_path: Path, decoder: Checkpoint, masked: Checkpoint) -> Iterator[Lab]:
    settings = Settings(cache_dir=tmp_path, device="cpu")
    registry = Registry(Catalog([decoder, masked]), settings)
    lab = Lab(registry, settings)
    yield lab
    lab.close()
    registry.close()


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Work]:
    def make(method: Method, options: dict[str, Any], base: Checkpoint | None = None) -> Work:
        spec = Spec(method=method.name, title=method.title, data=None, options=options)
        settings = Settings(cache_dir=tmp_path, device="cpu")
        return Work(run=Run.create(tmp_path / "runs", spec), settings=settings, base=base)

    return make


def done(method: Method, work: Work) -> dict[str, Any]:
    method.run(work, validate(method.options, work.run.spec.options))
    return work.run.result


def network_of(checkpoint: Checkpoint) -> tuple[Any, Any]:
    assert isinstance(checkpoint.source, LocalSource)
    folder = checkpoint.source.folder
    auto: Any = AutoModelForMaskedLM if checkpoint.head is Head.MASKED_LM else AutoModelForCausalLM
    return auto.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)


def test_perplexity_is_that_of_the_network_itself(decoder: Checkpoint) -> None:
    network, tokenizer = network_of(decoder)
    ids = token_ids(tokenizer, TEXT)[:100]
    row = torch.tensor([ids])
    with torch.no_grad():
        mean = float(network(input_ids=row, labels=row).loss)
    found = fit(network, ids, 128, 400)
    assert found.perplexity == pytest.approx(math.exp(mean), rel=1e-5)
    assert found.bits == pytest.approx(99 * mean / math.log(2) / 400, rel=1e-5)
    assert (found.counted, found.tokens) == (99, 100)


def test_each_token_of_a_long_text_is_predicted_once_from_half_a_window_or_more(decoder: Checkpoint) -> None:
    network, tokenizer = network_of(decoder)
    ids = token_ids(tokenizer, TEXT)[:75]
    found = log_likelihoods(network, ids, 32)
    expected = []
    for place in range(1, len(ids)):
        # The first window is read whole; each later one goes on by half its length.
        start = 0 if place < 32 else 16 * ((place - 32) // 16 + 1)
        with torch.no_grad():
            logits = network(input_ids=torch.tensor([ids[start:place]])).logits[0, -1]
        expected.append(float(logits.log_softmax(-1)[ids[place]]))
    assert found.tolist() == pytest.approx(expected, abs=1e-4)


def test_pseudo_perplexity_hides_each_token_in_turn(masked: Checkpoint) -> None:
    network, tokenizer = network_of(masked)
    ids = token_ids(tokenizer, TEXT)[:50]
    expected = []
    for place in range(50):
        start = place // 30 * 30
        row = [tokenizer.cls_token_id, *ids[start : start + 30], tokenizer.sep_token_id]
        at = 1 + place - start
        row[at] = tokenizer.mask_token_id
        with torch.no_grad():
            logits = network(input_ids=torch.tensor([row])).logits[0, at]
        expected.append(float(logits.log_softmax(-1)[ids[place]]))
    found = pseudo_fit(network, tokenizer, ids, 32, 1000)
    assert found.perplexity == pytest.approx(math.exp(-sum(expected) / 50), rel=1e-4)
    some = pseudo_fit(network, tokenizer, ids, 32, 10)
    assert some.counted == 10
    assert some.perplexity == pytest.approx(math.exp(-sum(expected[::5]) / 10), rel=1e-4)


@pytest.mark.parametrize("count", [1, 31, 32, 33, 64, 100])
def test_windows_hold_every_token_and_are_all_as_long(count: int) -> None:
    found = windows(range(count), 32)
    assert {token for window in found for token in window} == set(range(count))
    assert {len(window) for window in found} == {min(count, 32)}


@pytest.mark.parametrize("change", ["LoRA", "every weight"])
@pytest.mark.parametrize("kind", ["decoder", "masked"])
def test_adapting_makes_what_was_held_out_likelier(
    make: Callable[..., Work], request: pytest.FixtureRequest, kind: str, change: str
) -> None:
    base: Checkpoint = request.getfixturevalue(kind)
    # Under LoRA the embeddings stay what they are, which in the tiny BERT is random numbers: less is learned,
    # and large steps lose it again.
    rate, enough = (0.003, 0.97) if (kind, change) == ("masked", "LoRA") else (0.01, 0.8)
    options = {**QUICK, "model": base.id, "change": change, "epochs": 6.0, "learning_rate": rate}
    work = make(adaptation.METHOD, options, base)
    found = done(adaptation.METHOD, work)
    before, after = found["before"]["held_out"], found["after"]["held_out"]
    assert after["perplexity"] < enough * before["perplexity"]
    assert found["measure"] == ("perplexity" if kind == "decoder" else "pseudo-perplexity")
    assert found["before"]["samples"] != found["after"]["samples"]
    assert {event["event"] for event in work.run.events()} >= {"train", "validation"}
    # What is written is what was measured, but for half precision.
    network, tokenizer = network_of(replace(base, source=LocalSource(folder=str(work.model))))
    ids = token_ids(tokenizer, corpus.divide(TEXT).held_out)
    again = (
        fit(network.float(), ids[:1024], 32, 1)
        if kind == "decoder"
        else pseudo_fit(network.float(), tokenizer, ids, 32, 128)
    )
    assert again.perplexity == pytest.approx(after["perplexity"], rel=0.02)
    assert f"{after['perplexity']:.1f}" in (work.model / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("method", "options"),
    [
        (adaptation.METHOD, {**QUICK, "epochs": 1.0, "model": "tiny-decoder"}),
        (adaptation.METHOD, {**QUICK, "epochs": 1.0, "model": "tiny-masked", "change": "every weight"}),
        (pretraining.METHOD, {"text": TEXT, "width": 32, "layers": 1, "steps": 8, "longest": 32}),
    ],
    ids=["decoder", "masked", "pretraining"],
)
def test_a_paused_run_ends_as_one_that_was_not(
    make: Callable[..., Work],
    request: pytest.FixtureRequest,
    method: Method,
    options: dict[str, Any],
) -> None:
    name = options.get("model")
    base = request.getfixturevalue(name.removeprefix("tiny-")) if name else None
    whole, paused = (make(method, options, base) for _ in range(2))
    expected = done(method, whole)
    paused.pausing.set()  # after the first step
    with pytest.raises(PausedError) as stopped:
        done(method, paused)
    assert stopped.value.step == 1
    found = done(method, Work(run=paused.run, settings=paused.settings, base=base))
    assert found.keys() == expected.keys()
    key = "fit" if method is pretraining.METHOD else "after"
    measured, wanted = (one[key].get("held_out", one[key]) for one in (found, expected))
    assert measured["perplexity"] == pytest.approx(wanted["perplexity"], rel=1e-4)
    if base is not None:
        assert found["before"] == expected["before"]
        tensors, others = (load_file(one.model / "model.safetensors") for one in (paused, whole))
        for tensor in tensors:
            torch.testing.assert_close(tensors[tensor], others[tensor], atol=2e-3, rtol=1e-2)
    else:
        assert [one["step"] for one in found["samples"]] == [one["step"] for one in expected["samples"]]


def test_a_network_from_nothing_learns_to_spell(make: Callable[..., Work]) -> None:
    options = {"text": TEXT, "width": 64, "layers": 2, "steps": 60, "longest": 64}
    work = make(pretraining.METHOD, options)
    found = done(pretraining.METHOD, work)
    first, *_, last = found["samples"]
    assert first["perplexity"] > 0.8 * found["vocabulary"]  # blind guessing
    assert last["perplexity"] < 3
    words = {word for line in TEXT.splitlines() for word in line.split()}
    known = [sum(word in words for word in sample["text"].split()) for sample in (first, last)]
    assert known[0] == 0
    assert known[1] >= 3
    assert work.run.model is None  # nothing is left that could be used


def test_pieces_of_words_are_told_as_such(make: Callable[..., Work]) -> None:
    options = {"text": TEXT, "unit": "byte-level BPE", "width": 32, "layers": 1, "steps": 5, "longest": 32}
    found = done(pretraining.METHOD, make(pretraining.METHOD, options))
    assert found["vocabulary"] > 256  # every byte, and what was learned
    assert found["samples"][-1]["perplexity"] < found["samples"][0]["perplexity"]


@pytest.mark.parametrize("method", [adaptation.METHOD, pretraining.METHOD], ids=lambda one: one.name)
def test_no_text_breaks_it(make: Callable[..., Work], decoder: Checkpoint, method: Method) -> None:
    text = "\r\n".join(f"{line} {number}" for number in range(6) for line in HOSTILE)
    options: dict[str, Any] = {"text": text, "longest": 32}
    if method is adaptation.METHOD:
        options |= {"model": decoder.id, "prompt": HOSTILE[-1], "epochs": 0.05}
        found = done(method, make(method, options, decoder))
        assert math.isfinite(found["after"]["held_out"]["perplexity"])
    else:
        found = done(method, make(method, {**options, "width": 32, "layers": 1, "steps": 5}))
        assert math.isfinite(found["fit"]["perplexity"])


def test_what_is_held_out_is_not_trained_on() -> None:
    lines = [f"Line {number} says something of its own." for number in range(60)]
    lines[20] = lines[9].upper() + "  "  # the same passage again
    found = corpus.divide("\r\n".join(lines))
    assert found.held_out.split("\n") == lines[9::10]
    trained = {" ".join(line.split()).casefold() for line in found.train.split("\n")}
    assert not trained & {line.casefold() for line in lines[9::10]}
    assert len(trained) == 53
    [note] = found.notes
    assert note.startswith("1 of 60")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Too short.", "at least 1,000 are needed"),
        ("word " * 60_000, "at most 200,000"),
        ("word " * 1_000, "fewer than 20 paragraphs, lines or sentences"),
        ("The same line.\n" * 100, "same again and again"),
        (" \n" * 2_000, "at least 1,000 are needed"),
    ],
)
def test_a_text_that_does_not_do_is_refused_with_what_to_change(text: str, said: str) -> None:
    with pytest.raises(TourError, match=said) as refused:
        corpus.divide(text)
    assert refused.value.field == "text"
    if text.strip():
        for method in (adaptation.METHOD, pretraining.METHOD):  # also before a run is in line
            with pytest.raises(TourError, match=r"[Tt]ext"):
                validate(method.options, {"text": text})


def test_an_encoder_without_words_to_predict_is_refused(
    make: Callable[..., Work], decoder: Checkpoint
) -> None:
    encoder = replace(decoder, head=Head.ENCODER, title="Some encoder")
    with pytest.raises(TourError, match="Some encoder has no head that predicts words"):
        done(adaptation.METHOD, make(adaptation.METHOD, {**QUICK, "model": encoder.id}, encoder))


def test_what_ships_is_enough_for_both_and_shares_nothing() -> None:
    for text in (corpus.fog_loft(), corpus.everything()):
        found = corpus.divide(text)
        assert not found.notes
        assert 0.05 < len(found.held_out) / len(text) < 0.15
    assert len(corpus.everything()) > 60_000
    assert 1_200 < len(corpus.fog_loft().split()) < 2_000


def test_the_adapted_checkpoint_answers_on_the_pages(tiny_lab: Lab) -> None:
    key = new_key()
    workspace = tiny_lab.workspaces.open(key)
    run = tiny_lab.start(workspace, "adaptation", {**QUICK, "model": "tiny-decoder"}, None)
    tiny_lab.jobs.wait(run, PATIENCE)
    assert run.state.phase is Phase.DONE, run.state
    id = tiny_lab.model_id(run)
    assert id is not None
    made = tiny_lab.registry.catalog[id]
    assert made.can("text_generation")
    assert made.can("attention")
    assert made in tiny_lab.bases(key)  # for a classifier
    assert made not in tiny_lab.bases(new_key())
    answer = Runner(tiny_lab.registry, "embedded").call(
        TEXT_GENERATION, {"prompt": "The brown", "model": id, "mode": "plain", "max_new_tokens": 5}
    )
    assert answer.model == id
    tiny_lab.remove(run)
    assert id not in tiny_lab.registry.catalog
