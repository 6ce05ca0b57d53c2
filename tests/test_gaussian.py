from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Independent, Normal, kl_divergence

from genlab.functional import gaussian
from genlab.functional.gaussian import DiagonalGaussian

reals = st.floats(-5, 5, allow_nan=False)


def test_the_divergence_of_n_1_4_is_the_known_number() -> None:
    q = DiagonalGaussian(torch.ones(1, 1), torch.full((1, 1), math.log(4)))
    assert gaussian.kl_divergence(q).item() == pytest.approx(0.5 * (1 + 4 - 1 - math.log(4)), rel=1e-6)
    assert round(gaussian.kl_divergence(q).item(), 5) == 1.30685


@settings(deadline=None, derandomize=True, max_examples=50)
@given(means=st.lists(reals, min_size=3, max_size=3), log_vars=st.lists(reals, min_size=3, max_size=3))
def test_divergence_and_density_are_torch_s(means: list[float], log_vars: list[float]) -> None:
    q = DiagonalGaussian(torch.tensor([means]).double(), torch.tensor([log_vars]).double())
    theirs = Independent(Normal(q.mean, q.std), 1)
    standard = Independent(Normal(torch.zeros(1, 3).double(), torch.ones(1, 3).double()), 1)
    assert torch.allclose(gaussian.kl_divergence(q), kl_divergence(theirs, standard))
    z = torch.tensor([[0.3, -2.0, 1.0]]).double()
    assert torch.allclose(gaussian.log_density(z, q), theirs.log_prob(z))
    assert torch.allclose(gaussian.standard_log_density(z), standard.log_prob(z))


def test_per_dimension_sums_to_the_whole() -> None:
    q = DiagonalGaussian(torch.randn(4, 3), torch.randn(4, 3))
    assert gaussian.kl_per_dimension(q).shape == (4, 3)
    assert torch.equal(gaussian.kl_per_dimension(q).sum(dim=1), gaussian.kl_divergence(q))
    assert (gaussian.kl_per_dimension(q) >= 0).all()


def test_no_divergence_from_the_prior_itself() -> None:
    assert gaussian.kl_divergence(DiagonalGaussian(torch.zeros(2, 5), torch.zeros(2, 5))).tolist() == [0, 0]


def test_reparameterization_shifts_and_scales_the_noise() -> None:
    q = DiagonalGaussian(torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, math.log(9)]]))
    z = gaussian.reparameterize(q, torch.tensor([[0.5, 2.0]]))
    assert torch.allclose(z, torch.tensor([[1.5, 4.0]]))
