"""What a code says about its images: how many of its dimensions speak, how much, and where the codes lie.

q(z) = 1/N Σᵢ q(z|xᵢ), the aggregate posterior, is what the decoder is really given; the rate splits into what
z and x share and how far q(z) lies from the prior, E KL(q(z|x) ‖ p) = I(x; z) + KL(q(z) ‖ p) (Hoffman &
Johnson, 2016).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.intervals import Estimate, jackknifed, mean_estimate

LOG_2PI = math.log(2 * math.pi)
MOVES = 0.01  # the variance of a mean above which its dimension is active
TILE = 500  # draws held against all posteriors at once


def active_units(means: Tensor) -> Estimate:
    """How many dimensions of the posterior means (N, Z) vary by more than 0.01 over images.

    Burda et al. (2016), section 5.2. The interval is the jackknife's; N ≥ 40.
    """
    if means.ndim != 2:
        raise UserError(f"Active units are counted on means (N, Z), not {tuple(means.shape)}.")
    return jackknifed(lambda some: float((some.var(dim=0) > MOVES).sum()), means.double(), lowest=0)


def log_aggregate(draws: Tensor, means: Tensor, log_vars: Tensor) -> Tensor:
    """ln q(z) of draws (M, Z) under the mixture of N Gaussians with means and log_vars (N, Z): (M,), float64.

    (z − μ)²/σ² is expanded, so that every draw meets every posterior in a matrix product.
    """
    z, mean, precision = draws.double(), means.double(), torch.exp(-log_vars.double())
    constant = -0.5 * (LOG_2PI + log_vars.double() + mean.square() * precision).sum(dim=1)  # (N,)
    linear, quadratic = (mean * precision).T, -0.5 * precision.T  # (Z, N)
    found = [
        torch.logsumexp(part @ linear + part.square() @ quadratic + constant, dim=1) for part in z.split(TILE)
    ]
    return torch.cat(found) - math.log(len(means))


def mutual_information(log_posterior: Tensor, log_aggregate: Tensor) -> Estimate:
    """I(x; z) = E[ln q(z|x) − ln q(z)] in nats, from one draw of q(z|xᵢ) for each of N images, (N,) each.

    q(z) is made of the same N images, so that no draw can be more than N times as likely under its own image
    as under all: the estimate cannot exceed ln N.
    """
    return mean_estimate(
        log_posterior.double() - log_aggregate.double(), highest=math.log(len(log_posterior))
    )


def marginal_kl(log_marginal: Tensor, log_prior: Tensor) -> Estimate:
    """KL(q(z) ‖ p(z)) = E[ln q(z) − ln p(z)] in nats, at one draw of q(z|xᵢ) for each of N images, (N,) each.

    With ln q(z) from `log_aggregate` it is as much too high as the mutual information is too low, where that
    nears ln N. From any density that was fitted to draws of other images it is a lower bound.
    """
    return mean_estimate(log_marginal.double() - log_prior.double())
