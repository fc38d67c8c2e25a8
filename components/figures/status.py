"""What a run says of itself: model, device, time, tokens, notes; or what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.figures.markup import Markup, escape, join


def run_line(answer: Mapping[str, Any], *, title: str, stored: bool = False) -> Markup:
    """Facts of one run in a row, and its notes below."""
    used, limit = answer["tokens_used"], answer["token_limit"]
    facts = [
        Markup('<span class="fact">{}</span>').format(title),
        Markup('<span class="fact">{}</span>').format(answer["device"].upper() if answer["device"] == "cpu" else answer["device"]),
        Markup('<span class="fact">{}</span>').format(duration(answer["seconds"])),
        Markup(
            '<span class="fact">{used:,} of {limit:,} tokens <meter min="0" max="{limit}" value="{used}" '
            'aria-label="tokens used of the model\'s limit"></meter></span>'
        ).format(used=used, limit=limit),
    ]
    if stored:
        facts.insert(
            0,
            Markup('<span class="badge" title="Computed earlier with the model named here and stored">Stored result: press Run to compute it now</span>'),
        )
    return Markup('<div class="run-line">{}</div>{}').format(join(facts), notes(answer.get("notes", ())))


def notes(texts: tuple[str, ...] | list[str]) -> Markup:
    if not texts:
        return Markup()
    return Markup('<ul class="notes">{}</ul>').format(
        join(Markup("<li>{}</li>").format(text) for text in texts)
    )


def duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def progress(stage: str, share: float | None) -> Markup:
    """A bar while there is nothing to show yet; without a share it moves to and fro."""
    value = Markup("") if share is None else Markup(' value="{:.3f}"').format(share)
    return Markup('<div class="working"><span>{}</span><progress max="1"{}></progress></div>').format(stage, value)


def problem(message: str, field: str | None = None) -> Markup:
    """An error in the place of the result; `field` is named when one input is at fault."""
    where = Markup(" <strong>{}</strong>").format(field) if field else Markup()
    return Markup('<div class="problem" role="alert"><span class="problem-title">Can’t answer this{}{}</span><p>{}</p></div>').format(
        ":" if field else "", where, message
    )


def hint(message: str) -> Markup:
    return Markup('<p class="hint">{}</p>').format(escape(message))
