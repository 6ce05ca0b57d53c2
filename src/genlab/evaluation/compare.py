"""Many records → one comparison: means over seeds, differences with their noise, a verdict an instrument.

A value of one training carries the error of drawing other samples from that model. Several trainings of one
recipe are a sample of what the recipe gives: their mean has Student's interval over seeds, which holds the
noise of sampling too, since each run's value was drawn with it. Errors of two models are taken as
independent. They share the test images, and often their z, which as a rule makes their errors agree: a
difference called noise may then be a little more than that, and one beyond noise is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from genlab.errors import UserError
from genlab.evaluation.cells import Cell, grid, marked, quantity, standing_reading, summary, with_mark
from genlab.evaluation.instruments import INSTRUMENTS, Instrument
from genlab.evaluation.pairwise import SAMPLING_FREEDOM, Pairs, all_pairs, half_width
from genlab.evaluation.records import (
    Entry,
    Reading,
    Record,
    check,
    entries,
    reading,
    some,
    standing_measure,
)
from genlab.evaluation.verdicts import Verdict, scope, verdicts, worded
from genlab.metrics.unavailable import Unavailable


@dataclass(frozen=True)
class Effect:
    """An entry's compared quantity (its value, or its distance from the target) minus the best entry's.

    The intervals of a row hold jointly with 95 % (Bonferroni); without any spread over seeds there is none.
    `adjusted` is Holm's p."""

    entry: int
    difference: float
    low: float | None
    high: float | None
    adjusted: float


@dataclass(frozen=True)
class Row:
    """One instrument over all entries, in their order."""

    instrument: Instrument
    cells: tuple[Cell | Unavailable, ...]
    floor: Reading | Unavailable
    ceiling: Reading | Unavailable
    verdicts: tuple[Verdict, ...]
    text: str
    effects: tuple[Effect, ...]

    @property
    def top(self) -> frozenset[int]:
        """The best entries and those within noise of one; empty where nothing is best."""
        return frozenset(i for v in self.verdicts if v.best is not None for i in (v.best, *v.within))


@dataclass(frozen=True)
class Comparison:
    """`pairs` has one row for each of `rows`. `notes` are to be read with the table."""

    entries: tuple[Entry, ...]
    rows: tuple[Row, ...]
    pairs: Pairs
    floor: Record
    ceiling: Record
    notes: tuple[str, ...]

    @property
    def records(self) -> list[Record]:
        return [record for entry in self.entries for record in entry.records]

    def shown(self) -> tuple[Row, ...]:
        """The rows in which any entry has a value."""
        return tuple(row for row in self.rows if any(isinstance(cell, Cell) for cell in row.cells))


def compare(
    records: Sequence[Record], floor: Record, ceiling: Record, keys: Iterable[str] | None = None
) -> Comparison:
    """Compare what was measured in the same way, on the instruments `keys`; by default on all.

    Raises UserError where protocols differ, a model is there twice, or an instrument is unknown.
    """
    assert records
    check(records)
    floor, ceiling = (bound(each, records[0]) for each in (floor, ceiling))
    instruments = [known(key) for key in dict.fromkeys(INSTRUMENTS if keys is None else keys)]
    rows_of = entries(records)
    standing = standing_measure(records)
    readings = [
        [[standing_reading(r, i.key, standing) for r in e.records] for e in rows_of] for i in instruments
    ]
    bounds = [(reading(floor, i.key), reading(ceiling, i.key)) for i in instruments]
    cells = [[summary(cell) for cell in row] for row in readings]
    seeds = np.array([len(e.records) for e in rows_of])
    compared = [
        [summary(cell, quantity(i)) for cell in row] for i, row in zip(instruments, readings, strict=True)
    ]
    mean, error = grid(compared, "value"), grid(compared, "error")
    freedom = np.broadcast_to(np.where(seeds > 1, seeds - 1.0, SAMPLING_FREEDOM), mean.shape)
    pairs = all_pairs(mean, error, freedom, seeds)
    marks = marked(cells, bounds)
    rows = []
    for k, instrument in enumerate(instruments):
        found = verdicts(instrument, k, mean[k], pairs, rows_of)
        noted = (with_mark(cell, mark) for cell, mark in zip(cells[k], marks[k], strict=True))
        text = worded(found, mean[k], rows_of)
        effect = effects(found, k, pairs)
        rows.append(Row(instrument, tuple(noted), *bounds[k], found, text, effect))
    return Comparison(rows_of, tuple(rows), pairs, floor, ceiling, notes(rows_of))


def known(key: str) -> Instrument:
    if key not in INSTRUMENTS:
        import difflib

        close = difflib.get_close_matches(key, INSTRUMENTS, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(INSTRUMENTS)}"
        raise UserError(f"there is no instrument {key!r}; {hint}")
    return INSTRUMENTS[key]


def bound(end: Record, record: Record) -> Record:
    """The floor or the ceiling as far as it stands beside `record`: with values where both have one N.

    Raises UserError where anything else differs."""
    count, own = (each["protocol"].get("count") for each in (record, end))
    check([record, {**end, "protocol": {**end["protocol"], "count": count}}])
    if own == count:
        return end
    why = {"unavailable": f"known at N = {own:,} only, for want of training images; compare with -n {own}"}
    return {**end, "values": dict.fromkeys(end["values"], why)}


def effects(found: Sequence[Verdict], row: int, pairs: Pairs) -> tuple[Effect, ...]:
    """How far every other entry is from the best of its kind, the nearest first."""
    tests = int(pairs.tested[row].sum())
    listed = []
    for verdict in found:
        if verdict.best is None:
            continue
        for other in (*verdict.within, *verdict.worse):
            at = pairs.place(verdict.best, other)
            difference = float(pairs.difference[row, at]) * (1 if other < verdict.best else -1)
            adjusted, half = float(pairs.adjusted[row, at]), 0.0
            if pairs.error[row, at] > 0:
                half = float(half_width(pairs.error[row, at], pairs.freedom[row, at], tests))
            elif verdict.repeated:
                listed.append(Effect(other, difference, None, None, adjusted))
                continue
            listed.append(Effect(other, difference, difference - half, difference + half, adjusted))
    return tuple(sorted(listed, key=lambda effect: abs(effect.difference)))


def notes(rows_of: Sequence[Entry]) -> tuple[str, ...]:
    """What all verdicts are about, and what a reader must know of the entries."""
    said = list(scope(rows_of)) if len(rows_of) > 1 else []
    uneven = [e.letter for e in rows_of if e.repeated and len(e.steps) > 1 and not e.first.get("checkpoint")]
    if uneven:
        said.append(f"The runs of {some(uneven)} stand at different steps, as those trained for a time do.")
    samplings = sorted({str(r["protocol"].get("seed")) for e in rows_of for r in e.records})
    if len(samplings) > 1:
        said.append(f"Samples were drawn with different seeds ({some(samplings)}).")
    return tuple(said)
