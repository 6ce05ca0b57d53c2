"""The Fréchet distance against closed forms and SciPy."""

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.frechet import (
    Moments,
    fid,
    fid_infinity,
    frechet_distance,
    frechet_from_moments,
    moments,
    pooled,
)
from genlab.metrics.intervals import Estimate, jackknifed
from genlab.metrics.unavailable import Unavailable
from genlab.randomness import generator


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=generator(seed, "test/frechet"), dtype=torch.float64)


def covariance(dimensions: int, seed: int) -> Tensor:
    factor = normal(dimensions, dimensions, seed=seed)
    return factor @ factor.T / dimensions


def gaussian(mean: Tensor, cov: Tensor) -> Moments:
    return Moments(mean.double(), cov.double(), 1000)


def test_one_dimension_is_the_closed_form() -> None:
    a = gaussian(torch.tensor([1.0]), torch.tensor([[4.0]]))
    b = gaussian(torch.tensor([-2.0]), torch.tensor([[9.0]]))
    assert frechet_from_moments(a, b) == pytest.approx(3.0**2 + (2.0 - 3.0) ** 2, abs=1e-12)


def test_commuting_covariances_differ_by_their_roots() -> None:
    axes, _ = torch.linalg.qr(normal(6, 6))
    first, second = normal(6, seed=1).square(), normal(6, seed=2).square()
    a = gaussian(torch.zeros(6), axes @ first.diag() @ axes.T)
    b = gaussian(torch.ones(6), axes @ second.diag() @ axes.T)
    expected = 6 + float((first.sqrt() - second.sqrt()).square().sum())
    assert frechet_from_moments(a, b) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("dimensions", [2, 16, 64])
def test_agrees_with_the_matrix_root_of_scipy(dimensions: int) -> None:
    a = gaussian(normal(dimensions, seed=3), covariance(dimensions, seed=4))
    b = gaussian(normal(dimensions, seed=5), covariance(dimensions, seed=6))
    root = scipy.linalg.sqrtm((a.covariance @ b.covariance).numpy())
    expected = float((a.mean - b.mean).square().sum()) + float(
        np.trace(a.covariance.numpy() + b.covariance.numpy() - 2 * np.real(root))
    )
    assert frechet_from_moments(a, b) == pytest.approx(expected, abs=1e-5)


def test_two_samples_of_one_gaussian_lie_apart_by_the_known_bias() -> None:
    dimensions, count, sigma = 16, 2000, 1.5
    distances = [
        frechet_distance(
            sigma * normal(count, dimensions, seed=2 * i), sigma * normal(count, dimensions, seed=2 * i + 1)
        )
        for i in range(30)
    ]
    bias = sigma**2 * (dimensions * (dimensions + 1) / (2 * count) + 2 * dimensions / count)
    assert np.mean(distances) == pytest.approx(bias, rel=0.05)


def test_order_and_sides_do_not_matter() -> None:
    a, b = normal(200, 8), 2 * normal(150, 8, seed=1) + 1
    shuffled = a[torch.randperm(200, generator=generator(0, "order"))]
    assert frechet_distance(shuffled, b) == pytest.approx(frechet_distance(a, b), abs=1e-10)
    assert frechet_distance(b, a) == pytest.approx(frechet_distance(a, b), abs=1e-8)


@settings(deadline=None, max_examples=30)
@given(shift=st.floats(-5, 5), scale=st.floats(0.1, 5))
def test_is_invariant_to_shifts_and_grows_with_the_square_of_a_scale(shift: float, scale: float) -> None:
    a, b = normal(60, 5), normal(60, 5, seed=1) + 1
    expected = scale**2 * frechet_distance(a, b)
    assert frechet_distance(scale * a + shift, scale * b + shift) == pytest.approx(expected, rel=1e-6)


def test_a_sample_is_at_no_distance_from_itself_even_when_degenerate() -> None:
    assert frechet_distance(normal(100, 8), normal(100, 8)) == pytest.approx(0, abs=1e-9)
    few = normal(3, 20)  # a singular covariance: fewer samples than dimensions
    assert frechet_distance(few, few) == pytest.approx(0, abs=1e-5)
    constant = torch.ones(10, 4)
    assert frechet_distance(constant, constant) == 0
    assert frechet_distance(constant, constant + 2) == pytest.approx(16)


def test_pooled_moments_are_the_moments_of_the_union() -> None:
    features = normal(101, 7) + 3
    union, whole = pooled([moments(part) for part in torch.split(features, 17)]), moments(features)
    assert union.count == 101
    torch.testing.assert_close(union.mean, whole.mean)
    torch.testing.assert_close(union.covariance, whole.covariance)


def test_float32_features_lose_nothing() -> None:
    a, b = normal(500, 8).float() + 100, normal(500, 8, seed=1).float() + 100
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(a.double(), b.double()), abs=1e-12)


@pytest.mark.parametrize(
    ("features", "said"),
    [
        (torch.zeros(1, 4), "at least 2 samples"),
        (torch.zeros(8), "at least 2 samples"),
        (torch.full((5, 4), float("nan")), "NaN"),
        (torch.full((5, 4), float("inf")), "NaN or infinity"),
        (torch.zeros(5, 3), "3 and of 4 dimensions|4 and of 3 dimensions"),
    ],
)
def test_what_cannot_be_compared_is_said(features: Tensor, said: str) -> None:
    with pytest.raises(UserError, match=said):
        frechet_distance(features, torch.zeros(5, 4))


def exactly(dimensions: int, sigma: float = 1.0) -> Moments:
    """The moments of N(0, σ²I) itself, as endlessly many real images would give them."""
    return gaussian(torch.zeros(dimensions), sigma**2 * torch.eye(dimensions))


def extrapolated(features: Tensor, reference: Moments) -> Estimate:
    found = fid_infinity(features, reference)
    assert isinstance(found, Estimate)
    return found


def test_fid_is_the_distance_with_its_jackknife() -> None:
    features, reference = normal(130, 5) + 0.3, moments(normal(90, 5, seed=1))
    plain = jackknifed(lambda part: frechet_from_moments(moments(part), reference), features)
    found = fid(features, reference)
    assert found.value == pytest.approx(plain.value, abs=1e-10)
    assert found.error == pytest.approx(plain.error, rel=1e-8)
    assert found.low == pytest.approx(max(0, plain.low), abs=1e-9)


def test_the_extrapolation_takes_the_bias_of_n_away() -> None:
    dimensions, count, sigma, trials = 8, 400, 1.5, 16
    reference = exactly(dimensions, sigma)
    samples = [sigma * normal(count, dimensions, seed=i) for i in range(trials)]
    bias = sigma**2 * (dimensions * (dimensions + 1) / 4 + dimensions) / count
    found = [extrapolated(sample, reference) for sample in samples]
    intercepts = np.array([one.value for one in found])
    assert np.mean([fid(sample, reference).value for sample in samples]) == pytest.approx(bias, rel=0.1)
    assert bias > 4 * intercepts.std() / trials**0.5  # else the next line could not fail
    assert intercepts.mean() == pytest.approx(0, abs=3 * intercepts.std() / trials**0.5)
    assert intercepts.min() < 0
    assert sum(one.low < 0 < one.high for one in found) >= trials - 2


def test_nothing_is_extrapolated_from_fewer_samples_than_features_bear() -> None:
    found = fid_infinity(normal(100, 20), exactly(20))
    assert found == Unavailable("extrapolating over 20 features needs 120 samples or more")
    assert isinstance(fid_infinity(normal(120, 20), exactly(20)), Estimate)


def test_fid_of_degenerate_samples_is_a_number() -> None:
    constant = fid(torch.ones(50, 4), moments(torch.ones(50, 4) + 2))
    assert [constant.value, constant.error] == pytest.approx([16, 0], abs=1e-9)
    few = fid(normal(60, 100), moments(normal(200, 100, seed=1)))
    assert 0 < few.low < few.value < few.high


@pytest.mark.parametrize("metric", [fid, fid_infinity])
def test_what_has_no_distance_with_an_interval_is_said(metric: object) -> None:
    assert callable(metric)
    with pytest.raises(UserError, match="NaN"):
        metric(torch.full((50, 2), float("nan")), exactly(2))
    with pytest.raises(UserError, match="too few for an interval"):
        metric(normal(39, 2), exactly(2))
    with pytest.raises(UserError, match="same feature network"):
        metric(normal(50, 2), exactly(3))
