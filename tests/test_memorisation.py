"""C_T: its null, what it sees, and the neighbours that it is made of."""

import numpy as np
import pytest
import scipy.stats
import torch
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.memorisation import Neighbours, mann_whitney, nearest
from genlab.metrics.memorisation import c_t as c_t_or_reason
from genlab.metrics.unavailable import Unavailable
from genlab.randomness import generator


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=generator(seed, "test/memorisation"))


def c_t(test: Neighbours, samples: Neighbours, cells: Tensor | None = None) -> float:
    value = c_t_or_reason(test, samples, cells)
    assert isinstance(value, float)
    return value


def test_nearest_agrees_with_all_pairs_whatever_the_tile() -> None:
    points, train = normal(103, 6), normal(211, 6, seed=1) + 50  # far from 0: where the expansion is worst
    points = points + 50
    expected = torch.cdist(points.double(), train.double()).min(dim=1)
    for tile in ((1, 1), (10, 17), (1000, 1000)):
        found = nearest(points.double(), train.double(), tile)
        assert torch.equal(found.indices, expected.indices)
        torch.testing.assert_close(found.distances, expected.values)


def test_a_copy_is_at_distance_zero() -> None:
    train = 100 * normal(500, 8)
    found = nearest(train[[7, 3]], train)
    assert found.indices.tolist() == [7, 3]
    assert found.distances.tolist() == [0, 0]


def test_mann_whitney_agrees_with_scipy() -> None:
    a, b = normal(40).round(decimals=1), normal(55, seed=1).round(decimals=1) + 0.3  # with ties
    u = scipy.stats.mannwhitneyu(a.numpy(), b.numpy()).statistic
    z = (u - 40 * 55 / 2) / np.sqrt(40 * 55 * 96 / 12)
    assert mann_whitney(a, b) == pytest.approx(z, abs=1e-12)
    assert mann_whitney(b, a) == pytest.approx(-z, abs=1e-12)


@pytest.mark.parametrize("cell_count", [1, 4])
def test_the_null_is_standard_normal(cell_count: int) -> None:
    values = []
    for trial in range(300):
        train, test, samples = torch.split(normal(900, 5, seed=trial), 300)
        cells = None if cell_count == 1 else (train[:, 0] > 0).long() + 2 * (train[:, 1] > 0).long()
        values.append(c_t(nearest(test, train), nearest(samples, train), cells))
    assert np.mean(values) == pytest.approx(0, abs=3.3 / np.sqrt(300))
    assert np.std(values) == pytest.approx(1, abs=0.14)
    assert scipy.stats.kstest(values, "norm").pvalue > 0.01


def test_copies_lie_too_close_and_strangers_too_far() -> None:
    train, test = normal(500, 5), normal(500, 5, seed=1)
    baseline = nearest(test, train)
    copies = train + 0.01 * normal(500, 5, seed=2)
    assert c_t(baseline, nearest(copies, train)) < -20
    assert c_t(baseline, nearest(3 * normal(500, 5, seed=3), train)) > 10


def test_copying_in_one_cell_is_not_hidden_by_strangers_in_another() -> None:
    train, test, fresh = normal(2000, 4), normal(2000, 4, seed=1), normal(2000, 4, seed=2)
    right = train[:, 0] > 0
    samples = torch.cat([train[right], fresh[fresh[:, 0] < 0] + torch.tensor([0.0, 0.9, 0.0, 0.0])])
    baseline, found = nearest(test, train), nearest(samples, train)
    in_cells, at_large = c_t(baseline, found, right.long()), c_t(baseline, found)
    assert in_cells < -5
    assert in_cells != at_large


def test_too_few_to_say_is_said() -> None:
    few = Neighbours(torch.zeros(5, dtype=torch.int64), torch.ones(5))
    assert c_t_or_reason(few, few) == Unavailable(
        "no cell of feature space has 20 samples and 20 test images"
    )
    with pytest.raises(UserError, match="same feature network"):
        nearest(normal(5, 3), normal(5, 4))
    with pytest.raises(UserError, match="no training examples"):
        nearest(normal(5, 3), normal(0, 3))
