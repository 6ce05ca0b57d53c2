"""Columns of figures in a terminal, as wide a form as fits: numbers below numbers, verdicts beside or beneath."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

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
        drawn.append(unbroken((pad(group, label), "bold cyan"), *aligned(head, widths)))
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
        first = unbroken(pad(line.label, label), *aligned(inline, widths))
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
    texts = [unbroken(pad(name, label), *aligned(row, widths)) for name, row in zip(names, rows, strict=True)]
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


def unbroken(*parts: str | tuple[str, str]) -> Text:
    """A line of a table, which is not wrapped."""
    return Text.assemble(*parts, no_wrap=True, overflow="ignore")


def pad(text: str, width: int) -> str:
    """Cut or filled to `width` characters."""
    if cell_len(text) > width:
        text = text[: width - 1] + "…"
    return text + " " * (width - cell_len(text))


def plainly(heads: Sequence[str], groups: dict[str, list[Line]]) -> list[tuple[str, Text]]:
    """(label, text): a line for each group's name, then for each of its members."""
    lines = [line for group in groups.values() for line in group]
    label = max(cell_len(line.label) for line in lines)
    widths = columns(heads, lines, stacked=False)
    head = aligned([Figure(name, style="bold") for name in heads], widths)
    drawn: list[tuple[str, Text]] = []
    for group, members in groups.items():
        drawn.append(("", Text()))
        drawn.append(("", unbroken((pad(group, label), "bold cyan"), *head)))
        for line in members:
            row = [each._replace(text=each.inline) for each in line.figures]
            drawn.append((line.label, unbroken(pad(line.label, label), *aligned(row, widths))))
    return drawn
