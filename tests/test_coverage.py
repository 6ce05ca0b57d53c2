"""Class shares, what is counted as covered, and the entropies."""

import math

import pytest
import torch
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.coverage import (
    class_divergence,
    class_score,
    class_shares,
    classes_covered,
    confidence,
    entropy,
    evenness,
    kl_divergence,
    mean_confidence,
)
from genlab.metrics.intervals import Estimate, jackknifed
from genlab.metrics.unavailable import Unavailable
from genlab.randomness import generator


def certain(counts: list[int]) -> Tensor:
    """Probabilities that leave no doubt, counts[k] of class k."""
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    return torch.nn.functional.one_hot(labels, len(counts)).float()


def drawn(count: int, classes: int = 5, seed: int = 0) -> Tensor:
    """Probabilities of a classifier that is sure of some images and not of others."""
    logits = 3 * torch.randn(count, classes, generator=generator(seed, "test/coverage"))
    return (logits + torch.arange(classes) / 2).softmax(dim=1)


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


def test_each_estimate_is_its_number_with_the_jackknife_that_recomputes_it() -> None:
    probabilities, reference = drawn(130), class_shares(drawn(90, seed=1))
    divergence = class_divergence(probabilities, reference)
    assert isinstance(divergence, Estimate)
    pairs = {
        divergence: lambda part: kl_divergence(class_shares(part), reference),
        evenness(probabilities): lambda part: entropy(class_shares(part)) / math.log(5),
        class_score(probabilities): by_hand,
    }
    for found, statistic in pairs.items():
        plain = jackknifed(statistic, probabilities)
        assert found.value == pytest.approx(plain.value, abs=1e-12)
        assert found.error == pytest.approx(plain.error, rel=1e-9)
    sure = confidence(probabilities)
    assert sure.value == pytest.approx(mean_confidence(probabilities))
    assert sure.error == pytest.approx(float(probabilities.amax(dim=1).double().std()) / 130**0.5)


def by_hand(probabilities: Tensor) -> float:
    """E KL(p(y|x) ‖ p(y)) image by image."""
    marginal = probabilities.double().mean(dim=0)
    return math.exp(sum(kl_divergence(row, marginal) for row in probabilities.double()) / len(probabilities))


def test_the_class_score_reaches_from_one_to_the_number_of_classes() -> None:
    assert class_score(certain([10] * 7)).value == pytest.approx(7)
    assert class_score(certain([0, 70, 0])).value == pytest.approx(1)
    assert class_score(torch.full((50, 4), 0.25)).value == pytest.approx(1)
    uneven = math.exp(entropy(torch.tensor([0.2, 0.8])))
    assert class_score(certain([10, 40])).value == pytest.approx(uneven)
    assert 1 <= class_score(drawn(40)).low <= class_score(drawn(40)).high <= 5


def test_order_does_not_matter() -> None:
    probabilities, reference = drawn(100), class_shares(drawn(90, seed=1))
    flipped = probabilities.flip(0)
    assert class_score(flipped).value == pytest.approx(class_score(probabilities).value, rel=1e-12)
    assert evenness(flipped).value == evenness(probabilities).value
    one, other = class_divergence(flipped, reference), class_divergence(probabilities, reference)
    assert isinstance(one, Estimate)
    assert isinstance(other, Estimate)
    assert one.value == other.value


def test_a_class_that_the_reference_lacks_has_no_divergence() -> None:
    found = class_divergence(certain([30, 20]), torch.tensor([1.0, 0.0]))
    assert found == Unavailable("the samples have a class that the test images lack")


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (torch.full((50, 3), float("nan")), "NaN"),
        (torch.ones(50), "class probabilities"),
        (drawn(50).log(), "softmax"),
        (drawn(50) * 2, "softmax"),
        (drawn(39), "at least 40"),
    ],
)
def test_what_are_no_probabilities_is_said(bad: Tensor, said: str) -> None:
    for metric in (class_score, evenness):
        with pytest.raises(UserError, match=said):
            metric(bad)
    with pytest.raises(UserError, match=said):
        class_divergence(bad, torch.ones(5) / 5)
    with pytest.raises(UserError, match="two classes"):
        evenness(torch.ones(50, 1))
