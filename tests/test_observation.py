from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from genlab.functional import likelihood
from genlab.networks.observation import (
    Bernoulli,
    ContinuousBernoulli,
    DiscretisedLogistic,
    Gaussian,
    Observation,
)

OBSERVATIONS: dict[str, Callable[[], Observation]] = {
    "bernoulli": Bernoulli,
    "continuous-bernoulli": ContinuousBernoulli,
    "gaussian": Gaussian,
    "discretised-logistic": DiscretisedLogistic,
}


@pytest.mark.parametrize("name", OBSERVATIONS)
def test_images_lie_within_bounds_and_rise_with_the_raw_value(name: str) -> None:
    raw = torch.linspace(-30, 30, 200)
    image = OBSERVATIONS[name]().image(raw)
    assert image.abs().max() <= 1
    assert (image.diff() >= 0).all()
    assert image[:100].flip(0).neg().allclose(image[100:], atol=1e-5), "black and white are treated alike"


@pytest.mark.parametrize("name", OBSERVATIONS)
def test_the_likelihood_is_per_image(name: str) -> None:
    raw, images = torch.randn(3, 1, 4, 5), torch.rand(3, 1, 4, 5) * 2 - 1
    together = OBSERVATIONS[name]().nll(raw, images)
    assert together.shape == (3,)
    apart = torch.cat([OBSERVATIONS[name]().nll(raw[i : i + 1], images[i : i + 1]) for i in range(3)])
    assert torch.allclose(together, apart)


@pytest.mark.parametrize("name", ["bernoulli", "continuous-bernoulli"])
def test_an_image_is_the_mean_that_fits_best(name: str) -> None:
    """For these two the likelihood of grey levels is greatest where the image drawn is the image seen."""
    observation, target = OBSERVATIONS[name](), torch.full((1, 1, 1, 1), 0.3)
    raw = torch.linspace(-8, 8, 4001).view(-1, 1, 1, 1)
    best = raw[observation.nll(raw, target.expand_as(raw)).argmin()]
    assert observation.image(best).item() == pytest.approx(0.3, abs=0.004)


def test_the_gaussian_s_variance() -> None:
    raw, images = torch.randn(2, 1, 3, 3), torch.randn(2, 1, 3, 3)
    fixed, learned = Gaussian(0.5), Gaussian(0.5, learned=True)
    assert list(fixed.parameters()) == []
    assert [p.item() for p in learned.parameters()] == pytest.approx([2 * math.log(0.5)])
    assert fixed.state_dict().keys() == learned.state_dict().keys()
    expected = likelihood.gaussian_nll(torch.tanh(raw), torch.tensor(2 * math.log(0.5)), images)
    assert torch.allclose(fixed.nll(raw, images), expected)
    assert torch.equal(Gaussian(linear=True).image(raw), raw)


def test_measures_are_told_apart() -> None:
    assert len({observation().measure for observation in OBSERVATIONS.values()}) == len(OBSERVATIONS)
    assert "[0, 1]" in ContinuousBernoulli.measure
    assert "[-1, 1]" in Gaussian.measure
    assert "not a density" in Bernoulli.measure
