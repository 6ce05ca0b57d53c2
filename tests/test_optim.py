from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from genlab.training.optim import Adam, AdamSettings


def layers() -> list[nn.Module]:
    torch.manual_seed(0)
    return [nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1)]


def descend(modules: list[nn.Module], optimizer: Adam, step: int, steps: int = 100) -> None:
    x = torch.randn(8, 3, generator=torch.Generator().manual_seed(step))
    optimizer.descend(nn.Sequential(*modules)(x).square().mean(), step, steps)


def test_it_is_torch_s_adam() -> None:
    mine, theirs = layers(), nn.Sequential(*layers())
    optimizer = Adam(mine, AdamSettings(rate=0.01, betas=(0.8, 0.95), eps=1e-6))
    reference = torch.optim.Adam(theirs.parameters(), lr=0.01, betas=(0.8, 0.95), eps=1e-6)
    for step in range(5):
        descend(mine, optimizer, step)
        x = torch.randn(8, 3, generator=torch.Generator().manual_seed(step))
        reference.zero_grad()
        theirs(x).square().mean().backward()
        reference.step()
    pairs = zip(nn.Sequential(*mine).parameters(), theirs.parameters(), strict=True)
    assert all(torch.allclose(a, b, atol=1e-7) for a, b in pairs)


def test_only_its_own_parameters_move_and_no_gradient_stays() -> None:
    first, last = nn.Linear(3, 2), nn.Linear(2, 1)
    before = last.weight.clone()
    optimizer = Adam([first], AdamSettings())
    optimizer.descend(last(first(torch.randn(8, 3))).square().mean(), 0, 10)
    assert torch.equal(last.weight, before)
    assert all(p.grad is None for layer in (first, last) for p in layer.parameters())


def test_moments_are_live_and_all_there_from_the_start() -> None:
    modules, others = layers(), layers()
    optimizer, other = Adam(modules, AdamSettings()), Adam(others, AdamSettings())
    assert not any(tensor.any() for tensor in optimizer.moments().values())
    for step in range(3):
        descend(modules, optimizer, step)
    kept = {name: tensor.clone() for name, tensor in optimizer.moments().items()}
    assert set(kept) == {f"{i}/{key}" for i in range(4) for key in ("step", "exp_avg", "exp_avg_sq")}
    for mine, theirs in zip(others, modules, strict=True):
        mine.load_state_dict(theirs.state_dict())
    for name, tensor in other.moments().items():
        tensor.copy_(kept[name])
    descend(modules, optimizer, 3)
    descend(others, other, 3)
    pairs = zip(nn.Sequential(*modules).parameters(), nn.Sequential(*others).parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize(
    ("step", "expected"),
    [(0, 1.0), (25, 0.2 + 0.8 * (1 + math.sqrt(0.5)) / 2), (50, 0.6), (100, 0.2), (200, 0.2)],
)
def test_the_rate_follows_a_cosine_down_to_its_fraction(step: int, expected: float) -> None:
    assert AdamSettings(rate=3.0, final=0.2).rate_at(step, 100) == pytest.approx(3 * expected)


def test_the_rate_is_constant_unless_told_otherwise() -> None:
    assert {AdamSettings(rate=0.1).rate_at(step, 7) for step in range(9)} == {0.1}


def test_the_rate_reaches_adam() -> None:
    modules = layers()
    optimizer = Adam(modules, AdamSettings(rate=0.5, final=0.0))
    before = [p.clone() for p in nn.Sequential(*modules).parameters()]
    descend(modules, optimizer, step=100, steps=100)
    pairs = zip(before, nn.Sequential(*modules).parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs), "a rate of 0 moves nothing"


def test_the_iwae_paper_s_stairs() -> None:
    """3^i epochs at 10^(−i/7) of the rate, i = 0 … 7: here as many steps as epochs, then twice as many."""
    settings = AdamSettings(rate=1e-3, schedule="burda")
    rates = [1e-3 * 10 ** (-i / 7) for i in range(8) for _ in range(3**i)]
    assert len(rates) == 3280
    assert [settings.rate_at(step, 3280) for step in range(3280)] == pytest.approx(rates)
    assert [settings.rate_at(step, 6560) for step in range(6560)] == pytest.approx(
        [rate for rate in rates for _ in range(2)]
    )
    assert settings.rate_at(5000, 3280) == pytest.approx(1e-4)


def test_a_gradient_that_lies_otherwise_is_still_its_own_parameter_s() -> None:
    """The fused kernel reads rows of numbers: weights channels last, a gradient that is not."""
    kernel = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    before, slopes = kernel.weight.detach().clone(), torch.randn(4, 3, 3, 3)
    Adam([kernel], AdamSettings(rate=0.1)).descend((kernel.weight * slopes).sum() + kernel.bias.sum(), 0, 9)
    assert torch.allclose(before - kernel.weight, 0.1 * slopes.sign(), atol=1e-5)


def test_a_cooldown_keeps_the_rate_and_then_lowers_it_along_a_line() -> None:
    settings = AdamSettings(rate=2e-3, final=0.1, schedule="cooldown")
    rates = [settings.rate_at(step, 1000) for step in (0, 699, 700, 850, 1000, 2000)]
    assert rates == pytest.approx([2e-3, 2e-3, 2e-3, 2e-3 * 0.55, 2e-4, 2e-4])
