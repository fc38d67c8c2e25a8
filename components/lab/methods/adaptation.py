"""Domain adaptation: pretraining goes on, on a visitor's own text (Gururangan et al. 2020,
https://arxiv.org/abs/2004.10964).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from components.lab import corpus
from components.lab.methods.method import Method
from components.lab.work import Work
from components.models.checkpoint import Checkpoint, Head
from components.models.errors import Code, TourError
from components.tasks.fields import STRICT, Text
from components.texts import in_folder

if TYPE_CHECKING:
    from components.training.language import Fit

TEXTS = in_folder(__file__)

LORA, EVERY = "LoRA", "every weight"
RATES = {LORA: 0.001, EVERY: 0.0001}  # that suit each way of change
RANK = 16  # of the LoRA matrices
HEADS = (Head.CAUSAL_LM, Head.MASKED_LM)

_CARD = Path(__file__).with_name("adaptation.md")
_BEFORE = "before.json"  # what the network was like before its first step; kept over a pause
_MEASURED = 1024  # tokens of the held-out text that a decoder is measured on
_PROBED = 128, 64  # tokens that a masked model is measured on, each in a window of so many
_MEASUREMENTS = 5  # while it trains
_WRITTEN = 48  # tokens of a sample


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Options:
    text: Annotated[
        Text,
        AfterValidator(corpus.usable),
        Field(
            max_length=corpus.LONGEST,
            title="Text",
            description=TEXTS["text"].format(least=corpus.SHORTEST, most=corpus.LONGEST),
        ),
    ] = corpus.fog_loft()
    model: Annotated[
        Text, Field(title="Model to adapt", description="A decoder, or a masked language model.")
    ] = "SmolLM2-135M-Instruct"
    change: Annotated[
        Literal["LoRA", "every weight"],
        Field(
            title="What changes",
            description=TEXTS["change"],
        ),
    ] = "LoRA"
    prompt: Annotated[
        Text,
        Field(
            max_length=500,
            title="Prompt",
            description=TEXTS["prompt"],
        ),
    ] = corpus.PROMPT
    epochs: Annotated[
        float,
        Field(
            ge=0.05,
            le=20,
            title="Epochs",
            description="Number of passes over the text.",
            json_schema_extra={"step": 0.5},
        ),
    ] = 3.0
    learning_rate: Annotated[
        float,
        Field(
            ge=0.00001,
            le=0.02,
            title="Learning rate",
            description=f"About {RATES[LORA]:g} for LoRA, {RATES[EVERY]:g} for every weight.",
            json_schema_extra={"step": 0.00001},
        ),
    ] = RATES["LoRA"]
    longest: Annotated[
        int,
        Field(
            ge=32,
            le=512,
            title="Longest",
            description="Tokens that are read at a time.",
            json_schema_extra={"step": 32},
        ),
    ] = 128
    batch: Annotated[int, Field(ge=1, le=16, title="Batch", description="Passages of text per step.")] = 2
    seed: Annotated[
        int, Field(ge=0, le=2**32 - 1, title="Seed", description="The same seed trains the same model.")
    ] = 20


def disk(options: Options) -> float:
    """Bytes per parameter: what is made in half precision, and what is saved of it at a pause in single."""
    return 2.5 if options.change == LORA else 6.5


def run(work: Work, options: Options) -> None:
    from transformers import AutoTokenizer, set_seed
    from transformers.utils import logging

    from components.lab.methods.trainer_callback import follow
    from components.training.language import collate, examples
    from components.training.recipe import Recipe
    from components.training.run import Job, steps_per_epoch

    logging.disable_progress_bar()
    base = _suitable(work.base)
    masked = base.head is Head.MASKED_LM
    text = corpus.divide(options.text)
    folder = work.base_folder()
    work.progress("Loading")
    set_seed(options.seed)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    network = _network(base, folder, options)
    longest = min(options.longest, base.token_limit)
    train = examples(tokenizer, text.train, longest, masked=masked)
    measure = _Measure(tokenizer, text.held_out, longest, base.token_limit, masked=masked)
    fresh = not (work.checkpoints / _BEFORE).is_file()
    if fresh:
        for note in (*text.notes, *measure.notes):
            work.note(note)
    before = _before(work, network, measure, options)

    def record(step: int) -> None:
        found = measure.held_out(network)
        _check(found.perplexity)
        work.validation(step, perplexity=found.perplexity)

    recipe = Recipe(
        name="adaptation",
        kind="language",
        data=(),
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        batch=options.batch,
        length=longest,
        # AdamW would keep two more numbers for every weight, in memory and in what a pause saves.
        optimizer="adamw_torch_fused" if options.change == LORA else "adafactor",
        seed=options.seed,
    )
    steps = max(1, round(options.epochs * steps_per_epoch(recipe, len(train))))
    job = Job(network=network, train=train, collate=collate(tokenizer, masked=masked), export=_nothing)
    if fresh:
        work.validation(0, perplexity=before["held_out"]["perplexity"])
    follow(
        work,
        recipe,
        job,
        record,
        record_every=max(1, math.ceil(steps / _MEASUREMENTS)),
        save_every=max(20, steps // 10) if options.change == LORA else steps + 1,
    )
    work.progress("Measuring what it has learned")
    merged = network.merge_and_unload() if options.change == LORA else network
    after = _measured(merged, measure, options)
    work.progress("Saving")
    work.model.mkdir(parents=True, exist_ok=True)
    merged.half().save_pretrained(work.model)
    tokenizer.save_pretrained(work.model)
    result = {
        "base": base.id,
        "measure": "pseudo-perplexity" if masked else "perplexity",
        "change": options.change,
        "prompt": options.prompt,
        "steps": steps,
        "trained_tokens": sum(example["length"] for example in train),
        "before": before,
        "after": after,
    }
    (work.model / "README.md").write_text(card(base, options, result), "utf-8")
    work.finish(result)


class _Measure:
    """Perplexities of a network on the held-out text, and on the general one."""

    def __init__(self, tokenizer: Any, held_out: str, longest: int, limit: int, *, masked: bool) -> None:
        from components.training.language import token_ids

        self.tokenizer = tokenizer
        self.masked = masked
        self._longest = longest
        self._limit = limit  # tokens that the network can read
        ids = token_ids(tokenizer, held_out)
        self._held_out = ids if masked else ids[:_MEASURED]
        self._general = token_ids(tokenizer, corpus.general())
        if len(ids) < 2:
            raise TourError(
                Code.INVALID_INPUT,
                TEXTS["no_tokens"],
                "text",
            )
        notes = []
        if masked and len(ids) > _PROBED[0]:
            notes.append(TEXTS["pseudo_perplexity"].format(measured=_PROBED[0], tokens=len(ids)))
        elif len(ids) > _MEASURED and not masked:
            notes.append(TEXTS["perplexity"].format(read=_MEASURED, tokens=len(ids)))
        self.notes = tuple(notes)

    def held_out(self, network: Any) -> Fit:
        return self._fit(network, self._held_out)

    def general(self, network: Any) -> Fit:
        return self._fit(network, self._general)

    def samples(self, network: Any, prompt: str) -> list[str]:
        """Two texts that go on from the prompt; of a masked model the five likeliest next words."""
        from components.training.language import filled, written

        if self.masked:
            return [
                f"{word} ({100 * share:.1f} %)" for word, share in filled(network, self.tokenizer, prompt, 5)
            ]
        return [
            written(network, self.tokenizer, prompt, new_tokens=_WRITTEN, context=self._limit, seed=seed)
            for seed in (0, 1)
        ]

    def _fit(self, network: Any, ids: list[int]) -> Fit:
        from components.training.language import fit, pseudo_fit

        if self.masked:
            most, window = _PROBED
            return pseudo_fit(network, self.tokenizer, ids, min(window, self._longest), most)
        characters = len(self.tokenizer.decode(ids))
        return fit(network, ids, self._longest, max(1, characters))


def _before(work: Work, network: Any, measure: _Measure, options: Options) -> dict[str, Any]:
    """Measured at the first start, before anything is trained; read again when a run goes on."""
    file = work.checkpoints / _BEFORE
    if not file.is_file():
        work.progress("Measuring what it can do before")
        found = _measured(network, measure, options)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(found), "utf-8")
    content: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return content


def _measured(network: Any, measure: _Measure, options: Options) -> dict[str, Any]:
    return {
        "held_out": asdict(measure.held_out(network)),
        "general": asdict(measure.general(network)),
        "samples": measure.samples(network, options.prompt),
    }


def _suitable(base: Checkpoint | None) -> Checkpoint:
    if base is None or base.head not in HEADS:
        raise TourError(
            Code.UNSUITABLE_MODEL,
            TEXTS["no_word_head"].format(model=base.title if base else "This"),
            "model",
        )
    return base


def _network(base: Checkpoint, folder: Path, options: Options) -> Any:
    import torch
    import transformers

    network = getattr(transformers, base.head.auto_class).from_pretrained(
        folder,
        dtype=torch.float32,
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=False,
    )
    if options.change == EVERY:
        return network
    from peft import LoraConfig, get_peft_model

    return get_peft_model(
        network, LoraConfig(r=RANK, lora_alpha=2 * RANK, lora_dropout=0.0, target_modules="all-linear")
    )


def _check(perplexity: float) -> None:
    if not math.isfinite(perplexity):
        raise TourError(
            Code.INVALID_INPUT,
            TEXTS["diverged"],
            "learning_rate",
        )


def card(base: Checkpoint, options: Options, result: Mapping[str, Any]) -> str:
    """A short model card in Markdown."""
    return Template(_CARD.read_text("utf-8")).substitute(
        base=base.id,
        licence=base.licence.lower(),
        change="LoRA matrices, since added to the weights" if options.change == LORA else "every weight",
        tokens=f"{result['trained_tokens']:,}",
        epochs=f"{options.epochs:g}",
        rate=f"{options.learning_rate:g}",
        batch=options.batch,
        longest=options.longest,
        seed=options.seed,
        measure=result["measure"],
        held_before=f"{result['before']['held_out']['perplexity']:.1f}",
        held_after=f"{result['after']['held_out']['perplexity']:.1f}",
        general_before=f"{result['before']['general']['perplexity']:.1f}",
        general_after=f"{result['after']['general']['perplexity']:.1f}",
    )


def _nothing(folder: Path) -> None:
    """What is made is written once it is measured."""


METHOD = Method(
    name="adaptation",
    title="Domain adaptation",
    about=TEXTS["about"],
    kind="language model",
    options=Options,
    run=run,
    pausable=True,
    needs_data=False,
    disk=disk,
)
