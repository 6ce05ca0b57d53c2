"""The aggregate of the codes: a Gaussian channel's closed forms, ln N, and the jackknife by recomputation."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics import latent
from genlab.metrics.intervals import blocks, jackknife
from genlab.metrics.latent import (
    active_units,
    aggregate,
    kl_per_dimension,
    marginal_kl,
    mutual_information,
)
from genlab.randomness import generator

Codes = tuple[Tensor, Tensor, Tensor]


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=generator(seed, "test/latent"), dtype=torch.float64)


def channel(count: int, size: int, strength: float, seed: int = 0) -> Codes:
    """Posteriors N(a·x, 1 − a²) of x ~ N(0, I): their aggregate is N(0, I), I = −½ ln(1 − a²) a dimension."""
    means = strength * normal(count, size, seed=3 * seed)
    return means, torch.full_like(means, math.log(1 - strength**2)), normal(count, size, seed=3 * seed + 1)


def standard(z: Tensor) -> Tensor:
    return -0.5 * (z.square() + math.log(2 * math.pi)).sum(dim=1)


@pytest.mark.parametrize("strength", [0.5, 0.9])
def test_a_gaussian_channel_has_its_capacity(strength: float) -> None:
    found = [aggregate(*channel(600, 2, strength, seed), standard) for seed in range(12)]
    informations = np.array([one.mutual_information.value for one in found])
    expected = -math.log(1 - strength**2)
    assert informations.mean() == pytest.approx(expected, abs=3 * informations.std() / 12**0.5 + 0.02)
    assert np.mean([one.marginal_kl.value for one in found]) == pytest.approx(0, abs=0.02)


def test_a_shifted_prior_is_the_known_distance_away() -> None:
    """KL(N(0, I) ‖ N(1, I)) = ½ a dimension."""
    found = marginal_kl(*channel(2000, 2, 0.6), lambda z: standard(z - 1))
    assert found.value == pytest.approx(1, abs=0.1)
    assert found.low < 1 < found.high


def test_the_parts_add_up_to_the_mean_rate() -> None:
    means, log_vars, noise = channel(500, 3, 0.7)
    found = aggregate(means, log_vars, noise, standard)
    draws = means + (0.5 * log_vars).exp() * noise
    own = (-0.5 * (math.log(2 * math.pi) + log_vars + noise.square())).sum(dim=1)
    rate = float((own - standard(draws)).mean())
    assert found.mutual_information.value + found.marginal_kl.value == pytest.approx(rate, abs=1e-5)
    assert rate == pytest.approx(float(kl_per_dimension(means, log_vars).sum()), abs=0.1)
    assert mutual_information(means, log_vars, noise) == found.mutual_information
    assert marginal_kl(means, log_vars, noise, standard) == found.marginal_kl


@settings(deadline=None, max_examples=20)
@given(log_var=st.floats(-2000, 5), spread=st.floats(0, 1000))
def test_information_never_exceeds_the_log_of_the_count(log_var: float, spread: float) -> None:
    found = mutual_information(spread * normal(40, 2), torch.full((40, 2), log_var), normal(40, 2, seed=1))
    assert found.value <= math.log(40) + 1e-5
    assert found.low <= found.value
    assert math.isfinite(found.error)


@pytest.mark.parametrize("log_var", [-8.0, -60.0])
def test_codes_far_apart_tell_every_image_from_every_other(log_var: float) -> None:
    found = mutual_information(
        100 + 10 * normal(200, 3), torch.full((200, 3), log_var), normal(200, 3, seed=1)
    )
    assert found.value == pytest.approx(math.log(200), abs=1e-6)


def test_a_collapsed_posterior_says_nothing() -> None:
    means, log_vars = torch.full((300, 2), 0.5), torch.zeros(300, 2)
    found = aggregate(means, log_vars, normal(300, 2), standard)
    assert found.mutual_information.value == pytest.approx(0, abs=1e-9)
    assert found.marginal_kl.value == pytest.approx(2 * 0.5**2 / 2, abs=0.15)
    assert active_units(means)[0] == 0


def by_hand(codes: Codes, index: Tensor) -> tuple[float, float]:
    """Both parts from torch.distributions, all pairs at once."""
    means, log_vars, noise = (tensor[index] for tensor in codes)
    posterior = torch.distributions.Normal(means, (0.5 * log_vars).exp())
    draws = means + posterior.scale * noise
    own = posterior.log_prob(draws).sum(dim=1)
    together = posterior.log_prob(draws[:, None]).sum(dim=2).logsumexp(dim=1) - math.log(len(index))
    return float((own - together).mean()), float((together - standard(draws)).mean())


@pytest.mark.parametrize("tile", [17, 500])
def test_the_jackknife_is_the_one_that_recomputes_everything(
    tile: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latent, "TILE", tile)
    means, _, noise = codes = channel(123, 2, 0.8)
    log_vars = normal(123, 2, seed=7) - 1
    codes = (means, log_vars, noise)
    parts = blocks(123)
    rest = [by_hand(codes, torch.cat(parts[:i] + parts[i + 1 :])) for i in range(20)]
    whole = by_hand(codes, torch.arange(123))
    found = aggregate(*codes, standard)
    for part, estimate in enumerate((found.mutual_information, found.marginal_kl)):
        plain = jackknife(whole[part], [one[part] for one in rest])
        assert estimate.value == pytest.approx(plain.value, abs=1e-6)
        assert estimate.error == pytest.approx(plain.error, rel=1e-4)


def test_order_does_not_matter() -> None:
    codes = channel(90, 4, 0.7)
    order = torch.randperm(90, generator=generator(0, "order"))
    means, log_vars, noise = (tensor[order] for tensor in codes)
    one, other = aggregate(*codes, standard), aggregate(means, log_vars, noise, standard)
    assert other.mutual_information.value == pytest.approx(one.mutual_information.value, abs=1e-9)
    assert other.marginal_kl.value == pytest.approx(one.marginal_kl.value, abs=1e-9)


def test_a_unit_is_active_when_its_mean_moves() -> None:
    means = normal(5000, 3) * torch.tensor([1.0, 0.05, 0.2])
    count, variances = active_units(means)
    assert count == 2
    assert variances.tolist() == pytest.approx([1, 0.0025, 0.04], rel=0.1)
    assert active_units(means, threshold=0.001)[0] == 3


def test_the_rate_of_a_dimension_is_the_closed_form() -> None:
    means, log_vars = torch.tensor([[1.0, 0.0]] * 2), torch.tensor([[math.log(4), 0.0]] * 2)
    assert kl_per_dimension(means, log_vars).tolist() == pytest.approx([1.30685, 0], abs=1e-5)


def test_what_are_no_posteriors_is_said() -> None:
    means, log_vars, noise = channel(50, 2, 0.5)
    with pytest.raises(UserError, match="same posteriors"):
        aggregate(means, log_vars[:, :1], noise, standard)
    with pytest.raises(UserError, match="one row of noise"):
        aggregate(means, log_vars, noise[:45], standard)
    with pytest.raises(UserError, match="at least 40"):
        mutual_information(means[:39], log_vars[:39], noise[:39])
    with pytest.raises(UserError, match="NaN"):
        active_units(means / 0)
    with pytest.raises(UserError, match="not finite"):
        marginal_kl(means, log_vars, noise, lambda z: torch.full((len(z),), -math.inf))
