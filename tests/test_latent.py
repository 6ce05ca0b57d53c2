from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.latent import active_units, log_aggregate, marginal_kl, mutual_information
from genlab.randomness import generator

N = 4000


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=generator(seed, "test/latent"), dtype=torch.float64)


def density(z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    per_dimension: Tensor = torch.distributions.Normal(mean, (log_var / 2).exp()).log_prob(z)
    return per_dimension.sum(dim=-1)


def channel(spread: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Means, log-variances and a draw each of q(z|x) = N(m(x), noise²) with m ~ N(0, spread²)."""
    means = normal(N, len(spread)) * spread
    log_vars = (2 * noise.log()).expand(N, -1)
    return means, log_vars, means + noise * normal(N, len(spread), seed=1)


def test_the_mixture_s_density_is_that_of_torch() -> None:
    means, log_vars = normal(30, 4), normal(30, 4, seed=1)
    draws = 2 * normal(700, 4, seed=2)
    each = torch.distributions.Independent(torch.distributions.Normal(means, (log_vars / 2).exp()), 1)
    mixture = torch.distributions.MixtureSameFamily(torch.distributions.Categorical(torch.ones(30)), each)
    assert torch.allclose(log_aggregate(draws, means, log_vars), mixture.log_prob(draws), atol=1e-9)


def test_narrow_posteriors_far_out_lose_no_digits() -> None:
    """Where means are far from 0 and variances small, what is expanded cancels."""
    means = 30 + normal(20, 3)
    log_vars = torch.full((20, 3), -8.0, dtype=torch.float64)
    found = log_aggregate(means.float(), means.float(), log_vars.float())
    exact = torch.logsumexp(density(means[:, None].float().double(), means.float().double(), log_vars), dim=1)
    assert torch.allclose(found, exact - math.log(20), atol=1e-6)


def test_the_rate_splits_into_what_is_shared_and_how_far_the_codes_lie() -> None:
    """A Gaussian channel: I = ½ Σ ln(1 + s²/n²), and q(z) = N(0, s² + n²) has a closed KL from N(0, 1)."""
    spread = torch.tensor([0.9, 0.6, 0.0], dtype=torch.float64)
    noise = torch.tensor([0.3, 1.0, 1.3], dtype=torch.float64)
    means, log_vars, draws = channel(spread, noise)
    aggregate = log_aggregate(draws, means, log_vars)
    shared = mutual_information(density(draws, means, log_vars), aggregate)
    apart = marginal_kl(aggregate, density(draws, torch.zeros(3), torch.zeros(3)))
    total = spread.square() + noise.square()
    expected = 0.5 * (1 + spread.square() / noise.square()).log().sum().item()
    kl = 0.5 * (total - 1 - total.log()).sum().item()
    assert shared.value == pytest.approx(expected, abs=0.05)
    assert shared.low < expected < shared.high
    assert apart.value == pytest.approx(kl, abs=0.05)
    rate = 0.5 * (total - 1 - 2 * noise.log()).sum().item()
    assert shared.value + apart.value == pytest.approx(rate, abs=0.05)


def test_it_can_not_exceed_the_logarithm_of_the_number_of_images() -> None:
    means, log_vars, draws = channel(torch.full((10,), 3.0).double(), torch.full((10,), 0.01).double())
    shared = mutual_information(density(draws, means, log_vars), log_aggregate(draws, means, log_vars))
    assert shared.value == pytest.approx(math.log(N), abs=1e-6)
    assert shared.high <= math.log(N)


def test_the_density_of_other_draws_bounds_the_distance_from_below() -> None:
    """A Gaussian of the right moments reaches it, one of wrong moments stays below."""
    spread, noise = torch.tensor([0.9, 0.6]).double(), torch.tensor([0.3, 1.3]).double()
    _, _, draws = channel(spread, noise)
    total = spread.square() + noise.square()
    log_prior = density(draws, torch.zeros(2), torch.zeros(2))
    right, wrong = (
        marginal_kl(density(draws, torch.zeros(2), v.log()), log_prior) for v in (total, 2 * total)
    )
    kl = 0.5 * (total - 1 - total.log()).sum().item()
    assert right.low < kl < right.high
    assert wrong.high < kl


def test_a_collapsed_posterior_shares_nothing() -> None:
    means, log_vars, draws = channel(torch.zeros(4).double(), torch.ones(4).double())
    aggregate = log_aggregate(draws, means, log_vars)
    assert mutual_information(density(draws, means, log_vars), aggregate).value == pytest.approx(0, abs=1e-9)
    apart = marginal_kl(aggregate, density(draws, torch.zeros(4), torch.zeros(4)))
    assert apart.value == pytest.approx(0, abs=1e-9)
    assert active_units(means).value == 0


def test_active_units_are_those_whose_means_move() -> None:
    means = normal(500, 5) * torch.tensor([1.0, 0.2, 0.09, 0.01, 0.0]) + torch.tensor([0.0, 5, 0, -3, 2])
    found = active_units(means)
    assert found.value == 2
    assert (found.low, found.high) == (2, 2), "nothing near the threshold"
    near = normal(200, 40) * 0.1
    assert active_units(near).low < active_units(near).value < active_units(near).high
    order = torch.randperm(500, generator=generator(2, "test/latent"))
    assert active_units(means[order]).value == 2


def test_too_few_images_are_refused() -> None:
    with pytest.raises(UserError, match="too few"):
        active_units(normal(39, 2))
    with pytest.raises(UserError, match=r"\(N, Z\)"):
        active_units(normal(39))
