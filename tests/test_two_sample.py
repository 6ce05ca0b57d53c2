"""The two-sample test: its null, what it sees, and what may not change it."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.intervals import proportion
from genlab.metrics.two_sample import two_sample_accuracy
from genlab.randomness import generator


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=generator(seed, "test/two-sample"))


def test_two_samples_of_one_distribution_are_told_apart_as_by_a_coin() -> None:
    count, trials = 100, 24
    accuracies = np.array(
        [
            two_sample_accuracy(normal(count, 4, seed=2 * i), normal(count, 4, seed=2 * i + 1)).value
            for i in range(trials)
        ]
    )
    deviation = 0.5 / count**0.5
    assert accuracies.mean() == pytest.approx(0.5, abs=3 * deviation / trials**0.5)
    assert accuracies.std() == pytest.approx(deviation, rel=3 / (2 * trials) ** 0.5)


@pytest.mark.parametrize("kind", ["shifted", "scaled", "correlated", "repeated"])
def test_each_kind_of_difference_is_seen(kind: str) -> None:
    features, reference = normal(600, 4), normal(600, 4, seed=1)
    if kind == "shifted":
        features = features + 0.5
    elif kind == "scaled":
        features = 1.5 * features
    elif kind == "correlated":  # each feature alone is as it should be
        features[:, 0] = (features[:, 0] + features[:, 1]) / 2**0.5
    else:
        features = features[:12].repeat(50, 1)
    assert two_sample_accuracy(features, reference).low > 0.52


def test_the_best_possible_accuracy_is_not_exceeded() -> None:
    """For N(0, 1) against N(1, 1) no classifier is right more often than Φ(½) of the time."""
    found = two_sample_accuracy(normal(2000, 1), normal(2000, 1, seed=1) + 1)
    assert found.value == pytest.approx(0.6915, abs=0.03)
    assert two_sample_accuracy(normal(200, 2), normal(200, 2) + 50).value == 1


def test_order_changes_nothing_and_the_seed_decides() -> None:
    features, reference = normal(200, 3) + 0.2, normal(200, 3, seed=1)
    before = torch.get_rng_state()
    expected = two_sample_accuracy(features, reference)
    shuffled = features[torch.randperm(200, generator=generator(0, "order"))]
    assert two_sample_accuracy(shuffled, reference.flip(0)) == expected
    assert two_sample_accuracy(features, reference, seed=1) != expected
    assert torch.equal(torch.get_rng_state(), before)
    with torch.inference_mode():
        assert two_sample_accuracy(features.clone(), reference.clone()) == expected


def test_the_larger_set_has_no_advantage() -> None:
    """Guessing the larger set would be right 9 times of 10."""
    found = two_sample_accuracy(normal(900, 2), normal(100, 2, seed=1))
    assert found.low < 0.5 < found.high
    assert found == proportion(round(found.value * 100), 100)


def test_degenerate_features_get_a_number() -> None:
    assert two_sample_accuracy(torch.ones(50, 3), torch.ones(50, 3)).value == 0.5
    assert two_sample_accuracy(torch.ones(50, 3), torch.zeros(50, 3)).value == 1
    assert 0 <= two_sample_accuracy(normal(30, 200), normal(30, 200, seed=1)).value <= 1
    huge = torch.cat([normal(40, 2), torch.full((1, 2), 1e30)])
    assert math.isfinite(two_sample_accuracy(huge, normal(50, 2)).value)


@pytest.mark.parametrize(
    ("features", "said"),
    [
        (torch.zeros(19, 3), "at least 20 samples"),
        (torch.full((50, 3), math.nan), "NaN"),
        (torch.zeros(50, 4), "same feature network"),
    ],
)
def test_what_cannot_be_tested_is_said(features: Tensor, said: str) -> None:
    with pytest.raises(UserError, match=said):
        two_sample_accuracy(features, torch.zeros(50, 3))
