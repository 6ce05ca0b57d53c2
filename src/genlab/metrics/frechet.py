"""The Fréchet distance between two Gaussians fitted to features (FID: Heusel et al. 2017, equation 6).

It is biased upwards by an amount that moves with the number of samples: two samples of N from one
N(0, σ²I_d) lie σ²[d(d+1)/2N + 2d/N] apart on average. Distances are comparable only at one N and on one
feature network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.features import checked
from genlab.metrics.intervals import Estimate, blocks, jackknife
from genlab.metrics.unavailable import Unavailable

PARTS = 10  # the extrapolation looks at N, N/2, … N/10 samples
FEWEST_PARTS = 3


@dataclass(frozen=True)
class Moments:
    """What the distance knows of a sample, in float64: mean (F,), unbiased covariance (F, F), count."""

    mean: Tensor
    covariance: Tensor
    count: int


def moments(features: Tensor) -> Moments:
    """The first two moments of features (N, F). Raises UserError for N < 2 and for NaN or infinity."""
    if features.ndim != 2 or features.shape[0] < 2 or features.shape[1] < 1:
        raise UserError(
            f"A Fréchet distance needs at least 2 samples as rows of features (N, F), "
            f"but these have shape {tuple(features.shape)}; draw more samples."
        )
    if not bool(torch.isfinite(features).all()):
        raise UserError(
            "The features contain NaN or infinity, so no distance is defined; look for non-finite pixels "
            "in the samples or a model that diverged."
        )
    features = features.double()
    mean = features.mean(dim=0)
    centred = features - mean
    return Moments(mean, centred.T @ centred / (len(features) - 1), len(features))


def pooled(parts: Sequence[Moments]) -> Moments:
    """The moments of the union of disjoint samples, from the moments of each (Chan et al. 1979)."""
    count = sum(part.count for part in parts)
    means = torch.stack([part.mean for part in parts])
    counts = torch.tensor([part.count for part in parts], dtype=torch.float64, device=means.device)
    mean = (counts / count) @ means
    between = means - mean
    scatter = (between.T * counts) @ between
    for part in parts:
        scatter = scatter + (part.count - 1) * part.covariance
    return Moments(mean, scatter / (count - 1), count)


def frechet_from_moments(a: Moments, b: Moments) -> float:
    """‖μ_a − μ_b‖² + tr(A + B − 2(A^½ B A^½)^½), clamped at 0 against rounding.

    A^½ B A^½ is symmetric and has the eigenvalues of AB, so that symmetric eigendecompositions suffice and
    singular covariances need no special care.
    """
    return _distance_to(a)(b)


def _distance_to(a: Moments) -> Callable[[Moments], float]:
    """The distance of other moments to these, whose root is taken only once."""
    values, vectors = torch.linalg.eigh(a.covariance)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T

    def distance(b: Moments) -> float:
        if a.mean.shape != b.mean.shape:
            raise UserError(
                f"Features of {len(a.mean)} and of {len(b.mean)} dimensions cannot be compared; "
                f"take both from the same feature network."
            )
        overlap = torch.linalg.eigvalsh(root @ b.covariance @ root).clamp(min=0).sqrt().sum()
        spread = a.covariance.trace() + b.covariance.trace() - 2 * overlap
        return max(0.0, float((a.mean - b.mean).square().sum() + spread))

    return distance


def frechet_distance(features_a: Tensor, features_b: Tensor) -> float:
    """The squared Fréchet distance between Gaussians fitted to features (N, F) and (M, F), in float64.

    Raises UserError for fewer than two samples, non-finite features or different F.
    """
    return frechet_from_moments(moments(features_a), moments(features_b))


def fid(features: Tensor, reference: Moments) -> Estimate:
    """The Fréchet distance of features (N, F), N ≥ 40, to fixed reference moments, with its interval.

    The moments of 20 disjoint blocks add up to those of all, and to those of all but one block: the grouped
    jackknife costs 20 distances. The bias that N sets is part of the value.
    """
    distance, parts = _distance_to(reference), _block_moments(checked(features, "A Fréchet distance"))
    without = [distance(pooled(rest)) for rest in _leave_one_out(parts)]
    return jackknife(distance(pooled(parts)), without, lowest=0.0)


def fid_infinity(features: Tensor, reference: Moments) -> Estimate | Unavailable:
    """FID∞: the intercept of the Fréchet distance against 1/N (Chong & Forsyth 2020), with its interval.

    The distance is taken at N, N/2, … N/10 samples, evenly spaced in 1/N; at N/g it is the mean over g
    disjoint parts, so that every sample counts once at every size, where the paper draws one subset at each
    of 15 sizes. It takes away the bias of the samples, not that of the reference: for samples of N(0, σ²I_d)
    and M real images of it σ²[d(d+1)/4M + d/M] remains. It may lie below 0.

    The bias is a line in 1/N only while every part has more samples than features (at twice as many it is
    8 % above its line), so that smaller parts are left out; Unavailable where less than N, N/2, N/3 is left.
    """
    features = checked(features, "FID∞")
    sizes = min(PARTS, len(features) // (2 * features.shape[1]))
    if sizes < FEWEST_PARTS:
        fewest = 2 * FEWEST_PARTS * features.shape[1]
        return Unavailable(f"extrapolating over {features.shape[1]} features needs {fewest} samples or more")
    distance, parts = _distance_to(reference), _block_moments(features)
    without = [_intercept(rest, distance, sizes) for rest in _leave_one_out(parts)]
    return jackknife(_intercept(parts, distance, sizes), without)


def _intercept(parts: Sequence[Moments], distance: Callable[[Moments], float], sizes: int) -> float:
    """Where a straight line through (1/n, distance) at n = N/1 … N/sizes meets 1/n = 0 (least squares)."""
    inverse, distances = [], []
    for groups in range(1, sizes + 1):
        bounds = [len(parts) * i // groups for i in range(groups + 1)]
        merged = [pooled(parts[low:high]) for low, high in pairwise(bounds)]
        inverse.append(sum(1 / part.count for part in merged) / groups)
        distances.append(sum(distance(part) for part in merged) / groups)
    line = torch.tensor([[1.0, x] for x in inverse], dtype=torch.float64)
    return float(torch.linalg.lstsq(line, torch.tensor(distances, dtype=torch.float64)[:, None]).solution[0])


def _block_moments(features: Tensor) -> list[Moments]:
    return [moments(features[index]) for index in blocks(len(features))]


def _leave_one_out(parts: list[Moments]) -> list[list[Moments]]:
    return [parts[:i] + parts[i + 1 :] for i in range(len(parts))]
