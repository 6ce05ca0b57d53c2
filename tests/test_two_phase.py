from __future__ import annotations

import pytest
import torch

from genlab.errors import UserError
from genlab.metrics.intervals import mean_estimate
from genlab.metrics.two_phase import two_phase
from genlab.randomness import generator


def population(
    seed: int, total: int = 2000, few: int = 200
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What is cheap, what is dear and about 3 higher, and the choice on which the latter is known."""
    rng = generator(seed, "test/two-phase")
    common = 25 * torch.randn(total, generator=rng, dtype=torch.float64) - 100
    gap = 3 + torch.randn(total, generator=rng, dtype=torch.float64)
    noise = torch.randn(total, generator=rng, dtype=torch.float64)
    return common + noise, common + gap, torch.randperm(total, generator=rng)[:few]


def test_all_of_them_is_the_mean_with_its_interval() -> None:
    cheap, dear, _ = population(0)
    everyone = torch.arange(len(dear))
    found, plain = two_phase(cheap, dear, everyone), mean_estimate(dear)
    assert found.value == pytest.approx(plain.value, rel=1e-12)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), rel=1e-9)


def test_the_interval_covers_the_mean_of_the_source_and_is_far_narrower_than_the_few_alone() -> None:
    """The truth is −97; 400 times a fresh population: 95 % of the intervals hold it, give or take 3 %."""
    held, width, alone = 0, 0.0, 0.0
    for seed in range(400):
        cheap, dear, chosen = population(seed)
        found = two_phase(cheap, dear[chosen], chosen)
        held += found.low <= -97 <= found.high
        width += found.high - found.low
        plain = mean_estimate(dear[chosen])
        alone += plain.high - plain.low
    assert abs(held / 400 - 0.95) < 0.03
    assert width < alone / 2.5


def test_the_order_of_the_chosen_is_nothing_to_it() -> None:
    cheap, dear, chosen = population(1)
    turned = chosen.flip(0)
    assert two_phase(cheap, dear[turned], turned).value == pytest.approx(
        two_phase(cheap, dear[chosen], chosen).value
    )


@pytest.mark.parametrize(("few", "places"), [(1, 1), (3, 2), (12, 12)])
def test_too_few_or_misplaced_values_are_refused(few: int, places: int) -> None:
    with pytest.raises(UserError, match="2 values or more"):
        two_phase(torch.zeros(10), torch.zeros(few), torch.arange(places))
