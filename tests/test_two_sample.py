"""The two-sample test: N(½, 1/4n) under the null, and what it can tell apart."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.two_sample import two_sample_accuracy
from genlab.randomness import generator


def normal(count: int, seed: int, dimensions: int = 8) -> Tensor:
    return torch.randn(count, dimensions, generator=generator(seed, "test/two-sample"))


@pytest.mark.slow
def test_under_the_null_it_is_normal_about_one_half() -> None:
    count = 400  # held out: 200 of each
    found = [
        two_sample_accuracy(normal(count, 2 * seed), normal(count, 2 * seed + 1), seed) for seed in range(60)
    ]
    z = (np.array([one.value for one in found]) - 0.5) * math.sqrt(4 * count)
    assert stats.kstest(z, "norm").pvalue > 0.001
    assert np.mean([one.low <= 0.5 <= one.high for one in found]) >= 0.88


def test_it_tells_means_spreads_and_shapes_apart() -> None:
    real = normal(2000, 0)
    assert two_sample_accuracy(normal(2000, 1), real).low < 0.5
    assert two_sample_accuracy(normal(2000, 1) + 0.5, real).low > 0.6
    assert two_sample_accuracy(normal(2000, 1) * 1.5, real).low > 0.6
    cubed = normal(2000, 1) ** 3
    assert two_sample_accuracy(cubed / cubed.std(dim=0), real).low > 0.6
    assert two_sample_accuracy(normal(2000, 1) + 20, real).value == 1


def test_it_approaches_the_best_possible() -> None:
    """For N(±½, 1) no rule is right more often than Φ(½) = 0.691."""
    best = float(stats.norm.cdf(0.5))
    found = two_sample_accuracy(normal(4000, 1, 1) + 0.5, normal(4000, 0, 1) - 0.5)
    assert found.value == pytest.approx(best, abs=0.03)


def test_it_sees_repeats_that_moments_hardly_show() -> None:
    few = normal(100, 1).repeat(20, 1)
    assert two_sample_accuracy(few, normal(2000, 0)).low > 0.55


def test_sides_of_different_size_are_balanced() -> None:
    assert two_sample_accuracy(normal(200, 1), normal(4000, 0)).low < 0.5


def test_it_is_a_function_of_its_arguments() -> None:
    a, b = normal(200, 1), normal(200, 2)
    before = torch.get_rng_state()
    assert two_sample_accuracy(a, b) == two_sample_accuracy(a, b)
    assert two_sample_accuracy(a, b) != two_sample_accuracy(a, b, seed=1)
    assert torch.equal(torch.get_rng_state(), before)


def test_constant_features_are_no_obstacle() -> None:
    found = two_sample_accuracy(torch.ones(100, 3), torch.ones(100, 3))
    assert found.value == 0.5


@pytest.mark.parametrize(
    ("features", "said"),
    [
        (torch.full((50, 8), float("inf")), "infinity"),
        (normal(30, 0), "at least 40"),
        (normal(50, 0, 3), "dimensions"),
    ],
)
def test_what_cannot_be_tested_is_said(features: Tensor, said: str) -> None:
    with pytest.raises(UserError, match=said):
        two_sample_accuracy(features, normal(100, 1))
