"""Does a 95 % interval hold what it promises? Every interval, over many samples of one known source.

It promises what other samples of the same size from the same source would get against the same reference:
the mean over the trials themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from genlab.functional.gaussian import DiagonalGaussian
from genlab.metrics import kernel
from genlab.metrics.bins import fit_bins, ndb
from genlab.metrics.coverage import class_divergence, class_score, class_shares, confidence, evenness
from genlab.metrics.frechet import fid, fid_infinity, moments
from genlab.metrics.intervals import Estimate, jackknifed, mean_estimate, proportion
from genlab.metrics.kernel import kid
from genlab.metrics.latent import log_aggregate, mutual_information
from genlab.metrics.neighbours import neighbourhoods
from genlab.metrics.sharpness import relative_sharpness
from genlab.metrics.two_sample import two_sample_accuracy
from genlab.metrics.unavailable import Unavailable
from genlab.randomness import generator

COUNT, SIZE, TRIALS = 300, 4, 120
LEAST = 0.90  # of the trials: 0.95 less 2.5 standard deviations of a share of 120
SLOW = {"extrapolated", "kernels", "neighbours", "learned"}

Estimates = dict[str, Estimate]


class Source(NamedTuple):
    """How samples differ from the reference N(0, I): by a scale and by a shift of their first half."""

    shift: float
    scale: float


def normal(count: int, size: int, step: int) -> Tensor:
    return torch.randn(count, size, generator=generator(0, "test/coverage of intervals", step))


REFERENCE = normal(COUNT, SIZE, 10**6)


def single(found: Estimate | Unavailable) -> Estimate:
    assert isinstance(found, Estimate)
    return found


def frechet(features: Tensor) -> Estimates:
    reference = moments(REFERENCE)
    return {"fid": fid(features, reference)}


def extrapolated(features: Tensor) -> Estimates:
    return {"fid infinity": single(fid_infinity(features, moments(REFERENCE)))}


def kernels(features: Tensor) -> Estimates:
    return {"kid": kid(features, REFERENCE).estimate}


def neighbours(features: Tensor) -> Estimates:
    return dict(vars(neighbourhoods(features, REFERENCE)))


BINS = fit_bins(normal(3000, SIZE, 10**6 + 1), 30)


def binned(features: Tensor) -> Estimates:
    return {"ndb": ndb(features, BINS)}


def learned(features: Tensor) -> Estimates:
    return {"c2st": two_sample_accuracy(features, REFERENCE)}


def classified(features: Tensor) -> Estimates:
    probabilities, shares = (2 * features).softmax(dim=1), class_shares((2 * REFERENCE).softmax(dim=1))
    return {
        "confidence": confidence(probabilities),
        "divergence": single(class_divergence(probabilities, shares)),
        "evenness": evenness(probabilities),
        "score": class_score(probabilities),
    }


def encoded(features: Tensor) -> Estimates:
    """Posteriors of deviation ½ about the features."""
    log_vars = torch.full_like(features, 2 * math.log(0.5))
    noise = normal(len(features), SIZE, int(1e6 * float(features[0, 0].abs())))
    q = DiagonalGaussian(features, log_vars)
    draws = q.sample(noise)
    found = mutual_information(q.log_density(draws), log_aggregate(draws, features, log_vars))
    return {"mutual information": found}


def plain(features: Tensor) -> Estimates:
    first = features[:, 0]
    return {
        "mean": mean_estimate(first),
        "variance": jackknifed(lambda part: float(part.var()), first),
        "proportion": proportion(int((first > 1.5).sum()), len(first)),
        "sharpness": relative_sharpness(first.exp(), REFERENCE[:, 0].exp()),
    }


METRICS: dict[str, Callable[[Tensor], Estimates]] = {
    f.__name__: f
    for f in (frechet, extrapolated, kernels, neighbours, binned, learned, classified, encoded, plain)
}


@pytest.mark.parametrize("source", [Source(0, 1), Source(0.6, 0.8)], ids=["same", "other"])
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in METRICS]
)
def test_intervals_cover_what_other_samples_get(
    name: str, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "SUBSETS", 1)  # the spread is not looked at
    shift = source.shift * torch.tensor([1.0] * (SIZE // 2) + [0.0] * (SIZE // 2))
    trials = TRIALS // 2 if name == "extrapolated" else TRIALS  # a thousand distances each
    found = [METRICS[name](source.scale * normal(COUNT, SIZE, trial) + shift) for trial in range(trials)]
    for part in found[0]:
        estimates = [one[part] for one in found]
        values = np.array([one.value for one in estimates])
        covered = np.mean([one.low <= values.mean() <= one.high for one in estimates])
        assert covered >= LEAST, part
        errors = np.mean([one.error for one in estimates])
        assert errors < 3 * values.std(), part  # an interval that covers by being endless says nothing
