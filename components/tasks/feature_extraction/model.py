"""An encoder's last hidden states, as they are or pooled. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from components.models.errors import Code, TourError
from components.tasks import embeddings, network
from components.tasks.counted import counted
from components.tasks.embeddings import Window
from components.tasks.feature_extraction import MOST_TOKENS, Embedding, Embeddings, Inputs, Options
from components.tasks.stages import Forward
from components.tasks.task import Output
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

DIGITS = 6  # after the point


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Windows of the texts; of a text's first token that of its first window is taken."""

    rows: tuple[Window, ...]


def preprocess(model: LoadedModel, inputs: Inputs, options: Options) -> Prepared:
    rows = embeddings.split(model, inputs.texts)
    tokens = sum(map(len, rows))
    if options.pooling == "none" and tokens > MOST_TOKENS:
        raise TourError(
            Code.TOO_LONG,
            TEXTS["too_many_tokens"].format(tokens=tokens, limit=MOST_TOKENS),
            "texts",
        )
    return Prepared(rows=rows)


def forward(model: LoadedModel, rows: Sequence[Window]) -> Forward[torch.Tensor]:
    """The last hidden states [tokens, width] of each row, fp32 on the CPU."""
    return network.forward(model, rows, "Embedding texts", _hidden_states)


def _hidden_states(output: Any, mask: torch.Tensor) -> list[torch.Tensor]:
    hidden = output.last_hidden_state.float().cpu()
    return [row[:length] for row, length in zip(hidden, mask.sum(dim=1).tolist(), strict=True)]


def postprocess(
    model: LoadedModel,
    inputs: Inputs,
    options: Options,
    prepared: Prepared,
    outputs: Sequence[torch.Tensor],
) -> Output[Embeddings]:
    """The mean is over the tokens of all of a text's windows, special ones included, as the checkpoints of
    sentence-transformers were trained (Reimers and Gurevych 2019, https://arxiv.org/abs/1908.10084)."""
    states: list[list[torch.Tensor]] = [[] for _ in inputs.texts]
    tokens: list[list[str]] = [[] for _ in inputs.texts]
    for row, output in zip(prepared.rows, outputs, strict=True):
        states[row.text].append(output)
        tokens[row.text] += model.tokenizer.convert_ids_to_tokens(list(row.row["input_ids"]))
    whole = [torch.cat(own) for own in states]
    if options.pooling == "none":
        vectors = torch.cat(whole)
        names = [(place, token) for place, own in enumerate(tokens) for token in own]
    else:
        pooled = [own.mean(dim=0) if options.pooling == "mean" else own[0] for own in whole]
        vectors = torch.stack(pooled)
        names = [(place, "") for place in range(len(whole))]
    if options.normalize:
        vectors = torch.nn.functional.normalize(vectors, dim=1)
    longer = sum(len(own) > 1 for own in states)
    return Output(
        result=Embeddings(
            embeddings=[
                Embedding(text=place, token=token, vector=[round(value, DIGITS) for value in vector])
                for (place, token), vector in zip(names, vectors.tolist(), strict=True)
            ],
            dimensions=vectors.shape[1],
        ),
        tokens_used=max(map(len, tokens)),
        token_limit=model.checkpoint.token_limit,
        notes=_notes(longer, model.checkpoint.token_limit),
    )


def _notes(longer: int, limit: int) -> tuple[str, ...]:
    if not longer:
        return ()
    return (f"Read in windows, as longer than {limit} tokens: {counted(longer, 'text')}.",)
