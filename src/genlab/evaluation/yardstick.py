"""One yardstick for every family: samples against held-out images, beside a floor and a ceiling.

A number means something only beside `floor` (what training images, which are as real as can be, would get)
and `ceiling` (what noise would get), at the same N and through the same feature network.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from genlab.data import to_float
from genlab.errors import UserError
from genlab.evaluation.references import References, chosen
from genlab.metrics.coverage import class_shares, classes_covered, entropy, kl_divergence, mean_confidence
from genlab.metrics.frechet import Moments, frechet_from_moments, moments, pooled
from genlab.metrics.memorisation import c_t, nearest
from genlab.metrics.sharpness import sharpness, sharpness_ratio
from genlab.metrics.unavailable import Unavailable
from genlab.randomness import generator

STANDARD_COUNT = 10_000
BLOCKS = 20
NO_SUCH_CLASS = "the samples have a class that the test images lack"
STUDENT_19 = 2.0930  # the 97.5 % point of Student's t with BLOCKS - 1 degrees of freedom


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % interval: what other samples of the same size from the same source would do."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Classes:
    """What a classifier makes of the samples."""

    covered: int
    """Classes with at least a tenth of an equal share of the samples (1 % where there are ten)."""
    known: int
    """Classes that the classifier tells apart."""
    entropy: float
    """Of the samples' classes, in nats; ln(known) when all are equally frequent."""
    evenness: float
    """That entropy as a fraction of ln(known)."""
    divergence: float | Unavailable
    """KL of the samples' classes from the test images' classes, in nats."""
    confidence: float
    """The mean largest probability."""


@dataclass(frozen=True)
class Measurement:
    """What one set of samples gets. Compare only where `extractor`, `data` and `count` agree."""

    extractor: str
    data: str
    count: int
    fid: Estimate
    """Fréchet distance to the test images on the extractor's features; its upward bias is set by N."""
    classes: Classes | Unavailable
    sharpness: float
    """Mean sharpness over that of the test images: below 1 blurred, above 1 noisy or jagged."""
    c_t: float | Unavailable
    """Copying test: N(0, 1) for samples as far from the training images as test images are; far below 0 they
    lie too close (copies, or too typical), far above too far."""

    def as_json(self) -> dict[str, object]:
        """Plain numbers, strings and dicts; {"unavailable": reason} for what is missing."""
        plain = asdict(self)
        if isinstance(self.c_t, Unavailable):
            plain["c_t"] = self.c_t.as_json()
        if isinstance(self.classes, Unavailable):
            plain["classes"] = self.classes.as_json()
        elif isinstance(self.classes.divergence, Unavailable):
            plain["classes"]["divergence"] = self.classes.divergence.as_json()
        return plain


def measure(samples: Tensor, references: References) -> Measurement:
    """Everything that is said of samples (N, C, H, W) in [-1, 1]; the standard N is 10 000.

    Raises UserError for fewer than 40 samples, NaN or infinite pixels, or another shape than the data's.
    """
    if len(samples) < 2 * BLOCKS:
        raise UserError(f"{len(samples)} samples are too few to measure; draw at least {2 * BLOCKS}.")
    if not bool(torch.isfinite(samples).all()):
        raise UserError("The samples contain NaN or infinite pixels; the model that drew them has diverged.")
    seen = references.extractor(samples)
    return Measurement(
        extractor=references.extractor.identity,
        data=references.data,
        count=len(samples),
        fid=fid(seen.features, references.test_moments),
        classes=classes(seen.probabilities, references.test.probabilities),
        sharpness=sharpness_ratio(sharpness(samples), references.test_sharpness),
        c_t=c_t(references.test_nearest, nearest(seen.features, references.train), references.cells),
    )


def floor(references: References, count: int = STANDARD_COUNT) -> Measurement:
    """What a fixed choice of training images gets: samples as real as can be, and copies, as C_T must say."""
    pixels = references.dataset.train.pixels[chosen(len(references.dataset.train), count).numpy()]
    return measure(to_float(torch.tensor(pixels)), references)


def ceiling(references: References, count: int = STANDARD_COUNT) -> Measurement:
    """What uniform noise gets."""
    noise = torch.rand(count, *references.dataset.shape, generator=generator(0, "evaluation/ceiling"))
    return measure(2 * noise - 1, references)


def fid(features: Tensor, reference: Moments) -> Estimate:
    """The Fréchet distance of features (N, F) to fixed reference moments, with a jackknife interval.

    The moments of 20 disjoint blocks add up to those of all, and to those of all but one block; the spread
    of the distances without one block gives the variance (the grouped jackknife; resampling with replacement
    would repeat samples, which adds to a Fréchet distance). It says what other independent samples of the
    same model would get against the same test images at the same N, and nothing of another training.
    """
    order = torch.randperm(len(features), generator=generator(0, "evaluation/blocks"))  # they may come sorted
    blocks = [moments(features[part]) for part in torch.chunk(order, BLOCKS)]
    value = frechet_from_moments(pooled(blocks), reference)
    without = torch.tensor(
        [frechet_from_moments(pooled(blocks[:i] + blocks[i + 1 :]), reference) for i in range(len(blocks))],
        dtype=torch.float64,
    )
    error = float((without - without.mean()).square().sum() * (len(blocks) - 1) / len(blocks)) ** 0.5
    return Estimate(value, max(0.0, value - STUDENT_19 * error), value + STUDENT_19 * error)


def classes(probabilities: Tensor | Unavailable, reference: Tensor | Unavailable) -> Classes | Unavailable:
    """How the classes of samples (N, K) spread, and how far from those of real images (M, K)."""
    if isinstance(probabilities, Unavailable):
        return probabilities
    if isinstance(reference, Unavailable):
        return reference
    shares = class_shares(probabilities)
    divergence = kl_divergence(shares, class_shares(reference))
    known = len(shares)
    return Classes(
        covered=classes_covered(shares),
        known=known,
        entropy=entropy(shares),
        evenness=entropy(shares) / math.log(known),
        divergence=divergence if math.isfinite(divergence) else Unavailable(NO_SUCH_CLASS),
        confidence=mean_confidence(probabilities),
    )
