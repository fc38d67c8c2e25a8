"""What a run says of itself: model, device, time, tokens, notes; or what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.figures.markup import Markup, escape, join
from components.texts import beside

TEXTS = beside(__file__)


def run_line(
    answer: Mapping[str, Any], *, title: str, stored: bool = False, waited: float | None = None
) -> Markup:
    """Facts of one run in a row, and its notes below. `waited` are the seconds from the request to the
    answer: computing, loading the model, and waiting for others."""
    used, limit = answer["tokens_used"], answer["token_limit"]
    facts = [Markup('<span class="badge">Stored answer</span>')] if stored else []
    facts += [
        fact(title),
        fact(answer["device"].upper()),
        took(answer, waited),
        fact(
            Markup(
                "{used:,} of {limit:,} tokens"
                '<span class="meter" aria-hidden="true" style="--share:{share:.4f}"></span>'
            ).format(used=used, limit=limit, share=min(1.0, used / limit))
        ),
    ]
    return Markup('<div class="run-line">{}</div>{}').format(join(facts), notes(answer.get("notes", ())))


def took(answer: Mapping[str, Any], waited: float | None = None) -> Markup:
    """The fact of how long an answer was computed."""
    return fact(TEXTS["cached"] if answer.get("cached") else _seconds(answer["seconds"], waited))


def _seconds(computing: float, waited: float | None) -> str:
    if waited is None or waited - computing < 0.5:
        return duration(computing)
    return f"{duration(waited)}, {duration(computing)} of it computing"


def fact(value: str | Markup) -> Markup:
    return Markup('<span class="fact">{}</span>').format(value)


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
    return Markup('<div class="working"><span>{}</span><progress max="1"{}></progress></div>').format(
        stage, value
    )


def problem(message: str) -> Markup:
    """An error in the place of the result."""
    return Markup('<div class="problem" role="alert"><p>{}</p></div>').format(message)


def broken(incident: str) -> Markup:
    """An error of our own, by the name under which the log has it."""
    return problem(TEXTS["broken"].format(incident=incident))


def hint(message: str) -> Markup:
    return Markup('<p class="hint">{}</p>').format(escape(message))
