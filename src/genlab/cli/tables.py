"""Comparisons and evaluations in a terminal: aligned, and readable at 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from genlab.cli.columns import MARKS, Figure, Line, aligned, columns, even, laid_out, pad, unbroken

if TYPE_CHECKING:
    from rich.console import Console

    from genlab.evaluation.cells import Cell
    from genlab.evaluation.compare import Comparison, Row
    from genlab.evaluation.instruments import Instrument
    from genlab.evaluation.records import Reading
    from genlab.metrics.unavailable import Unavailable


def print_comparison(comparison: Comparison, out: Console) -> None:
    """Few entries side by side, many below each other; then what is missing, and what it was measured with."""
    from genlab.lessons.comparison.figures import FEW

    few = len(comparison.entries) <= FEW
    for text in side_by_side(comparison, out.width) if few else one_below_the_other(comparison, out.width):
        out.print(text, crop=False)
    for text in notes(comparison):
        out.print(text)


def side_by_side(comparison: Comparison, width: int) -> list[Text]:
    """A legend, then a line an instrument, in groups, and what each entry cost."""
    from genlab.lessons.comparison.figures import costs, described

    lines: list[Text] = []
    for entry in comparison.entries:
        lines.append(
            Text.assemble((f"{entry.letter}  ", "bold"), entry.name, (f"  {described(entry)}", "dim"))
        )
    heads = [*(entry.letter for entry in comparison.entries), "floor", "ceiling"]
    groups: dict[str, list[Line]] = {}
    for row in comparison.shown():
        cells = [figure(cell, row, i in row.top) for i, cell in enumerate(row.cells)]
        ends = [figure(end, row, False, "dim") for end in (row.floor, row.ceiling)]
        line = Line(row.instrument.heading, even([*cells, *ends]), row.text)
        groups.setdefault(row.instrument.group, []).append(line)
    for label, texts in costs(comparison.entries):
        groups.setdefault("cost", []).append(Line(label, [Figure(text) for text in texts]))
    return [*lines, *laid_out(heads, groups, width)]


def figure(cell: Cell | Reading | Unavailable, row: Row, top: bool, style: str = "") -> Figure:
    from genlab.evaluation.cells import Cell
    from genlab.lessons.comparison.figures import spread_text, value_text
    from genlab.metrics.unavailable import Unavailable

    if isinstance(cell, Unavailable):
        return Figure("–", style="dim")
    if not isinstance(cell, Cell):
        return Figure(value_text(cell, row.instrument), style=style)
    mark = MARKS.get(cell.mark, "")
    spread = spread_text(cell, row.instrument)
    return Figure(value_text(cell, row.instrument) + mark, spread, "bold green" if top else style)


def one_below_the_other(comparison: Comparison, width: int) -> list[Text]:
    """A line an entry, as many instruments as fit, the best by the first one at the top; then the verdicts."""
    from genlab.lessons.comparison.figures import CEILING, FLOOR, in_order

    entries = comparison.entries
    letters = max(len(entry.letter) for entry in entries) + 2
    name = min(26, max(len(FLOOR), *(cell_len(entry.name) for entry in entries)))
    rows = fitting(comparison.shown(), width - letters - name)
    body = [
        (entries[i].letter, entries[i].name, [figure(row.cells[i], row, i in row.top) for row in rows])
        for i in in_order(comparison)
    ]
    for place, called in (("floor", FLOOR), ("ceiling", CEILING)):
        body.append(("", called, [figure(getattr(row, place), row, False, "dim") for row in rows]))
    heads = [Figure(row.instrument.heading, style="bold") for row in rows]
    widths = columns([each.text for each in heads], [Line(*line[1:]) for line in body], stacked=False)
    drawn = [unbroken(" " * (letters + name), *aligned(heads, widths))]
    for letter, called, figures in body:
        inline = [each._replace(text=each.inline) for each in figures]
        drawn.append(unbroken((pad(letter, letters), "bold"), pad(called, name), *aligned(inline, widths)))
    return [*drawn, Text(), *said_of(comparison, rows)]


def said_of(comparison: Comparison, rows: Sequence[Row]) -> list[Text]:
    """The verdict of each instrument, of those too for which there was no column."""
    return [
        Text.assemble(f"{row.instrument.heading}: ", (row.text, "italic"), style="" if row in rows else "dim")
        for row in comparison.shown()
        if row.text
    ]


def fitting(rows: Sequence[Row], width: int) -> list[Row]:
    """The first judging instruments whose columns fit in `width` characters; one at least."""
    chosen: list[Row] = []
    for row in (row for row in rows if row.instrument.better != "neither"):
        cells = [Line("", [figure(cell, row, False)]) for cell in (*row.cells, row.floor, row.ceiling)]
        width -= columns([row.instrument.heading], cells, stacked=False)[0]
        if width < 0 and chosen:
            break
        chosen.append(row)
    return chosen


def notes(comparison: Comparison) -> list[Text]:
    """What the marks mean, what is missing and why, what the verdicts are about, how all was measured."""
    from genlab.evaluation.cells import Cell
    from genlab.lessons.comparison.figures import missing, provenance

    texts = [Text()]
    marks = {cell.mark for row in comparison.rows for cell in row.cells if isinstance(cell, Cell)}
    for mark in sorted(marks - {""}, reverse=True):
        what = "training images" if mark == "at the floor" else "noise"
        texts.append(Text(f"{MARKS[mark]} {mark}: drawing samples can't tell it from {what}", "dim"))
    for reason, labels, letters in missing(comparison):
        who = f" ({letters})" if letters else ""
        texts.append(Text(f"– {labels}{who}: {reason}", "dim"))
    texts += [Text(note) for note in ("± half a 95 % interval.", *comparison.notes)]
    return [*texts, *(Text(f"{name}: {said}", "dim") for name, said in provenance(comparison))]


def explained(instrument: Instrument, width: int) -> list[Text]:
    """What it sees and what not, indented."""
    lines = []
    for title, said in (("sees", instrument.sees), ("blind to", instrument.blind)):
        wrapped = textwrap.wrap(f"{title}: {said}", max(30, width - 4))
        lines += [Text(f"    {line}", "dim") for line in wrapped]
    return lines
