"""The Fréchet distance between two Gaussians fitted to features (FID: Heusel et al. 2017, equation 6).

It is biased upwards by an amount that moves with the number of samples: two samples of N from one
N(0, σ²I_d) lie σ²[d(d+1)/2N + 2d/N] apart on average. Distances are comparable only at one N and on one
feature network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab.errors import UserError


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
    if a.mean.shape != b.mean.shape:
        raise UserError(
            f"Features of {len(a.mean)} and of {len(b.mean)} dimensions cannot be compared; "
            f"take both from the same feature network."
        )
    values, vectors = torch.linalg.eigh(a.covariance)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    overlap = torch.linalg.eigvalsh(root @ b.covariance @ root).clamp(min=0).sqrt().sum()
    spread = a.covariance.trace() + b.covariance.trace() - 2 * overlap
    return max(0.0, float((a.mean - b.mean).square().sum() + spread))


def frechet_distance(features_a: Tensor, features_b: Tensor) -> float:
    """The squared Fréchet distance between Gaussians fitted to features (N, F) and (M, F), in float64.

    Raises UserError for fewer than two samples, non-finite features or different F.
    """
    return frechet_from_moments(moments(features_a), moments(features_b))
