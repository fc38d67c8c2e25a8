"""How text becomes numbers: tokens as chips, a pipeline's steps, tensors, merges."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from components import texts
from components.figures.markup import Markup, bar_rows, join, percent
from components.insight.families import Family, spelled
from components.insight.merges import Merge
from components.insight.steps import Pipeline
from components.insight.tensors import Batch, OneHot
from components.models.tokenizer import Growth, Tokenizer

if TYPE_CHECKING:
    from components.insight.transplant import Reading  # brings torch

TEXTS = texts.beside(__file__)

MOST_CHIPS = 150
MOST_COLUMNS = 48  # of a tensor that is drawn
MOST_GROWN = 400

_LINE_BREAK = re.compile(r"\r\n|[\n\r\u2028\u2029]")
# Joiners stay where they join; alone they would not be seen.
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff]"
    r"|^[\u200c\u200d\ufe00-\ufe0f]+$"
)


def visible(text: str) -> str:
    """A text whose spaces and line breaks can be seen."""
    shown = _LINE_BREAK.sub("↵", text).replace("\t", "⇥").replace(" ", "·").replace("\u00a0", "·")
    return _HIDDEN.sub("␣", shown)


def chips(tokens: Sequence[str], most: int = MOST_CHIPS) -> Markup:
    """Tokens one after the other, and how many more there are."""
    drawn = join(Markup('<bdi class="chip">{}</bdi>').format(visible(token)) for token in tokens[:most])
    more = len(tokens) - most
    rest = Markup('<span class="hint"> and {:,} more</span>').format(more) if more > 0 else Markup()
    return Markup('<span class="chips">{}{}</span>').format(drawn, rest)


def three_families(families: Sequence[Family], word: str) -> Markup:
    rows = join(
        Markup(
            '<tr><th scope="row">{kind}<span class="sequence">{rule}</span></th><td>{size:,}</td>'
            "<td>{count:,}</td><td>{tokens}</td><td>{unseen}</td></tr>"
        ).format(
            kind=family.kind,
            rule=family.rule,
            size=family.vocabulary_size,
            count=len(family.tokens),
            tokens=chips(family.tokens, 40),
            unseen=chips(family.unseen, 40),
        )
        for family in families
    )
    return _grid(
        ("Cut into", "Vocabulary", "Tokens", "The text", f"“{word}”"), rows, "The three families compared"
    )


def pipeline_steps(found: Pipeline) -> Markup:
    steps = join(
        Markup(
            '<li><h3>{name}{by}</h3><p class="hint">{says}</p>'
            '<div class="step-parts" dir="auto">{parts}</div></li>'
        ).format(
            name=step.name,
            by=Markup(' <span class="sequence">by {}</span>').format(step.by) if step.by else "",
            says=step.says,
            parts=chips(step.parts),
        )
        for step in found.steps
    )
    changes = Markup()
    if found.changes:
        rows = join(
            Markup("<tr><td>{}</td><td>{}</td></tr>").format(
                visible(before) or "(nothing)", visible(after) or "(nothing)"
            )
            for before, after in found.changes
        )
        changes = Markup("<h3>Lost in decoding</h3>{}").format(_grid(("Was", "Became"), rows, "Differences"))
    return Markup('<ol class="pipeline">{}</ol>{}').format(steps, changes)


def tensor(batch: Batch, texts: Sequence[str]) -> Markup:
    """Ids over their spelling, and the attention mask, a row for each text."""
    width = len(batch.ids[0])
    shown = min(width, MOST_COLUMNS)

    def rows(cell: Markup) -> Markup:
        return join(
            Markup('<tr><th scope="row">{}</th>{}</tr>').format(
                number + 1,
                join(
                    cell.format(
                        id=batch.ids[number][place],
                        piece=visible(batch.pieces[number][place]),
                        mask=batch.mask[number][place],
                    )
                    for place in range(shown)
                ),
            )
            for number in range(len(batch.ids))
        )

    ids = Markup('<td class="tensor-cell on-{mask}">{id}<bdi class="sequence">{piece}</bdi></td>')
    mask = Markup('<td class="tensor-cell on-{mask}">{mask}</td>')
    head = ("", *map(str, range(shown)))
    more = f" The first {shown} of {width} columns are drawn." if shown < width else ""
    cut = "; ".join(
        f"text {number + 1} loses {count:,} token{'s' * (count > 1)}"
        for number, count in enumerate(batch.left_out)
        if count
    )
    return Markup(
        "<h3>input_ids [{texts}, {width}]</h3>{ids}<h3>attention_mask [{texts}, {width}]</h3>{mask}"
        '<p class="hint">{said}</p>'
    ).format(
        texts=len(texts),
        width=width,
        ids=_grid(head, rows(ids), "input_ids"),
        mask=_grid(head, rows(mask), "attention_mask"),
        said=TEXTS["mask"].format(filler=batch.filler)
        + (f" Cut: {cut}." if cut else " Nothing is cut.")
        + more,
    )


def one_hot_matrix(found: OneHot, vocabulary_size: int) -> Markup:
    head = ("", *(f"{id} {visible(piece)}" for id, piece in found.vocabulary))
    rows = join(
        Markup('<tr><th scope="row"><bdi>{}</bdi></th>{}</tr>').format(
            visible(token),
            join(Markup('<td class="tensor-cell on-{0}">{0}</td>').format(value) for value in vector),
        )
        for token, vector in zip(found.tokens, found.vectors, strict=True)
    )
    return Markup('<h3>One-hot vectors of the first text</h3>{grid}<p class="hint">{said}</p>').format(
        grid=_grid(head, rows, "One-hot vectors"),
        said=TEXTS["one-hot"].format(columns=len(found.vocabulary), vocabulary=vocabulary_size),
    )


def vocabulary_growth(growth: Growth, tokenizer: Tokenizer) -> Markup:
    """How a vocabulary came about, its beginning."""
    if growth.merges:
        title, total = "Merges in the order in which they were learned", len(growth.merges)
        rows = [
            (
                str(index + 1),
                f"{visible(spelled(tokenizer, left))} + {visible(spelled(tokenizer, right))}",
                left + right,
            )
            for index, (left, right) in enumerate(growth.merges[:MOST_GROWN])
        ]
        head = ("", "Merged", "New entry")
    elif growth.scores:
        title, total = "Pieces by their log-probability", len(growth.scores)
        ranked = sorted(growth.scores, key=lambda entry: -entry[1])[:MOST_GROWN]
        rows = [(str(index + 1), f"{score:.2f}", piece) for index, (piece, score) in enumerate(ranked)]
        head = ("", "Log-probability", "Piece")
    else:
        title, total = "Entries in the order in which they were found", len(growth.entries)
        rows = [(str(index), "", piece) for index, piece in enumerate(growth.entries[:MOST_GROWN])]
        head = ("Id", "", "Entry")
    body = join(
        Markup("<tr><td>{}</td><td><bdi>{}</bdi></td><td>{}</td></tr>").format(
            number, how, chips([spelled(tokenizer, piece)])
        )
        for number, how, piece in rows
    )
    more = f" The first {MOST_GROWN} of {total:,}." if total > MOST_GROWN else ""
    return Markup('<h3>{}</h3>{}<p class="hint">{}</p>').format(title, _grid(head, body, title), more)


def word_merges(word: str, start: Sequence[str], steps: Sequence[Merge], tokenizer: Tokenizer) -> Markup:
    """A word from its characters to its tokens, merge by merge."""
    lines = [Markup("<li>{}</li>").format(chips([spelled(tokenizer, part) for part in start]))]
    lines += [
        Markup('<li>{} <span class="hint">merge {:,}</span></li>').format(
            chips([spelled(tokenizer, part) for part in step.parts]), step.rank
        )
        for step in steps
    ]
    return Markup('<h3>“{}”, merge by merge</h3><ol class="merging">{}</ol>').format(word, join(lines))


def compared(counts: Mapping[str, tuple[int, int]], characters: int) -> Markup:
    """Tokens that each tokenizer, by title, needs for a text: (how many, size of its vocabulary)."""
    most = max(count for count, _ in counts.values()) or 1
    return Markup("<h3>Tokens for the text above</h3>") + bar_rows(
        (
            (
                Markup('{}<span class="sequence">{:,} entries, {:.1f} characters a token</span>').format(
                    title, size, characters / max(1, count)
                ),
                count / most,
                f"{count:,}",
            )
            for title, (count, size) in counts.items()
        ),
        caption="Tokens of each tokenizer",
        columns=("Tokenizer", "Tokens"),
        best=[min(range(len(counts)), key=[count for count, _ in counts.values()].__getitem__)],
    )


def transplanted(readings: Mapping[str, Reading]) -> Markup:
    """What a model says for the ids of several tokenizers, by title; the first is its own."""

    def column(title: str, found: Reading) -> Markup:
        notes = []
        if found.strange:
            notes.append(TEXTS["unknown"].format(count=found.strange))
        if found.left_out:
            notes.append(TEXTS["left-out"].format(count=found.left_out))
        return Markup(
            '<section class="column"><h3>{title}</h3>{bars}<h4>It was given</h4>{given}'
            "<h4>To the model, these ids mean</h4>{meant}{notes}</section>"
        ).format(
            title=title,
            bars=bar_rows(
                ((label, score, percent(score)) for label, score in found.labels[:6]),
                caption=f"Prediction with the tokenizer {title}",
                columns=("Label", "Score"),
            ),
            given=chips(found.tokens, 60),
            meant=chips(found.read_as, 60),
            notes=join(Markup('<p class="hint">{}</p>').format(note) for note in notes),
        )

    return Markup('<div class="side-by-side">{}</div>').format(
        join(column(title, found) for title, found in readings.items())
    )


def _grid(head: Sequence[str], rows: Markup, label: str) -> Markup:
    return Markup(
        '<div class="grid-box" tabindex="0" role="region" aria-label="{label}"><table class="grid">'
        "<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    ).format(
        label=label,
        head=join(Markup('<th scope="col"><bdi>{}</bdi></th>').format(name) for name in head),
        rows=rows,
    )
