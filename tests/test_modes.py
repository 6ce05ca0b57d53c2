"""Modes hit, high quality and reverse KL, against closed forms and the exact samples' own values."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from genlab.data.mixtures import MIXTURES, Mixture
from genlab.errors import UserError
from genlab.metrics.modes import class_counts, high_quality, modes_hit, near_modes, reverse_kl
from genlab.metrics.unavailable import Unavailable
from genlab.randomness import generator

RING = torch.tensor(MIXTURES["ring"].means)


def counted(points: Tensor, mixture: Mixture, radius: float = 3.0) -> Tensor:
    return near_modes(points, torch.tensor(mixture.means), mixture.deviation, radius)


@pytest.mark.parametrize("radius", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("name", MIXTURES)
def test_exact_samples_reach_the_ceiling(name: str, radius: float) -> None:
    """The radius of a Gaussian in the plane is Rayleigh's: 1 − exp(−r²/2), 98.89 % within three."""
    n = 200_000
    points, _ = MIXTURES[name].sample(n, generator(0, "test"))
    counts = counted(points, MIXTURES[name], radius)
    ceiling = 1 - math.exp(-(radius**2) / 2)
    assert modes_hit(counts) == len(MIXTURES[name].means)
    assert high_quality(counts, n) == pytest.approx(ceiling, abs=4 * (ceiling * (1 - ceiling) / n) ** 0.5)
    if radius == 3:
        assert ceiling == pytest.approx(0.9889, abs=5e-5)


@pytest.mark.parametrize("modes", [8, 25])
def test_exact_samples_have_the_floor_of_the_reverse_kl(modes: int) -> None:
    """(K − 1)/2N, the mean of a χ² of K − 1 degrees over 2N; over 400 trials within 4 of its errors."""
    n, trials = 2500, 400
    labels = torch.randint(modes, (trials, n), generator=generator(0, "test"))
    values = [reverse_kl(class_counts(row, modes)) for row in labels]
    floor, deviation = (modes - 1) / (2 * n), math.sqrt(2 * (modes - 1)) / (2 * n)
    assert sum(map(number, values)) / trials == pytest.approx(floor, abs=4 * deviation / trials**0.5)


def number(value: float | Unavailable) -> float:
    assert not isinstance(value, Unavailable)
    return value


def test_three_deviations_are_the_boundary() -> None:
    direction = torch.tensor([math.cos(1.0), math.sin(1.0)])
    for distance, expected in [(2.99, 8), (3.01, 0)]:
        counts = near_modes(RING + distance * 0.01 * direction, RING, 0.01)
        assert int(counts.sum()) == expected


def test_what_lies_between_the_modes_counts_for_none() -> None:
    counts = near_modes(torch.cat([RING[:2], torch.zeros(2, 2), RING[:1]]), RING, 0.01)
    assert counts.tolist() == [2, 1, 0, 0, 0, 0, 0, 0]
    assert modes_hit(counts) == 2
    assert high_quality(counts, 5) == 0.6


def test_the_reverse_kl_is_ln_k_less_the_entropy_of_the_good_samples() -> None:
    assert reverse_kl(torch.tensor([5, 5, 5, 5])) == pytest.approx(0, abs=1e-12)
    assert reverse_kl(torch.tensor([0, 9, 0, 0])) == pytest.approx(math.log(4))
    assert reverse_kl(torch.tensor([4, 4, 0, 0])) == pytest.approx(math.log(2))
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert reverse_kl(torch.tensor([3, 0, 1, 0])) == pytest.approx(math.log(4) - entropy)


def test_without_a_good_sample_there_is_no_kl() -> None:
    counts = near_modes(torch.full((5, 2), 0.3), RING, 0.01)
    assert modes_hit(counts) == 0
    assert high_quality(counts, 5) == 0
    assert isinstance(reverse_kl(counts), Unavailable)


def test_the_order_of_samples_and_the_units_do_not_matter() -> None:
    points, _ = MIXTURES["grid"].sample(1000, generator(0, "test"))
    means, order = torch.tensor(MIXTURES["grid"].means), torch.randperm(1000, generator=generator(1, "test"))
    counts = near_modes(points, means, 0.05)
    assert torch.equal(near_modes(points[order], means, 0.05), counts)
    assert torch.equal(near_modes(points / 4, means / 4, 0.0125), counts)
    assert torch.equal(near_modes(points.repeat(3, 1), means, 0.05), 3 * counts)


@pytest.mark.parametrize("bad", [torch.tensor([[math.nan, 0.0]]), torch.zeros(3, 3), torch.zeros(2)])
def test_points_that_are_none_are_refused(bad: Tensor) -> None:
    with pytest.raises(UserError, match=r"finite points \(N, 2\)"):
        near_modes(bad, RING, 0.01)


def test_labels_are_counted() -> None:
    assert class_counts(torch.tensor([2, 0, 2, 2]), 4).tolist() == [1, 0, 3, 0]
    for bad in (torch.tensor([4]), torch.tensor([-1]), torch.zeros(2, 2, dtype=torch.int64)):
        with pytest.raises(UserError, match="from 0 to 3"):
            class_counts(bad, 4)
