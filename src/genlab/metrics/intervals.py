"""How sure is a number? Estimates with 95 % intervals, by deletion and never by resampling with replacement.

The naive bootstrap repeats samples, and a repeated sample is a nearest neighbour at distance 0 and a second
helping of its own mean: it doubles a Fréchet distance near the floor and ruins every statistic of
neighbours. Leaving blocks out repeats nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab.errors import UserError
from genlab.randomness import generator

BLOCKS = 20
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A number, its standard error, and the 95 % interval from `low` to `high`."""

    value: float
    error: float
    low: float
    high: float


def estimate(
    value: float,
    error: float,
    freedom: float = math.inf,
    lowest: float = -math.inf,
    highest: float = math.inf,
) -> Estimate:
    """value ± t·error with Student's t of `freedom` degrees, cut at the bounds of what is possible."""
    half = student(freedom) * error
    return Estimate(value, error, max(lowest, value - half), min(highest, value + half))


def student(freedom: float, level: float = LEVEL) -> float:
    """The two-sided `level` point of Student's t; the normal's for infinite freedom."""
    from scipy.special import ndtri, stdtrit

    tail = (1 + level) / 2
    return float(ndtri(tail) if math.isinf(freedom) else stdtrit(freedom, tail))


def blocks(count: int, groups: int = BLOCKS) -> tuple[Tensor, ...]:
    """A fixed random division of range(count) into `groups` disjoint blocks whose sizes differ by 1 at most
    (samples may come sorted). Raises UserError for fewer than two members a block."""
    if count < 2 * groups:
        raise UserError(f"{count} samples are too few for an interval; draw at least {2 * groups}.")
    order = torch.randperm(count, generator=generator(0, "evaluation/blocks"))
    return torch.tensor_split(order, groups)


def jackknife(
    value: float, without: Sequence[float] | Tensor, lowest: float = -math.inf, highest: float = math.inf
) -> Estimate:
    """The estimate of a statistic whose values with each block left out are `without` (G,).

    The grouped jackknife: error² = (G − 1)/G Σ (without − mean)² (Quenouille 1949; Tukey 1958). It says what
    other samples of the same size from the same source would get against the same reference.
    """
    left_out = torch.as_tensor(without, dtype=torch.float64)
    groups = len(left_out)
    error = float((left_out - left_out.mean()).square().sum() * (groups - 1) / groups) ** 0.5
    return estimate(value, error, groups - 1, lowest, highest)


def jackknifed(
    statistic: Callable[[Tensor], float],
    samples: Tensor,
    lowest: float = -math.inf,
    highest: float = math.inf,
) -> Estimate:
    """`statistic` of samples (N, …) with its jackknife interval, by calling it once per block left out."""
    parts = blocks(len(samples))
    rest = [torch.cat(parts[:i] + parts[i + 1 :]) for i in range(len(parts))]
    return jackknife(statistic(samples), [statistic(samples[index]) for index in rest], lowest, highest)


def mean_estimate(values: Tensor, lowest: float = -math.inf, highest: float = math.inf) -> Estimate:
    """The mean of independent values (N,), N ≥ 2, with the interval of their standard error."""
    if values.ndim != 1 or len(values) < 2:
        raise UserError(f"A mean with an interval needs 2 values or more, not {tuple(values.shape)}.")
    if not bool(torch.isfinite(values).all()):
        raise UserError(
            "A mean is not defined for values with NaN or infinity; look for a model that diverged."
        )
    values = values.double()
    error = float(values.std(correction=1)) / math.sqrt(len(values))
    return estimate(float(values.mean()), error, len(values) - 1, lowest, highest)


def proportion(hits: int, count: int) -> Estimate:
    """`hits` of `count` independent trials, with Wilson's score interval (1927).

    It has a width even where every trial ends alike, as a mean and its standard error have not: 0 of 100 is
    0 … 3.7 %."""
    if not 0 <= hits <= count or count < 1:
        raise UserError(f"A proportion needs one trial or more, not {hits} of {count}.")
    share, z = hits / count, student(math.inf)
    shrunk = 1 / (1 + z * z / count)
    middle = (share + z * z / (2 * count)) * shrunk
    half = z * shrunk * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    error = math.sqrt(share * (1 - share) / count)
    low = 0.0 if hits == 0 else middle - half  # not by rounding only
    high = 1.0 if hits == count else middle + half
    return Estimate(share, error, low, high)
