"""NDB: its null of 5 %, what it sees, and the coverage of its interval."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.bins import Bins, bin_shares, fit_bins, jensen_shannon, ndb, z_scores
from genlab.randomness import generator


def normal(count: int, seed: int, dimensions: int = 4) -> Tensor:
    return torch.randn(count, dimensions, generator=generator(seed, "test/bins"))


@pytest.fixture(scope="module")
def bins() -> Bins:
    return fit_bins(normal(20_000, 0), 50)


def test_bins_hold_the_training_examples(bins: Bins) -> None:
    assert bins.centres.shape == (50, 4)
    assert float(bins.shares.sum()) == pytest.approx(1)
    assert bins.count == 20_000
    assert torch.equal(bin_shares(normal(20_000, 0), bins), bins.shares)
    again = fit_bins(normal(20_000, 0), 50)
    assert torch.equal(again.centres, bins.centres)
    assert not torch.equal(fit_bins(normal(20_000, 0), 50, seed=1).centres, bins.centres)


def test_more_of_the_same_differs_in_five_percent_of_the_bins(bins: Bins) -> None:
    found = [ndb(normal(3000, seed), bins).value for seed in range(1, 81)]
    assert sum(found) / len(found) == pytest.approx(0.05, abs=0.012)


def test_z_scores_are_standard_normal_under_the_null(bins: Bins) -> None:
    z = torch.cat([z_scores(normal(3000, seed), bins) for seed in range(1, 41)])
    assert float(z.mean()) == pytest.approx(0, abs=0.07)
    assert float(z.std()) == pytest.approx(1, abs=0.05)


def test_the_z_score_is_that_of_two_proportions() -> None:
    """40 of 100 against 300 of 1 000, by hand: pooled 340/1100."""
    centres = torch.tensor([[0.0], [1.0]])
    bins = Bins(centres, torch.tensor([0.3, 0.7], dtype=torch.float64), 1000)
    features = torch.cat([torch.zeros(40, 1), torch.ones(60, 1)])
    pooled = 340 / 1100
    expected = 0.1 / math.sqrt(pooled * (1 - pooled) * (1 / 100 + 1 / 1000))
    assert z_scores(features, bins).tolist() == pytest.approx([expected, -expected])


def test_missing_kinds_and_repeats_are_seen_and_copies_are_not(bins: Bins) -> None:
    fresh = normal(3000, 1)
    assert ndb(fresh[fresh[:, 0] > 0], bins).low > 0.3
    assert ndb(fresh[:30].repeat(100, 1), bins).low > 0.5
    assert ndb(normal(20_000, 0), bins).value == 0


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.2])
def test_the_interval_covers(bins: Bins, shift: float) -> None:
    found = [ndb(normal(2000, seed) + shift, bins) for seed in range(100, 260)]
    mean = sum(one.value for one in found) / len(found)
    assert sum(one.low <= mean <= one.high for one in found) >= 0.9 * len(found)


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(40)))
def test_order_does_not_matter(order: list[int]) -> None:
    bins = Bins(torch.tensor([[-1.0], [0.0], [1.0]]), torch.full((3,), 1 / 3, dtype=torch.float64), 300)
    features = normal(40, 2, 1)
    assert ndb(features[order], bins) == ndb(features, bins)


def test_fewer_different_points_than_bins_make_fewer_bins() -> None:
    bins = fit_bins(torch.tensor([[0.0], [5.0]]).repeat(30, 1), 10)
    assert bins.centres.tolist() == [[0.0], [5.0]]
    assert bins.shares.tolist() == [0.5, 0.5]
    assert ndb(torch.zeros(50, 1), bins).value == 1


def test_jensen_shannon_is_between_nothing_and_ln_2() -> None:
    a, b = torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.0, 0.0, 1.0])
    assert jensen_shannon(a, a) == 0
    assert jensen_shannon(a, b) == pytest.approx(math.log(2))
    assert jensen_shannon(a, (a + b) / 2) == jensen_shannon((a + b) / 2, a)


@pytest.mark.parametrize(
    ("features", "said"),
    [
        (torch.full((50, 4), float("nan")), "NaN"),
        (torch.zeros(50, 3), "dimensions"),
        (torch.zeros(1, 4), "at least"),
    ],
)
def test_what_cannot_be_binned_is_said(bins: Bins, features: Tensor, said: str) -> None:
    with pytest.raises(UserError, match=said):
        ndb(features, bins)
    with pytest.raises(UserError, match="fewer bins"):
        fit_bins(normal(50, 0), 40)
