"""From readings to cells: one training as it is, several as a mean over seeds; floor and ceiling marked."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from genlab.evaluation.instruments import Instrument
from genlab.evaluation.pairwise import LEVEL, SAMPLING_FREEDOM, Floats, half_width, two_sided, welch
from genlab.evaluation.records import ON_A_MEASURE, Reading, Record, measure, reading
from genlab.metrics.unavailable import Unavailable

AT_FLOOR, AT_CEILING = "at the floor", "at the ceiling"


@dataclass(frozen=True)
class Cell:
    """The value of an entry: of one training with its sampling interval, or the mean over `seeds` trainings
    with Student's. `sampling` is the part of the error that drawing samples makes, and `mark` says where the
    value is, to drawing samples, no other than that of training images or of noise."""

    value: float
    error: float
    low: float
    high: float
    seeds: int
    sampling: float
    mark: str = ""

    @property
    def half(self) -> float:
        """Half the interval, the longer half where a bound of what is possible cuts one."""
        return max(self.high - self.value, self.value - self.low)


def standing_reading(record: Record, key: str, standing: str | None) -> Reading | Unavailable:
    """The reading, unless its nats are on another measure than those of most."""
    found = reading(record, key)
    if key in ON_A_MEASURE and isinstance(found, Reading) and measure(record) != standing:
        why = "others are on another measure, and no number compares them"
        return Unavailable(f"measured as {measure(record)}; {why}")
    return found


def quantity(instrument: Instrument) -> Callable[[float], float]:
    """What is compared: each run's value, or its distance from the target. The error stays the same (the
    delta method); within noise of the target it is too large rather than too small."""
    target = instrument.target
    if instrument.better != "near" or target is None:
        return lambda value: value
    return lambda value: abs(value - target)


def summary(
    readings: Sequence[Reading | Unavailable], of: Callable[[float], float] = float
) -> Cell | Unavailable:
    """One run as it is; several as a mean with Student's interval over them. A run without a value is not
    left out, since what it lacks may be the worst: then the entry has none."""
    missing = [each for each in readings if isinstance(each, Unavailable)]
    if missing:
        if len(set(readings)) == 1:
            return missing[0]
        return Unavailable(f"{len(missing)} of {len(readings)} runs: {missing[0].reason}")
    there = [each for each in readings if isinstance(each, Reading)]
    values = [of(each.value) for each in there]
    if len(there) == 1:
        return Cell(values[0], there[0].error, there[0].low, there[0].high, 1, there[0].error)
    count = len(values)
    mean = values[0] if len(set(values)) == 1 else math.fsum(values) / count  # without spread, exactly so
    error = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (count - 1) / count)
    half = float(half_width(np.array(error), np.array(count - 1.0)))
    sampling = math.sqrt(math.fsum(each.error**2 for each in there)) / count
    return Cell(mean, error, mean - half, mean + half, count, sampling)


def grid(cells: Sequence[Sequence[Cell | Unavailable]], name: str) -> Floats:
    """(K, E), NaN where there is no value."""
    return np.array([[getattr(c, name) if isinstance(c, Cell) else np.nan for c in row] for row in cells])


def marked(
    cells: Sequence[Sequence[Cell | Unavailable]], bounds: Sequence[tuple[Reading | Unavailable, ...]]
) -> list[list[str]]:
    """For each cell whether drawing samples can tell it from the floor, and from the ceiling.

    Each at 5 %, uncorrected, and by the sampling error alone: wide intervals over few seeds would put
    everything on the floor."""
    value, error = grid(cells, "value"), grid(cells, "sampling")
    marks = [[""] * value.shape[1] for _ in cells]
    for place, name in ((1, AT_CEILING), (0, AT_FLOOR)):
        ends = [each[place] for each in bounds]
        at = np.array([[e.value, e.error] if isinstance(e, Reading) else [np.nan] * 2 for e in ends])
        nineteen = np.full_like(value, SAMPLING_FREEDOM)
        at_value, at_error = (np.broadcast_to(at[:, [i]], value.shape) for i in (0, 1))
        p = two_sided(*welch(value, error, nineteen, at_value, at_error, nineteen))
        for k, e in np.argwhere(p >= 1 - LEVEL):
            marks[k][e] = name
    return marks


def with_mark(cell: Cell | Unavailable, mark: str) -> Cell | Unavailable:
    return cell if isinstance(cell, Unavailable) else replace(cell, mark=mark)
