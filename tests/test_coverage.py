"""Class shares, what is counted as covered, and the entropies."""

import math

import pytest
import torch
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.coverage import (
    class_score,
    class_shares,
    classes_covered,
    entropy,
    kl_divergence,
    mean_confidence,
)
from genlab.randomness import generator


def certain(counts: list[int]) -> Tensor:
    """Probabilities that leave no doubt, counts[k] of class k."""
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    return torch.nn.functional.one_hot(labels, len(counts)).float()


def test_equal_classes_have_the_largest_entropy() -> None:
    shares = class_shares(certain([7] * 10))
    assert shares.tolist() == pytest.approx([0.1] * 10)
    assert classes_covered(shares) == 10
    assert entropy(shares) == pytest.approx(math.log(10))
    assert kl_divergence(shares, shares) == 0


def test_one_class_has_no_entropy() -> None:
    shares = class_shares(certain([0, 50, 0]))
    assert entropy(shares) == 0
    assert classes_covered(shares) == 1
    assert kl_divergence(shares, torch.full((3,), 1 / 3)) == pytest.approx(math.log(3))
    assert kl_divergence(torch.full((3,), 1 / 3), shares) == math.inf


def test_a_class_of_ten_is_covered_from_one_percent_on() -> None:
    assert classes_covered(class_shares(certain([9, 10, 981, 0, 0, 0, 0, 0, 0, 0]))) == 2


def test_doubt_is_no_variety() -> None:
    doubtful = torch.tensor([[0.4, 0.3, 0.3]]).repeat(20, 1)
    assert entropy(class_shares(doubtful)) == 0
    assert mean_confidence(doubtful) == pytest.approx(0.4)


def test_against_a_reference_the_divergence_is_the_textbook_sum() -> None:
    a, b = torch.tensor([0.5, 0.25, 0.25]), torch.tensor([0.25, 0.25, 0.5])
    assert kl_divergence(a, b) == pytest.approx(0.5 * math.log(2) - 0.25 * math.log(2))


@pytest.mark.parametrize("bad", [torch.zeros(0, 10), torch.zeros(10), torch.full((3, 10), float("nan"))])
def test_no_probabilities_no_shares(bad: Tensor) -> None:
    with pytest.raises(UserError, match="class probabilities"):
        class_shares(bad)


def test_two_classifiers_do_not_mix() -> None:
    with pytest.raises(UserError, match="one classifier"):
        kl_divergence(torch.ones(10) / 10, torch.ones(9) / 9)


def test_the_class_score_has_its_extremes_and_a_closed_form() -> None:
    sure = torch.eye(5).repeat(20, 1)
    assert class_score(sure).value == pytest.approx(5)
    assert class_score(torch.full((100, 5), 0.2)).value == pytest.approx(1)
    assert class_score(sure[:1].expand(100, 5)).value == pytest.approx(1)
    half = torch.tensor([[0.75, 0.25], [0.25, 0.75]]).repeat(50, 1)
    expected = math.exp(0.75 * math.log(1.5) + 0.25 * math.log(0.5))
    assert class_score(half).value == pytest.approx(expected)


def test_the_interval_of_the_class_score_covers() -> None:
    draw = generator(0, "test/class score")
    found = [class_score(torch.randn(400, 4, generator=draw).softmax(dim=1)) for _ in range(120)]
    mean = sum(one.value for one in found) / len(found)
    assert sum(one.low <= mean <= one.high for one in found) >= 0.9 * len(found)
