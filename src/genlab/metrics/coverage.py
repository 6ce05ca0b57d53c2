"""Which classes do samples reach, how evenly, and how sure is the classifier of them?

A share here is a count: each image goes to its most probable class. Counting, rather than averaging the
probabilities, keeps a classifier's doubt about one image from looking like an image of every class.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.intervals import Estimate, blocks, jackknife, mean_estimate
from genlab.metrics.unavailable import Unavailable


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


def mean_confidence(probabilities: Tensor) -> float:
    """The mean over images of the largest class probability: (N, K) -> 1/K ... 1.

    High for samples that look like some class, whichever it is; says nothing about variety."""
    return float(probabilities.double().amax(dim=1).mean())


def confidence(probabilities: Tensor) -> Estimate:
    """`mean_confidence` with its interval, of N ≥ 2 images."""
    return mean_estimate(_checked(probabilities).amax(dim=1), 0.0, 1.0)


def class_divergence(probabilities: Tensor, reference: Tensor) -> Estimate | Unavailable:
    """KL of the class shares of images (N, K), N ≥ 40, from `reference` shares (K,), in nats, with its
    interval; about (K − 1)/2N where they are drawn from those shares.

    Unavailable where the images have a class that the reference lacks: the divergence is then infinite."""
    counts = _block_counts(probabilities)
    value = kl_divergence(_shares(counts.sum(dim=0)), reference)
    if not math.isfinite(value):
        return Unavailable("the samples have a class that the test images lack")
    without = [kl_divergence(_shares(rest), reference) for rest in counts.sum(dim=0) - counts]
    return jackknife(value, without, lowest=0.0)


def evenness(probabilities: Tensor) -> Estimate:
    """The entropy of the class shares as a fraction of the largest, ln K, with its interval: (N, K), N ≥ 40.

    UserError for fewer than two classes."""
    counts = _block_counts(probabilities)
    classes = counts.shape[1]
    if classes < 2:
        raise UserError("Evenness needs two classes or more; measure with a classifier that knows them.")
    values = [entropy(_shares(rest)) / math.log(classes) for rest in counts.sum(dim=0) - counts]
    return jackknife(entropy(_shares(counts.sum(dim=0))) / math.log(classes), values, 0.0, 1.0)


def class_score(probabilities: Tensor) -> Estimate:
    """exp E KL(p(y|x) ‖ p(y)), the formula of the Inception Score (Salimans et al. 2016, section 4), from
    class probabilities (N, K), N ≥ 40, with its interval: 1 for one class or none told apart, K at most.

    Over all images at once, where the paper averages over ten parts, which costs it some of its value.
    """
    probabilities = _checked(probabilities)
    parts = [probabilities[index] for index in blocks(len(probabilities))]
    sums = torch.stack([part.sum(dim=0) for part in parts])
    entropies = torch.stack([torch.special.entr(part).sum() for part in parts])
    counts = torch.tensor([len(part) for part in parts], dtype=torch.float64)

    def score(total: Tensor, own: Tensor, count: Tensor) -> float:
        return float((torch.special.entr(total / count).sum() - own / count).exp())

    whole = score(sums.sum(dim=0), entropies.sum(), counts.sum())
    rest = zip(sums.sum(dim=0) - sums, entropies.sum() - entropies, counts.sum() - counts, strict=True)
    return jackknife(whole, [score(*each) for each in rest], 1.0, float(probabilities.shape[1]))


def _checked(probabilities: Tensor) -> Tensor:
    """Probabilities (N, K) in float64, whose rows are ≥ 0 and sum to 1."""
    wide = probabilities.double()
    if wide.ndim != 2 or min(wide.shape) < 1 or not bool(torch.isfinite(wide).all()):
        raise UserError(
            f"Classes are told from finite class probabilities (N, K), not from a tensor of shape "
            f"{tuple(probabilities.shape)} or one with NaN; check the samples."
        )
    if bool((wide < 0).any()) or bool(((wide.sum(dim=1) - 1).abs() > 1e-3).any()):
        raise UserError(
            "Class probabilities must be ≥ 0 and sum to 1 in each row; apply a softmax to logits."
        )
    return wide


def _block_counts(probabilities: Tensor) -> Tensor:
    """How many images of each of 20 blocks go to each class: (20, K)."""
    chosen, classes = _checked(probabilities).argmax(dim=1), probabilities.shape[1]
    return torch.stack([torch.bincount(chosen[index], minlength=classes) for index in blocks(len(chosen))])


def _shares(counts: Tensor) -> Tensor:
    return counts.double() / counts.sum()
