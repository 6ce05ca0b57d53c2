"""Orders that nobody writes down are permutations all the same."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from genlab.data.order import by_windows, permuted


@settings(max_examples=80, deadline=None)
@given(n=st.integers(1, 3000), seed=st.integers(0, 2**62))
def test_every_place_is_taken_once(n: int, seed: int) -> None:
    assert np.array_equal(np.sort(permuted(np.arange(n), n, seed)), np.arange(n))


@settings(max_examples=80, deadline=None)
@given(n=st.integers(1, 500), window=st.integers(1, 600), seed=st.integers(0, 2**62))
def test_windows_come_whole_and_one_after_another(n: int, window: int, seed: int) -> None:
    found = by_windows(np.arange(n), n, window, seed)
    assert np.array_equal(np.sort(found), np.arange(n))
    which = found // window
    assert np.count_nonzero(np.diff(which)) == len(np.unique(which)) - 1


@settings(max_examples=30, deadline=None)
@given(n=st.integers(10, 10**9), seed=st.integers(0, 2**62), window=st.integers(3, 10**6))
def test_a_place_does_not_depend_on_which_others_are_asked_for(n: int, seed: int, window: int) -> None:
    some = np.random.default_rng(0).integers(0, n, 50)
    for place, alone in zip(permuted(some, n, seed), some, strict=True):
        assert permuted(np.array([alone]), n, seed) == place
    together = by_windows(some, n, window, seed)
    assert [int(by_windows(np.array([one]), n, window, seed)[0]) for one in some] == together.tolist()


def test_a_hundred_million_places_of_which_a_batch_is_asked_for() -> None:
    """800 MB, written down."""
    n = 10**8
    found = permuted(np.arange(7 * 10**7, 7 * 10**7 + 4096), n, seed=3)
    assert len(np.unique(found)) == 4096
    assert 0 <= found.min() <= found.max() < n
    assert chisquare(np.histogram(found, 16, (0, n))[0]).pvalue > 1e-4


def test_neighbours_part_and_seeds_differ() -> None:
    n = 5000
    first, second = permuted(np.arange(n), n, 0), permuted(np.arange(n), n, 1)
    assert abs(np.corrcoef(np.arange(n), first)[0, 1]) < 0.06
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.06
    assert np.count_nonzero(first == second) < 10
    steps = np.abs(np.diff(first))
    assert chisquare(np.histogram(first[: n // 4], 10, (0, n))[0]).pvalue > 1e-4
    assert np.count_nonzero(steps == 1) < 15  # 2 are expected


def test_all_orders_of_three_are_as_frequent() -> None:
    """The smallest of networks, where a bad one would show."""
    orders = [tuple(permuted(np.arange(3), 3, seed).tolist()) for seed in range(3000)]
    assert chisquare(list(map(orders.count, set(orders)))).pvalue > 1e-4
    assert len(set(orders)) == 6
