"""Are some kinds of images drawn too often or too rarely? (NDB: Richardson & Weiss 2018.)

The training images are divided into bins by k-means on their features; samples fall into the bin of the
nearest centre; bins whose share differs significantly are counted.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.features import checked
from genlab.metrics.intervals import BLOCKS, Estimate, blocks, estimate, jackknife, student
from genlab.metrics.memorisation import nearest
from genlab.randomness import derive_seed

MEMBERS = 20  # training examples a bin, on average, at least: below that a proportion is not yet normal
ROUNDS = 30  # of k-means: more move the centres by next to nothing


@dataclass(frozen=True)
class Bins:
    """A division of feature space, and how the training images fall into it: centres (K, F), the shares
    (K,) float64 of the training images nearest to each, and the count of training images."""

    centres: Tensor
    shares: Tensor
    count: int


def fit_bins(train_features: Tensor, count: int = 100, seed: int = 0) -> Bins:
    """k-means on features (M, F) of training images; the same bins for the same seed.

    At most `count` bins: fewer where there are not 20 training images for each, and a bin that gets none
    (images that are exactly alike cannot be told apart) is left out. UserError for M < 40."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    checked(train_features, "A division into bins", 2 * MEMBERS)
    clusters = KMeans(
        n_clusters=min(count, len(train_features) // MEMBERS),
        n_init=1,
        max_iter=ROUNDS,
        random_state=derive_seed(seed, "metrics/bins") % 2**32,
    )
    with threadpool_limits(1), warnings.catch_warnings():  # sums over threads come in any order
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct images than bins
        clusters.fit(train_features.float().cpu().numpy())
    centres = torch.from_numpy(clusters.cluster_centers_).to(torch.float32)
    members = _members(train_features, centres)
    centres, members = centres[members > 0], members[members > 0]
    return Bins(centres, members.double() / len(train_features), len(train_features))


def ndb(features: Tensor, bins: Bins) -> Estimate:
    """NDB/K: the share of bins whose proportion among the samples (N, F), N ≥ 40, differs from the training
    images' at the 5 % level of a two-proportion z-test. 0.05 where nothing differs.

    Its error takes each bin as a coin that lands "differs" with the probability that the difference seen in
    it gives for other samples. That difference is itself a guess, so the error comes out too large, by half
    where nothing differs and by little where much does.
    """
    count = _sample_count(features)
    shares = _members(features, bins.centres).double() / count
    pooled = (count * shares + bins.count * bins.shares) / (count + bins.count)
    deviation = (pooled * (1 - pooled) * (1 / count + 1 / bins.count)).sqrt()
    z = torch.where(deviation > 0, (shares - bins.shares) / deviation, torch.zeros_like(shares))
    critical, ours = (
        student(math.inf),
        math.sqrt(bins.count / (count + bins.count)),
    )  # the samples' noise in z
    differ = z.abs() > critical
    chance = torch.special.ndtr((z - critical) / ours) + torch.special.ndtr((-z - critical) / ours)
    error = float((chance * (1 - chance)).sum().sqrt()) / len(z)
    return estimate(float(differ.double().mean()), error, lowest=0.0, highest=1.0)


def bin_divergence(features: Tensor, bins: Bins) -> Estimate:
    """The Jensen–Shannon divergence of the samples' bin shares from the training images', in nats: 0 … ln 2.

    About (K − 1)(1/N + 1/M)/8 for N samples and M training images of one source and K bins."""
    count = _sample_count(features)
    members = torch.stack([_members(features[index], bins.centres) for index in blocks(count)])
    without = [_jensen_shannon(members.sum(dim=0) - block, bins.shares) for block in members]
    return jackknife(_jensen_shannon(members.sum(dim=0), bins.shares), without, 0.0, math.log(2))


def _jensen_shannon(members: Tensor, other: Tensor) -> float:
    shares = members.double() / members.sum()
    middle = (shares + other) / 2
    entropies = [float(torch.special.entr(each).sum()) for each in (middle, shares, other)]
    return max(0.0, entropies[0] - (entropies[1] + entropies[2]) / 2)


def _sample_count(features: Tensor) -> int:
    return len(checked(features, "A comparison of bins", 2 * BLOCKS))


def _members(features: Tensor, centres: Tensor) -> Tensor:
    """How many of features (N, F) lie nearest to each of the centres (K, F): (K,) int64."""
    if features.shape[1] != centres.shape[1]:
        raise UserError(
            f"Features of {features.shape[1]} dimensions do not fall into bins of {centres.shape[1]}; "
            f"take both from the same feature network."
        )
    return torch.bincount(nearest(features.float(), centres).indices, minlength=len(centres))
