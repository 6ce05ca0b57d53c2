"""The kernel distance between two samples (KID: Bińkowski et al. 2018): an unbiased squared MMD.

Unlike a Fréchet distance it has no bias that moves with N: two samples of one distribution lie 0 apart on
average at any N, so that small values may be negative.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from genlab.metrics.features import checked_pair
from genlab.metrics.intervals import BLOCKS, Estimate, blocks, jackknife
from genlab.randomness import generator

TILE = 500  # rows by columns of the kernel matrix that are held at once
SUBSETS = 100
SIZE = 1000


@dataclass(frozen=True)
class KernelDistance:
    """The distance with its interval; `spread` is the standard deviation of the distances between `subsets`
    random subsets of `size` samples each, which is what papers print after the ±.

    The spread is no error of the distance: it is that of `size` samples and not of all, and subsets of one
    sample overlap."""

    estimate: Estimate
    spread: float
    subsets: int
    size: int


def kid(features: Tensor, reference: Tensor) -> KernelDistance:
    """The unbiased squared MMD of features (N, F) and (M, F), N and M ≥ 40, with k(x, y) = (x·y/F + 1)³.

    The value uses all pairs: it is what the mean over subsets, the usual estimate, converges to as their
    number grows. Its interval is a jackknife over blocks of samples; near 0, where the distance is a
    quadratic form of noise, it errs on the wide side. The spread is over 100 subsets of 1 000 samples, or of
    half of the samples where that is fewer.
    """
    ours, theirs = checked_pair(features, reference, "A kernel distance", 2 * BLOCKS)
    parts = [ours[index] for index in blocks(len(ours))]
    among, own = _block_sums(parts)
    cross = torch.tensor([_kernel_sum(part, theirs) for part in parts], dtype=torch.float64)
    counts = torch.tensor([len(part) for part in parts], dtype=torch.float64)
    constant = _unbiased(_kernel_sum(theirs, theirs), float(_kernel_diagonal(theirs).sum()), len(theirs))

    def distance(keep: Tensor) -> float:
        count = float(counts @ keep)
        within = (float(keep @ among @ keep) - float(own @ keep)) / (count * (count - 1))
        return within + constant - 2 * float(cross @ keep) / (count * len(theirs))

    keep = torch.ones(len(parts), dtype=torch.float64)
    without = [distance(keep - unit) for unit in torch.eye(len(parts), dtype=torch.float64)]
    size = min(SIZE, len(ours) // 2, len(theirs) // 2)
    return KernelDistance(jackknife(distance(keep), without), _spread(ours, theirs, size), SUBSETS, size)


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    """(x·y/F + 1)³ for all pairs: (N, F), (M, F) -> (N, M)."""
    return (a @ b.T).mul_(1 / a.shape[1]).add_(1).pow_(3)


def _kernel_diagonal(a: Tensor) -> Tensor:
    """k(x, x): (N, F) -> (N,)."""
    return (a.square().mean(dim=1) + 1).pow(3)


def _kernel_sum(a: Tensor, b: Tensor) -> float:
    return sum(float(_kernel(rows, columns).sum()) for rows in a.split(TILE) for columns in b.split(TILE))


def _block_sums(parts: list[Tensor]) -> tuple[Tensor, Tensor]:
    """The sum of the kernel between every two blocks (G, G), and of each block's diagonal (G,)."""
    among = torch.zeros(len(parts), len(parts), dtype=torch.float64)
    for i, a in enumerate(parts):
        for j, b in enumerate(parts[: i + 1]):
            among[i, j] = among[j, i] = _kernel_sum(a, b)
    return among, torch.stack([_kernel_diagonal(part).sum() for part in parts])


def _unbiased(total: float, diagonal: float, count: int) -> float:
    """The mean over pairs of different samples."""
    return (total - diagonal) / (count * (count - 1))


def _spread(ours: Tensor, theirs: Tensor, size: int) -> float:
    """The standard deviation of the distance over random subsets; in float32, which a spread bears."""
    distances = []
    for step in range(SUBSETS):
        rng = generator(0, "metrics/kernel/subsets", step)
        a = ours[torch.randperm(len(ours), generator=rng)[:size]].float()
        b = theirs[torch.randperm(len(theirs), generator=rng)[:size]].float()
        within = [
            _unbiased(_kernel_sum(part, part), float(_kernel_diagonal(part).double().sum()), size)
            for part in (a, b)
        ]
        distances.append(sum(within) - 2 * _kernel_sum(a, b) / size**2)
    return float(torch.tensor(distances, dtype=torch.float64).std(correction=0))
