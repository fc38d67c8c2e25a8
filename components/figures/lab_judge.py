"""What a trained classifier is judged by: measures, confusions, examples, and whom it agrees with.

Buttons carry `data-row` and `data-column`; `lab-judge.js` makes them work, `chart.js` presses them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from components import templates
from components.figures import chart, reliability, status, svg
from components.figures.chart import Chart
from components.figures.markup import Markup, join, percent
from components.lab.judging import Agreement, Calibration, Judgement
from components.texts import beside
from components.training.evaluation.measure import Measure

TEXTS = beside(__file__)

MOST_CLASSES = 40  # that a matrix is drawn of
MOST_NUMBERED = 16  # that have their numbers in the figure, too
MOST_EXAMPLES = 50  # that are listed
LONGEST = 600  # characters of a text that are drawn
_WIDE, _HIGH = 120, 18  # of a whisker, in CSS pixels


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A classifier in the comparison. `number` tells those of the same title apart."""

    number: int
    title: str
    settings: str
    seconds: float
    measures: Sequence[Measure]
    calibration: Calibration


def compared(entries: Sequence[Entry], chosen: int) -> Markup:
    """All classifiers with their measures; intervals as whiskers on a scale from 0 to 1."""
    names = [f"{measure.name[0].upper()}{measure.name[1:]}" for measure in entries[0].measures]
    return FILL("compared", names=names, entries=entries, chosen=chosen) + status.hint(TEXTS["intervals"])


def _measured(measure: Measure) -> Markup:
    """A value with its interval, drawn and written."""
    low, value, high = (share * (_WIDE - 8) + 4 for share in (measure.low, measure.value, measure.high))
    middle = _HIGH / 2
    drawn = svg.drawing(
        _WIDE,
        _HIGH,
        [
            svg.line([(4, middle), (_WIDE - 4, middle)], cls="whisker-scale"),
            svg.line([(low, middle), (high, middle)], cls="whisker"),
            svg.line([(low, middle - 4), (low, middle + 4)], cls="whisker"),
            svg.line([(high, middle - 4), (high, middle + 4)], cls="whisker"),
            svg.rect(value - 2.5, middle - 5, 5, 10, cls="whisker-value"),
        ],
    )
    return Markup(
        '<span class="measured"><strong>{:.3f}</strong> <span class="sequence">{:.3f} to {:.3f}</span>'
        '<span aria-hidden="true">{}</span></span>'
    ).format(measure.value, measure.low, measure.high, drawn)


def _time(seconds: float) -> str:
    return status.duration(seconds) if seconds < 120 else f"{seconds / 60:.1f} min"


FILL = templates.beside(__file__, measured=_measured, time=_time)


def per_class(judged: Judgement) -> Markup:
    rows = join(
        Markup(
            '<tr><th scope="row" dir="auto">{}</th><td>{:.3f}</td><td>{:.3f}</td><td>{:.3f}</td>'
            "<td>{:,}</td></tr>"
        ).format(one.label, one.precision, one.recall, one.f1, one.support)
        for one in judged.per_class
    )
    heads = ("Class", "Precision", "Recall", "F1", "Examples")
    least = ", ".join(
        f"{label} {least:.2f}" for label, least in zip(judged.labels, judged.thresholds, strict=False)
    )
    note = status.hint(TEXTS["thresholds"].format(thresholds=least)) if least else Markup()
    return note + _box("Scores by class", heads, rows)


def confusion(judged: Judgement) -> Chart:
    """Rows are true classes, columns predicted ones; in the table each cell that has examples is a button."""
    shown = _most_confused(judged.confusion)
    names = [judged.labels[at] for at in shown]
    counts = judged.confusion[np.ix_(shown, shown)]
    shares = counts / np.maximum(1, judged.confusion[shown].sum(axis=1, keepdims=True))
    wrong = ~np.eye(len(shown), dtype=bool) & (not judged.several)
    drawn = {
        "type": "heatmap",
        "z": np.where(wrong, -shares, shares).tolist(),
        "zmin": -1,
        "zmax": 1,
        "colorscale": [[0, chart.WRONG], [0.5, chart.NOTHING], [1, chart.RIGHT]],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "text": counts.tolist(),
        "texttemplate": "%{text}" if len(shown) <= MOST_NUMBERED else "",
        "textfont": {"color": chart.INK},
        "hovertext": [
            [
                chart.plain(f"{count} of {names[row]} predicted as {names[column]}")
                for column, count in enumerate(of_row)
            ]
            for row, of_row in enumerate(counts.tolist())
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "customdata": [[[row, column] for column in shown] for row in shown],
    }
    left = len(judged.labels) - len(shown)
    said = [TEXTS["matrix.several" if judged.several else "matrix.single"]]
    if left:
        said.append(TEXTS["matrix.shown"].format(classes=len(judged.labels), shown=len(shown)))
    said.append(TEXTS["matrix.click"])
    return Chart(
        figure=chart.figure(
            [drawn],
            height=len(shown) * 34 + 130,
            xaxis=chart.named(names, "predicted", down=False, side="top"),
            yaxis=chart.named(names, "true"),
        ),
        name="confusion",
        label=f"Confusion matrix: {int(np.trace(counts))} of {int(judged.confusion.sum())} on the diagonal",
        said=status.hint(" ".join(said)),
        numbers=_matrix(judged, shown),
    )


def _matrix(judged: Judgement, shown: Sequence[int]) -> Markup:
    return FILL(
        "matrix",
        labels=judged.labels,
        shown=shown,
        counts=judged.confusion.tolist(),
        totals=judged.confusion.sum(axis=1).tolist(),
        several=judged.several,
    )


def _most_confused(counts: np.ndarray) -> list[int]:
    """The classes to draw, in their order."""
    off = counts - np.diag(np.diag(counts))
    errors = off.sum(axis=0) + off.sum(axis=1)
    return sorted(np.argsort(-errors, kind="stable")[:MOST_CLASSES].tolist())


def examples(
    judged: Judgement,
    places: Sequence[int] | np.ndarray,
    texts: Mapping[int, str],
    title: str,
    advice: str = "",
) -> Markup:
    """Examples at places of `Judgement.rows` with what was predicted; `texts` by row."""
    rows = join(
        Markup('<tr><td dir="auto">{}</td><td dir="auto">{}</td>{}<td>{}</td><td>{:.3f}</td></tr>').format(
            _text(texts[int(judged.rows[at])]),
            judged.said[judged.truth[at]],
            _answer(judged, int(at)),
            percent(float(judged.confidence[at])),
            judged.losses[at],
        )
        for at in places[:MOST_EXAMPLES]
    )
    heads = ("Text", "True", "Predicted", "Confidence", "Loss")
    return _head(title, len(places)) + (status.hint(advice) if advice else "") + _box(title, heads, rows)


def differences(
    first: Judgement,
    second: Judgement,
    names: tuple[str, str],
    pair: Agreement,
    texts: Mapping[int, str],
) -> Markup:
    """The examples on which two classifiers differ, and whether one of them is better."""
    rows = join(
        Markup('<tr><td dir="auto">{}</td><td dir="auto">{}</td>{}{}</tr>').format(
            _text(texts[int(first.rows[at])]),
            first.said[first.truth[at]],
            _answer(first, int(at)),
            _answer(second, int(at)),
        )
        for at in pair.differing[:MOST_EXAMPLES]
    )
    if pair.only_first == pair.only_second:
        verdict = "neither is shown to be better"
    elif pair.p < 0.05:
        verdict = "the difference is unlikely to be chance"
    else:
        verdict = "the difference may be chance"
    said = TEXTS["differences"].format(
        first=names[0],
        only_first=pair.only_first,
        second=names[1],
        only_second=pair.only_second,
        verdict=verdict,
        p=pair.p,
    )
    title = f"Where {names[0]} and {names[1]} differ"
    return _head(title, len(pair.differing)) + status.hint(said) + _box(title, ("Text", "True", *names), rows)


def _answer(judged: Judgement, at: int) -> Markup:
    wrong = judged.predicted[at] != judged.truth[at]
    return Markup('<td dir="auto"{}>{}{}</td>').format(
        Markup(' class="wrong"') if wrong else "",
        judged.said[judged.predicted[at]],
        Markup('<span class="visually-hidden"> (wrong)</span>') if wrong else "",
    )


def _head(title: str, count: int) -> Markup:
    left = f"The first {MOST_EXAMPLES} of {count:,} are listed." if count > MOST_EXAMPLES else ""
    counted = "1 example" if count == 1 else f"{count:,} examples"
    return Markup('<h4 dir="auto">{}</h4><p class="hint">{}. {}</p>').format(title, counted, left)


def _box(label: str, heads: Sequence[str], rows: Markup) -> Markup:
    return Markup(
        '<div class="grid-box" tabindex="0" role="region" aria-label="{}"><table class="grid"><thead>'
        "<tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(label, _heads(heads), rows)


def _heads(titles: Iterable[str]) -> Markup:
    return join(Markup('<th scope="col" dir="auto">{}</th>').format(title) for title in titles)


def _text(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … ({len(text):,} characters)"


def calibration(judged: Judgement) -> Chart:
    """Reliability before and after temperature scaling."""
    effect = TEXTS["temperature.same" if judged.temperature == 1 else "temperature.changes"].format(
        temperature=judged.temperature, direction="less" if judged.temperature > 1 else "more"
    )
    return reliability.diagram(
        {
            name: [asdict(one) for one in measured.bins]
            for name, measured in (("as trained", judged.raw), ("scaled by temperature", judged.scaled))
        },
        status.hint(
            TEXTS["calibration"].format(
                effect=effect, split=judged.split, raw=judged.raw.error, scaled=judged.scaled.error
            )
        ),
    )


def agreements(names: Sequence[str], pairs: Sequence[Agreement]) -> Markup:
    """For each pair of classifiers the share of equal predictions, a button that lists the others."""
    if len(names) < 2:
        return status.hint(TEXTS["alone"])
    by_place: dict[tuple[int, int], Agreement] = {(pair.second, pair.first): pair for pair in pairs}
    rows = join(
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            name,
            join(
                _shared(by_place[row, column], names) if column < row else Markup('<td class="corner"></td>')
                for column in range(len(names) - 1)
            ),
        )
        for row, name in enumerate(names)
        if row
    )
    return status.hint(TEXTS["agreement"]) + Markup(
        '<div class="grid-box" role="region" aria-label="Agreement of classifiers">'
        '<table class="judge-matrix"><thead><tr><td class="corner"></td>{}</tr></thead><tbody>{}</tbody>'
        "</table></div>"
    ).format(_heads(names[:-1]), rows)


def _shared(pair: Agreement, names: Sequence[str]) -> Markup:
    kappa = "–" if pair.kappa is None else f"{pair.kappa:.2f}"
    return Markup(
        '<td class="right" style="--share:{share:.3f}"><button type="button" data-row="{first}" '
        'data-column="{second}" aria-label="{one} and {other}: {said} equal, kappa {kappa}">{said}'
        '<span class="sequence">κ {kappa}</span></button></td>'
    ).format(
        share=pair.equal,
        first=pair.first,
        second=pair.second,
        one=names[pair.first],
        other=names[pair.second],
        said=percent(pair.equal, 0),
        kappa=kappa,
    )


View = Callable[[Judgement], np.ndarray]

# Which examples are worth reading, and what to look for in them.
VIEWS: Sequence[tuple[str, str, View]] = (
    (
        "Highest loss",
        TEXTS["advice.highest"],
        lambda judged: np.argsort(-judged.losses, kind="stable")[:10],
    ),
    (
        "Lowest loss",
        TEXTS["advice.lowest"],
        lambda judged: np.argsort(judged.losses, kind="stable")[:10],
    ),
)
