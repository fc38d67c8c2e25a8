"""The next token, as something to explain. Imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.models.errors import Code, TourError
from components.tasks.attribution_input import AttributionInput, Score
from components.tasks.explained import PAIR, TEXT, Asked, Choice
from components.tasks.explanation import (
    SHOWN,
    Predicting,
    Prediction,
    Units,
    cut_to_fit,
    decoder_input,
    ids_of,
    inside_of,
    log_probability,
    offsets_of,
    output_now,
    refuse_the_same,
    terms_of,
)
from components.tasks.fields import shorten
from components.tasks.task import Progress
from components.tasks.text_generation import Options, decoding
from components.tasks.text_generation.model import prompt_ids
from components.tasks.written import chat
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)


def explain(model: LoadedModel, asked: Asked, units: Units) -> Predicting:
    """The first token of an answer to the prompt; the second text is how the answer begins."""
    text, notes = cut_to_fit(model, asked.text, 64)
    begun_text, more = cut_to_fit(model, asked.text_pair, 0, "beginning") if asked.text_pair else ("", ())
    prompt = prompt_ids(model, text, Options())
    begun = ids_of(model, begun_text)
    ids = [*prompt, *begun]
    offsets: list[tuple[int, int] | None]
    if model.tokenizer.chat_template:
        whole, start = chat(model, [{"role": "user", "content": text}])
        if ids_of(model, whole) != prompt:
            raise TourError(
                Code.INVALID_INPUT,
                TEXTS["control_token"],
                "text",
            )
        kept = text.strip()  # many templates leave the space around a message out
        at = whole.find(kept, start)
        lead = text.find(kept)
        places = inside_of(offsets_of(model, whole), at, at + len(kept))
        offsets = [pair and (pair[0] + lead, pair[1] + lead) for pair in places]
    else:
        encoded = model.tokenizer(text, return_offsets_mapping=True, return_special_tokens_mask=True)
        offsets = [
            None if special else (pair[0], pair[1])
            for pair, special in zip(encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True)
        ]
    nothing: list[None] = [None] * len(begun)
    owners = units.owners(text, TEXT, [*offsets, *nothing])
    if begun:
        its = units.owners(begun_text, PAIR, [*[None] * len(prompt), *offsets_of(model, begun_text)])
        owners = [one if one is not None else other for one, other in zip(owners, its, strict=True)]
    network_input = decoder_input(model, ids, owners, [len(ids) - 1])
    yield Progress("Reading the prompt", 0.5)
    logits = output_now(network_input).logits[0, -1].float().cpu()
    pieces = decoding.TokenTexts(model)
    best = logits.topk(SHOWN).indices.tolist()
    shares = logits.softmax(dim=0)

    def shown(id: int) -> str:
        return pieces.after(begun, id)

    def token(name: str, field: str) -> int:
        for same in (name, name.strip()):
            for id in best:
                if same in (shown(id), shown(id).strip()):
                    return int(id)
        found = [own[0] for spelled in (name, f" {name.strip()}") if len(own := ids_of(model, spelled)) == 1]
        if not found:
            raise TourError(
                Code.INVALID_INPUT,
                TEXTS["several_tokens"].format(word=shorten(name), model=model.checkpoint.id),
                field,
            )
        return max(found, key=lambda id: float(logits[id]))

    wanted = token(asked.target, "target") if asked.target else int(best[0])
    target = shown(wanted)
    ids_by_name = {target: wanted}
    against = ""
    if asked.against:
        other = token(asked.against, "against")
        against = shown(other)
        refuse_the_same(target, against)
        ids_by_name[against] = other

    def score(name: str) -> tuple[AttributionInput, Score]:
        id = ids_by_name[name]
        return network_input, log_probability([id], -1)

    return Prediction(
        target=target,
        against=against,
        terms=terms_of(score, target, against),
        units=units.found,
        choices=[
            Choice(text=shown(id), score=float(shares[id]))
            for id in dict.fromkeys([*best, *ids_by_name.values()])
        ],
        means=f"the logarithm of the probability of the next token “{target.strip() or target}”",
        tokens=len(ids),
        notes=(*notes, *more),
    )
