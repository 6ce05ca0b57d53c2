"""How many modes of a known distribution do samples reach, and how evenly?

The metrics of Lin et al. (2018), "PacGAN", section 4, after Srivastava et al. (2017), on points of the plane
and, with a classifier in the place of the nearest mean, on stacked digits. All start from counts, (K,) int64:
how many samples belong to each of the K modes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.coverage import kl_divergence
from genlab.metrics.unavailable import Unavailable

RADIUS = 3.0  # standard deviations


def near_modes(points: Tensor, means: Tensor, deviation: float, radius: float = RADIUS) -> Tensor:
    """The high-quality samples of each mode: points (N, D) less than `radius` standard deviations (the
    Mahalanobis distance) from their nearest mean, of means (K, D), counted by mode: (K,).

    Raises UserError for points that are not finite, or not of the means' dimension.
    """
    if points.ndim != 2 or points.shape[1:] != means.shape[1:] or not bool(torch.isfinite(points).all()):
        raise UserError(
            f"Modes are counted in finite points (N, {means.shape[1]}), not in a tensor of shape "
            f"{tuple(points.shape)} or one with NaN; check the samples."
        )
    distances, nearest = torch.cdist(points.double(), means.double()).min(dim=1)
    return class_counts(nearest[distances < radius * deviation], len(means))


def class_counts(labels: Tensor, classes: int) -> Tensor:
    """How many of labels (N,), each in 0 … classes − 1, are of each class: (classes,)."""
    if labels.ndim != 1 or bool(((labels < 0) | (labels >= classes)).any()):
        raise UserError(f"Classes are counted in labels (N,) from 0 to {classes - 1}; check the classifier.")
    return torch.bincount(labels, minlength=classes)


def modes_hit(counts: Tensor) -> int:
    """The modes with at least one sample of theirs, of counts (K,)."""
    return int((counts > 0).sum())


def high_quality(counts: Tensor, drawn: int) -> float:
    """The share of `drawn` samples that belong to a mode at all. Exact samples of Gaussians in the plane have
    1 − exp(−9/2) = 98.89 % within three standard deviations."""
    near = int(counts.sum())
    assert near <= drawn, (near, drawn)
    return near / drawn


def reverse_kl(counts: Tensor) -> float | Unavailable:
    """KL(samples' modes ‖ uniform) = ln K − H(counts / N) in nats, of the samples that belong to a mode.

    The entropy of counts is too small: N exact samples have (K − 1)/2N on average (Miller, 1955), so that
    values compare at one N only.
    """
    total = int(counts.sum())
    if total == 0:
        return Unavailable("no sample is near any mode")
    return kl_divergence(counts / total, torch.full((len(counts),), 1 / len(counts), dtype=torch.float64))
