"""Named entities against the library's own pipeline, for tokenizers of every kind."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from components.models.checkpoint import Head, LoadedModel
from components.models.errors import Code, TourError
from components.models.loading import load
from components.tasks import token_labels, windows
from components.tasks.named_entities import TASK, Entity, Inputs, Options
from components.tasks.runner import Runner
from components.tasks.task import Answer
from components.tasks.token_labels import Span, Strategy, Token
from tests.fakes.checkpoints import CORPUS, TOKEN_LIMIT, bert_tokenizer, local_entry

Lease = Callable[[str], LoadedModel]
STRATEGIES = get_args(Strategy)
LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
# Words that the tokenizers here know whole or begin with more than a space.
SPACED = (
    "She put the bread in the oven and the lazy dog looked at my watch about science or cooking or travel"
)
PUNCTUATED = "Marie Curie (born in Warsaw, 1867) taught at Paris; O'Neill of AT&T did not. Why?!"


def _trained(pre: Any, decoder: Any, post: Any = None) -> Any:
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre, decoder
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet() if post else [],
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = post or processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        model_max_length=TOKEN_LIMIT,
    )


def byte_level() -> Any:
    post = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    return _trained(pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel(), post)


def sentence_piece() -> Any:
    return _trained(pre_tokenizers.Metaspace(), decoders.Metaspace())


ARCHITECTURES: dict[str, tuple[type[Any], type[Any], Callable[[], Any]]] = {
    "bert": (transformers.BertConfig, transformers.BertForTokenClassification, bert_tokenizer),
    "distilbert": (
        transformers.DistilBertConfig,
        transformers.DistilBertForTokenClassification,
        bert_tokenizer,
    ),
    "roberta": (transformers.RobertaConfig, transformers.RobertaForTokenClassification, byte_level),
    "xlm-roberta": (
        transformers.XLMRobertaConfig,
        transformers.XLMRobertaForTokenClassification,
        sentence_piece,
    ),
}


@pytest.fixture(scope="module", params=list(ARCHITECTURES))
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return built(request.param, tmp_path_factory.mktemp(request.param), LABELS)


def built(name: str, folder: Path, labels: list[str], seed: int = 1) -> LoadedModel:
    config, network, tokenizer = ARCHITECTURES[name]
    tokens = tokenizer()
    sizes = (
        {"dim": 32, "hidden_dim": 64, "n_layers": 1, "n_heads": 2}
        if name == "distilbert"
        else {
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
        }
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network(
            config(
                vocab_size=len(tokens),
                max_position_embeddings=TOKEN_LIMIT + 2,
                pad_token_id=tokens.pad_token_id,
                initializer_range=0.5,  # so that labels differ from token to token
                id2label=dict(enumerate(labels)),
                label2id={label: index for index, label in enumerate(labels)},
                **sizes,
            )
        ).save_pretrained(folder)
    tokens.save_pretrained(folder)
    checkpoint = local_entry(name, Head.TOKEN_CLASSIFICATION, folder)
    return load(checkpoint, folder, torch.device("cpu"), torch.float32)


def entities(model: LoadedModel, text: str, **options: Any) -> list[Entity]:
    *_, last = TASK.run(model, Inputs(text=text), Options(**options))
    found: list[Entity] = last.result.entities  # type: ignore[union-attr]
    for one in found:
        assert one.text == text[one.start : one.end]
        assert one.text.strip() == one.text != ""
        assert 0 < one.score <= 1
    return found


def library(model: LoadedModel, text: str, strategy: str) -> Iterator[tuple[str, int, int, float]]:
    build: Any = transformers.pipeline  # typed for file names alone
    pipeline = build("token-classification", model=model.network, tokenizer=model.tokenizer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = pipeline(text, aggregation_strategy=strategy)
    for row in rows:
        piece = text[row["start"] : row["end"]]
        if piece.strip():
            start = row["start"] + len(piece) - len(piece.lstrip())
            yield row.get("entity_group") or row["entity"], start, start + len(piece.strip()), row["score"]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_same_as_the_library(model: LoadedModel, strategy: Strategy) -> None:
    """Where the two agree on what a word is: between spaces everywhere, with punctuation in WordPiece.

    The library takes a lone space and an unknown character inside a word for words of their own.
    """
    word_piece = "bert" in model.checkpoint.id and "roberta" not in model.checkpoint.id
    for text in (SPACED, PUNCTUATED) if word_piece or strategy in ("none", "simple") else (SPACED,):
        found = entities(model, text, aggregation_strategy=strategy)
        expected = list(library(model, text, strategy))
        assert expected or strategy not in ("none", "simple")
        assert [(one.label, one.start, one.end) for one in found] == [row[:3] for row in expected]
        assert [one.score for one in found] == pytest.approx([row[3] for row in expected], abs=1e-5)


def test_tokens_of_a_long_text_come_from_where_they_have_most_context(model: LoadedModel) -> None:
    text = f"{SPACED}. {PUNCTUATED} " * 6
    parts = windows.split(model, text, overlap=40)
    assert len(parts) > 3
    expected = []
    for part in parts:
        with torch.inference_mode():
            logits = model.network(torch.tensor([part.row["input_ids"]])).logits[0]
        for place in part.kept:
            offset = part.offsets[place]
            assert offset is not None
            expected.append((Token(*offset, part.words[place]), logits[place].softmax(dim=0)))
    for strategy in STRATEGIES:
        spans = token_labels.spans(
            text,
            [token for token, _ in expected],
            torch.stack([row for _, row in expected]),
            LABELS,
            strategy,
        )
        found = entities(model, text, aggregation_strategy=strategy, stride=40)
        assert [(one.label, one.start, one.end) for one in found] == [
            (span.label, span.start, span.end) for span in spans
        ]
        assert [one.score for one in found] == pytest.approx([span.score for span in spans], abs=1e-4)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=300
    ).filter(str.strip),
    st.sampled_from(STRATEGIES),
    st.integers(0, 256),
)
def test_offsets_are_of_the_visitors_text(
    model: LoadedModel, text: str, strategy: Strategy, stride: int
) -> None:
    found = entities(model, text, aggregation_strategy=strategy, stride=stride)
    assert [one.start for one in found] == sorted(one.start for one in found)


def test_characters_stay_whole(lease: Lease) -> None:
    """Tokenizers take off accents and joiners; what is marked keeps them."""
    text = "Zoe\u0301 und Jose\u0301 👩‍🚀 👍🏽 नई"
    found = entities(lease("tiny-tagger"), text, aggregation_strategy="none")
    for one in found:
        after = text[one.end : one.end + 1]
        assert after not in ("\u0301", "\u200d", "🏽", "ई")
        assert not one.text.startswith(("\u0301", "\u200d", "🏽"))


def test_options(model: LoadedModel) -> None:
    every = entities(model, PUNCTUATED)
    assert entities(model, PUNCTUATED, labels=" loc,") == [one for one in every if one.label == "LOC"]
    assert entities(model, PUNCTUATED, labels="B-LOC, per") == every
    middle = sorted(one.score for one in every)[len(every) // 2]
    assert entities(model, PUNCTUATED, minimum_score=middle) == [one for one in every if one.score >= middle]
    *_, last = TASK.run(model, Inputs(text=PUNCTUATED), Options(minimum_score=1.0))
    assert isinstance(last.notes, tuple)  # type: ignore[union-attr]
    assert last.result.entities == []  # type: ignore[union-attr]
    assert last.notes[0].startswith(f"{len(every)} left out")  # type: ignore[union-attr]
    for wrong in ("DATE", "LOC, O", "B-"):
        with pytest.raises(TourError, match="its labels are LOC, PER") as caught:
            entities(model, "A fox.", labels=wrong)
        assert (caught.value.code, caught.value.field) == (Code.INVALID_INPUT, "labels")


def test_plain_labels(tmp_path: Path) -> None:
    """Checkpoints whose labels have no place in them, as part-of-speech taggers."""
    model = built("bert", tmp_path, ["O", "NOUN", "geo-loc", "B-side"])
    for strategy in STRATEGIES:
        found = entities(model, PUNCTUATED, aggregation_strategy=strategy)
        expected = library(model, PUNCTUATED, strategy)
        # The library takes all before a hyphen for a place.
        assert [(one.label.split("-")[-1], one.start, one.end) for one in found] == [
            (label.split("-")[-1], start, end) for label, start, end, _ in expected
        ]


def test_a_hundred_thousand_characters(runner: Runner) -> None:
    text = (PUNCTUATED + "\n") * 1300
    *progress, last = runner.stream(TASK, {"text": text, "model": "tiny-tagger"})
    assert len(text) > 100_000
    assert len(progress) > 50
    assert isinstance(last, Answer)
    assert last.result.entities[-1].end > 100_000
    assert all(text[one.start : one.end] == one.text for one in last.result.entities)


@pytest.mark.parametrize(
    ("text", "cuts", "expected"),
    [
        ("Paris, France", ["Paris", ",", "Fra", "nce"], ["Paris", ",", "France"]),
        ("(U.S.) O'Neill", ["(", "U", ".", "S", ".)", "O", "'", "Neill"], ["(", "U.S", ".)", "O'Neill"]),
        ("AT&T-owned", ["AT", "&", "T", "-", "owned"], ["AT&T-owned"]),
        ("他在东京。", ["他", "在", "东京", "。"], ["他", "在", "东京", "。"]),
        ("नई दिल्ली", ["न", "ई", "दि", "ल्ली"], ["नई", "दिल्ली"]),
    ],
)
def test_words_where_a_tokenizer_splits_at_spaces_alone(
    text: str, cuts: list[str], expected: list[str]
) -> None:
    tokens, place = [], 0
    for cut in cuts:
        start = text.index(cut, place)
        place = start + len(cut)
        tokens.append(Token(start, place, text[:start].count(" ")))
    groups = token_labels.words(text, tokens)
    assert [text[tokens[group[0]].start : tokens[group[-1]].end] for group in groups] == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("B-PER I-PER I-PER", ["PER 0-3"]),
        ("I-PER B-PER I-LOC", ["PER 0-1", "PER 1-2", "LOC 2-3"]),
        ("B-PER O I-PER", ["PER 0-1", "O 1-2", "PER 2-3"]),
        ("PER PER LOC", ["PER 0-2", "LOC 2-3"]),
        ("B-PER E-PER S-PER S-PER B-PER I-PER E-PER", ["PER 0-2", "PER 2-3", "PER 3-4", "PER 4-7"]),
        ("S-Bahn U-Bahn bus", ["S-Bahn 0-1", "U-Bahn 1-2", "bus 2-3"]),
    ],
)
def test_neighbours_are_joined(tags: str, expected: list[str]) -> None:
    labels = tags.split()
    joined = token_labels.join([Span(place, place + 1, tag, 0.5) for place, tag in enumerate(labels)], labels)
    assert [f"{span.label} {span.start}-{span.end}" for span in joined] == expected
