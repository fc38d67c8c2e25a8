from __future__ import annotations

import contextlib
import io
import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from components.models.catalog import Catalog
from components.models.checkpoint import Head, LoadedModel
from components.models.errors import Code, TourError
from components.models.registry import Registry
from components.models.settings import Settings
from components.tasks import stepwise
from components.tasks.runner import Runner
from components.tasks.summarization import TASK, Summary
from components.tasks.summarization.abstractive import check
from components.tasks.summarization.faithfulness import unsupported_entities
from tests.fakes import checkpoints
from tests.fakes.checkpoints import local_entry
from tests.tasks.suite import finish

Lease = Callable[[str], LoadedModel]
TINY = "tiny-summarizer"
TEXT = (
    "She put the bread in the oven. The fox jumps over the dog!\n\nIt was late. Paris is the capital of "
    "France. The lazy dog looked at my watch."
)
SENTENCES = [
    "She put the bread in the oven.",
    "The fox jumps over the dog!",
    "It was late.",
    "Paris is the capital of France.",
    "The lazy dog looked at my watch.",
]


def summarize(runner: Runner, text: str, model: str = TINY, **options: object) -> Summary:
    result: Summary = runner.call(TASK, {"text": text, "model": model, **options}).result
    return result


# Chosen sentences


def test_votes_against_one_plain_forward_pass(runner: Runner, lease: Lease) -> None:
    model = lease(TINY)
    tokens = [model.tokenizer(one, add_special_tokens=False).input_ids for one in SENTENCES]
    ids = [model.tokenizer.cls_token_id, *itertools.chain(*tokens), model.tokenizer.sep_token_id]
    with torch.inference_mode():
        logits = model.network(input_ids=torch.tensor([ids])).logits[0, 1:-1]
    votes = [part.mean() for part in (logits[:, 1] - logits[:, 0]).split([len(one) for one in tokens])]
    expected = torch.stack(votes).softmax(0).tolist()
    result = summarize(runner, TEXT, max_sentences=10)
    assert [one.text for one in result.sentences] == SENTENCES
    assert [one.score for one in result.sentences] == pytest.approx(expected, abs=1e-5)
    best = sorted(sorted(range(5), key=lambda index: -expected[index])[:2])
    assert summarize(runner, TEXT).summary == " ".join(SENTENCES[index] for index in best)


def test_sentences_are_slices_in_order_however_long_the_text(runner: Runner) -> None:
    text = "\n".join(f"The fox of page {page} jumps over dog {page}. {TEXT}" for page in range(20))
    answer = runner.call(TASK, {"text": text, "model": TINY, "max_sentences": 5})
    sentences = answer.result.sentences
    assert len(sentences) == 5
    assert all(text[one.start : one.end] == one.text for one in sentences)
    assert sentences == sorted(sentences, key=lambda one: one.start)
    assert answer.result.summary == " ".join(one.text for one in sentences)
    assert "windows of whole sentences" in answer.notes[0]


def test_what_is_said_twice_is_chosen_once(runner: Runner) -> None:
    text = "The fox jumps over the dog. It was late. THE FOX jumps, over the dog! The fox jumps over my dog."
    chosen = [one.text for one in summarize(runner, text, max_sentences=4).sentences]
    assert len(chosen) == 2
    assert "It was late." in chosen


def test_titles_and_signatures_are_no_summary_of_a_text_with_sentences(runner: Runner) -> None:
    text = f"The Fox and the Dog\n\n{TEXT}\n\nYours faithfully,\nMary Jones"
    chosen = [one.text for one in summarize(runner, text, max_sentences=10).sentences]
    assert chosen == SENTENCES
    assert summarize(runner, "The Fox\nMary Jones", max_sentences=2).summary == "The Fox Mary Jones"


def test_a_sentence_longer_than_a_window_is_weighed_whole(runner: Runner) -> None:
    text = "bread " * 300 + "oven. The fox."
    assert len(summarize(runner, text, max_sentences=2).sentences) == 2


@pytest.mark.parametrize("text", ["12 34.", "😀", "x"])
def test_without_sentences_to_choose_from_that_is_said(text: str, runner: Runner) -> None:
    answer = runner.call(TASK, {"text": text, "model": TINY})
    assert answer.result.summary == text
    assert answer.notes


# Written ones


SOURCE = (
    "On 3 May the Acme works in Leeds made 1,200 jugs. Mary Jones's team was proud of its fourteen ovens."
)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("The Acme team of Mary Jones made jugs.", []),
        ("In leeds, Jones has 14 ovens and 1,200 jugs.", []),
        ("They said that I'm late, and I left.", []),
        ("In London, Jones has 15 ovens.", ["London", "15"]),
        ("Acme made 200 jugs.", ["200"]),
        ("The works made four jugs in June.", ["four", "June"]),
        ("Proud Bakers of Leeds' ovens", ["Bakers"]),
    ],
)
def test_unsupported_entities(sentence: str, expected: list[str]) -> None:
    assert unsupported_entities(sentence, SOURCE) == expected


@pytest.mark.parametrize(
    ("written", "cut", "expected"),
    [
        (
            "Here is a summary:\n\n1. Acme made jugs.\n2. **Jones** was proud.",
            False,
            "Acme made jugs. Jones was proud.",
        ),
        ("Acme made jugs. It is in Paris. Jones was proud.", False, "Acme made jugs. Jones was proud."),
        ("Acme made jugs. Jones was", True, "Acme made jugs."),
        ("Acme made jugs. Acme made jugs. It was proud. It left.", False, "Acme made jugs. It was proud."),
        ("In Paris, 5 ovens.", False, ""),
        ("This is a summary of it. It was proud.", False, "It was proud."),
    ],
)
def test_what_can_stand_of_a_draft(written: str, cut: bool, expected: str) -> None:
    assert check(written, SOURCE, 2, cut=cut).text == expected


@pytest.fixture(scope="module")
def writers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    root = tmp_path_factory.mktemp("writers")
    entries = [
        replace(
            local_entry(name, head, build(root / name, seed=seed), (TASK.name,)),
            token_limit=600 if head is Head.CAUSAL_LM else 250,
        )
        for seed, (name, head, build) in enumerate(
            [
                ("bart", Head.SEQ2SEQ_LM, checkpoints.tiny_bart),
                ("t5", Head.SEQ2SEQ_LM, checkpoints.tiny_t5),
                ("decoder", Head.CAUSAL_LM, checkpoints.tiny_causal_lm),
                ("tagger", Head.TOKEN_CLASSIFICATION, checkpoints.tiny_tagger),
            ]
        )
    ]
    registry = Registry(Catalog(entries), Settings(cache_dir=root / "cache", device="cpu"))
    yield Runner(registry, "embedded")
    registry.close()


@pytest.mark.parametrize("model", ["bart", "t5", "decoder"])
def test_a_written_summary_is_what_the_snippet_gives(model: str, writers: Runner) -> None:
    payload = {"text": TEXT, "model": model, "max_sentences": 1, "num_beams": 2}
    request = writers.parse(TASK, payload)
    code = TASK.snippet(request.checkpoint, request.inputs, request.options)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "snippet", "exec"), {})  # noqa: S102 - the code under test
    assert printed.getvalue() == summarize(writers, **payload).summary + "\n"  # type: ignore[arg-type]


def test_of_a_long_text_each_section_is_summed_up_and_shown(writers: Runner) -> None:
    text = "The fox jumps over the dog. It was late. " * 40
    steps = list(writers.stream(TASK, {"text": text, "model": "bart", "num_beams": 1, "max_sentences": 1}))
    growing = [step.result.summary for step in steps if hasattr(step, "result")]
    assert len(growing) > 2
    assert all(later.startswith(sooner) for sooner, later in itertools.pairwise(growing))
    assert all(growing)
    assert "sections is summarized separately" in steps[-1].notes[0]  # type: ignore[union-attr]


def test_other_classifiers_of_tokens_are_refused(writers: Runner) -> None:
    with pytest.raises(TourError, match="its labels are") as caught:
        summarize(writers, TEXT, "tagger")
    assert caught.value.code is Code.UNSUITABLE_MODEL


# Token by token


@pytest.mark.parametrize("beams", [1, 3])
def test_stepwise_is_generate(beams: int, writers: Runner) -> None:
    with writers.registry.lease("t5") as model:
        ids = model.tokenizer(TEXT, return_tensors="pt").input_ids
        arguments = {"input_ids": ids, "num_beams": beams, "do_sample": False, "max_new_tokens": 20}
        work = stepwise.generate(model.network, **arguments)
        assert next(work) == 0
        assert next(work) == 1
        assert torch.equal(finish(work), model.network.generate(**arguments))  # type: ignore[operator]


def test_a_closed_generation_ends_its_thread_and_an_error_comes_through(writers: Runner) -> None:
    def running() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name == "generate"]

    with writers.registry.lease("t5") as model:
        work = stepwise.generate(model.network, input_ids=torch.tensor([[5, 6, 1]]), max_new_tokens=200)
        next(work)
        assert running()
        work.close()
        assert not running()
        with pytest.raises(IndexError):
            finish(stepwise.generate(model.network, input_ids=torch.tensor([[10**6]])))
        assert not running()


def test_a_model_that_reads_too_little_is_refused(tmp_path: Path) -> None:
    entry = local_entry("short", Head.CAUSAL_LM, checkpoints.tiny_causal_lm(tmp_path / "short"), (TASK.name,))
    registry = Registry(Catalog([entry]), Settings(cache_dir=tmp_path / "cache", device="cpu"))
    with pytest.raises(TourError, match="too few to summarize"):
        summarize(Runner(registry, "embedded"), TEXT, "short")
    registry.close()


@pytest.mark.parametrize("text", ["Hi", "Good morning!", "See you at noon.", "OK, thanks a lot"])
def test_what_is_shorter_than_its_summary_stays(runner: Runner, text: str) -> None:
    answer = runner.call(TASK, {"text": text, "model": "SmolLM2-135M-Instruct"})
    assert len(answer.result.summary) <= len(text)
    assert answer.result.summary == text
    assert any("unchanged" in note for note in answer.notes)
