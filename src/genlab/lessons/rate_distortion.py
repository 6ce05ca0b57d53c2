"""The best that a linear β-VAE can do, in closed form: its rate and its distortion, and which units it uses.

Of the data only the eigenvalues λ₁ ≥ … ≥ λ_d of its covariance count. The observation is N(Wz + b, σ²I). The
optimum spends on unit j the rate ½ ln(λ_j / s), s = βσ², and leaves s of its variance; a unit with λ_j ≤ s
costs more than it brings, and collapses. Lucas et al. (2019) for β = 1; Alemi et al. (2018) for the trade.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Optimum:
    """`rate` and `distortion` in nats per image, the latter without (d/2) ln 2πσ², which no code changes."""

    active: int
    rate: float
    distortion: float


def linear_optimum(
    leading: Sequence[float], total: float, latent_dim: int, beta: float, sigma: float = 1.0
) -> Optimum:
    """`leading`: the largest eigenvalues, `latent_dim` of them or more; `total`: the sum of all."""
    assert len(leading) >= latent_dim, (len(leading), latent_dim)
    threshold = beta * sigma**2
    used = [value for value in leading[:latent_dim] if value > threshold]
    rate = 0.5 * sum(math.log(value / threshold) for value in used)
    left = total - sum(used) + len(used) * threshold
    return Optimum(len(used), rate, 0.5 * left / sigma**2)
