"""A summary that a generator writes, section after section. Imports torch."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from transformers import NoRepeatNGramLogitsProcessor

from components.models.checkpoint import Head
from components.models.errors import Code, TourError
from components.tasks import causal, stepwise
from components.tasks.loops import loops
from components.tasks.sentences import Span, ended, parted, sentences, unlisted
from components.tasks.stages import Forward, Partial
from components.tasks.summarization import Inputs, Options, Summary
from components.tasks.summarization.faithfulness import unsupported_entities
from components.tasks.task import Output, Progress, map_progress, scaled_progress
from components.texts import in_folder

if TYPE_CHECKING:
    from components.models.checkpoint import LoadedModel

TEXTS = in_folder(__file__)

SYSTEM = TEXTS["system"]
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
class Draft:
    """What was written; `cut` if it had not come to its end."""

    text: str
    cut: bool


@dataclass(frozen=True, kw_only=True)
class _Checked:
    """The part of a draft that can stand, and what was wrong with the rest."""

    text: str
    unsupported: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Section:
    """Whole sentences of the text, the prompt that they make, and how a summary of them is searched."""

    text: str
    prompt: list[int]
    longest: int  # tokens of the summary
    num_beams: int
    no_repeat_ngram_size: int


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The text's sections in order, none where it has no sentence."""

    rows: tuple[Section, ...]


def preprocess(model: LoadedModel, inputs: Inputs, options: Options) -> Prepared:
    text, most = inputs.text, options.max_sentences
    spans = sentences(text)
    return Prepared(
        rows=tuple(
            Section(
                text=section.of(text),
                prompt=prompt(model, section.of(text), most),
                longest=_longest(model, most),
                num_beams=options.num_beams,
                no_repeat_ngram_size=options.no_repeat_ngram_size,
            )
            for section in (_sections(model, text, spans, most) if spans else ())
        )
    )


def forward(model: LoadedModel, rows: Sequence[Section]) -> Forward[Draft]:
    """A draft for each section, shown after each."""
    drafts: list[Draft] = []
    for row in rows:
        if drafts:
            yield Partial(tuple(drafts))
        done = len(drafts)
        drafting = _written(_draft(model, row), row.longest)
        drafts.append((yield from scaled_progress(drafting, done / len(rows), (done + 1) / len(rows))))
    return drafts


def _written(drafting: Generator[int, None, Draft], longest: int) -> Generator[Progress, None, Draft]:
    return map_progress(drafting, lambda tokens: Progress("Writing", tokens / longest))


def postprocess(
    model: LoadedModel, inputs: Inputs, options: Options, prepared: Prepared, outputs: Sequence[Draft]
) -> Output[Summary]:
    """Sentences with a name or a number that the section lacks are left out. Where nothing remains, the
    section's first sentence stands for it.
    """
    text, sections = inputs.text.strip(), prepared.rows
    if not sections:
        return _output(model, [text], 0, ["There is no sentence in the text."], 1.0)
    tokens = sum(_tokens(model, section.text) for section in sections)
    notes = []
    if len(sections) > 1:
        notes.append(TEXTS["sections"].format(sections=len(sections)))
    checked = [
        check(draft.text, section.text, options.max_sentences, cut=draft.cut)
        for draft, section in zip(outputs, sections, strict=False)
    ]
    written = [one.text or _lead(section.text) for one, section in zip(checked, sections, strict=False)]
    if len(outputs) < len(sections):
        return _output(model, written, tokens, notes, len(outputs) / len(sections))
    if unsupported := list(dict.fromkeys(name for one in checked for name in one.unsupported)):
        notes.append(f"Left out, as the text does not have it: sentences with {', '.join(unsupported)}.")
    if led := sum(not one.text for one in checked):
        notes.append(
            TEXTS["unsupported"]
            if len(sections) == 1
            else TEXTS["unsupported_sections"].format(count=led, sections=len(sections))
        )
    if len(" ".join(written)) >= len(text):
        written = [text]
        notes = [TEXTS["unchanged"]]
    return _output(model, written, tokens, notes, 1.0)


def check(written: str, source: str, most: int, *, cut: bool) -> _Checked:
    """The first `most` sentences that claim nothing of their own and do not go round in circles; `cut` says
    that the last one has no end."""
    found = [unlisted(written, span).of(written) for span in sentences(written)]
    if cut and len(found) > 1 and not ended(found[-1]):
        del found[-1]
    kept, unsupported = [], []
    for sentence in found:
        plain = " ".join(sentence.replace("*", "").split())
        if plain.endswith(":") or (OWN in plain.casefold() and OWN not in source.casefold()):
            continue  # "Here is a summary:"
        if loops(plain, source):
            continue
        own = unsupported_entities(plain, source)
        unsupported += own
        if not own and plain not in kept:
            kept.append(plain)
    return _Checked(text=" ".join(kept[:most]), unsupported=unsupported)


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
    room = model.checkpoint.token_limit - len(prompt(model, "", most))
    if model.checkpoint.head is Head.CAUSAL_LM:
        room = min(room - _longest(model, most), SECTION.get(model.device.type, SECTION_ACCELERATED))
    if room < LEAST_ROOM:
        raise TourError(
            Code.UNSUITABLE_MODEL,
            TEXTS["too_short_input"].format(model=model.checkpoint.id, limit=model.checkpoint.token_limit),
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


def prompt(model: LoadedModel, text: str, most: int) -> list[int]:
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


def _draft(model: LoadedModel, section: Section) -> Generator[int, None, Draft]:
    decoder = model.checkpoint.head is Head.CAUSAL_LM
    before = len(section.prompt) if decoder else 1
    ids = torch.tensor([section.prompt], device=model.device)
    ngram, longest = section.no_repeat_ngram_size, section.longest

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
        num_beams=1 if decoder else section.num_beams,
        no_repeat_ngram_size=0 if decoder else ngram,
    )
    new = given[0, before:]
    ends = model.network.generation_config.eos_token_id
    ended = bool(torch.isin(new[: longest - 1], torch.tensor(ends, device=new.device)).any())
    return Draft(text=str(model.tokenizer.decode(new, skip_special_tokens=True)).strip(), cut=not ended)
