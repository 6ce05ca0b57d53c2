from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture as SklearnMixture

from genlab.errors import UserError
from genlab.networks.prior import GaussianMixture, StandardNormal, fit_mixture
from genlab.randomness import generator


@pytest.fixture
def mixture() -> GaussianMixture:
    scales = torch.tensor([[[1.0, 0.0], [0.5, 0.3]], [[0.2, 0.0], [-0.1, 2.0]], [[1.0, 0.0], [0.0, 1.0]]])
    means = torch.tensor([[0.0, 0.0], [4.0, -1.0], [-3.0, 2.0]])
    return GaussianMixture(torch.tensor([0.5, 0.3, 0.2]), means, scales)


def test_the_mixture_s_density_is_scipy_s(mixture: GaussianMixture) -> None:
    z = 3 * torch.randn(20, 2, generator=generator(0, "test"))
    density = sum(
        w.item() * multivariate_normal(m.numpy(), (s @ s.T).numpy()).pdf(z.numpy())
        for w, m, s in zip(mixture.weights, mixture.means, mixture.scales, strict=True)
    )
    assert np.allclose(mixture.log_density(z).numpy(), np.log(density), rtol=1e-4, atol=1e-4)


def test_a_component_of_no_weight_counts_for_nothing(mixture: GaussianMixture) -> None:
    z = torch.tensor([[-3.0, 2.0]])
    without = GaussianMixture(torch.tensor([0.6, 0.4, 0.0]), mixture.means, mixture.scales)
    two = GaussianMixture(torch.tensor([0.6, 0.4]), mixture.means[:2], mixture.scales[:2])
    assert torch.allclose(without.log_density(z), two.log_density(z))
    assert (without.sample(500, generator(0, "test"))[:, 0] > -5).all()


def test_the_mixture_s_samples_have_its_moments(mixture: GaussianMixture) -> None:
    n = 40_000
    z = mixture.sample(n, generator(0, "test"))
    assert z.shape == (n, 2)
    mean = mixture.weights @ mixture.means
    within = torch.einsum("k,kij,klj->il", mixture.weights, mixture.scales, mixture.scales)
    covariance = within + torch.cov(mixture.means.T, correction=0, aweights=mixture.weights)
    assert torch.allclose(z.mean(dim=0), mean, atol=5 * (covariance.max() / n).sqrt().item())
    assert torch.allclose(torch.cov(z.T), covariance, rtol=0.05, atol=0.1)


def test_the_mixture_s_samples_come_in_no_order(mixture: GaussianMixture) -> None:
    first, second = mixture.sample(4000, generator(0, "test")).chunk(2)
    assert torch.allclose(first.mean(dim=0), second.mean(dim=0), atol=0.35)


def test_the_standard_normal() -> None:
    prior = StandardNormal(3)
    z = prior.sample(20_000, generator(0, "test"))
    assert z.mean(dim=0).abs().max() < 0.04
    assert torch.allclose(torch.cov(z.T), torch.eye(3), atol=0.05)
    theirs = multivariate_normal(np.zeros(3)).logpdf(z[:9].numpy())
    assert np.allclose(prior.log_density(z[:9]).numpy(), theirs, atol=1e-4)


@pytest.mark.parametrize("kind", ["normal", "mixture"])
def test_samples_are_a_function_of_the_generator(kind: str, mixture: GaussianMixture) -> None:
    prior = mixture if kind == "mixture" else StandardNormal(2)
    assert torch.equal(prior.sample(5, generator(1, "a")), prior.sample(5, generator(1, "a")))
    assert not torch.equal(prior.sample(5, generator(1, "a")), prior.sample(5, generator(2, "a")))


def test_a_fitted_mixture_ends_where_sklearn_s_does(mixture: GaussianMixture) -> None:
    codes = mixture.sample(2000, generator(0, "codes"))
    fitted = fit_mixture(codes, 3, seed=0)
    reference = SklearnMixture(3, reg_covar=1e-4, max_iter=60, tol=1e-3, random_state=0).fit(codes.double())
    points = mixture.sample(50, generator(0, "points"))
    assert np.allclose(fitted.log_density(points), reference.score_samples(points.double()), atol=0.02)
    gain = fitted.log_density(points).mean() - StandardNormal(2).log_density(points).mean()
    assert gain > 1, "it fits better than what it takes the place of"


def test_too_few_codes_are_refused() -> None:
    with pytest.raises(UserError, match="3 components needs 6 codes or more, not 5"):
        fit_mixture(torch.randn(5, 2), 3, seed=0)
