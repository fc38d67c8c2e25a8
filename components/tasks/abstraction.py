"""A summary that a generator writes. Imports torch: import this inside `run`."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from transformers import NoRepeatNGramLogitsProcessor

from components.models.checkpoint import Head
from components.models.errors import Code, TourError
from components.tasks import causal, stepwise
from components.tasks.faithfulness import inventions
from components.tasks.loops import loops
from components.tasks.sentences import Span, ended, parted, sentences, unlisted
from components.tasks.summarization import Summary
from components.tasks.task import Output, Progress, told

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

SYSTEM = "You summarize texts. Say only what the text says, in its own words."
# Tokens that a summary may have: some to begin with, and for each sentence.
START, EACH = 32, 48
# What a text seldom and a chat model often speaks of.
OWN = "summary"
# A decoder reads a section in one pass: of so many tokens at most, for the sake of others' turns.
SECTION = {"cpu": 768}
SECTION_ACCELERATED = 4096
# What must remain for the text.
LEAST_ROOM = 32


@dataclass(frozen=True, kw_only=True)
class _Draft:
    """What was written; `cut` if it had not come to its end."""

    text: str
    cut: bool


@dataclass(frozen=True, kw_only=True)
class _Checked:
    """The part of a draft that can stand, and what was wrong with the rest."""

    text: str
    invented: Sequence[str]


@torch.inference_mode()
def summarize(
    model: LoadedModel, text: str, most: int, *, num_beams: int, no_repeat_ngram_size: int
) -> Iterator[Progress | Output[Summary]]:
    """Sums up section after section and yields after each; sections are whole sentences.

    Sentences with a name or a number that the section lacks are left out. Where nothing remains, the
    section's first sentence stands for it.
    """
    if not (spans := sentences(text)):
        yield _output(model, [text.strip()], 0, ["There is no sentence in the text."], 1.0)
        return
    sections = _sections(model, text, spans, most)
    tokens = sum(_tokens(model, section.of(text)) for section in sections)
    written: list[str] = []
    notes = []
    if len(sections) > 1:
        notes.append(f"The text is long: each of its {len(sections)} sections is summed up by itself.")
    invented: list[str] = []
    led = 0
    for index, section in enumerate(sections):
        if written:
            yield _output(model, written, tokens, notes, index / len(sections))
        source = section.of(text)
        prompt = _prompt(model, source, most)
        drafting = _draft(model, prompt, most, num_beams, no_repeat_ngram_size)
        draft = yield from _progress(drafting, index, len(sections), _longest(model, most))
        checked = check(draft.text, source, most, cut=draft.cut)
        invented += checked.invented
        led += not checked.text
        written.append(checked.text or _lead(source))
    if invented:
        notes.append(
            f"Left out, as the text does not have it: sentences with {', '.join(dict.fromkeys(invented))}."
        )
    if led:
        notes.append(
            "Nothing that the model wrote could stand: this is the text's first sentence."
            if len(sections) == 1
            else f"Of {led} section(s) nothing that the model wrote could stand: their first sentences do."
        )
    if len(" ".join(written)) >= len(text.strip()):
        written = [text.strip()]
        notes = ["The text is as short as its summary would be: it is shown as it is."]
    yield _output(model, written, tokens, notes, 1.0)


def check(written: str, source: str, most: int, *, cut: bool) -> _Checked:
    """The first `most` sentences that claim nothing of their own and do not go round in circles; `cut` says
    that the last one has no end."""
    found = [unlisted(written, span).of(written) for span in sentences(written)]
    if cut and len(found) > 1 and not ended(found[-1]):
        del found[-1]
    kept, invented = [], []
    for sentence in found:
        plain = " ".join(sentence.replace("*", "").split())
        if plain.endswith(":") or (OWN in plain.casefold() and OWN not in source.casefold()):
            continue  # "Here is a summary:"
        if loops(plain, source):
            continue
        own = inventions(plain, source)
        invented += own
        if not own and plain not in kept:
            kept.append(plain)
    return _Checked(text=" ".join(kept[:most]), invented=invented)


def _lead(source: str) -> str:
    """The first sentence; not a salutation or a title, if anything else has a full stop."""
    found = [" ".join(span.of(source).split()) for span in sentences(source)] or [source]
    return next((sentence for sentence in found if ended(sentence)), found[0])


def _output(
    model: LoadedModel, written: Sequence[str], tokens: int, notes: Sequence[str], share: float
) -> Output[Summary]:
    return Output(
        result=Summary(summary=" ".join(written), sentences=[]),
        tokens_used=tokens,
        token_limit=model.checkpoint.token_limit,
        notes=tuple(notes),
        share=share,
    )


def _longest(model: LoadedModel, most: int) -> int:
    return min(START + EACH * most, model.checkpoint.token_limit // 2)


def _sections(model: LoadedModel, text: str, spans: Sequence[Span], most: int) -> list[Span]:
    """As many sentences in each as fit with the prompt and, in a decoder, the summary."""
    room = model.checkpoint.token_limit - len(_prompt(model, "", most))
    if model.checkpoint.head is Head.CAUSAL_LM:
        room = min(room - _longest(model, most), SECTION.get(model.device.type, SECTION_ACCELERATED))
    if room < LEAST_ROOM:
        raise TourError(
            Code.UNSUITABLE_MODEL,
            f"{model.checkpoint.id} reads {model.checkpoint.token_limit:,} tokens: too few to sum up a text.",
            "model",
        )

    def fits(span: Span) -> bool:
        return _tokens(model, span.of(text)) <= room

    sections: list[Span] = []
    for sentence in spans:
        for span in parted(text, sentence, fits):
            joined = Span(sections[-1].start, span.end) if sections else span
            if sections and fits(joined):
                sections[-1] = joined
            else:
                sections.append(span)
    return sections


def _tokens(model: LoadedModel, text: str) -> int:
    return len(model.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


def _prompt(model: LoadedModel, text: str, most: int) -> list[int]:
    """Token ids: what the network reads."""
    tokenizer: Any = model.tokenizer
    if model.checkpoint.head is Head.SEQ2SEQ_LM:
        tasks = getattr(model.network.config, "task_specific_params", None) or {}
        prefix = tasks.get("summarization", {}).get("prefix", "")
        return list(tokenizer(f"{prefix}{text}", verbose=False)["input_ids"])
    if not tokenizer.chat_template:
        return causal.text_ids(model, f"{text}\n\nTL;DR:", special=True)
    count = "one short sentence" if most == 1 else f"{most} short sentences"
    messages = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": f"Summarize in {count}:\n\n{text}"},
    ]
    return causal.chat_ids(model, messages)


def _draft(
    model: LoadedModel, prompt: Sequence[int], most: int, num_beams: int, ngram: int
) -> Generator[int, None, _Draft]:
    decoder = model.checkpoint.head is Head.CAUSAL_LM
    before = len(prompt) if decoder else 1
    ids = torch.tensor([prompt], device=model.device)
    longest = _longest(model, most)

    def unrepeated(row: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """The library's own would forbid a decoder to quote the text that it reads."""
        processor: Any = NoRepeatNGramLogitsProcessor(ngram)
        kept: torch.FloatTensor = processor(row[:, before:], scores)
        return kept

    given = yield from stepwise.generate(
        model.network,
        *([unrepeated] if decoder and ngram else []),
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=longest,
        min_length=0,
        do_sample=False,
        num_beams=1 if decoder else num_beams,
        no_repeat_ngram_size=0 if decoder else ngram,
    )
    new = given[0, before:]
    ends = model.network.generation_config.eos_token_id
    ended = bool(torch.isin(new[: longest - 1], torch.tensor(ends, device=new.device)).any())
    return _Draft(text=str(model.tokenizer.decode(new, skip_special_tokens=True)).strip(), cut=not ended)


def _progress(
    drafting: Generator[int, None, _Draft], index: int, sections: int, longest: int
) -> Generator[Progress, None, _Draft]:
    return told(drafting, lambda tokens: Progress("Writing", (index + tokens / longest) / sections))
