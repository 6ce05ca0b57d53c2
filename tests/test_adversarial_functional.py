from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from genlab.functional import adversarial
from genlab.functional.adversarial import LOSSES

REAL, FAKE = torch.tensor([2.0, -0.5, 0.0]), torch.tensor([0.3, -3.0, 0.0])


def sigmoid(t: float) -> float:
    return 1 / (1 + math.exp(-t))


# What each player minimises, written with logarithms of probabilities as the papers have it.
BY_HAND: dict[str, tuple[Callable[[float, float], float], Callable[[float, float], float]]] = {
    "non-saturating": (lambda r, f: -math.log(sigmoid(r)) - math.log(1 - sigmoid(f)),
                       lambda r, f: -math.log(sigmoid(f))),
    "hinge": (lambda r, f: max(0, 1 - r) + max(0, 1 + f), lambda r, f: -f),
    "least-squares": (lambda r, f: ((r - 1) ** 2 + f**2) / 2, lambda r, f: (f - 1) ** 2 / 2),
    "wasserstein": (lambda r, f: f - r, lambda r, f: -f),
    "relativistic": (lambda r, f: -math.log(sigmoid(r - f)), lambda r, f: -math.log(sigmoid(f - r))),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_the_papers(name: str) -> None:
    discriminator, generator = BY_HAND[name]
    pairs = list(zip(REAL.tolist(), FAKE.tolist(), strict=True))
    found = LOSSES[name].discriminator(REAL, FAKE), LOSSES[name].generator(REAL, FAKE)
    assert found[0].tolist() == pytest.approx([discriminator(*pair) for pair in pairs], abs=1e-6)
    assert found[1].tolist() == pytest.approx([generator(*pair) for pair in pairs], abs=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_better_judgement_costs_the_discriminator_less_and_the_generator_more(name: str) -> None:
    loss = LOSSES[name]
    low, high = torch.tensor([-0.5]), torch.tensor([0.5])
    assert loss.discriminator(high, low) < loss.discriminator(low, high)
    assert loss.generator(high, low) > loss.generator(high, high)


@pytest.mark.parametrize("name", LOSSES)
def test_only_relativistic_generators_look_at_real_images(name: str) -> None:
    looks = not torch.equal(LOSSES[name].generator(REAL, FAKE), LOSSES[name].generator(REAL + 1, FAKE))
    assert looks == LOSSES[name].relativistic


def test_minimax_is_zero_sum() -> None:
    real = torch.full_like(FAKE, 1e9)  # no doubt about these, so that they cost nothing
    paid = adversarial.logistic_discriminator_loss(real, FAKE)
    assert torch.allclose(adversarial.minimax_generator_loss(real, FAKE), -paid)


@pytest.mark.parametrize("name", LOSSES)
def test_no_logit_is_too_large(name: str) -> None:
    for sign in (-1, 1):
        real, fake = torch.tensor([sign * 1e4]), torch.tensor([-sign * 1e4])
        assert torch.isfinite(LOSSES[name].discriminator(real, fake)).all()
        assert torch.isfinite(LOSSES[name].generator(real, fake)).all()


def discriminator_sum(logits: Tensor, p: Tensor, q: Tensor, width: float) -> Tensor:
    """∬ p(x) q(y) L(D(x), D(y)) dx dy by the rectangle rule, on every pair of points."""
    loss = adversarial.logistic_discriminator_loss(logits[:, None], logits[None, :])
    return (p[:, None] * q[None, :] * loss).sum() * width**2


def test_the_best_discriminator_is_p_over_p_plus_q() -> None:
    """Between N(−1, 1) and N(1, 1): logit D* = −2x, loss 2 ln 2 − 2 JS = 0.71263, and no slope there."""
    x = torch.linspace(-9, 9, 600, dtype=torch.float64)
    width = (x[1] - x[0]).item()
    p, q = (torch.exp(-((x - mean) ** 2) / 2) / math.sqrt(2 * math.pi) for mean in (-1, 1))
    best = (-2 * x).requires_grad_()
    assert torch.allclose(torch.sigmoid(best), p / (p + q))
    loss = discriminator_sum(best, p, q, width)
    assert round(loss.item(), 5) == 0.71263
    middle = (p + q) / 2
    divergence = ((p * (p / middle).log() + q * (q / middle).log()) / 2).sum() * width
    assert loss.item() == pytest.approx(2 * math.log(2) - 2 * divergence.item(), rel=1e-9)
    (slope,) = torch.autograd.grad(loss, best)
    assert slope.abs().max() < 1e-12
    assert all(discriminator_sum(factor * best, p, q, width) > loss for factor in (0.9, 1.1))


def test_penalties_are_per_example() -> None:
    points = torch.from_numpy(np.random.default_rng(0).normal(size=(4, 2, 3, 3)))
    other, mix = points.flip(0), torch.tensor([0.0, 0.3, 0.7, 1.0], dtype=torch.float64)

    def critic(x: Tensor) -> Tensor:
        return x.flatten(start_dim=1).pow(3).sum(dim=1)

    penalties: list[Callable[[slice], Tensor]] = [
        lambda keep: adversarial.zero_centred_penalty(critic, points[keep]),
        lambda keep: adversarial.gradient_norm(critic, points[keep]),
        lambda keep: adversarial.gradient_penalty(critic, points[keep], other[keep], mix[keep]),
    ]
    for penalty in penalties:
        together = penalty(slice(None))
        assert together.shape == (4,)
        apart = torch.cat([penalty(slice(i, i + 1)) for i in range(4)])
        assert torch.allclose(together, apart)


def test_the_interpolation_begins_at_fake_and_ends_at_real() -> None:
    real, fake = torch.full((2, 1, 2, 2), 3.0), torch.full((2, 1, 2, 2), 5.0)

    def critic(x: Tensor) -> Tensor:
        return x.flatten(start_dim=1).square().sum(dim=1) / 2  # its gradient's norm is that of x: 2|x|

    penalty = adversarial.gradient_penalty(critic, real, fake, torch.tensor([1.0, 0.0]))
    assert penalty.tolist() == pytest.approx([(2 * 3 - 1) ** 2, (2 * 5 - 1) ** 2])
