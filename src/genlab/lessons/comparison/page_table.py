"""The tables of the page. All text from outside is escaped here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from genlab.evaluation.cells import Cell
from genlab.evaluation.compare import Comparison, Row
from genlab.evaluation.instruments import Instrument
from genlab.evaluation.records import Reading
from genlab.lessons.comparison.figures import (
    CEILING,
    FEW,
    FLOOR,
    effect_text,
    in_order,
    missing,
    spread_text,
    value_text,
)
from genlab.lessons.report.sections import section
from genlab.metrics.unavailable import Unavailable

COLOURS = 5


def badge(letter: str, index: int) -> str:
    return f'<span class="letter l{index % COLOURS}">{escape(letter)}</span>'


def yardstick(comparison: Comparison) -> str:
    few = len(comparison.entries) <= FEW
    table = by_instrument(comparison) if few else by_entry(comparison) + verdict_table(comparison)
    lead = (
        "Every number with half its 95 % interval, between the floor (training images, as real as can be) "
        "and the ceiling (noise). Verdicts are corrected for the number of pairs of their instrument (Holm); "
        "coloured is what is best, and what noise can't tell from it."
    )
    return section("yardstick", "One yardstick", lead, table + absent(comparison) + explanations(comparison))


def by_instrument(comparison: Comparison) -> str:
    entries = comparison.entries
    heads = "".join(
        f'<th scope="col" class="number">{badge(e.letter, i)}</th>' for i, e in enumerate(entries)
    )
    groups: dict[str, list[str]] = {}
    for row in comparison.shown():
        cells = "".join(_cell(cell, row, i in row.top) for i, cell in enumerate(row.cells))
        ends = "".join(_cell(end, row, False, "end") for end in (row.floor, row.ceiling))
        head = f'<th scope="row">{_name(row.instrument)}</th>'
        groups.setdefault(row.instrument.group, []).append(
            f"<tr>{head}{cells}{ends}{_verdict(row, comparison)}</tr>"
        )
    across = f'scope="rowgroup" colspan="{len(entries) + 4}"'
    bodies = "".join(
        f'<tbody><tr class="group"><th {across}>{escape(group)}</th></tr>{"".join(rows)}</tbody>'
        for group, rows in groups.items()
    )
    ends = '<th scope="col" class="number end">Floor</th><th scope="col" class="number end">Ceiling</th>'
    return _scroll(
        f'<table class="compared"><thead><tr><th scope="col">Instrument</th>{heads}{ends}'
        f'<th scope="col">Verdict</th></tr></thead>{bodies}</table>'
    )


def by_entry(comparison: Comparison) -> str:
    """Entries below each other, sorted by the first instrument."""
    rows = comparison.shown()
    heads = "".join(f'<th scope="col" class="number">{_name(row.instrument)}</th>' for row in rows)
    lines = ""
    for index in in_order(comparison):
        entry = comparison.entries[index]
        cells = "".join(_cell(row.cells[index], row, index in row.top) for row in rows)
        lines += f'<tr><th scope="row">{badge(entry.letter, index)}{escape(entry.name)}</th>{cells}</tr>'
    ends = ""
    for name, place in ((FLOOR, "floor"), (CEILING, "ceiling")):
        cells = "".join(_cell(getattr(row, place), row, False, "end") for row in rows)
        ends += f'<tr><th scope="row">{name}</th>{cells}</tr>'
    return _scroll(
        f'<table class="compared wide"><thead><tr><th scope="col">Images from</th>{heads}</tr></thead>'
        f'<tbody>{lines}</tbody><tbody class="frame">{ends}</tbody></table>'
    )


def verdict_table(comparison: Comparison) -> str:
    lines = "".join(
        f'<tr><th scope="row">{escape(row.instrument.heading)}</th>{_verdict(row, comparison)}</tr>'
        for row in comparison.shown()
        if row.text
    )
    top = '<th scope="col">Instrument</th><th scope="col">Verdict; differences of the next to the best</th>'
    table = f'<table class="verdicts"><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>'
    return f"<h3>Verdicts</h3>{_scroll(table)}"


def _name(instrument: Instrument) -> str:
    """With arrows that stay with their words."""
    heading = re.sub(" ([↓↑→]) ?", "\u00a0\\1\u00a0", instrument.heading).rstrip()
    return f"{escape(heading)}<small>{escape(instrument.unit)}</small>"


def _cell(cell: Cell | Reading | Unavailable, row: Row, top: bool, kind: str = "") -> str:
    if isinstance(cell, Unavailable):
        return f'<td class="number missing {kind}" title="{escape(cell.reason)}">–</td>'
    text = value_text(cell, row.instrument)
    if isinstance(cell, Cell):
        spread = spread_text(cell, row.instrument)
        text += f"<small>±{spread}</small>" if spread else ""
        text += f'<small class="at">{escape(cell.mark)}</small>' if cell.mark else ""
    return f'<td class="number {kind}{" top" if top else ""}">{text}</td>'


def _verdict(row: Row, comparison: Comparison) -> str:
    effects = "".join(f"<li>{escape(text)}</li>" for text in effect_text(row, comparison))
    listed = f'<ul class="effects">{effects}</ul>' if effects else ""
    return f'<td class="said">{escape(row.text)}{listed}</td>'


def _scroll(table: str) -> str:
    return f'<div class="scroll" tabindex="0" role="region" aria-label="Table of measurements">{table}</div>'


def absent(comparison: Comparison) -> str:
    """Why there is no number, each reason once."""
    items = ""
    for reason, labels, letters in missing(comparison):
        who = f" ({escape(letters)})" if letters else ""
        items += f"<li>{escape(labels)}{who}: {escape(reason)}</li>"
    return f'<ul class="absent">{items}</ul>' if items else ""


def explanations(comparison: Comparison) -> str:
    """What each instrument sees, and what it does not."""
    items = "".join(
        f"<div><dt>{escape(row.instrument.label)}</dt><dd><b>Sees.</b> {escape(row.instrument.sees)}</dd>"
        f"<dd><b>Does not see.</b> {escape(row.instrument.blind)}</dd></div>"
        for row in comparison.shown()
    )
    summary = "<summary>What each instrument sees, and what not</summary>"
    return f'<details>{summary}<dl class="explained">{items}</dl></details>'


def plain_table(
    comparison: Comparison, head: str, rows: Sequence[tuple[str, tuple[str, ...]]], code: bool = False
) -> str:
    """Labels with a text for each entry: entries side by side where they are few, else below each other."""
    entries = comparison.entries
    labels = [f"<code>{escape(label)}</code>" if code else escape(label) for label, _ in rows]
    badges = [badge(entry.letter, index) for index, entry in enumerate(entries)]
    if len(entries) <= FEW:
        heads = badges
        lines = [(label, texts) for label, (_, texts) in zip(labels, rows, strict=True)]
    else:
        heads = labels
        lines = [
            (f"{mark}{escape(entry.name)}", tuple(texts[i] for _, texts in rows))
            for i, (mark, entry) in enumerate(zip(badges, entries, strict=True))
        ]
        head = "Entry"
    columns = "".join(f'<th scope="col" class="number">{each}</th>' for each in heads)
    body = "".join(
        f'<tr><th scope="row">{label}</th>'
        + "".join(f'<td class="number">{escape(text)}</td>' for text in texts)
        + "</tr>"
        for label, texts in lines
    )
    top = f'<thead><tr><th scope="col">{head}</th>{columns}</tr></thead>'
    return _scroll(f'<table class="wide">{top}<tbody>{body}</tbody></table>')
