"""Expectation–maximisation of a Gaussian mixture with full covariances, in matrix products alone.

A Gaussian's log-density is linear in the products zᵢzⱼ of its argument, in z and in 1. With these laid out
once for every point, both steps of the algorithm are one product each: densities are products with the
components' coefficients, and the new moments are products with the responsibilities. Dempster, Laird & Rubin
(1977); Bishop (2006), section 9.2.2.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from genlab.functional.gaussian import LOG_2PI


class Mixture(NamedTuple):
    """weights (K,), means (K, Z), lower-triangular scales (K, Z, Z), Cholesky factors of covariances."""

    weights: Tensor
    means: Tensor
    scales: Tensor


def expectation_maximisation(
    points: Tensor, closeness: Tensor, *, steps: int, least: float, tolerance: float
) -> Mixture:
    """The mixture of K Gaussians that `points` (N, Z) likely came from, on the way from `closeness` (N, K),
    how much of each point belongs to each component at the start.

    `least` is added to every variance. It ends after `steps` rounds, or where one gains less than `tolerance`
    nats a point. The large products are in the points' precision, everything else in float64.
    """
    middle = points.mean(dim=0)  # products of centred numbers lose fewer digits
    laid_out = products(points - middle)
    reached = -math.inf
    for _ in range(steps):
        mixture = maximised((closeness.T @ laid_out).double(), points.shape[1], least)
        joint = laid_out @ coefficients(mixture).to(points).T  # (N, K)
        density = torch.logsumexp(joint, dim=1)
        before, reached = reached, float(density.double().mean())
        if reached - before < tolerance:
            break
        closeness = (joint - density.unsqueeze(1)).exp_()
    return mixture._replace(means=mixture.means + middle.double())


def products(points: Tensor) -> Tensor:
    """1, z and the products zᵢzⱼ, i ≤ j, of points (N, Z): (N, 1 + Z + Z(Z + 1)/2)."""
    first, second = torch.triu_indices(points.shape[1], points.shape[1])
    return torch.cat([torch.ones_like(points[:, :1]), points, points[:, first] * points[:, second]], dim=1)


def maximised(sums: Tensor, size: int, least: float) -> Mixture:
    """The mixture whose components have these sums (K, 1 + Z + Z(Z + 1)/2) of `products`."""
    count = sums[:, :1].clamp_min(1e-9)  # a component that lost all its points stays, without weight
    means, moments = (sums / count).split([1 + size, sums.shape[1] - 1 - size], dim=1)
    means = means[:, 1:]
    first, second = torch.triu_indices(size, size)
    covariances = sums.new_zeros(len(sums), size, size)
    covariances[:, first, second] = covariances[:, second, first] = moments
    covariances -= means.unsqueeze(2) * means.unsqueeze(1)
    covariances.diagonal(dim1=1, dim2=2).add_(least)
    return Mixture((count / count.sum()).squeeze(1), means, torch.linalg.cholesky(covariances))


def coefficients(mixture: Mixture) -> Tensor:
    """What makes `products` of a point its log-density, weight included, under each component: (K, …)."""
    weights, means, scales = mixture
    size = means.shape[1]
    precisions = torch.cholesky_inverse(scales)
    linear = (precisions @ means.unsqueeze(2)).squeeze(2)
    log_scale = scales.diagonal(dim1=1, dim2=2).log().sum(dim=1)
    constant = weights.log() - 0.5 * (means * linear).sum(dim=1) - log_scale - 0.5 * size * LOG_2PI
    first, second = torch.triu_indices(size, size)
    twice = torch.where(first == second, 1.0, 2.0).to(means)  # zᵢzⱼ stands for zⱼzᵢ, too
    return torch.cat([constant.unsqueeze(1), linear, -0.5 * twice * precisions[:, first, second]], dim=1)
