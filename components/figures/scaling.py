"""What a network's sizes cost, as charts and tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from components import texts
from components.figures import chart, status
from components.figures.chart import Chart
from components.figures.markup import Markup, percent, table
from components.insight import scaling
from components.insight.scaling import PRECISIONS, Count, Sizes

TEXTS = texts.beside(__file__)

_PARTS = {
    "embeddings": "token embeddings",
    "positions": "position embeddings",
    "attention": "attention",
    "feed_forward": "feed-forward",
    "output": "output matrix",
    "rest": "norms, head, adapters",
}
_DIALS = {"width": "width", "layers": "layers", "inner": "feed-forward neurons", "vocabulary": "vocabulary"}


def short(count: float) -> str:
    """6738415616 -> "6.74 billion"."""
    for size, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if count >= size:
            return f"{count / size:.3g} {word}" if count < 1000 * size else f"{count / size:,.0f} {word}"
    return f"{count:,.0f}"


def nbytes(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.3g} TB"


def parts(sizes: Sizes, start: Sizes) -> Chart:
    """Where the parameters are, beside those of what the sizes began with."""
    rows = [("as set", scaling.count(sizes)), ("at the start", scaling.count(start))]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": chart.plain(title),
            "y": [name for name, _ in rows],
            "x": [getattr(count, part) / count.total for _, count in rows],
            "customdata": [f"{getattr(count, part):,}" for _, count in rows],
            "marker": {
                "color": chart.COLOURS[index],
                "pattern": {"shape": ("", "/", "x", ".", "-", "+")[index]},
            },
            "hovertemplate": f"{title}: %{{customdata}} (%{{x:.1%}})<extra></extra>",
        }
        for index, (part, title) in enumerate(_PARTS.items())
    ]
    (_, now), (_, then) = rows
    return Chart(
        figure=chart.figure(
            traces,
            height=250,
            barmode="stack",
            margin={"l": 8, "r": 12, "t": 100, "b": 8},
            xaxis=chart.axis("share of the parameters", tickformat=".0%", range=[0, 1]),
            yaxis=chart.axis(),
        ),
        name="parameters-by-part",
        label=f"Parameters by part: {short(now.total)} as set, {short(then.total)} at the start",
        numbers=table(
            ("Part", "As set", "Share", "At the start"),
            (
                *(_row(title, part, now, then) for part, title in _PARTS.items()),
                _row("all", "total", now, then),
            ),
            "Parameters by part",
        ),
    )


def _row(title: str, part: str, now: Count, then: Count) -> tuple[str, ...]:
    own, before = getattr(now, part), getattr(then, part)
    return (title, f"{own:,}", percent(own / now.total), f"{before:,}")


def facts(sizes: Sizes, context: int, bandwidth: float) -> Markup:
    """Memory, cache and time; `bandwidth` in bytes per second."""
    family = scaling.families()[sizes.family]
    total = scaling.count(sizes).total
    stored = {
        name: scaling.cache_bytes(sizes, name if name in scaling.CACHE else "bf16 / fp16")
        for name in PRECISIONS
    }
    rows = [
        (
            name,
            nbytes(scaling.weights_bytes(sizes, name)),
            nbytes(stored[name]) if stored[name] else "none",
            nbytes(stored[name] * context) if stored[name] else "none",
            *_speed(sizes, name, context, bandwidth),
        )
        for name in PRECISIONS
    ]
    unit = "text" if family.kind == "encoder" else "token"
    heads = (
        "Precision",
        "Weights",
        "Cache per token",
        f"Cache of {context:,} tokens",
        f"Time per {unit}, at least",
        f"{unit.capitalize()}s per second, at most",
    )
    notes = [TEXTS["operations"].format(count=short(scaling.operations(sizes)))]
    if family.kind == "encoder":
        notes.append(TEXTS["no_cache"])
    elif sizes.shared_by > 1:
        alone = scaling.cache_bytes(Sizes(**{**vars(sizes), "shared_by": 1}))
        notes.append(
            TEXTS["shared"].format(
                heads=sizes.heads,
                groups=sizes.heads // sizes.shared_by,
                alone=nbytes(alone),
                shared=nbytes(scaling.cache_bytes(sizes)),
            )
        )
    if source := scaling.source_bytes(sizes):
        notes.append(TEXTS["source"].format(size=nbytes(source)))
    return Markup('<p class="table-answer"><strong>{} parameters</strong> ({:,})</p>{}{}').format(
        short(total),
        total,
        table(heads, rows, "Memory and time by precision"),
        Markup().join(status.hint(note) for note in notes),
    )


def _speed(sizes: Sizes, precision: str, context: int, bandwidth: float) -> tuple[str, str]:
    seconds = scaling.seconds_per_token(sizes, precision, context, bandwidth)
    rate = 1 / seconds
    return _time(seconds), f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def _time(seconds: float) -> str:
    for size, unit in ((1, "s"), (1e-3, "ms")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def ways(sizes: Sizes, target: float) -> Markup:
    """What would make the network as large as `target`: one size alone, or width and depth together."""
    rows = []
    grown: Sequence[tuple[str, Callable[[Sizes, float], Sizes]]] = (
        ("width and layers in proportion", scaling.both),
        ("width alone", lambda own, factor: scaling.scaled(own, "width", factor)),
        ("layers alone", lambda own, factor: scaling.scaled(own, "layers", factor)),
        ("feed-forward neurons alone", lambda own, factor: scaling.scaled(own, "inner", factor)),
        ("vocabulary alone", lambda own, factor: scaling.scaled(own, "vocabulary", factor)),
    )
    for title, grow in grown:
        found = scaling.reaching(sizes, target, grow)
        if found is None:
            rows.append((title, "cannot reach it", "", "", "", ""))
            continue
        depth = f"{found.layers:,}" + (f" + {found.decoder_layers:,}" if found.decoder_layers else "")
        stored = scaling.cache_bytes(found)
        rows.append(
            (
                title,
                f"width {found.width:,}, {found.heads:,} heads, {depth} layers, {found.inner:,} neurons, "
                f"{found.vocabulary:,} tokens",
                short(scaling.count(found).total),
                nbytes(scaling.weights_bytes(found, "bf16 / fp16")),
                nbytes(stored) if stored else "none",
                short(scaling.operations(found)),
            )
        )
    heads = (
        "Change",
        "Sizes",
        "Parameters",
        "Weights, 16 bits",
        "Cache per token, 16 bits",
        "Multiply-adds per token",
    )
    return Markup("<h3>What would make this {}?</h3>{}").format(
        short(target), table(heads, rows, "Ways to that size")
    )


def curves(sizes: Sizes) -> Chart:
    """Parameters as each size grows by itself, on logarithmic scales."""
    factors = [2 ** (step / 2) for step in range(-6, 7)]
    lines = {
        title: [scaling.count(scaling.scaled(sizes, dial, factor)).total for factor in factors]  # type: ignore[arg-type]
        for dial, title in _DIALS.items()
    }
    lines["width and layers"] = [scaling.count(scaling.both(sizes, factor)).total for factor in factors]
    traces = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": title,
            "x": factors,
            "y": values,
            "line": {"color": chart.COLOURS[index], "dash": chart.DASHES[index % len(chart.DASHES)]},
            "marker": {"symbol": chart.SYMBOLS[index % len(chart.SYMBOLS)], "size": 6},
            "hovertemplate": f"{title} × %{{x:.3~g}}: %{{y:.3~s}}<extra></extra>",
        }
        for index, (title, values) in enumerate(lines.items())
    ]
    ticks = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8]
    return Chart(
        figure=chart.figure(
            traces,
            height=380,
            margin={"l": 8, "r": 12, "t": 100, "b": 8},
            xaxis=chart.axis(
                "times as large", type="log", tickvals=ticks, ticktext=["⅛", "¼", "½", "1", "2", "4", "8"]
            ),
            yaxis=chart.axis("parameters", type="log", tickformat=".2~s"),
        ),
        name="parameters-by-size",
        label="Parameters as each size grows by itself",
        said=status.hint(TEXTS["growth"]),
        numbers=table(
            ("Times as large", *lines),
            (
                (f"{factor:.3g}", *(short(values[index]) for values in lines.values()))
                for index, factor in enumerate(factors)
            ),
            "Parameters by size",
        ),
    )


def checked(counts: Sequence[tuple[str, int, int]]) -> Markup:
    """(checkpoint, by the formula, as counted): how far the formulas are from real networks."""
    rows = (
        (title, f"{ours:,}", f"{own:,}", f"{(ours / own - 1) * 100:+.2f} %") for title, ours, own in counts
    )
    return table(("Checkpoint", "By the formula", "Counted", "Difference"), rows, "The formulas checked")
