"""Intervals: closed forms, and what may not change them. Their coverage is in test_interval_coverage.py."""

import math

import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.intervals import (
    Estimate,
    blocks,
    estimate,
    jackknife,
    jackknifed,
    mean_estimate,
    proportion,
    student,
)
from genlab.randomness import generator


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=generator(seed, "test/intervals"), dtype=torch.float64)


@settings(deadline=None, max_examples=50)
@given(count=st.integers(40, 500))
def test_blocks_divide_evenly_whatever_the_count(count: int) -> None:
    parts = blocks(count)
    assert len(parts) == 20
    assert torch.cat(parts).sort().values.tolist() == list(range(count))
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1
    assert all(torch.equal(a, b) for a, b in zip(parts, blocks(count), strict=True))


def test_too_few_for_blocks_is_said() -> None:
    with pytest.raises(UserError, match="at least 40"):
        blocks(39)


def test_student_is_scipy_s_and_the_normal_s_at_infinity() -> None:
    assert student(19) == pytest.approx(scipy.stats.t.ppf(0.975, 19), abs=1e-10)
    assert student(math.inf) == pytest.approx(1.959964, abs=1e-6)
    assert student(4, 0.8) == pytest.approx(scipy.stats.t.ppf(0.9, 4), abs=1e-10)


def test_an_interval_is_cut_at_what_is_possible() -> None:
    assert estimate(0.9, 0.1, highest=1.0).high == 1
    assert estimate(0.1, 0.1, lowest=0.0).low == 0
    assert estimate(5, 0) == Estimate(5, 0, 5, 5)


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    """With blocks of equal size the grouped jackknife is the spread of the blocks' means over √20."""
    values = normal(200)
    found = jackknifed(lambda part: float(part.mean()), values)
    means = torch.stack([values[index].mean() for index in blocks(200)])
    assert found.value == pytest.approx(float(values.mean()))
    assert found.error == pytest.approx(float(means.std()) / 20**0.5, rel=1e-9)
    assert found.high - found.value == pytest.approx(scipy.stats.t.ppf(0.975, 19) * found.error)
    assert jackknife(1.0, [2.0] * 20).error == 0


def test_a_mean_s_interval_is_scipy_s() -> None:
    values = normal(31).float()
    found = mean_estimate(values)
    low, high = scipy.stats.t.interval(
        0.95, 30, loc=values.double().mean(), scale=scipy.stats.sem(values.double())
    )
    assert [found.low, found.high] == pytest.approx([low, high])
    for bad in (
        torch.ones(1),
        torch.ones(2, 2),
        torch.tensor([1.0, math.nan]),
        torch.tensor([1.0, math.inf]),
    ):
        with pytest.raises(UserError):
            mean_estimate(bad)


@pytest.mark.parametrize(("hits", "count"), [(0, 100), (3, 40), (50, 100), (100, 100)])
def test_a_proportion_s_interval_is_wilson_s(hits: int, count: int) -> None:
    found = proportion(hits, count)
    oracle = scipy.stats.binomtest(hits, count).proportion_ci(method="wilson")
    assert [found.low, found.high] == pytest.approx([oracle.low, oracle.high])
    assert found.value == hits / count


def test_no_trial_no_proportion() -> None:
    for hits, count in ((0, 0), (3, 2), (-1, 2)):
        with pytest.raises(UserError, match="one trial"):
            proportion(hits, count)
