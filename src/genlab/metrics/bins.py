"""Are some kinds of images drawn too often or too rarely? (Richardson & Weiss 2018: NDB.)

The training images' features are divided into K clusters; samples fall into them; a cluster whose share
differs significantly from the training images' is a bin that is "statistically different".
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.features import checked
from genlab.metrics.intervals import Estimate, estimate
from genlab.randomness import derive_seed, generator

FITTED = 20_000  # features that the clusters are found from; all are then counted
LLOYD = 40  # iterations at most
FEWEST = 20  # samples, below which no share is nearly normal
SIGNIFICANT = 1.959964  # the two-sided 5 % point of N(0, 1)
TILE = 5000


@dataclass(frozen=True)
class Bins:
    """centres (K, F), the shares (K,) float64 of `count` training examples nearest to each."""

    centres: Tensor
    shares: Tensor
    count: int


def fit_bins(features: Tensor, bins: int = 100, seed: int = 0) -> Bins:
    """Clusters of training features (M, F) by k-means (Lloyd 1982; scikit-learn's, on one thread, so that it
    is a function of its arguments). Fewer bins where there are fewer different points.

    Raises UserError for fewer than two examples a bin."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    points = checked(features, "A division into bins")
    if len(points) < 2 * bins:
        raise UserError(
            f"{bins} bins need at least {2 * bins} training images, and there are {len(points)}; ask for "
            "fewer bins."
        )
    order = torch.randperm(len(points), generator=generator(seed, "bins"))[:FITTED]
    fit = KMeans(bins, n_init=1, max_iter=LLOYD, random_state=derive_seed(seed, "bins/k-means") % 2**32)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different points than bins: see below
        fit.fit(points[order].numpy())
    centres = torch.unique(torch.from_numpy(fit.cluster_centers_), dim=0).float()
    counts = torch.bincount(nearest_bin(features, centres), minlength=len(centres))
    return Bins(centres, counts.double() / len(points), len(points))


def nearest_bin(features: Tensor, centres: Tensor) -> Tensor:
    """The nearest of centres (K, F) to each of features (N, F): (N,) int64."""
    half = centres.square().sum(dim=1) / 2
    parts = [
        torch.addmm(half, part, centres.T, alpha=-1).argmin(dim=1) for part in features.float().split(TILE)
    ]
    return torch.cat(parts)


def ndb(features: Tensor, bins: Bins) -> Estimate:
    """NDB / K: the share of bins whose proportion of samples (N, F) differs from the training images' at 5 %
    (a two-proportion z-test): about 0.05 for more images of the same kind.

    The interval: a bin at z would be found different again with probability P(|N(z, 1)| > 1.96), and the
    counts of bins add up as if they were independent.
    """
    z = z_scores(features, bins)
    normal = torch.distributions.Normal(0.0, 1.0)
    again = normal.cdf(z.abs() - SIGNIFICANT) + normal.cdf(-z.abs() - SIGNIFICANT)
    error = math.sqrt(float((again * (1 - again)).sum())) / len(z)
    return estimate(float((z.abs() > SIGNIFICANT).double().mean()), error, lowest=0, highest=1)


def z_scores(features: Tensor, bins: Bins) -> Tensor:
    """The z score of each bin's share of samples against its share of training examples: (K,), N(0, 1) if
    both are alike. Bins that nobody fills have 0."""
    checked(features, "NDB", FEWEST)
    shares = bin_shares(features, bins)
    together = (shares * len(features) + bins.shares * bins.count) / (len(features) + bins.count)
    variance = together * (1 - together) * (1 / len(features) + 1 / bins.count)
    difference = shares - bins.shares
    return torch.where(variance > 0, difference / variance.clamp_min(1e-300).sqrt(), 0.0)


def bin_shares(features: Tensor, bins: Bins) -> Tensor:
    """The share of samples (N, F) in each bin: (K,) float64."""
    if features.shape[1] != bins.centres.shape[1]:
        raise UserError(
            f"The bins are of {bins.centres.shape[1]} dimensions and the features of {features.shape[1]}; "
            "take both from the same feature network."
        )
    counts = torch.bincount(nearest_bin(features, bins.centres), minlength=len(bins.centres))
    return counts.double() / len(features)


def jensen_shannon(shares: Tensor, reference: Tensor) -> float:
    """JS divergence of two vectors of shares (K,), in nats: 0 for equal ones, ln 2 for disjoint ones."""
    middle = (shares + reference) / 2
    entropies = [float(torch.special.entr(each.double()).sum()) for each in (middle, shares, reference)]
    return max(0.0, entropies[0] - (entropies[1] + entropies[2]) / 2)
