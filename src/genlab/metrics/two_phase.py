"""A mean of something dear, measured on few, made sharper by something cheap that is measured on all."""

from __future__ import annotations

import math

from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.intervals import Estimate, estimate


def two_phase(cheap: Tensor, dear: Tensor, chosen: Tensor) -> Estimate:
    """The mean that `dear` would have over all N, where it was measured on the n ≥ 2 `chosen` ones alone.

    cheap: (N,); dear: (n,), the values at the indices `chosen` (n,), which must be a random choice. The
    difference estimator of two-phase sampling, mean(cheap) + mean(dear − cheap over the chosen), with
    error² = s²(dear)/N + (1/n − 1/N) s²(dear − cheap): where the two run together it is nearly as sure as if
    all had been measured; where n = N it is the mean itself. Cochran (1977), chapter 12.
    """
    total, few = len(cheap), len(dear)
    if few < 2 or len(chosen) != few or few > total:
        raise UserError(
            f"A mean from {few} of {total} needs 2 values or more, each with its place among all."
        )
    cheap, dear = cheap.double(), dear.double()
    difference = dear - cheap[chosen]
    value = float(cheap.mean() + difference.mean())
    variance = float(dear.var(correction=1)) / total
    variance += float(difference.var(correction=1)) * (1 / few - 1 / total)
    return estimate(value, math.sqrt(variance), few - 1)
