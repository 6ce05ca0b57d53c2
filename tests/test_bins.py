"""Bins: their null, the z-test by hand, and what a division into them must withstand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.spatial.distance
import torch
from safetensors.torch import load, save
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.bins import Bins, bin_divergence, fit_bins, ndb
from genlab.randomness import generator


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=generator(seed, "test/bins"))


@pytest.fixture(scope="module")
def bins() -> Bins:
    return fit_bins(normal(6000, 4), 50)


def two_bins(share: float, count: int = 1000) -> Bins:
    return Bins(torch.tensor([[-1.0], [1.0]]), torch.tensor([share, 1 - share], dtype=torch.float64), count)


def samples(left: int, right: int) -> Tensor:
    return torch.cat([torch.full((left, 1), -1.2), torch.full((right, 1), 0.9)])


def test_bins_hold_the_training_images(bins: Bins) -> None:
    assert bins.centres.shape == (50, 4)
    assert bins.count == 6000
    assert float(bins.shares.sum()) == pytest.approx(1)
    nearest = torch.cdist(normal(6000, 4), bins.centres).argmin(dim=1)
    assert torch.equal(torch.bincount(nearest, minlength=50).double() / 6000, bins.shares)


def test_the_same_seed_gives_the_same_bins_which_a_file_can_hold(bins: Bins) -> None:
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state(legacy=False)["state"]
    again, other = fit_bins(normal(6000, 4), 50), fit_bins(normal(6000, 4), 50, seed=1)
    assert torch.equal(again.centres, bins.centres)
    assert not torch.equal(other.centres, bins.centres)
    kept = load(save({"centres": bins.centres, "shares": bins.shares}))
    assert torch.equal(kept["centres"], bins.centres)
    assert torch.equal(kept["shares"], bins.shares)
    assert torch.equal(torch.get_rng_state(), torch_state)
    np.testing.assert_equal(np.random.get_state(legacy=False)["state"], numpy_state)


@pytest.mark.parametrize(("left", "differs"), [(532, False), (556, True)])
def test_a_bin_counts_from_the_five_percent_point_on(left: int, differs: bool) -> None:
    """By hand: two proportions of 1 000 each, pooled about ½, differ from 0.0438 on."""
    found = ndb(samples(left, 1000 - left), two_bins(0.5))
    assert found.value == (1.0 if differs else 0.0)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_five_percent_of_the_bins_differ_where_nothing_does(bins: Bins) -> None:
    values = np.array([ndb(normal(1000, 4, seed=i), bins).value for i in range(1, 61)])
    assert values.mean() == pytest.approx(0.05, abs=3 * values.std() / 60**0.5 + 0.01)
    assert ndb(normal(1000, 4, seed=1) + 1, bins).low > 0.4


def test_the_divergence_is_scipy_s_and_its_null_the_known_bias(bins: Bins) -> None:
    found = bin_divergence(samples(200, 800), two_bins(0.7))
    expected = float(scipy.spatial.distance.jensenshannon([0.2, 0.8], [0.7, 0.3])) ** 2
    assert found.value == pytest.approx(expected, abs=1e-12)
    nulls = np.array([bin_divergence(normal(1000, 4, seed=i), bins).value for i in range(1, 31)])
    assert nulls.mean() == pytest.approx(49 * (1 / 1000 + 1 / 6000) / 8, rel=0.1)
    assert bin_divergence(samples(1000, 0), two_bins(0.0)).value == pytest.approx(math.log(2))


def test_order_does_not_matter(bins: Bins) -> None:
    features = normal(500, 4, seed=5) + 0.3
    assert ndb(features.flip(0), bins) == ndb(features, bins)
    assert bin_divergence(features.flip(0), bins).value == bin_divergence(features, bins).value


def test_images_that_are_alike_share_a_bin() -> None:
    few = fit_bins(torch.tensor([[0.0], [1.0], [2.0]]).repeat(100, 1), 10)
    assert few.shares.tolist() == pytest.approx([1 / 3] * 3)
    one = fit_bins(torch.ones(100, 3))
    assert one.shares.tolist() == [1]
    constant = ndb(torch.ones(50, 3), one)
    assert constant.value == 0
    assert constant.high > 0.2  # of one bin that may differ by chance
    assert bin_divergence(torch.ones(50, 3), one).value == 0
    assert len(fit_bins(normal(199, 300)).shares) == 9  # 20 images each, fewer than features


@pytest.mark.parametrize(
    ("features", "said"),
    [
        (torch.zeros(39, 1), "at least 40 samples"),
        (torch.full((50, 1), math.nan), "NaN"),
        (torch.zeros(50, 2), "same feature network"),
    ],
)
def test_what_has_no_bins_is_said(features: Tensor, said: str) -> None:
    for metric in (ndb, bin_divergence):
        with pytest.raises(UserError, match=said):
            metric(features, two_bins(0.5))
    if said != "same feature network":
        with pytest.raises(UserError, match=said):
            fit_bins(features)
