"""How well a text supports hypotheses about it, one per label. Imports torch: import this inside `run`."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from components.models.errors import Code, TourError
from components.tasks import causal, encoders
from components.tasks.task import Progress, part

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

# Of cosines: chosen on thirty short texts so that the softmax is neither flat nor certain, and so
# that a label that fits and one that does not come out on either side of a half.
COSINE_SCALE = 20.0
COSINE_THRESHOLD = 0.1
# A text about nothing, against which each label is held where several may fit: any text at all makes words
# such as "tablet" likelier than none does (as Zhao et al. 2021, https://arxiv.org/abs/2102.09690).
NEUTRAL = (
    "This is a text. It says something about something. Somebody wrote it at some time, and somebody "
    "reads it now. There is nothing more to it than that. "
)
# Nats by which a text must make a label likelier than the neutral one does.
LEAST_GAIN = 1.0
# Pairs of text and hypothesis in one batch.
PAIRS = {"cpu": 4}
PAIRS_ACCELERATED = 64


@dataclass(frozen=True, kw_only=True)
class Support:
    """`scores` in [0, 1], in the order of the labels; they sum to 1 unless each stands for itself."""

    scores: list[float]
    tokens_used: int
    notes: tuple[str, ...] = ()


def by_likelihood(
    model: LoadedModel, text: str, labels: Sequence[str], template: str, *, each: bool
) -> Generator[Progress, None, Support]:
    """How much likelier the text makes a label, under a causal model.

    That is log P(label | text, template) - log P(label | template), which takes out that some labels
    are likelier than others whatever the text (Holtzman et al. 2021, https://arxiv.org/abs/2104.08315).
    Scores are the softmax over labels. If `each` stands for itself, log P(label | neutral text, template) is
    subtracted, the neutral text being as long, and scores are sigmoids: above a half if the text makes a
    label likelier by `LEAST_GAIN`. A text that does not fit is read in windows, whose differences are
    averaged.
    """
    before, after = template.split("{}")
    # A space belongs to the token after it.
    lead = " " if before.endswith(" ") else ""
    opening = _ids(model, before.rstrip(" "))
    continuations = [_ids(model, f"{lead}{label}{after}") for label in labels]
    bridge = _ids(model, f"\n{before.rstrip(' ')}")
    words = _ids(model, text)
    room = model.checkpoint.token_limit - 1 - len(bridge) - max(map(len, continuations))
    if room < 1:
        raise TourError(
            Code.TOO_LONG,
            f"Template and labels fill {model.checkpoint.id}'s {model.checkpoint.token_limit:,} tokens by "
            "themselves. Shorten them.",
            "labels",
        )
    start = [causal.separator(model)]
    context = causal.Context(model)
    windows = [words[place : place + room] for place in range(0, len(words), room)]
    # What the labels are held against, by the length of the window.
    neutral = _ids(model, NEUTRAL)
    bases = {
        size: start + (neutral * (size // len(neutral) + 1))[:size] + bridge if each else start + opening
        for size in {len(window): None for window in windows}
    }
    without = {}
    for index, (size, base) in enumerate(bases.items()):
        reading = context.log_likelihoods(base, continuations)
        without[size] = yield from part(reading, 0.1 * index / len(bases), 0.1 * (index + 1) / len(bases))
    gained = torch.zeros(len(labels))
    for index, window in enumerate(windows):
        reading = context.log_likelihoods(start + window + bridge, continuations)
        likelihoods = yield from part(
            reading, 0.1 + 0.9 * index / len(windows), 0.1 + 0.9 * (index + 1) / len(windows)
        )
        gained += (likelihoods - without[len(window)]) * len(window) / len(words)
    return Support(
        scores=((gained - LEAST_GAIN).sigmoid() if each else gained.softmax(dim=0)).tolist(),
        tokens_used=len(words) + len(bridge) + max(map(len, continuations)),
        notes=_window_notes(len(windows)),
    )


def by_cosine(
    model: LoadedModel, text: str, labels: Sequence[str], template: str, *, each: bool
) -> Generator[Progress, None, Support]:
    """How close the text's embedding is to the hypotheses': their cosines, scaled by `COSINE_SCALE`.

    Scores are the softmax over labels, or each label's sigmoid, a half at `COSINE_THRESHOLD`.
    """
    hypotheses = [template.replace("{}", label) for label in labels]
    embeddings = yield from encoders.embed(model, [text, *hypotheses])
    cosines = embeddings.vectors[1:] @ embeddings.vectors[0]
    surplus = COSINE_SCALE * (cosines - COSINE_THRESHOLD)
    scores = surplus.sigmoid() if each else surplus.softmax(dim=0)
    return Support(
        scores=scores.tolist(),
        tokens_used=max(embeddings.tokens),
        notes=encoders.window_notes(embeddings, model.checkpoint.token_limit),
    )


@torch.inference_mode()
def by_entailment(
    model: LoadedModel, text: str, labels: Sequence[str], template: str, *, each: bool
) -> Generator[Progress, None, Support]:
    """How surely the text entails the hypotheses, by a classifier of sentence pairs (Yin et al. 2019,
    https://arxiv.org/abs/1909.00161).

    Scores are the softmax over labels of the entailment logits, or each label's softmax of entailment
    against contradiction. A text that does not fit is read in windows, whose logits are averaged.
    """
    classes = {name.lower(): int(index) for index, name in (model.network.config.id2label or {}).items()}
    if "entailment" not in classes:
        raise TourError(
            Code.UNSUITABLE_MODEL,
            f"{model.checkpoint.id} was not trained to tell entailment; its classes are "
            f"{', '.join(classes)}. Pick another model.",
            "model",
        )
    entails = classes["entailment"]
    others = [index for index in classes.values() if index != entails]
    against = [classes["contradiction"]] if "contradiction" in classes else others
    logits: list[torch.Tensor] = []
    tokens = windows = 0
    for label in labels:
        pairs = _pairs(model, text, template.replace("{}", label))
        batches = list(_batches(pairs, PAIRS.get(model.device.type, PAIRS_ACCELERATED)))
        parts = []
        for batch in batches:
            parts.append(model.network(**batch).logits.float().cpu())
            yield Progress("Comparing labels", (len(logits) + len(parts) / len(batches)) / len(labels))
        logits.append(torch.cat(parts).mean(dim=0))
        tokens = max(tokens, int(pairs["attention_mask"].sum()))
        windows = max(windows, len(pairs["input_ids"]))
    table = torch.stack(logits)
    scores = table[:, [*against, entails]].softmax(1)[:, -1] if each else table[:, entails].softmax(0)
    return Support(scores=scores.tolist(), tokens_used=tokens, notes=_window_notes(windows))


def _pairs(model: LoadedModel, text: str, hypothesis: str) -> dict[str, torch.Tensor]:
    """The network's inputs [windows, tokens]: each window of the text with the hypothesis."""
    tokenizer, limit = model.tokenizer, model.checkpoint.token_limit
    taken = len(_ids(model, hypothesis)) + tokenizer.num_special_tokens_to_add(pair=True)
    if taken >= limit:
        raise TourError(
            Code.TOO_LONG,
            f"A label in its template takes {taken:,} of the {limit:,} tokens that {model.checkpoint.id} "
            "reads. Shorten it.",
            "labels",
        )
    encoded = tokenizer(
        text,
        hypothesis,
        truncation="only_first",
        max_length=limit,
        return_overflowing_tokens=True,
        padding=True,
        return_tensors="pt",
    )
    return {name: encoded[name].to(model.device) for name in tokenizer.model_input_names if name in encoded}


def _batches(inputs: dict[str, torch.Tensor], size: int) -> Iterator[dict[str, torch.Tensor]]:
    rows = len(inputs["input_ids"])
    for start in range(0, rows, size):
        yield {name: tensor[start : start + size] for name, tensor in inputs.items()}


def _ids(model: LoadedModel, text: str) -> list[int]:
    return list(model.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


def _window_notes(windows: int) -> tuple[str, ...]:
    if windows == 1:
        return ()
    return (
        f"The text is longer than the model reads at once: read in {windows} windows, which are averaged.",
    )
