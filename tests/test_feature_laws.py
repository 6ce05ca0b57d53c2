"""Laws that every metric of features keeps: order changes nothing, and what comes out is a finite number
within its interval or a sentence to the user."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.bins import Bins, fit_bins, ndb
from genlab.metrics.frechet import fid, fid_infinity, moments
from genlab.metrics.intervals import Estimate
from genlab.metrics.kernel import kid
from genlab.metrics.neighbours import neighbourhoods
from genlab.metrics.two_sample import two_sample_accuracy
from genlab.metrics.unavailable import Unavailable
from genlab.randomness import generator

Estimates = dict[str, Estimate | Unavailable]


def bins(reference: Tensor) -> Bins:
    return fit_bins(reference, 10)


METRICS: dict[str, Callable[[Tensor, Tensor], Estimates]] = {
    "fid": lambda x, y: {"fid": fid(x, moments(y))},
    "fid infinity": lambda x, y: {"fid infinity": fid_infinity(x, moments(y))},
    "kid": lambda x, y: {"kid": kid(x, y).estimate},
    "neighbourhoods": lambda x, y: dict(vars(neighbourhoods(x, y))),
    "bins": lambda x, y: {"ndb": ndb(x, bins(y))},
    "c2st": lambda x, y: {"c2st": two_sample_accuracy(x, y)},
}


def normal(count: int, size: int, seed: int) -> Tensor:
    return torch.randn(count, size, generator=generator(seed, "test/feature laws"))


def kinds(count: int, size: int, seed: int) -> dict[str, Tensor]:
    """Features as trained networks, dead networks and collapsed models give them."""
    features = normal(count, size, seed)
    return {
        "normal": features,
        "constant": torch.full((count, size), 0.7),
        "a constant column": torch.cat([features[:, 1:], torch.ones(count, 1)], dim=1),
        "three images": features[:3].repeat(count, 1)[:count],
        "one outlier": torch.cat([features[:-1], torch.full((1, size), 1e6)]),
        "tiny": 1e-8 * features,
        "huge": 1e8 * features,
        "far": features + 1e4,
        "rectified": features.clamp(min=0),
    }


def check(found: Estimates) -> None:
    for name, estimate in found.items():
        if isinstance(estimate, Unavailable):
            continue
        assert all(map(math.isfinite, vars(estimate).values())), name
        assert estimate.error >= 0, name
        rounding = 1e-9 * max(1.0, abs(estimate.value))
        assert estimate.low - rounding <= estimate.value <= estimate.high + rounding, name


@pytest.mark.parametrize("name", METRICS)
@settings(deadline=None, max_examples=15)
@given(
    count=st.integers(40, 70),
    size=st.sampled_from([1, 3, 90]),  # 90: fewer samples than dimensions
    ours=st.sampled_from(list(kinds(2, 2, 0))),
    theirs=st.sampled_from(list(kinds(2, 2, 0))),
)
def test_whatever_the_features_a_number_comes_out(
    name: str, count: int, size: int, ours: str, theirs: str
) -> None:
    check(METRICS[name](kinds(count, size, 0)[ours], kinds(60, size, 1)[theirs]))


@pytest.mark.parametrize("name", METRICS)
@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 1000), kind=st.sampled_from(["normal", "rectified", "three images"]))
def test_order_changes_nothing(name: str, seed: int, kind: str) -> None:
    features, reference = kinds(60, 3, 0)[kind] + 0.2, normal(80, 3, 1)
    shuffled = features[torch.randperm(60, generator=generator(seed, "order"))]
    expected, found = METRICS[name](features, reference), METRICS[name](shuffled, reference)
    for part, estimate in found.items():
        same = expected[part]
        if part == "fid infinity":
            continue  # which sample is in which part depends on its place, and the intercept on that
        assert isinstance(estimate, Estimate)
        assert isinstance(same, Estimate)
        # the root of a covariance of three images, which is singular, keeps half of float64's digits
        near = 1e-7 if kind == "three images" else 1e-9
        assert estimate.value == pytest.approx(same.value, rel=near, abs=1e-9), part


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_said(name: str, bad: float) -> None:
    features, reference = normal(50, 3, 0), normal(50, 3, 1)
    broken = features.clone()
    broken[17, 1] = bad
    for ours, theirs in ((broken, reference), (features, broken)):
        with pytest.raises(UserError, match="NaN"):
            METRICS[name](ours, theirs)


@pytest.mark.parametrize("name", METRICS)
def test_two_networks_do_not_mix_and_few_are_too_few(name: str) -> None:
    with pytest.raises(UserError, match="same feature network"):
        METRICS[name](normal(50, 3, 0), normal(50, 4, 1))
    with pytest.raises(UserError):
        METRICS[name](normal(19, 2, 0), normal(50, 2, 1))
    with pytest.raises(UserError):
        METRICS[name](normal(50, 3, 0).flatten(), normal(50, 3, 1))
