"""From measurements to medians, ratios and their spread. Pure arithmetic."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

Measurement = Mapping[str, Any]


class Spread(NamedTuple):
    """A median, the quartiles about it, the ends, and how many values stand behind them."""

    median: float
    lower: float
    upper: float
    least: float
    most: float
    values: int


def spread(values: Iterable[float]) -> Spread:
    """Quartiles by linear interpolation between the values in order; of one value, that value."""
    ordered = sorted(values)
    assert ordered, "nothing was measured"
    if len(ordered) == 1:
        return Spread(ordered[0], ordered[0], ordered[0], ordered[0], ordered[0], 1)
    lower, median, upper = statistics.quantiles(ordered, n=4, method="inclusive")
    return Spread(median, lower, upper, ordered[0], ordered[-1], len(ordered))


class Summary(NamedTuple):
    """One side of one network under one setting; medians over the pairs. `of_peak` is the median of each
    measurement's own share of the GEMM peak that was measured just before its pair."""

    images_per_second: float
    gflops: float
    of_peak: float
    flops_per_image: float


def chosen(rows: Iterable[Measurement], **keys: object) -> list[Measurement]:
    return [row for row in rows if all(row.get(key) == value for key, value in keys.items())]


def by_pair(rows: Iterable[Measurement], value: str, **keys: object) -> dict[int, float]:
    return {row["pair"]: float(row[value]) for row in chosen(rows, **keys)}


def quotients(above: Mapping[int, float], below: Mapping[int, float]) -> list[float]:
    """above / below, pair by pair: of what was measured side by side, not of two medians."""
    return [above[pair] / below[pair] for pair in sorted(above.keys() & below.keys())]


def summary(rows: Sequence[Measurement], network: str, side: str, setting: str) -> Summary | None:
    keys = {"network": network, "setting": setting}
    found = chosen(rows, side=side, **keys)
    if not found:
        return None
    peaks = by_pair(rows, "gflops", side="gemm", **keys)
    shares = quotients(by_pair(rows, "gflops", side=side, **keys), peaks)
    return Summary(
        statistics.median(row["images_per_second"] for row in found),
        statistics.median(row["gflops"] for row in found),
        statistics.median(shares),
        statistics.median(row["flops_per_image"] for row in found),
    )


def ratio(rows: Sequence[Measurement], network: str, setting: str, side: str = "ours") -> Spread | None:
    """Images a second of ours for one of the peer's, pair by pair. None where no pair has both."""
    keys = {"network": network, "setting": setting}
    rate = "images_per_second"
    both = quotients(by_pair(rows, rate, side=side, **keys), by_pair(rows, rate, side="peer", **keys))
    return spread(both) if both else None


def gain(rows: Sequence[Measurement], network: str, side: str) -> Spread | None:
    """What our settings give one side: images a second with them for one without, pair by pair."""
    rate = "images_per_second"
    bound, plain = (
        by_pair(rows, rate, network=network, side=side, setting=each) for each in ("ours", "plain")
    )
    both = quotients(bound, plain)
    return spread(both) if both else None
