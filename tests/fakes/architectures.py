"""Tiny checkpoints of the architectures that the Hub's well-known checkpoints have, in files like theirs.

Their tokenizers lie there as `vocab.txt`, as `vocab.json` with `merges.txt`, or as a SentencePiece model,
where the repositories are older than `tokenizer.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
import transformers

from components.models.checkpoint import Head
from tests.fakes import checkpoints
from tests.fakes.checkpoints import TOKEN_LIMIT, Tiny

MOODS = ("anger", "joy", "sadness")
TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
INFERENCES = ("contradiction", "entailment", "neutral")


def _labels(names: tuple[str, ...]) -> dict[str, Any]:
    return {"id2label": dict(enumerate(names)), "label2id": {name: index for index, name in enumerate(names)}}


def _wordpiece(folder: Path) -> int:
    """`vocab.txt`; returns the size of the vocabulary."""
    vocabulary = checkpoints.bert_tokenizer().get_vocab()
    words = sorted(vocabulary, key=lambda word: vocabulary[word])
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", "utf-8")
    _settings(folder, do_lower_case=True)
    return len(words)


def _byte_pairs(folder: Path, *special: str) -> int:
    """`vocab.json` and `merges.txt`, `special` tokens first."""
    model = json.loads(checkpoints.llama_tokenizer().backend_tokenizer.to_str())["model"]
    known = sorted(model["vocab"], key=lambda token: model["vocab"][token])
    tokens = [*special, *(token for token in known if not token.startswith("<|"))]
    (folder / "vocab.json").write_text(json.dumps({token: index for index, token in enumerate(tokens)}))
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", "utf-8")
    _settings(folder)
    return len(tokens)


def _settings(folder: Path, **more: Any) -> None:
    written = {"model_max_length": TOKEN_LIMIT, **more}
    (folder / "tokenizer_config.json").write_text(json.dumps(written), "utf-8")


def _save(folder: Path, network: Callable[[int], Any], vocabulary: Callable[[Path], int], seed: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    size = vocabulary(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network(size).save_pretrained(folder)
    return folder


def _builder(
    network: type[Any],
    config: type[Any],
    vocabulary: Callable[[Path], int],
    sizes: dict[str, Any],
    **more: Any,
) -> Callable[..., Path]:
    def build(folder: Path, *, seed: int = 0) -> Path:
        return _save(folder, lambda size: network(config(vocab_size=size, **sizes, **more)), vocabulary, seed)

    return build


_BERT = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": TOKEN_LIMIT + 2,
}
_DISTILBERT = {
    "dim": 32,
    "hidden_dim": 64,
    "n_layers": 2,
    "n_heads": 2,
    "max_position_embeddings": TOKEN_LIMIT,
}
_ROBERTA = {**_BERT, "type_vocab_size": 1, "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
_GPT2 = {
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 2,
    "n_positions": TOKEN_LIMIT,
    "bos_token_id": 0,
    "eos_token_id": 0,
}
_QWEN3 = {
    **_BERT,
    "max_position_embeddings": 1024,  # to sum up a text it needs room
    "num_key_value_heads": 1,
    "head_dim": 16,
    "tie_word_embeddings": True,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
_MODERNBERT = {
    **_BERT,
    "global_attn_every_n_layers": 2,
    "local_attention": 16,
    "pad_token_id": 0,
    "cls_token_id": 2,
    "sep_token_id": 3,
    "bos_token_id": 2,
    "eos_token_id": 3,
}
_BART = {
    "d_model": 32,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "max_position_embeddings": 2 * TOKEN_LIMIT,
    "bos_token_id": 0,
    "pad_token_id": 1,
    "eos_token_id": 2,
}


def _roberta_vocabulary(folder: Path) -> int:
    return _byte_pairs(folder, "<s>", "<pad>", "</s>", "<unk>", "<mask>")


def _gpt2_vocabulary(folder: Path) -> int:
    return _byte_pairs(folder, "<|endoftext|>")


def _qwen_vocabulary(folder: Path) -> int:
    size = _byte_pairs(folder, "<|endoftext|>", "<|im_start|>", "<|im_end|>")
    _settings(
        folder,
        model_max_length=1024,
        chat_template=checkpoints.CHAT_TEMPLATE,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        tokenizer_class="Qwen2Tokenizer",
    )
    return size


def _tokenizer_json(folder: Path) -> int:
    """`tokenizer.json`, as newer repositories have."""
    tokenizer = checkpoints.bert_tokenizer()
    tokenizer.save_pretrained(folder)
    return len(tokenizer)


def _sentencepiece(folder: Path) -> int:
    """XLM-R's, as the multilingual sentence encoder has: special tokens, pieces, and a mask at the end."""
    (folder / "sentencepiece.bpe.model").write_bytes(checkpoints.sentencepiece_model())
    _settings(folder, tokenizer_class="XLMRobertaTokenizer")
    return len(transformers.AutoTokenizer.from_pretrained(folder, config=transformers.BertConfig()))


def _bart_summarizer(config: Any) -> Any:
    network: Any = transformers.BartForConditionalGeneration(config)
    network.final_logits_bias[0, config.eos_token_id] = 3.5  # ends, though its weights are random
    return network


_T = transformers
_BUILT: dict[str, Tiny] = {
    "bert": Tiny(
        Head.TOKEN_CLASSIFICATION,
        _builder(_T.BertForTokenClassification, _T.BertConfig, _wordpiece, _BERT, **_labels(TAGS)),
        ("named_entities",),
    ),
    "distilbert-classifier": Tiny(
        Head.SEQUENCE_CLASSIFICATION,
        _builder(
            _T.DistilBertForSequenceClassification,
            _T.DistilBertConfig,
            _wordpiece,
            _DISTILBERT,
            **_labels(MOODS),
        ),
        ("text_classification",),
    ),
    "distilbert-reader": Tiny(
        Head.QUESTION_ANSWERING,
        _builder(_T.DistilBertForQuestionAnswering, _T.DistilBertConfig, _wordpiece, _DISTILBERT),
        ("question_answering",),
    ),
    "roberta-reader": Tiny(
        Head.QUESTION_ANSWERING,
        _builder(_T.RobertaForQuestionAnswering, _T.RobertaConfig, _roberta_vocabulary, _ROBERTA),
        ("question_answering",),
    ),
    "roberta-inference": Tiny(
        Head.SEQUENCE_CLASSIFICATION,
        _builder(
            _T.RobertaForSequenceClassification,
            _T.RobertaConfig,
            _roberta_vocabulary,
            _ROBERTA,
            **_labels(INFERENCES),
        ),
        ("zero_shot_classification",),
    ),
    "roberta-tagger": Tiny(
        Head.TOKEN_CLASSIFICATION,
        _builder(
            _T.RobertaForTokenClassification, _T.RobertaConfig, _roberta_vocabulary, _ROBERTA, **_labels(TAGS)
        ),
        ("named_entities",),
    ),
    "roberta-masked": Tiny(
        Head.MASKED_LM,
        _builder(_T.RobertaForMaskedLM, _T.RobertaConfig, _roberta_vocabulary, _ROBERTA),
        ("fill_mask",),
    ),
    "modernbert": Tiny(
        Head.MASKED_LM,
        _builder(_T.ModernBertForMaskedLM, _T.ModernBertConfig, _tokenizer_json, _MODERNBERT),
        ("fill_mask",),
    ),
    "bart-inference": Tiny(
        Head.SEQUENCE_CLASSIFICATION,
        _builder(
            _T.BartForSequenceClassification,
            _T.BartConfig,
            _roberta_vocabulary,
            _BART,
            **_labels(INFERENCES),
        ),
        ("zero_shot_classification",),
    ),
    "bart-summarizer": Tiny(
        Head.SEQ2SEQ_LM,
        _builder(
            _bart_summarizer,  # type: ignore[arg-type]
            _T.BartConfig,
            _roberta_vocabulary,
            _BART,
            decoder_start_token_id=2,
            forced_eos_token_id=2,
            init_std=0.2,
        ),
        ("summarization",),
    ),
    "t5": Tiny(Head.SEQ2SEQ_LM, checkpoints.tiny_t5, ("summarization", "translation")),
    "marian": Tiny(Head.SEQ2SEQ_LM, checkpoints.tiny_marian, ("translation",)),
    "m2m100": Tiny(Head.SEQ2SEQ_LM, checkpoints.tiny_many_to_many, ("translation",)),
    "gpt2": Tiny(
        Head.CAUSAL_LM,
        _builder(_T.GPT2LMHeadModel, _T.GPT2Config, _gpt2_vocabulary, _GPT2),
        ("text_generation", "fill_mask", "zero_shot_classification"),
    ),
    "qwen3": Tiny(
        Head.CAUSAL_LM,
        _builder(_T.Qwen3ForCausalLM, _T.Qwen3Config, _qwen_vocabulary, _QWEN3),
        ("text_generation", "fill_mask", "zero_shot_classification", "summarization"),
        token_limit=1024,
    ),
    "multilingual-bert": Tiny(
        Head.ENCODER,
        _builder(_T.BertModel, _T.BertConfig, _sentencepiece, _BERT),
        ("sentence_similarity", "zero_shot_classification"),
    ),
    "tapas": Tiny(Head.TABLE_QUESTION_ANSWERING, checkpoints.tiny_tapas, ("table_question_answering",)),
}
# Each becomes the repository `someone/<name>` of a Hub; a task is tested on all that it is offered for.
ARCHITECTURES = checkpoints.offered(_BUILT)


def pairs() -> Iterator[tuple[str, str]]:
    """(task, architecture)."""
    for name, tiny in ARCHITECTURES.items():
        for task in tiny.tasks:
            yield task, name
