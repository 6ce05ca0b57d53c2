"""Comparisons and evaluations in a terminal: aligned, and readable at 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from genlab.evaluation.cells import Cell
    from genlab.evaluation.compare import Comparison, Row
    from genlab.evaluation.instruments import Instrument
    from genlab.evaluation.records import Reading
    from genlab.metrics.unavailable import Unavailable

MARKS = {"at the floor": "°", "at the ceiling": "^"}
NARROWEST = 15  # characters for the names of instruments


class Figure(NamedTuple):
    """One cell: a number with its mark, half its interval, and how it stands out."""

    text: str
    spread: str = ""
    style: str = ""

    @property
    def inline(self) -> str:
        return f"{self.text} ±{self.spread}" if self.spread else self.text


class Line(NamedTuple):
    label: str
    figures: list[Figure]
    verdict: str = ""


def print_comparison(comparison: Comparison, out: Console) -> None:
    """Few entries side by side, many below each other; then what is missing, and what it was measured with."""
    from genlab.lessons.comparison.figures import FEW

    few = len(comparison.entries) <= FEW
    for text in side_by_side(comparison, out.width) if few else one_below_the_other(comparison, out.width):
        out.print(text, no_wrap=True, overflow="ignore", crop=False)
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


def laid_out(heads: Sequence[str], groups: dict[str, list[Line]], width: int) -> list[Text]:
    """In the widest of three forms that fits: all in one line; the verdict beneath; intervals beneath too."""
    lines = [line for group in groups.values() for line in group]
    label = max((cell_len(line.label) for line in lines), default=0)
    inline = columns(heads, lines, stacked=False)
    stacked = columns(heads, lines, stacked=True)
    verdict = max((cell_len(line.verdict) for line in lines), default=0)
    if label + sum(inline) + 2 + verdict <= width:
        form, widths = "one", inline
    elif label + sum(inline) <= width:
        form, widths = "two", inline
    else:
        form, widths = "three", stacked
        label = max(NARROWEST, min(label, width - sum(stacked)))
    head = [Figure(name, style="bold") for name in heads]
    drawn = []
    for group, members in groups.items():
        drawn.append(Text())
        drawn.append(Text.assemble((pad(group, label), "bold cyan"), *aligned(head, widths)))
        for line in members:
            drawn += one_line(line, label, widths, form)
    return drawn


def columns(heads: Sequence[str], lines: Sequence[Line], stacked: bool) -> list[int]:
    """The width of each column of figures, two spaces before it included."""
    widths = [cell_len(head) for head in heads]
    for line in lines:
        for i, each in enumerate(line.figures):
            parts = [each.text, f"±{each.spread}"] if stacked else [each.inline]
            widths[i] = max(widths[i], *map(cell_len, parts))
    return [width + (1 if stacked else 2) for width in widths]


def one_line(line: Line, label: int, widths: Sequence[int], form: str) -> list[Text]:
    """What belongs to one instrument: one, two or three lines."""
    if form != "three":
        inline = [each._replace(text=each.inline) for each in line.figures]
        first = Text.assemble(pad(line.label, label), *aligned(inline, widths))
        if form == "one":
            return [first.append(f"  {line.verdict}", "italic")]
        return [first, *beneath(line.verdict)]
    names = textwrap.wrap(line.label, label) or [""]
    spreads = [Figure(f"±{each.spread}" if each.spread else "", style="dim") for each in line.figures]
    rows = [line.figures, spreads, *[[] for _ in names[2:]]]
    if not any(each.text for each in spreads) and len(names) < 2:
        rows = rows[:1]
    verdict = line.verdict
    if len(names) == 1 and len(rows) > 1 and cell_len(verdict) + 2 <= label:
        names, verdict = [*names, f"  {verdict}"], ""
    names += [""] * (len(rows) - len(names))
    texts = [
        Text.assemble(pad(name, label), *aligned(row, widths)) for name, row in zip(names, rows, strict=True)
    ]
    return [*texts, *beneath(verdict)]


def even(figures: list[Figure]) -> list[Figure]:
    """A space where others have a mark, so that digits stay below digits."""
    marks = tuple(MARKS.values())
    if not any(each.text.endswith(marks) for each in figures):
        return figures
    return [e if e.text.endswith(marks) else e._replace(text=f"{e.text} ") for e in figures]


def beneath(verdict: str) -> list[Text]:
    return [Text(f"    {verdict}", "italic")] if verdict else []


def aligned(figures: Sequence[Figure], widths: Sequence[int]) -> list[tuple[str, str]]:
    """Each at the right of its column."""
    return [
        (" " * (width - cell_len(each.text)) + each.text, each.style)
        for each, width in zip(figures, widths, strict=False)
    ]


def pad(text: str, width: int) -> str:
    """Cut or filled to `width` characters."""
    if cell_len(text) > width:
        text = text[: width - 1] + "…"
    return text + " " * (width - cell_len(text))


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

    letters = max(len(entry.letter) for entry in comparison.entries)
    name = min(26, max(cell_len(entry.name) for entry in comparison.entries))
    rows = [row for row in comparison.shown() if row.instrument.better != "neither"]
    fitting = fitting_rows(rows, width - letters - 2 - max(name, len(FLOOR) - letters - 2))
    heads = [Figure(row.instrument.heading, style="bold") for row in fitting]
    lines = [
        Line(comparison.entries[i].letter + "\0" + comparison.entries[i].name,
             [figure(row.cells[i], row, i in row.top) for row in fitting])
        for i in in_order(comparison)
    ]  # fmt: skip
    lines += [
        Line(f"\0{end}", [figure(getattr(row, place), row, False, "dim") for row in fitting])
        for end, place in ((FLOOR, "floor"), (CEILING, "ceiling"))
    ]
    name = max(name, len(FLOOR))
    widths = columns([each.text for each in heads], lines, stacked=False)
    drawn = [Text.assemble(" " * (letters + 2 + name), *aligned(heads, widths))]
    for line in lines:
        letter, _, called = line.label.partition("\0")
        inline = [each._replace(text=each.inline) for each in line.figures]
        drawn.append(
            Text.assemble((f"{letter:<{letters}}  ", "bold"), pad(called, name), *aligned(inline, widths))
        )
    drawn.append(Text())
    drawn += [
        Text.assemble(
            f"{row.instrument.heading}: ", (row.text, "italic"), style="" if row in fitting else "dim"
        )
        for row in comparison.shown()
    ]
    return drawn


def fitting_rows(rows: Sequence[Row], width: int) -> list[Row]:
    """The first instruments whose columns fit in `width` characters; one at least."""
    chosen: list[Row] = []
    for row in rows:
        figures = [figure(cell, row, False) for cell in row.cells]
        width -= columns([row.instrument.heading], [Line("", [each]) for each in figures], stacked=False)[0]
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


def laid_out_plainly(
    heads: Sequence[str], lines: Sequence[tuple[str, list[Figure]]]
) -> list[tuple[str, Text]]:
    """(label, text) for each of `lines`; one without figures is a heading."""
    label = max(cell_len(name) for name, _ in lines)
    widths = columns(heads, [Line(name, figures) for name, figures in lines], stacked=False)
    drawn = []
    for name, figures in lines:
        row = [each._replace(text=each.inline) for each in figures] or [Figure(h, "", "bold") for h in heads]
        style = "" if figures else "bold cyan"
        drawn.append((name, Text.assemble((pad(name, label), style), *aligned(row, widths))))
    return drawn


def explained(instrument: Instrument, width: int) -> list[Text]:
    """What it sees and what not, indented."""
    lines = []
    for title, said in (("sees", instrument.sees), ("blind to", instrument.blind)):
        wrapped = textwrap.wrap(f"{title}: {said}", max(30, width - 4))
        lines += [Text(f"    {line}", "dim") for line in wrapped]
    return lines
