"""What several seeds found of one number: in words, and as a point with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from genlab.lessons.judging import interval


def told(values: Sequence[float | None], digits: int = 1) -> str:
    """As in "12.1 [10.4, 13.8]": the mean, and the smallest and the largest where they differ; "–"
    where there is nothing."""
    there = [each for each in values if each is not None]
    if not there:
        return "–"
    mean, low, high = (f"{each:,.{digits}f}" for each in (fmean(there), min(there), max(there)))
    return mean if low == high else f"{mean} [{low}, {high}]"


def pointed(values: Sequence[float], name: str = "y") -> dict[str, float | None]:
    """`name`, the mean, with `low` and `high`, its 95 % interval, None from a single seed."""
    low, high = interval(values) if len(values) > 1 else (None, None)
    return {name: fmean(values), "low": low, "high": high}
