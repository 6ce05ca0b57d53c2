"""The kernel distance: all pairs by hand, its null, its spread. torchmetrics is in test_torchmetrics.py."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics import kernel
from genlab.metrics.intervals import jackknifed
from genlab.metrics.kernel import kid
from genlab.randomness import generator


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=generator(seed, "test/kernel"), dtype=torch.float64)


def by_hand(features: Tensor, reference: Tensor) -> float:
    def mean(a: Tensor, b: Tensor) -> float:
        kernel = (a.numpy() @ b.numpy().T / a.shape[1] + 1) ** 3
        return float(kernel[~np.eye(len(a), dtype=bool)].mean() if a is b else kernel.mean())

    return mean(features, features) + mean(reference, reference) - 2 * mean(features, reference)


@pytest.fixture
def one_subset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "SUBSETS", 1)


@pytest.mark.usefixtures("one_subset")
@pytest.mark.parametrize("tile", [7, 500])
def test_it_is_the_mean_over_all_pairs_with_its_jackknife(tile: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "TILE", tile)
    features, reference = normal(133, 6) + 0.2, 1.1 * normal(71, 6, seed=1)
    plain = jackknifed(lambda part: by_hand(part, reference), features)
    found = kid(features, reference).estimate
    assert found.value == pytest.approx(plain.value, abs=1e-12)
    assert found.error == pytest.approx(plain.error, rel=1e-9)


@pytest.mark.usefixtures("one_subset")
def test_two_samples_of_one_distribution_are_no_distance_apart_at_any_n() -> None:
    for count in (50, 200):
        values = [kid(normal(count, 8, seed=2 * i), normal(count, 8, seed=2 * i + 1)) for i in range(60)]
        distances = np.array([one.estimate.value for one in values])
        assert distances.mean() == pytest.approx(0, abs=3 * distances.std() / 60**0.5)
        assert distances.min() < 0


@pytest.mark.usefixtures("one_subset")
def test_order_does_not_matter_and_the_sign_of_all_features_neither() -> None:
    features, reference = normal(120, 5), 2 * normal(90, 5, seed=1)
    shuffled = features[torch.randperm(120, generator=generator(0, "order"))]
    expected = kid(features, reference).estimate.value
    assert kid(shuffled, reference).estimate.value == pytest.approx(expected, rel=1e-12)
    assert kid(-features, -reference).estimate.value == pytest.approx(expected, rel=1e-12)
    assert kid(reference, features).estimate.value == pytest.approx(expected, rel=1e-12)


def test_the_spread_is_that_of_distances_between_smaller_samples() -> None:
    """Of subsets so small that they hardly overlap: what fresh samples of their size would scatter by."""
    found = kid(normal(4000, 4), normal(4000, 4, seed=1))
    assert (found.subsets, found.size) == (100, 1000)
    fresh = [by_hand(normal(1000, 4, seed=i), normal(1000, 4, seed=i + 30)) for i in range(2, 26)]
    assert found.spread == pytest.approx(np.std(fresh), rel=0.4)
    assert kid(normal(60, 4), normal(90, 4)).size == 30


def test_degenerate_features_get_a_number() -> None:
    constant = kid(torch.ones(50, 3), torch.ones(50, 3))
    assert (constant.estimate.value, constant.estimate.error, constant.spread) == (0, 0, 0)
    apart = kid(torch.ones(50, 3), torch.zeros(50, 3))
    assert apart.estimate.value == pytest.approx(8 + 1 - 2)
    repeated = kid(normal(10, 3).repeat(6, 1), normal(50, 100)[:, :3])
    assert math.isfinite(repeated.estimate.error)
    assert math.isfinite(kid(normal(50, 200), normal(60, 200)).estimate.value)


@pytest.mark.parametrize(
    ("features", "said"),
    [
        (torch.zeros(39, 3), "at least 40 samples"),
        (torch.zeros(50), "at least 40 samples"),
        (torch.full((50, 3), math.nan), "NaN"),
        (torch.zeros(50, 4), "same feature network"),
    ],
)
def test_what_cannot_be_compared_is_said(features: Tensor, said: str) -> None:
    with pytest.raises(UserError, match=said):
        kid(features, torch.zeros(50, 3))
