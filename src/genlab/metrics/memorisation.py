"""Are the samples copies of training images? (Meehan, Chaudhuri & Dasgupta 2020: the statistic C_T.)"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.unavailable import Unavailable

FEWEST = 20  # members of a cell on either side below which the rank statistic is not yet normal


@dataclass(frozen=True)
class Neighbours:
    """The training example nearest to each of N: indices (N,) int64 and Euclidean distances (N,)."""

    indices: Tensor
    distances: Tensor


def nearest(features: Tensor, train_features: Tensor, tile: tuple[int, int] = (500, 2000)) -> Neighbours:
    """The nearest of train_features (M, F) to each of features (N, F); the first one where there are several.

    The search expands ‖a − b‖² so that it is a matrix product, tile by tile, so that a tile stays in the
    processor's cache. The distance to the one found is then taken directly, because the expansion leaves an
    exact copy a small way off instead of at 0.
    """
    if features.ndim != 2 or train_features.ndim != 2 or features.shape[1] != train_features.shape[1]:
        raise UserError(
            f"Features of shapes {tuple(features.shape)} and {tuple(train_features.shape)} have no common "
            f"space to be near in; take both from the same feature network."
        )
    if len(train_features) < 1:
        raise UserError("There are no training examples to be near to; give a dataset with training images.")
    centre = train_features.mean(dim=0)  # near 0 the expansion cancels least
    train, queries = train_features - centre, features - centre
    half_norms = train.square().sum(dim=1) / 2
    best = torch.full_like(queries[:, 0], torch.inf)
    indices = torch.zeros(len(queries), dtype=torch.int64)
    for first in range(0, len(train), tile[1]):
        here = slice(first, first + tile[1])
        for start in range(0, len(queries), tile[0]):
            rows = slice(start, start + tile[0])
            near = torch.addmm(half_norms[here], queries[rows], train[here].T, alpha=-1).min(dim=1)
            closer = near.values < best[rows]
            best[rows] = torch.where(closer, near.values, best[rows])
            indices[rows] = torch.where(closer, near.indices + first, indices[rows])
    return Neighbours(indices, (features - train_features[indices]).norm(dim=1))


def c_t(test: Neighbours, samples: Neighbours, cells: Tensor | None = None) -> float | Unavailable:
    """C_T: do samples lie closer to the training set than test images do? Null N(0, 1); ≪ 0 is copying.

    `cells` (M,) divides space: an example belongs to the cell of its nearest training example (its class, or
    a cluster), so that copying in one cell is not hidden by samples far out in another. In every cell with at
    least 20 examples of both kinds a Mann–Whitney Z compares the two sets of distances; C_T is their mean,
    weighted by the share P of the test examples, over √ΣP², which keeps the null at N(0, 1) for any number of
    cells (the paper leaves out the root, which is 1 for a single cell).

    A Z grows like √N: compare at one N only. ≫ 0 says that samples lie further out than real images do. And
    samples that are merely too typical (a blurred mean of many digits) also lie close: look at the nearest
    images before calling it copying. Unavailable when no cell has enough of both.
    """
    if cells is None:
        cells = torch.zeros(int(max(test.indices.max(), samples.indices.max())) + 1, dtype=torch.int64)
    test_cells, sample_cells = cells[test.indices], cells[samples.indices]
    scores, weights = [], []
    for cell in torch.unique(test_cells):
        there, here = test.distances[test_cells == cell], samples.distances[sample_cells == cell]
        if min(len(there), len(here)) >= FEWEST:
            scores.append(mann_whitney(here, there))
            weights.append(len(there))
    if not scores:
        return Unavailable(f"no cell of feature space has {FEWEST} samples and {FEWEST} test images")
    weight = torch.tensor(weights, dtype=torch.float64)
    return float(torch.tensor(scores, dtype=torch.float64) @ weight / weight.norm())


def mann_whitney(a: Tensor, b: Tensor) -> float:
    """The Z score of U = #{(i, j): a_i > b_j} + ½ ties; N(0, 1) if a (m,) and b (n,) are alike."""
    m, n = len(a), len(b)
    ordered = b.sort().values
    below = torch.searchsorted(ordered, a.contiguous(), right=False)
    upto = torch.searchsorted(ordered, a.contiguous(), right=True)
    u = float((below + upto).double().sum()) / 2
    return (u - m * n / 2) / math.sqrt(m * n * (m + n + 1) / 12)
