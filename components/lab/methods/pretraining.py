"""Pretraining at small scale: a decoder from random weights, on a text that fits on some pages."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from components.lab import corpus
from components.lab.methods.method import Method
from components.lab.work import Work
from components.tasks.fields import STRICT, OptionalText
from components.texts import in_folder

TEXTS = in_folder(__file__)

CHARACTERS, PIECES = "characters", "byte-level BPE"
ENTRIES = 1000  # of the vocabulary, if the text is cut into pieces

_HEAD = 32  # width of an attention head
_MEASURED = 4096  # tokens of the held-out text
_RECORDS = 6  # measurements and samples while it trains
_SAMPLE = {CHARACTERS: 160, PIECES: 60}  # tokens that it writes at each of them
_UNKNOWN = "<unk>"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    text: Annotated[
        OptionalText,
        AfterValidator(lambda text: corpus.usable(text) if text.strip() else ""),
        Field(
            max_length=corpus.LONGEST,
            title="Text",
            description=TEXTS["text"].format(least=corpus.SHORTEST, most=corpus.LONGEST),
        ),
    ] = ""
    unit: Annotated[
        Literal["characters", "byte-level BPE"],
        Field(
            title="Tokens",
            description=TEXTS["tokens"].format(entries=ENTRIES),
        ),
    ] = "characters"
    width: Annotated[
        int,
        Field(
            ge=32,
            le=192,
            multiple_of=_HEAD,
            title="Width",
            description="Numbers in the vector of a token.",
            json_schema_extra={"step": _HEAD},
        ),
    ] = 128
    layers: Annotated[int, Field(ge=1, le=6, title="Layers", description="One after the other.")] = 4
    steps: Annotated[
        int,
        Field(
            ge=5,
            le=2000,
            title="Steps",
            description="16 stretches of text each.",
            json_schema_extra={"step": 5},
        ),
    ] = 300
    learning_rate: Annotated[
        float,
        Field(
            ge=0.0005,
            le=0.02,
            title="Learning rate",
            description="How far a step goes.",
            json_schema_extra={"step": 0.0005},
        ),
    ] = 0.003
    longest: Annotated[
        int,
        Field(
            ge=32,
            le=256,
            title="Longest",
            description="Tokens that are read at a time.",
            json_schema_extra={"step": 32},
        ),
    ] = 128
    seed: Annotated[
        int, Field(ge=0, le=2**32 - 1, title="Seed", description="The same seed makes the same network.")
    ] = 20


def run(work: Work, options: Options) -> None:
    import transformers

    from components.lab.methods.trainer_callback import follow
    from components.training.language import collate, examples, fit, token_ids, written
    from components.training.recipe import Recipe
    from components.training.run import Job, steps_per_epoch

    text = corpus.divide(options.text or corpus.everything())
    work.progress("Making a vocabulary")
    tokenizer = _tokenizer(text.train, options.unit)
    transformers.set_seed(options.seed)
    network = _network(len(tokenizer), options)
    parameters = sum(one.numel() for one in network.parameters())
    train = examples(tokenizer, text.train, options.longest, masked=False)
    held_out = token_ids(tokenizer, text.held_out)[:_MEASURED]
    characters = len(tokenizer.decode(held_out))

    def record(step: int) -> None:
        found = fit(network, held_out, options.longest, characters)
        work.validation(step, perplexity=found.perplexity)
        sample = written(
            network,
            tokenizer,
            "\n",
            new_tokens=min(_SAMPLE[options.unit], options.longest - 1),
            context=options.longest,
            temperature=0.6,
            seed=options.seed,
        )
        work.sample(step, sample)

    recipe = Recipe(
        name="pretraining",
        kind="language",
        data=(),
        epochs=1,
        learning_rate=options.learning_rate,
        batch=16,
        length=options.longest,
        seed=options.seed,
    )
    epochs = options.steps / steps_per_epoch(recipe, len(train))
    job = Job(network=network, train=train, collate=collate(tokenizer, masked=False), export=lambda _: None)
    if not any(event["event"] == "sample" for event in work.run.events()):
        for note in (
            *text.notes,
            TEXTS["random_network"].format(parameters=parameters),
        ):
            work.note(note)
        record(0)
    follow(
        work,
        replace(recipe, epochs=epochs),
        job,
        record,
        record_every=max(1, math.ceil(options.steps / _RECORDS)),
        save_every=max(20, options.steps // 10),
    )
    work.finish(
        {
            "parameters": parameters,
            "vocabulary": len(tokenizer),
            "unit": options.unit,
            "steps": options.steps,
            "characters": len(text.train),
            "read": options.steps * recipe.batch * len(train[0]["input_ids"]),
            "fit": asdict(fit(network, held_out, options.longest, characters)),
            "samples": _samples(work),
        }
    )


def _samples(work: Work) -> list[dict[str, Any]]:
    """What it wrote at each step at which it was recorded, and its perplexity there."""
    events = work.run.events()
    perplexity = {event["step"]: event["perplexity"] for event in events if event["event"] == "validation"}
    text = {event["step"]: event["text"] for event in events if event["event"] == "sample"}
    return [
        {"step": step, "perplexity": perplexity[step], "text": text[step]}
        for step in sorted(text)
        if step in perplexity
    ]


def _tokenizer(text: str, unit: str) -> Any:
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    if unit == PIECES:
        from components.training.tokenizers import learn

        _, content = learn(text, "byte-level BPE", ENTRIES).file()
        return PreTrainedTokenizerFast(tokenizer_object=tokenizers.Tokenizer.from_buffer(content))
    vocabulary = {_UNKNOWN: 0} | {character: index for index, character in enumerate(sorted({*text}), 1)}
    pipeline = tokenizers.Tokenizer(models.WordLevel(vocabulary, unk_token=_UNKNOWN))
    pipeline.pre_tokenizer = pre_tokenizers.Split(tokenizers.Regex(r"[\s\S]"), "isolated")
    pipeline.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=pipeline, unk_token=_UNKNOWN)


def _network(vocabulary: int, options: Options) -> Any:
    """The plan of Llama (Touvron et al. 2023, https://arxiv.org/abs/2302.13971) at its smallest."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=options.width,
            intermediate_size=8 * options.width // 3 // _HEAD * _HEAD,
            num_hidden_layers=options.layers,
            num_attention_heads=options.width // _HEAD,
            max_position_embeddings=options.longest,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=None,
            pad_token_id=None,
        )
    )


METHOD = Method(
    name="pretraining",
    title="Pretraining at small scale",
    about=TEXTS["about"],
    kind="language model",
    options=Options,
    run=run,
    pausable=True,
    needs_data=False,
)
