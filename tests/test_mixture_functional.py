"""Expectation–maximisation, held against SciPy's densities and scikit-learn's rounds."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as SklearnMixture
from torch import Tensor

from genlab.functional.mixture import Mixture, coefficients, expectation_maximisation, maximised, products
from genlab.randomness import generator


def scattered(count: int, size: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Three overlapping clouds of different shapes and sizes, (count, size)."""
    rng = generator(0, "test/mixture")
    shapes = torch.randn(3, size, size, generator=rng, dtype=dtype) * 0.6
    middles = 1.5 * torch.randn(3, size, generator=rng, dtype=dtype)
    of = torch.multinomial(torch.tensor([0.6, 0.3, 0.1]), count, replacement=True, generator=rng)
    noise = torch.randn(count, size, generator=rng, dtype=dtype)
    return middles[of] + torch.einsum("nij,nj->ni", shapes[of], noise)


def soft(count: int, components: int) -> Tensor:
    rng = generator(0, "test/closeness")
    return torch.rand(count, components, generator=rng, dtype=torch.float64).softmax(dim=1)


def test_log_densities_are_products() -> None:
    points, closeness = scattered(200, 3), soft(200, 2)
    mixture = maximised(closeness.T @ products(points), 3, 1e-4)
    found = products(points) @ coefficients(mixture).T
    for k in range(2):
        covariance = mixture.scales[k] @ mixture.scales[k].T
        theirs = multivariate_normal(mixture.means[k], covariance).logpdf(points)
        assert np.allclose(found[:, k], theirs + mixture.weights[k].log().item(), atol=1e-10)


def test_moments_are_weighted_moments() -> None:
    points, closeness = scattered(300, 4), soft(300, 3)
    mixture = maximised(closeness.T @ products(points), 4, 0.01)
    for k in range(3):
        theirs = np.cov(points.T, aweights=closeness[:, k], ddof=0) + 0.01 * np.eye(4)
        assert np.allclose(mixture.scales[k] @ mixture.scales[k].T, theirs, atol=1e-10)
        mean = np.average(points, axis=0, weights=closeness[:, k])
        assert np.allclose(mixture.means[k], mean, atol=1e-12)
    assert torch.allclose(mixture.weights, closeness.mean(dim=0))


@pytest.mark.parametrize("rounds", [1, 7])
def test_it_takes_sklearn_s_rounds(rounds: int) -> None:
    """From the same start, the same mixture after the same number of rounds."""
    points = scattered(500, 3)
    start = maximised(soft(500, 3).T @ products(points), 3, 1e-4)
    scales = torch.cholesky_inverse(start.scales)
    theirs = SklearnMixture(
        3, reg_covar=1e-4, max_iter=rounds, tol=0,
        weights_init=start.weights, means_init=start.means, precisions_init=scales,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        theirs.fit(points.numpy())
    ours = expectation_maximisation(points, soft(500, 3), steps=rounds + 1, least=1e-4, tolerance=0)
    assert np.allclose(ours.means, theirs.means_, atol=1e-7)
    assert np.allclose(ours.weights, theirs.weights_, atol=1e-7)
    assert np.allclose(ours.scales @ ours.scales.mT, theirs.covariances_, atol=1e-7)


def mean_density(mixture: Mixture, points: Tensor) -> float:
    return float(torch.logsumexp(products(points) @ coefficients(mixture).T, dim=1).mean())


def test_every_round_raises_the_likelihood() -> None:
    points, closeness = scattered(400, 3), soft(400, 3)
    reached = [
        mean_density(expectation_maximisation(points, closeness, steps=n, least=0, tolerance=0), points)
        for n in range(1, 12)
    ]
    assert all(before < after + 1e-9 for before, after in itertools.pairwise(reached))


def test_single_precision_far_from_the_origin_is_nearly_the_same() -> None:
    points, closeness = scattered(500, 3) + 30, soft(500, 3)
    exact = expectation_maximisation(points, closeness, steps=20, least=1e-4, tolerance=0)
    rough = expectation_maximisation(points.float(), closeness.float(), steps=20, least=1e-4, tolerance=0)
    assert mean_density(rough, points) == pytest.approx(mean_density(exact, points), abs=1e-4)


def test_a_component_without_points_stays_without_weight() -> None:
    closeness = soft(200, 2)
    alone = torch.cat([closeness, torch.zeros(200, 1, dtype=torch.float64)], dim=1)
    fitted = expectation_maximisation(scattered(200, 2), alone, steps=5, least=1e-4, tolerance=0)
    assert fitted.weights[2] < 1e-9
    assert all(bool(tensor.isfinite().all()) for tensor in fitted)


def test_it_stops_where_nothing_is_gained() -> None:
    points, closeness = scattered(400, 3), soft(400, 3)
    once = expectation_maximisation(points, closeness, steps=2, least=1e-4, tolerance=0)
    stopped = expectation_maximisation(points, closeness, steps=50, least=1e-4, tolerance=1e9)
    assert torch.equal(stopped.means, once.means)
