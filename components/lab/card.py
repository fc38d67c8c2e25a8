"""The model card of a classifier that was trained in the lab, written from its run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import Any

import yaml

from components.lab.data import SPLITS, About, Data
from components.lab.judging import Judgement, judge
from components.lab.runs import PREDICTIONS
from components.lab.work import Work
from components.models.checkpoint import Checkpoint, HubSource, WheelSource
from components.models.sources.folder import origin
from components.texts import in_folder
from components.training.cards import line
from components.training.recipe import Recipe

TEXTS = in_folder(__file__)

_TEMPLATE = Path(__file__).with_name("card.md")
_LIBRARIES = ("transformers", "torch", "peft", "scikit-learn")
_FEW = 200  # test examples below which an interval is wide

_CODE = """\
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

MODEL = "."  # the folder with this card, or its id on the Hub
{model}

inputs = tokenizer({texts}, truncation=True, max_length={length}, return_tensors="pt")
with torch.inference_mode():
    scores = model(**inputs).logits.{scores}[0]
for index in scores.argsort(descending=True).tolist():
    print(f"{{scores[index]:.3f}}  {{model.config.id2label[index]}}")"""
_WHOLE = """\
tokenizer = AutoTokenizer.from_pretrained(MODEL)
model = AutoModelForSequenceClassification.from_pretrained(MODEL, dtype=torch.float32)"""
_ADAPTER = """\
config = AutoConfig.from_pretrained(MODEL, dtype=torch.float32)
tokenizer = AutoTokenizer.from_pretrained({base})
model = AutoModelForSequenceClassification.from_pretrained({base}, config=config)
model = PeftModel.from_pretrained(model, MODEL).eval()"""


def write(work: Work, recipe: Recipe, train_rows: int, epoch: int) -> None:
    """Puts the card beside the checkpoint that a run has made, once its predictions are kept."""
    base, data = work.base, work.data
    if base is None:
        raise ValueError("a checkpoint is made from another one")
    notes = [str(event["text"]) for event in work.run.events() if event["event"] == "note"]
    text = card(
        data,
        base,
        recipe,
        judge(data, work.run.folder / PREDICTIONS),
        method=work.run.spec.title,
        adapter=(work.model / "adapter_config.json").is_file(),
        train_rows=train_rows,
        epoch=epoch,
        notes=(*data.about.notes, *dict.fromkeys(notes)),
    )
    (work.model / "README.md").write_text(text, "utf-8")


def card(
    data: Data,
    base: Checkpoint,
    recipe: Recipe,
    judgement: Judgement,
    *,
    method: str,
    adapter: bool,
    train_rows: int,
    epoch: int,
    notes: Sequence[str] = (),
) -> str:
    """Markdown with the Hub's metadata in front; `judgement` is of the test split. Nothing that a visitor
    named, such as classes, is markup in it."""
    about = data.about
    name = _name(base)
    sizes = {split: len(data.rows(split)) for split in SPLITS}
    sampled = f"{train_rows:,} of {sizes['train']:,}"
    return Template(_TEMPLATE.read_text("utf-8")).substitute(
        metadata=_metadata(base, name, adapter),
        title=f"{line(about.title)}: {line(method)}",
        method=line(method),
        base=line(name or base.title),
        base_licence=line(base.licence),
        data=line(about.title),
        source=line(about.source),
        data_licence=line(about.licence),
        classes=len(about.labels),
        put="a pair of texts" if about.pair else "a text",
        into="any number" if about.several else "one",
        squashed="sigmoid" if about.several else "softmax",
        train=sampled if train_rows < sizes["train"] else f"{sizes['train']:,}",
        validation=f"{sizes['validation']:,}",
        test=f"{sizes['test']:,}",
        what=(
            TEXTS["adapter" if adapter else "merged"].format(rank=recipe.rank)
            if recipe.rank
            else TEXTS["full"]
        ),
        learning_rate=f"{recipe.learning_rate:g}",
        batch=recipe.batch,
        weight_decay=f"{recipe.weight_decay:g}",
        length=recipe.length,
        seed=recipe.seed,
        epochs=f"{recipe.epochs:g}",
        epoch=epoch,
        versions=", ".join(f"{library} {version(library)}" for library in _LIBRARIES),
        measures="\n".join(
            f"| {one.name} | {one.value:.3f} | {one.low:.3f} to {one.high:.3f} |"
            for one in judgement.measures
        ),
        per_class="\n".join(
            f"| {line(one.label)} | {one.precision:.3f} | {one.recall:.3f} | {one.f1:.3f} | {one.support:,} |"
            for one in judgement.per_class
        ),
        error=f"{judgement.raw.error:.3f}",
        temperature=f"{judgement.temperature:.2f}",
        limits="\n".join(f"- {limit}" for limit in _limits(recipe, judgement, sizes["test"], notes)),
        code=_code(name, adapter, recipe.length, about),
    )


def _limits(recipe: Recipe, judgement: Judgement, test: int, notes: Sequence[str]) -> Iterator[str]:
    yield TEXTS["several_classes" if judgement.several else "one_class"]
    yield TEXTS["cut"].format(length=recipe.length)
    if test < _FEW:
        yield f"{test:,} test examples are few: see how wide the intervals are."
    weak = [line(one.label) for one in judgement.per_class if one.support and one.f1 < 0.5]
    if weak:
        yield f"Its F1 is below 0.5 for: {', '.join(weak)}."
    for note in notes:
        yield line(note)


def _name(base: Checkpoint) -> str | None:
    """What others know the base by; None for one that is a folder on this host."""
    return origin(base.source) if isinstance(base.source, HubSource | WheelSource) else None


def _metadata(base: Checkpoint, name: str | None, adapter: bool) -> str:
    """YAML of the keys that the Hub knows (https://huggingface.co/docs/hub/model-cards)."""
    licence = base.licence.lower()
    content: dict[str, Any] = {
        "pipeline_tag": "text-classification",
        "library_name": "peft" if adapter else "transformers",
        "tags": ["text-classification", *(["lora"] if adapter else [])],
    }
    if re.fullmatch(r"[a-z0-9.-]+", licence):
        content["license"] = licence
    if base.languages:
        content["language"] = list(base.languages)
    if name is not None:
        content["base_model"] = name
    written: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    return written


def _code(name: str | None, adapter: bool, length: int, about: About) -> str:
    texts = '"A text.", "And the second text of its pair."' if about.pair else '"A text to classify."'
    scores = "sigmoid()" if about.several else "softmax(dim=-1)"
    if not adapter:
        return _CODE.format(model=_WHOLE, length=length, texts=texts, scores=scores)
    code = _CODE.format(model=_ADAPTER.format(base=repr(name)), length=length, texts=texts, scores=scores)
    return code.replace(
        "from transformers import ", "from peft import PeftModel\nfrom transformers import AutoConfig, "
    )
