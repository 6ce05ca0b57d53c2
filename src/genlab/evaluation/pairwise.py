"""All pairs of entries at once, instrument by instrument: Welch's t, and Holm's correction within each.

One formula serves two questions. For recipes trained with several seeds the error is that of the mean over
seeds, with S − 1 degrees of freedom. For models trained once it is the sampling error of their records,
which comes from 20 blocks and so has 19 degrees; a normal's tail would be far too thin once hundreds of
pairs are corrected for. The two are never mixed: one training says nothing of how another would have come
out, so a pair of one training against several is not tested.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Indices = NDArray[np.intp]

LEVEL = 0.95
SAMPLING_FREEDOM = 19  # of errors from a jackknife with 20 blocks; means over images have more


@dataclass(frozen=True)
class Pairs:
    """`first` and `second` (P,) are entries; the rest is (K, P), one row an instrument, NaN where a pair
    was not tested. `difference` is first − second with its standard `error` and degrees of `freedom`; `p` is
    two-sided, `adjusted` is p corrected for the whole row (Holm 1979)."""

    first: Indices
    second: Indices
    difference: Floats
    error: Floats
    freedom: Floats
    p: Floats
    adjusted: Floats

    @property
    def differs(self) -> Bools:
        """Where the difference is beyond noise, with at most 5 % of rows that differ in nothing hit."""
        return np.asarray(self.adjusted < 1 - LEVEL)  # NaN is not

    def place(self, one: int, other: int) -> int:
        """Where the pair of two entries stands, in either order."""
        low, high = sorted((one, other))
        count = int(self.second[-1]) + 1
        return low * count - low * (low + 1) // 2 + high - low - 1

    @property
    def tested(self) -> Bools:
        return np.isfinite(self.p)


def all_pairs(mean: Floats, error: Floats, freedom: Floats, seeds: Indices) -> Pairs:
    """`mean`, `error` and `freedom` (K, E), NaN where an entry has no value; `seeds` (E,) trainings each."""
    first, second = np.triu_indices(len(seeds), 1)
    difference, total, degrees = welch(
        mean[:, first], error[:, first], freedom[:, first], mean[:, second], error[:, second],
        freedom[:, second],
    )  # fmt: skip
    p = two_sided(difference, total, degrees)
    spreadless = (total == 0) & (difference != 0)
    p = np.where(spreadless, separated(seeds[first], seeds[second]), p)
    p[:, (seeds[first] > 1) != (seeds[second] > 1)] = np.nan
    return Pairs(first, second, difference, total, degrees, p, holm(p))


def welch(
    mean: Floats, error: Floats, freedom: Floats, other: Floats, other_error: Floats, other_freedom: Floats
) -> tuple[Floats, Floats, Floats]:
    """Difference of two means, its standard error, and its degrees of freedom (Welch 1947, Satterthwaite
    1946)."""
    one, two = np.square(error), np.square(other_error)
    with np.errstate(divide="ignore", invalid="ignore"):
        degrees = np.square(one + two) / (np.square(one) / freedom + np.square(two) / other_freedom)
    return mean - other, np.sqrt(one + two), degrees


def two_sided(difference: Floats, error: Floats, freedom: Floats) -> Floats:
    """The p of a t statistic; without any error 0 for a difference and 1 for none."""
    from scipy.special import stdtr

    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stdtr(freedom, -np.abs(difference) / error)
    exact = np.where(np.isnan(difference), np.nan, np.where(difference == 0, 1.0, 0.0))
    return np.where(error == 0, exact, p)


def separated(seeds: Indices, others: Indices) -> Floats:
    """The p of two groups without any spread that differ, such as 10 classes each time against 9: that of
    the exact permutation test, 2 / C(S + S', S). For two single models nothing is random: 0."""
    from scipy.special import comb

    p = np.minimum(1, 2 / comb(seeds + others, seeds))
    return np.where((seeds > 1) & (others > 1), p, 0.0)


def holm(p: Floats) -> Floats:
    """p (K, P) corrected for the number of tests in its row, NaN aside (Holm 1979): the smallest times m, the
    next times m − 1, and so on, none smaller than the one before, none above 1."""
    order = np.argsort(p, axis=1)  # NaN last
    ranked = np.take_along_axis(p, order, axis=1)
    factors = np.isfinite(p).sum(axis=1, keepdims=True) - np.arange(p.shape[1])
    stepped = np.minimum(1, np.maximum.accumulate(ranked * factors, axis=1))
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, stepped, axis=1)
    return adjusted


def half_width(error: Floats, freedom: Floats, tests: int = 1) -> Floats:
    """Of the 95 % interval, Student's; for `tests` intervals that are to hold jointly, Bonferroni's."""
    from scipy.special import stdtrit

    half: Floats = error * stdtrit(freedom, 1 - (1 - LEVEL) / (2 * max(1, tests)))
    return half
