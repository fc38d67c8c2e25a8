"""What a language model has learned: how well it predicts, and what it writes, before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.figures.markup import Markup, bar_rows, join, percent
from components.texts import beside

TEXTS = beside(__file__)

Json = Mapping[str, Any]


def pretrained(result: Json) -> Markup:
    """What a network from nothing wrote as it learned; `result` is that of the method `pretraining`."""
    fit, units = result["fit"], _units(result["unit"])
    said = TEXTS.html(
        "pretrained",
        parameters=result["parameters"],
        vocabulary=result["vocabulary"],
        units=units,
        read=result["read"],
        perplexity=fit["perplexity"],
        bits=fit["bits"],
    )
    rows = join(
        Markup('<tr><td>{:,}</td><td>{:.1f}</td><td class="written" dir="auto">{}</td></tr>').format(
            one["step"], one["perplexity"], one["text"].strip() or "only white space"
        )
        for one in result["samples"]
    )
    return said + Markup(
        '<div class="grid-box" tabindex="0" role="region" aria-label="What it wrote">'
        '<table class="grid language"><thead><tr><th scope="col">Step</th><th scope="col">Perplexity</th>'
        '<th scope="col">Text generated at this step</th></tr></thead><tbody>{}</tbody></table></div>'
    ).format(rows)


def adapted(result: Json) -> Markup:
    """A model before and after it read a field's text; `result` is that of the method `adaptation`."""
    before, after = result["before"], result["after"]
    measured = {
        "Held-out part of your text": "held_out",
        "A general text": "general",
    }
    values = {
        (title, when): found[key]["perplexity"]
        for title, key in measured.items()
        for when, found in (("before", before), ("after", after))
    }
    most = max(values.values())
    bars = bar_rows(
        [
            (
                Markup('{}<span class="sequence">{}</span>').format(title, when),
                value / most,
                perplexity(value),
            )
            for (title, when), value in values.items()
        ],
        caption=f"{result['measure'].capitalize()}, before and after",
        columns=("Text", result["measure"].capitalize()),
        best=[index for index, (_, when) in enumerate(values) if when == "after"],
    )
    return Markup("<p>{}</p>{}<p>{}</p>{}").format(
        _explained(result), bars, _spoken(result), _side_by_side(result)
    )


def perplexity(value: float) -> str:
    return f"{value:.1f}" if value < 1000 else f"{value:,.0f}"


def _explained(result: Json) -> str:
    return TEXTS[f"measures.{result['measure']}"]


def _spoken(result: Json) -> str:
    """Both changes in words."""
    own, other = (
        result["after"][key]["perplexity"] / result["before"][key]["perplexity"]
        for key in ("held_out", "general")
    )
    learned = TEXTS["learned.yes" if own < 1 else "learned.no"].format(share=percent(own, 0))
    forgot = TEXTS["forgot.yes" if other > 1.02 else "forgot.no"].format(share=percent(other, 0))
    return f"{learned} {forgot}"


def _side_by_side(result: Json) -> Markup:
    columns = join(
        Markup('<section><h4>{}</h4><p class="prompt" dir="auto">{}</p>{}</section>').format(
            title, result["prompt"], _samples(found["samples"])
        )
        for title, found in (("Before", result["before"]), ("After", result["after"]))
    )
    return Markup('<div class="two-sides language">{}</div>').format(columns)


def _samples(texts: Sequence[str]) -> Markup:
    return Markup("<ol>{}</ol>").format(
        join(
            Markup('<li class="written" dir="auto">{}</li>').format(f"… {text.strip()}".strip())
            for text in texts
        )
    )


def _units(unit: str) -> str:
    return "characters" if unit == "characters" else "pieces of words"


def written_so_far(events: Sequence[Mapping[str, Any]]) -> Markup:
    """What a network has written at each measurement in training, the latest first; empty before that."""
    texts = {one["step"]: one["text"] for one in events if one["event"] == "sample"}
    if not texts:
        return Markup()
    rows = join(
        Markup('<li><span class="hint">Step {:,}</span> <span dir="auto">{}</span></li>').format(step, text)
        for step, text in sorted(texts.items(), reverse=True)
    )
    return Markup('<section class="so-far"><h4>Written so far</h4><ol>{}</ol></section>').format(rows)
