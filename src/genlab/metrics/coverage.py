"""Which classes do samples reach, how evenly, and how sure is the classifier of them?

A share here is a count: each image goes to its most probable class. Counting, rather than averaging the
probabilities, keeps a classifier's doubt about one image from looking like an image of every class.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.features import checked
from genlab.metrics.intervals import Estimate, jackknifed


def class_shares(probabilities: Tensor) -> Tensor:
    """The fraction of images whose most probable class is k: (N, K) -> (K,) float64, summing to 1."""
    if probabilities.ndim != 2 or probabilities.shape[0] < 1 or not bool(torch.isfinite(probabilities).all()):
        raise UserError(
            f"Class shares need finite class probabilities (N, K) with N >= 1, not a tensor of shape "
            f"{tuple(probabilities.shape)} or one with NaN; check the samples."
        )
    counts = torch.bincount(probabilities.argmax(dim=1), minlength=probabilities.shape[1])
    return counts.double() / len(probabilities)


def classes_covered(shares: Tensor, fraction: float = 0.1) -> int:
    """How many classes get at least `fraction` of an equal share: of ten classes, 1 % of the images each."""
    return int((shares >= fraction / len(shares)).sum())


def entropy(shares: Tensor) -> float:
    """−Σ s ln s in nats; ln K when all K classes are equally frequent, 0 when only one appears."""
    return float(torch.special.entr(shares.double()).sum())


def kl_divergence(shares: Tensor, reference: Tensor) -> float:
    """KL(shares ‖ reference) in nats; infinite where the samples have a class that the reference lacks.

    With `reference` uniform this is ln K − entropy(shares), the number of the Stacked-MNIST tables.
    """
    if shares.shape != reference.shape:
        raise UserError(
            f"Shares of {len(shares)} and of {len(reference)} classes cannot be compared; use one classifier."
        )
    shares, reference = shares.double(), reference.double()
    return max(0.0, float((torch.xlogy(shares, shares) - torch.xlogy(shares, reference)).sum()))


def class_score(probabilities: Tensor) -> Estimate:
    """exp E KL(p(y|x) ‖ p(y)) of class probabilities (N, K), 1 to K, with its jackknife interval.

    The formula of the Inception Score (Salimans et al. 2016, section 4), on whatever classifier gave the
    probabilities: high for samples that each look like one class and together like all of them. It never
    looks at a real image.
    """

    def score(some: Tensor) -> float:
        each = torch.special.entr(some).sum(dim=1).mean()
        return math.exp(float(torch.special.entr(some.mean(dim=0)).sum() - each))

    return jackknifed(score, checked(probabilities, "A class score").double(), 1, probabilities.shape[1])


def mean_confidence(probabilities: Tensor) -> float:
    """The mean over images of the largest class probability: (N, K) -> 1/K ... 1.

    High for samples that look like some class, whichever it is; says nothing about variety."""
    return float(probabilities.double().amax(dim=1).mean())
