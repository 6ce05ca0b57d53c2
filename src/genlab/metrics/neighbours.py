"""Where samples lie among real images, by balls that reach to the k-th nearest neighbour.

Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020), as in PyPI's
`prdc`. The ball of a point reaches to its k-th nearest *other* point (prdc counts the point itself as the
first neighbour and takes the k+1-th, which is the same) and is open: what lies exactly at the radius is
outside. So the ball of a point with k exact copies is empty, and one image repeated recalls nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.features import checked_pair
from genlab.metrics.intervals import BLOCKS, Estimate, blocks, jackknife, mean_estimate, proportion

TILE = 500  # real images (rows of the matrix of distances) that are looked at together
SAME = 1e-6  # points that lie closer than this fraction of their norm are one point: rounding hides less
OPEN = 1e-9  # by this fraction of its square a radius is shortened, so that rounding decides no tie


@dataclass(frozen=True)
class Neighbourhoods:
    """Precision and recall at one k, density and coverage at another, each with its interval."""

    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate


def precision_recall(features: Tensor, reference: Tensor, k: int = 3) -> tuple[Estimate, Estimate]:
    """Precision and recall: see `neighbourhoods`."""
    found = neighbourhoods(features, reference, near=k, wide=k)
    return found.precision, found.recall


def density_coverage(features: Tensor, reference: Tensor, k: int = 5) -> tuple[Estimate, Estimate]:
    """Density and coverage: see `neighbourhoods`."""
    found = neighbourhoods(features, reference, near=k, wide=k)
    return found.density, found.coverage


def neighbourhoods(features: Tensor, reference: Tensor, near: int = 3, wide: int = 5) -> Neighbourhoods:
    """All four of features (N, F) among those of real images (M, F), N and M ≥ 40, from shared distances.

    precision: the share of samples inside the ball (k = near) of some real image;
    recall: the share of real images inside the ball (k = near) of some sample;
    density: real balls (k = wide) around a sample, over k; 1 on average for N, M samples of one source;
    coverage: the share of real images with a sample in their ball (k = wide); 1 − 2^−k for N = M of one
    source, 0.969 for k = 5.

    Given the real images the samples are independent, which gives the intervals of precision (Wilson's) and
    density. Those of recall and coverage are jackknives over blocks of samples; balls grow when a block goes,
    as they would have grown without it. A ball is held or not, whatever else is in it; such a statistic is
    far from linear, and the jackknife's error for it comes out up to twice the true one, never below it.
    """
    ours, theirs = checked_pair(features, reference, "A neighbourhood", 2 * BLOCKS)
    if not 1 <= min(near, wide) <= max(near, wide) < min(len(theirs), len(ours) - len(ours) // BLOCKS - 1):
        raise UserError(
            f"The {max(near, wide)}-th nearest neighbour does not exist among {len(theirs)} real images or "
            f"{len(ours)} samples; draw more samples, or ask for nearer neighbours."
        )
    centre = theirs.mean(dim=0)  # near 0 the expansion of distances cancels least
    reals, parts = theirs - centre, [ours[index] - centre for index in blocks(len(ours))]
    real_near, real_wide = _real_radii(reals, near, wide)
    samples = _SampleBalls(parts, near)
    inside = torch.zeros(len(ours), dtype=torch.bool)
    around = torch.zeros(len(ours), dtype=torch.int64)
    recalled, covered = [], []
    for start in range(0, len(reals), TILE):
        rows = slice(start, start + TILE)
        distances = torch.cat([_squared_distances(reals[rows], part) for part in parts], dim=1)
        inside |= (distances < real_near[rows, None]).any(dim=0)
        held = distances < real_wide[rows, None]
        around += held.sum(dim=0)
        covered.append(torch.stack([part.any(dim=1) for part in samples.by_block(held)], dim=1))
        recalled.append(samples.recalled(distances))
    by_block, recalls = torch.cat(covered), torch.cat(recalled).double().mean(dim=0)
    still_covered = (by_block.sum(dim=1, keepdim=True) - by_block.long()) > 0
    return Neighbourhoods(
        precision=proportion(int(inside.sum()), len(inside)),
        recall=jackknife(float(recalls[0]), recalls[1:], 0.0, 1.0),
        density=mean_estimate(around.double() / wide, lowest=0.0),
        coverage=jackknife(
            float(by_block.any(dim=1).double().mean()), still_covered.double().mean(dim=0), 0.0, 1.0
        ),
    )


class _SampleBalls:
    """The balls of the samples, and what they become without each of the G blocks that samples come in."""

    def __init__(self, parts: list[Tensor], k: int) -> None:
        self.sizes = [len(part) for part in parts]
        self.block = torch.repeat_interleave(torch.arange(len(parts)), torch.tensor(self.sizes))
        points = torch.cat(parts)
        nearest = _nearest(points, parts, k)  # (N, G, k)
        self.radii = _open(nearest.flatten(1).kthvalue(k).values, points)
        without = [
            torch.cat([nearest[:, :i], nearest[:, i + 1 :]], dim=1).flatten(1).kthvalue(k).values
            for i in range(len(parts))
        ]
        self.without = _open(torch.stack(without, dim=1), points[:, None])  # (N, G)
        self.widest = self.without.amax(dim=1)

    def by_block(self, columns: Tensor) -> tuple[Tensor, ...]:
        return torch.split(columns, self.sizes, dim=1)

    def recalled(self, distances: Tensor) -> Tensor:
        """Is each real in a ball (first column), and is it without block g (column 1 + g)? From squared
        distances (R, N) -> (R, 1 + G).

        Balls only grow when others' samples go: a real that balls of two blocks hold is held without any
        one block. Only for the others the grown balls are looked at, pair by pair.
        """
        held = torch.stack([part.any(dim=1) for part in self.by_block(distances < self.radii)], dim=1)
        result = torch.ones(len(distances), 1 + len(self.sizes), dtype=torch.bool)
        weak = held.sum(dim=1) < 2
        rows, samples = (distances[weak] < self.widest).nonzero(as_tuple=True)
        reached = distances[weak][rows, samples, None] < self.without[samples]
        reached &= self.block[samples, None] != torch.arange(len(self.sizes))
        times = torch.zeros(int(weak.sum()), len(self.sizes)).index_add_(0, rows, reached.float())
        result[:, 0] = held.any(dim=1)
        result[weak, 1:] = times > 0
        return result


def _squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """‖a_i − b_j‖² (N, M) by its expansion: a matrix product, off by rounding at 0."""
    return torch.addmm(b.square().sum(dim=1), a, b.T, alpha=-2).add_(a.square().sum(dim=1, keepdim=True))


def _nearest(points: Tensor, parts: list[Tensor], k: int) -> Tensor:
    """The k smallest squared distances of each point to the others of each part: (N, G, k), ascending.

    `points` are all parts in their order; where a part has fewer than k others the rest is infinite."""
    found = torch.full((len(points), len(parts), k), torch.inf, dtype=points.dtype)
    first = 0
    for g, part in enumerate(parts):
        for start in range(0, len(points), TILE):
            rows = points[start : start + TILE]
            distances = _squared_distances(rows, part)
            distances.diagonal(start - first).fill_(torch.inf)  # a point is no neighbour of its own
            few = min(k, len(part))
            found[start : start + TILE, g, :few] = distances.topk(few, largest=False).values
        first += len(part)
    return found


def _open(squared: Tensor, points: Tensor) -> Tensor:
    """Squared radii against which `<` is strict whatever the rounding; −∞ for balls without extent."""
    same = SAME**2 * points.square().sum(dim=-1)
    return torch.where(squared <= same, -torch.inf, squared * (1 - OPEN))


def _real_radii(reals: Tensor, near: int, wide: int) -> tuple[Tensor, Tensor]:
    nearest = _nearest(reals, list(reals.tensor_split(BLOCKS)), max(near, wide)).flatten(1)
    near_radii, wide_radii = (_open(nearest.kthvalue(k).values, reals) for k in (near, wide))
    return near_radii, wide_radii
