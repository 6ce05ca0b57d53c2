"""The table of the evaluation, with its intervals, its verdicts, and what is missing and why."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from genlab.app import models as opening
from genlab.app import reports
from genlab.app.comparing.chosen import Model
from genlab.evaluation.cells import Cell
from genlab.evaluation.compare import Comparison, Row, compare
from genlab.evaluation.records import Entry, Reading, Record
from genlab.lessons.comparison.figures import (
    CEILING,
    FEW,
    FLOOR,
    costs,
    described,
    effect_text,
    in_order,
    spread_text,
    value_text,
)
from genlab.lessons.report.numbers import direction
from genlab.metrics.unavailable import Unavailable

if TYPE_CHECKING:
    from genlab.evaluation.instruments import Instrument

CSS = """
<style>
.yard { overflow-x: auto; }
.yard table { border-collapse: collapse; width: 100%; font-size: .88rem;
  font-variant-numeric: tabular-nums; }
.yard th, .yard td { padding: .26rem .5rem; border: 0; text-align: right; white-space: nowrap; }
.yard th:first-child, .yard td.said { text-align: left; }
.yard td.said { white-space: normal; font-size: .8rem; opacity: .8; min-width: 9rem; }
.yard thead th { border-bottom: 1px solid currentColor; vertical-align: bottom; font-weight: 600; }
.yard tbody th { font-weight: 400; }
.yard tr.group th { font-size: .76rem; opacity: .65; padding-top: .6rem; }
.yard tbody tr:not(.group):hover { background: rgba(128, 128, 128, .13); }
.yard small { opacity: .65; font-size: .78rem; margin-left: .2rem; }
.yard [title] { cursor: help; }
.yard tbody th[title] { text-decoration: underline dotted gray; text-underline-offset: 3px; }
.yard .top { font-weight: 700; }
.yard .end, .yard .missing { opacity: .6; }
.yard thead small { display: block; margin: 0 0 0 auto; font-weight: 400; max-width: 9.5rem; overflow: hidden;
  text-overflow: ellipsis; }
</style>
"""
BEST, TIED = "★", "≈"
KEY = (
    f"{BEST} best, beyond noise. {TIED} can’t be told from the best: the difference may be noise. Where "
    "nothing is marked, noise decides nothing. ± is half a 95 % interval. The floor is training images, as "
    "real as can be, the ceiling is noise. Point at a name for what it sees, at a dash for why there is no "
    "number."
)


def compared(models: Sequence[Model], everything: bool = False) -> Comparison:
    """The models that were measured, as `genlab compare` has them. Raises UserError where they can't stand in
    one table."""
    found = [(each.reference, reports.record(each.entry, each.reference)) for each in models]
    known = tuple((reference, record) for reference, record in found if record is not None)
    stamps = tuple(reports.stamp_of(each.entry.run.report) for each in models)
    names = tuple(reference for reference, _ in known)
    opening.awake()
    return _compared(names, stamps, everything, [record for _, record in known])


@st.cache_resource(max_entries=24, show_spinner="Comparing …")
def _compared(
    names: tuple[str, ...], stamps: tuple[int, ...], everything: bool, _records: list[Record]
) -> Comparison:
    from genlab.experiment.measured import kept_bounds
    from genlab.lessons.comparison.keys import default_keys

    floor, ceiling = kept_bounds(_records[0]) or (unknown(FLOOR, _records[0]), unknown(CEILING, _records[0]))
    return compare(_records, floor, ceiling, default_keys(_records, everything))


def unknown(name: str, record: Record) -> Record:
    """A bound that was measured elsewhere, or whose cache was cleared."""
    why = {"unavailable": "not on this machine; evaluate a run anew to have it"}
    protocol = {**record["protocol"], "likelihood": None}
    return {**record, "run": name, "protocol": protocol, "values": dict.fromkeys(record["values"], why)}


def markup(found: Comparison, labels: dict[str, str]) -> str:
    """As HTML; `labels` are what people call the references."""
    few = len(found.entries) <= FEW
    return CSS + f'<div class="yard">{by_instrument(found, labels) if few else by_entry(found, labels)}</div>'


def by_instrument(found: Comparison, labels: dict[str, str]) -> str:
    """Instruments below each other in groups, entries side by side, then bounds and verdict; last, costs."""
    heads = "".join(head(entry, labels) for entry in found.entries)
    ends = '<th class="end">floor</th><th class="end">ceiling</th>'
    verdict = "<th></th>" if len(found.entries) < 2 else '<th style="text-align:left">verdict</th>'
    groups: dict[str, list[str]] = {}
    for row in found.shown():
        groups.setdefault(row.instrument.group, []).append(line(row, found))
    for label, texts in costs(found.entries):
        cells = "".join(f"<td>{escape(text)}</td>" for text in texts)
        empty = "<td></td>" * 3
        groups.setdefault("cost", []).append(f"<tr><th>{escape(label)}</th>{cells}{empty}</tr>")
    wide = len(found.entries) + 4
    body = "".join(
        f'<tr class="group"><th colspan="{wide}">{escape(group)}</th></tr>{"".join(rows)}'
        for group, rows in groups.items()
    )
    return f"<table><thead><tr><th></th>{heads}{ends}{verdict}</tr></thead><tbody>{body}</tbody></table>"


def line(row: Row, found: Comparison) -> str:
    cells = "".join(cell_markup(cell, row, index) for index, cell in enumerate(row.cells))
    ends = "".join(cell_markup(end, row) for end in (row.floor, row.ceiling))
    more = "; ".join(effect_text(row, found))
    title = f' title="{escape(f"Differences to the best: {more}")}"' if more else ""
    said = f'<td class="said"{title}>{escape(row.text)}</td>'
    return f"<tr>{name(row.instrument)}{cells}{ends}{said}</tr>"


def by_entry(found: Comparison, labels: dict[str, str]) -> str:
    """Entries below each other, the best by the first instrument at the top; the bounds at the end."""
    rows = [row for row in found.shown() if row.instrument.better != "neither"]
    heads = "".join(name(row.instrument) for row in rows)
    body = ""
    for index in in_order(found):
        entry = found.entries[index]
        cells = "".join(cell_markup(row.cells[index], row, index) for row in rows)
        body += f"<tr><th>{escape(f'{entry.letter} {called(entry, labels)}')}</th>{cells}</tr>"
    for title, place in ((FLOOR, "floor"), (CEILING, "ceiling")):
        cells = "".join(cell_markup(getattr(row, place), row) for row in rows)
        body += f'<tr><th class="end">{title}</th>{cells}</tr>'
    return f"<table><thead><tr><th></th>{heads}</tr></thead><tbody>{body}</tbody></table>"


def head(entry: Entry, labels: dict[str, str]) -> str:
    called_so = escape(called(entry, labels))
    title = f"{called_so}: {escape(described(entry))}"
    return f'<th title="{title}">{escape(entry.letter)}<small>{called_so}</small></th>'


def called(entry: Entry, labels: dict[str, str]) -> str:
    label = labels.get(str(entry.first["reference"]), entry.name)
    return f"{label} × {len(entry.records)} seeds" if entry.repeated else label


def name(instrument: Instrument) -> str:
    told = f"{instrument.sees} {direction(instrument)}. In {instrument.unit}. Blind to: {instrument.blind}"
    return f'<th title="{escape(told)}">{escape(instrument.heading)}</th>'


def cell_markup(cell: Cell | Reading | Unavailable, row: Row, index: int | None = None) -> str:
    if isinstance(cell, Unavailable):
        return f'<td class="missing" title="{escape(cell.reason)}">–</td>'
    text = value_text(cell, row.instrument)
    if not isinstance(cell, Cell):
        return f'<td class="end">{text}</td>'
    best = any(verdict.best == index for verdict in row.verdicts)
    sign = f"{BEST} " if best else f"{TIED} " if index in row.top else ""
    spread = spread_text(cell, row.instrument)
    half = f"<small>±{spread}</small>" if spread else ""
    where = f' title="{escape(cell.mark)}: drawing samples can’t tell it from that"' if cell.mark else ""
    return f'<td class="{"top" if sign else ""}"{where}>{sign}{text}{half}</td>'


def explanations(found: Comparison) -> str:
    """What each instrument sees and does not see, as Markdown."""
    return "\n".join(
        f"- **{row.instrument.label}** ({direction(row.instrument)}). {row.instrument.sees} "
        f"*Blind to:* {row.instrument.blind}"
        for row in found.shown()
    )
