"""Tiny checkpoints with random weights and real tokenizers, built in well under a second each.

Each builder fills a folder that `from_pretrained` reads, and returns it. Weights depend on the
seed alone.
"""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sentencepiece
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from components.models.catalog import Catalog
from components.models.checkpoint import Checkpoint, Head, HubSource, LocalSource, Source
from components.tasks import catalog
from components.tasks.table_question_answering import reader as tables

CORPUS = (
    "Paris is the capital of France.",
    "The quick brown fox jumps over the lazy dog.",
    "She put the bread in the oven and baked it for an hour.",
    "I looked at my watch and saw that it was late.",
    "This example is about science, sports, politics, cooking, travel or music.",
    "one two three four five six seven eight nine ten 0 1 2 3 4 5 6 7 8 9",
)
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TOKEN_LIMIT = 128


@functools.cache  # training is not the same twice: a network and its tokenizer must share one
def bert_tokenizer() -> transformers.PreTrainedTokenizerFast:
    """WordPiece with BERT's special tokens and templates."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(
        CORPUS, trainers.WordPieceTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")],
    )
    tokenizer.decoder = decoders.WordPiece()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=TOKEN_LIMIT,
    )


@functools.cache
def llama_tokenizer() -> transformers.PreTrainedTokenizerFast:
    """Byte-level BPE with chat markers and a chat template: every text round-trips."""
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(
            vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False
        ),
    )
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<|endoftext|>",
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        model_max_length=TOKEN_LIMIT,
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def _bert_config(width: int, layers: int, **more: Any) -> transformers.BertConfig:
    return transformers.BertConfig(
        vocab_size=len(bert_tokenizer()),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=2,
        max_position_embeddings=TOKEN_LIMIT,
        **more,
    )


def _save(
    folder: Path, build: Callable[[], transformers.PreTrainedModel], tokenizer: object, seed: int
) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build()
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)  # type: ignore[attr-defined]
    return folder


def tiny_encoder(folder: Path, *, width: int = 32, layers: int = 2, seed: int = 0) -> Path:
    """A BERT encoder; about 32 x width² bytes of weights per layer."""
    config = _bert_config(width, layers)
    return _save(folder, lambda: transformers.BertModel(config), bert_tokenizer(), seed)


def tiny_masked_lm(folder: Path, *, width: int = 32, layers: int = 2, seed: int = 0) -> Path:
    config = _bert_config(width, layers)
    return _save(folder, lambda: transformers.BertForMaskedLM(config), bert_tokenizer(), seed)


def tiny_nli(folder: Path, *, width: int = 32, layers: int = 2, seed: int = 0) -> Path:
    """A BERT pair classifier with the labels of natural language inference."""
    labels = ["contradiction", "neutral", "entailment"]
    config = _bert_config(
        width, layers, id2label=dict(enumerate(labels)), label2id={label: i for i, label in enumerate(labels)}
    )
    return _save(folder, lambda: transformers.BertForSequenceClassification(config), bert_tokenizer(), seed)


def tiny_classifier(folder: Path, *, width: int = 32, layers: int = 2, seed: int = 0) -> Path:
    """A BERT that finds none, one or several moods in a text, with a threshold for each."""
    labels = ["anger", "joy", "sadness", "surprise"]
    config = _bert_config(
        width,
        layers,
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
        problem_type="multi_label_classification",
        thresholds=[0.48, 0.5, 0.49, 0.51],
    )
    return _save(folder, lambda: transformers.BertForSequenceClassification(config), bert_tokenizer(), seed)


def tiny_tagger(folder: Path, *, width: int = 32, layers: int = 2, seed: int = 0) -> Path:
    """A BERT that marks names of two kinds."""
    labels = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    config = _bert_config(
        width, layers, id2label=dict(enumerate(labels)), label2id={label: i for i, label in enumerate(labels)}
    )
    return _save(folder, lambda: transformers.BertForTokenClassification(config), bert_tokenizer(), seed)


def tiny_table_reader(folder: Path, *, width: int = 32, layers: int = 2, seed: int = 0) -> Path:
    """A BERT that reads questions about tables."""
    names = dict(enumerate(tables.NAMES))
    config = _bert_config(width, layers, id2label=names, label2id={name: i for i, name in names.items()})
    return _save(folder, lambda: transformers.BertForTokenClassification(config), bert_tokenizer(), seed)


def tiny_tapas(folder: Path, *, width: int = 32, layers: int = 2, seed: int = 0) -> Path:
    """A TAPAS that picks cells and says what to do with them."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = bert_tokenizer().get_vocab()
    words = [*sorted(vocabulary, key=lambda word: vocabulary[word]), "[EMPTY]"]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", "utf-8")
    tokenizer = transformers.TapasTokenizer(str(folder / "vocab.txt"), model_max_length=TOKEN_LIMIT)
    config = transformers.TapasConfig(
        vocab_size=len(words),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=2,
        max_position_embeddings=TOKEN_LIMIT,
        num_aggregation_labels=4,
        aggregation_labels={0: "NONE", 1: "SUM", 2: "AVERAGE", 3: "COUNT"},
    )
    return _save(folder, lambda: transformers.TapasForQuestionAnswering(config), tokenizer, seed)


def tiny_reader(folder: Path, *, width: int = 32, layers: int = 2, seed: int = 0) -> Path:
    """A BERT that finds answers, taught to say that there is none."""
    config = _bert_config(width, layers, no_answer_bias=-0.5, answer_temperature=1.25)
    return _save(folder, lambda: transformers.BertForQuestionAnswering(config), bert_tokenizer(), seed)


def tiny_summarizer(folder: Path, *, width: int = 32, layers: int = 2, seed: int = 0) -> Path:
    """A BERT whose tokens vote for the sentences that make up a summary."""
    config = _bert_config(width, layers, id2label={0: "leave", 1: "keep"}, label2id={"leave": 0, "keep": 1})
    return _save(folder, lambda: transformers.BertForTokenClassification(config), bert_tokenizer(), seed)


def tiny_causal_lm(folder: Path, *, width: int = 32, layers: int = 2, seed: int = 0) -> Path:
    """A Llama decoder with tied embeddings and a chat template, as SmolLM2 has."""
    tokenizer = llama_tokenizer()
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=TOKEN_LIMIT,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return _save(folder, lambda: transformers.LlamaForCausalLM(config), tokenizer, seed)


@functools.cache
def sentencepiece_model() -> bytes:
    """A SentencePiece vocabulary of the corpus, as `.model` or `.spm` files hold it."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS * 3),
        model_writer=model,
        vocab_size=150,
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


def _pieces() -> list[str]:
    processor = sentencepiece.SentencePieceProcessor(model_proto=sentencepiece_model())
    return [processor.id_to_piece(index) for index in range(processor.get_piece_size())]


def _seq2seq_sizes(width: int, layers: int) -> dict[str, Any]:
    return {
        "d_model": width,
        "encoder_layers": layers,
        "decoder_layers": layers,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 2 * width,
        "decoder_ffn_dim": 2 * width,
        "max_position_embeddings": 2 * TOKEN_LIMIT,
        "init_std": 0.2,  # so that what is written depends on what is read
    }


def _ending(network: Any) -> Any:
    """What it writes ends after a few tokens, though its weights are random."""
    network.final_logits_bias[0, network.config.eos_token_id] = 3.5
    return network


def tiny_marian(folder: Path, *, width: int = 32, layers: int = 1, seed: int = 0) -> Path:
    """A translator from English to German, as opus-mt-en-de."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["</s>", "<unk>", *_pieces()[3:], "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({word: index for index, word in enumerate(words)}))
    for name in ("source.spm", "target.spm"):
        (folder / name).write_bytes(sentencepiece_model())
    tokenizer = transformers.MarianTokenizer(
        str(folder / "source.spm"),
        str(folder / "target.spm"),
        str(folder / "vocab.json"),
        source_lang="en",
        target_lang="de",
    )
    pad, end = tokenizer.pad_token_id, tokenizer.eos_token_id
    config = transformers.MarianConfig(
        vocab_size=len(words),
        pad_token_id=pad,
        eos_token_id=end,
        decoder_start_token_id=pad,
        forced_eos_token_id=end,
        **_seq2seq_sizes(width, layers),
    )
    return _save(folder, lambda: _ending(transformers.MarianMTModel(config)), tokenizer, seed)


def tiny_many_to_many(folder: Path, *, width: int = 32, layers: int = 1, seed: int = 0) -> Path:
    """A translator between a hundred languages, as M2M100."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["<s>", "<pad>", "</s>", "<unk>", *_pieces()[3:]]
    (folder / "vocab.json").write_text(json.dumps({word: index for index, word in enumerate(words)}))
    (folder / "sentencepiece.bpe.model").write_bytes(sentencepiece_model())
    tokenizer = transformers.M2M100Tokenizer(
        str(folder / "vocab.json"), str(folder / "sentencepiece.bpe.model"), num_madeup_words=0
    )
    config = transformers.M2M100Config(
        vocab_size=1 + max(tokenizer.lang_code_to_id.values()), **_seq2seq_sizes(width, layers)
    )
    return _save(folder, lambda: transformers.M2M100ForConditionalGeneration(config), tokenizer, seed)


def tiny_t5(folder: Path, *, width: int = 32, layers: int = 1, seed: int = 0) -> Path:
    """A network for several tasks that are named before the text, as T5."""
    special = [(token, 0.0) for token in ("<pad>", "</s>", "<unk>")]
    pieces = [(piece, -float(rank)) for rank, piece in enumerate(_pieces()[3:], 1)]
    tokenizer = transformers.T5Tokenizer(vocab=[*special, *pieces], extra_ids=0)
    config: Any = transformers.T5Config(
        vocab_size=len(tokenizer),
        d_model=width,
        d_kv=width // 2,
        d_ff=2 * width,
        num_layers=layers,
        num_heads=2,
    )
    config.decoder_start_token_id = 0
    config.initializer_factor = 8.0  # so that what is written depends on what is read
    config.task_specific_params = {
        "summarization": {"prefix": "summarize: "},
        "translation_en_to_de": {"prefix": "translate English to German: "},
        "translation_en_to_fr": {"prefix": "translate English to French: "},
    }
    return _save(folder, lambda: transformers.T5ForConditionalGeneration(config), tokenizer, seed)


def tiny_bart(folder: Path, *, width: int = 32, layers: int = 1, seed: int = 0) -> Path:
    """A summarizer as distilbart: byte-level BPE, which knows every character."""
    tokenizer = llama_tokenizer()
    config = transformers.BartConfig(
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.eos_token_id,
        forced_eos_token_id=tokenizer.eos_token_id,
        **_seq2seq_sizes(width, layers),
    )
    return _save(folder, lambda: _ending(transformers.BartForConditionalGeneration(config)), tokenizer, seed)


@dataclass(frozen=True)
class Tiny:
    """How one is built, and the tasks that it is offered for."""

    head: Head
    build: Callable[..., Path]
    tasks: tuple[str, ...]
    token_limit: int = TOKEN_LIMIT


_BUILT: dict[str, Tiny] = {
    "encoder": Tiny(Head.ENCODER, tiny_encoder, ("sentence_similarity", "zero_shot_classification")),
    "masked-lm": Tiny(Head.MASKED_LM, tiny_masked_lm, ("fill_mask",)),
    "sequence-classification": Tiny(Head.SEQUENCE_CLASSIFICATION, tiny_nli, ("zero_shot_classification",)),
    "causal-lm": Tiny(
        Head.CAUSAL_LM, tiny_causal_lm, ("text_generation", "fill_mask", "zero_shot_classification")
    ),
    "classifier": Tiny(Head.SEQUENCE_CLASSIFICATION, tiny_classifier, ("text_classification",)),
    "tagger": Tiny(Head.TOKEN_CLASSIFICATION, tiny_tagger, ("named_entities",)),
    "summarizer": Tiny(Head.TOKEN_CLASSIFICATION, tiny_summarizer, ("summarization",)),
    "marian": Tiny(Head.SEQ2SEQ_LM, tiny_marian, ("translation",)),
    "question-answering": Tiny(Head.QUESTION_ANSWERING, tiny_reader, ("question_answering",)),
    "tapas": Tiny(Head.TABLE_QUESTION_ANSWERING, tiny_tapas, ("table_question_answering",)),
    "table-reader": Tiny(Head.TOKEN_CLASSIFICATION, tiny_table_reader, ("table_question_answering",)),
}


def offered(built: Mapping[str, Tiny]) -> dict[str, Tiny]:
    """The same, each also for the tasks of its architecture that none of them names."""
    named = {task for one in built.values() for task in one.tasks}
    others = {name: task.heads for name, task in catalog.TASKS.items() if name not in named}
    return {
        name: replace(
            tiny, tasks=(*tiny.tasks, *(task for task, heads in others.items() if tiny.head in heads))
        )
        for name, tiny in built.items()
    }


# Each becomes the checkpoint `tiny-<name>`. A task is tested on all that it is offered for.
TINY = offered(_BUILT)
TASKS: dict[Head, tuple[str, ...]] = {tiny.head: tiny.tasks for tiny in reversed(TINY.values())}


def entry(
    id: str,
    head: Head,
    source: Source,
    folder: Path,
    tasks: tuple[str, ...] | None = None,
    file: str = "model.safetensors",
) -> Checkpoint:
    """The catalog entry of a tiny checkpoint; `folder` is where its files can be measured."""
    sizes = [path.stat().st_size for path in folder.iterdir()]
    weights = (folder / file).stat().st_size
    return Checkpoint(
        id=id,
        title=id,
        tasks=TASKS[head] if tasks is None else tasks,
        head=head,
        source=source,
        licence="Apache-2.0",
        parameters=weights // 4,
        download_bytes=sum(sizes),
        token_limit=TOKEN_LIMIT,
        languages=("en",),
        about="Random weights, for tests.",
    )


def local_entry(id: str, head: Head, folder: Path, tasks: tuple[str, ...] | None = None) -> Checkpoint:
    return entry(id, head, LocalSource(folder=str(folder)), folder, tasks)


def hub_entry(repo: str, head: Head, folder: Path, revision: str = "main") -> Checkpoint:
    return entry(repo, head, HubSource(repo=repo, revision=revision), folder)


def tiny_catalog(root: Path) -> Catalog:
    """One local checkpoint for each in `TINY`, under `root`."""
    return Catalog(
        local_entry(f"tiny-{name}", tiny.head, tiny.build(root / name, seed=seed), tiny.tasks)
        for seed, (name, tiny) in enumerate(TINY.items())
    )
