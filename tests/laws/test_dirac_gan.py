"""The Dirac-GAN: real data at 0, generated data at θ, D(x) = ψx, and every closed form known of it.

Mescheder et al. (2018), "Which training methods for GANs do actually converge?". D is high on real points
here and on generated ones there, so ψ has the other sign. f'(0) = ½.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from genlab.functional.adversarial import (
    LOSSES,
    AdversarialLoss,
    gradient_penalty,
    logistic_discriminator_loss,
    minimax_generator_loss,
    relativistic_discriminator_loss,
    zero_centred_penalty,
)

Penalty = Callable[[Callable[[Tensor], Tensor], Tensor, Tensor], Tensor]
Field = Callable[[Tensor], Tensor]

MINIMAX = AdversarialLoss(logistic_discriminator_loss, minimax_generator_loss)
RELATIVISTIC_ZERO_SUM = AdversarialLoss(
    relativistic_discriminator_loss, lambda real, fake: -relativistic_discriminator_loss(real, fake)
)


def unpenalised(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    return torch.zeros(1, dtype=torch.float64)


def r1(gamma: float) -> Penalty:
    return lambda critic, real, fake: gamma * zero_centred_penalty(critic, real)


def r1_and_r2(gamma: float) -> Penalty:
    return lambda critic, real, fake: (
        gamma * (zero_centred_penalty(critic, real) + zero_centred_penalty(critic, fake))
    )


def towards_norm_one(weight: float) -> Penalty:
    half = torch.full((1,), 0.5, dtype=torch.float64)
    return lambda critic, real, fake: weight * gradient_penalty(critic, real, fake, half)


def descent(loss: AdversarialLoss, penalty: Penalty = unpenalised) -> Field:
    """(θ, ψ) -> (−∂L_G/∂θ, −∂L_D/∂ψ): where simultaneous gradient descent goes."""

    def field(point: Tensor) -> Tensor:
        point = point if point.requires_grad else point.clone().requires_grad_()
        theta, psi = point[0].reshape(1, 1), point[1].reshape(1, 1)
        real = torch.zeros(1, 1, dtype=torch.float64)

        def critic(x: Tensor) -> Tensor:
            return (x * psi).squeeze(1)

        real_logits, fake_logits = critic(real), critic(theta)
        generator = loss.generator(real_logits, fake_logits).sum()
        discriminator = loss.discriminator(real_logits, fake_logits).sum()
        discriminator = discriminator + penalty(critic, real, theta.detach()).sum()
        (along_theta,) = torch.autograd.grad(generator, theta, create_graph=True)
        (along_psi,) = torch.autograd.grad(discriminator, psi, create_graph=True)
        return torch.stack([-along_theta.squeeze(), -along_psi.squeeze()])

    return field


def at(theta: float, psi: float) -> Tensor:
    return torch.tensor([theta, psi], dtype=torch.float64)


def jacobian(field: Field, point: Tensor) -> Tensor:
    result = torch.autograd.functional.jacobian(field, point)
    assert isinstance(result, Tensor)
    return result


def spectrum(matrix: Tensor) -> list[complex]:
    return sorted(map(complex, torch.linalg.eigvals(matrix).tolist()), key=lambda z: (z.real, z.imag))


def simultaneous(field: Field, point: Tensor, h: float) -> Tensor:
    return (point + h * field(point)).detach()


def alternating(field: Field, point: Tensor, h: float) -> Tensor:
    """The discriminator first, then the generator against what it has become."""
    moved = torch.stack([point[0], point[1] + h * field(point)[1]])
    return torch.stack([moved[0] + h * field(moved)[0], moved[1]])


@pytest.mark.parametrize("h", [0.1, 1.0])
@pytest.mark.parametrize("game", [MINIMAX, RELATIVISTIC_ZERO_SUM])
def test_simultaneous_descent_on_minimax_grows_by_the_known_factor(game: AdversarialLoss, h: float) -> None:
    point = at(1.0, -0.4)
    for _ in range(50):
        following = simultaneous(descent(game), point, h)
        slope = torch.sigmoid(point[0] * point[1])  # f'(θψ) in the paper's sign of ψ
        expected = 1 + h**2 * slope**2
        assert (following.square().sum() / point.square().sum()).item() == pytest.approx(
            expected.item(), rel=1e-12
        )
        point = following


@pytest.mark.parametrize("h", [0.1, 1.0, 3.9, 4.0])
def test_alternating_descent_on_minimax_neither_grows_nor_shrinks(h: float) -> None:
    matrix = jacobian(lambda x: alternating(descent(MINIMAX), x, h), at(0, 0))
    assert [abs(z) for z in spectrum(matrix)] == pytest.approx([1, 1], abs=1e-6)


def test_alternating_descent_grows_beyond_a_step_of_4() -> None:
    matrix = jacobian(lambda x: alternating(descent(MINIMAX), x, 4.1), at(0, 0))
    assert max(abs(z) for z in spectrum(matrix)) > 1.3


def runge_kutta(field: Field, point: Tensor, step: float) -> Tensor:
    k1 = field(point)
    k2 = field((point + step / 2 * k1).detach())
    k3 = field((point + step / 2 * k2).detach())
    k4 = field((point + step * k3).detach())
    return (point + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)).detach()


def test_the_non_saturating_game_converges_no_faster_than_one_over_t() -> None:
    point = at(1.0, 1.0)
    for _ in range(500):
        point = runge_kutta(descent(LOSSES["non-saturating"]), point, 0.4)
    reached = point.square().sum().item()
    assert round(reached, 4) == 0.0393
    assert reached == pytest.approx(2 / (1 + 2 * 200 / 8), rel=0.005)


@pytest.mark.parametrize(("same", "other"), [("non-saturating", "relativistic")])
def test_the_relativistic_field_is_the_non_saturating_one(same: str, other: str) -> None:
    for theta, psi in [(0.3, -1.2), (2.0, 0.7), (-0.5, -0.5)]:
        assert torch.allclose(descent(LOSSES[same])(at(theta, psi)), descent(LOSSES[other])(at(theta, psi)))


def test_the_zero_sum_relativistic_field_is_minimax_s() -> None:
    for theta, psi in [(0.3, -1.2), (2.0, 0.7), (-0.5, -0.5)]:
        assert torch.allclose(
            descent(RELATIVISTIC_ZERO_SUM)(at(theta, psi)), descent(MINIMAX)(at(theta, psi))
        )


@pytest.mark.parametrize("gamma", [0.1, 0.5, 0.9, 1.1, 3.0])
@pytest.mark.parametrize("game", [MINIMAX, LOSSES["non-saturating"], LOSSES["relativistic"]])
def test_r1_has_the_known_eigenvalues(game: AdversarialLoss, gamma: float) -> None:
    root = cmath.sqrt(gamma**2 / 4 - 1 / 4)
    expected = sorted((-gamma / 2 - root, -gamma / 2 + root), key=lambda z: (z.real, z.imag))
    found = spectrum(jacobian(descent(game, r1(gamma)), at(0, 0)))
    assert all(abs(a - b) < 1e-9 for a, b in zip(found, expected, strict=True))
    assert max(z.real for z in found) < 0, "locally convergent"
    assert (abs(found[0].imag) < 1e-9) == (gamma >= 1), "γ = 1 is critical: oscillation below it, none above"


def test_r1_is_critical_at_gamma_1() -> None:
    found = spectrum(jacobian(descent(MINIMAX, r1(1.0)), at(0, 0)))
    assert all(abs(z + 0.5) < 1e-6 for z in found), "a double eigenvalue"


@pytest.mark.parametrize("gamma", [0.2, 0.4, 0.6, 2.0])
@pytest.mark.parametrize("game", [RELATIVISTIC_ZERO_SUM, LOSSES["relativistic"]])
def test_r1_and_r2_have_the_known_eigenvalues(game: AdversarialLoss, gamma: float) -> None:
    root = cmath.sqrt(gamma**2 - 1 / 4)
    expected = sorted((-gamma - root, -gamma + root), key=lambda z: (z.real, z.imag))
    found = spectrum(jacobian(descent(game, r1_and_r2(gamma)), at(0, 0)))
    assert all(abs(a - b) < 1e-9 for a, b in zip(found, expected, strict=True))


def orbit(field: Field, steps: int, h: float, critics: int, clip: float = math.inf) -> list[float]:
    """|θ| along alternating descent from (1, 0.5): `critics` steps of ψ, held in ±clip, for each of θ."""
    point, distances = at(1.0, 0.5), []
    for _ in range(steps):
        for _ in range(critics):
            psi = (point[1] + h * field(point)[1]).clamp(-clip, clip)
            point = torch.stack([point[0], psi]).detach()
        theta = point[0] + h * field(point)[0]
        point = torch.stack([theta, point[1]]).detach()
        distances.append(abs(point[0].item()))
    return distances


@pytest.mark.parametrize("critics", [1, 5])
def test_wgan_with_clipping_does_not_converge(critics: int) -> None:
    distances = orbit(descent(LOSSES["wasserstein"]), 400, 0.1, critics, clip=1.0)
    assert max(distances[-200:]) > 0.09


@pytest.mark.parametrize("critics", [1, 5])
def test_wgan_gp_does_not_converge(critics: int) -> None:
    field = descent(LOSSES["wasserstein"], towards_norm_one(1.0))
    distances = orbit(field, 400, 0.1, critics)
    assert max(distances[-200:]) > 0.05


def test_r1_makes_the_same_orbit_converge() -> None:
    """The test above can fail: with R1 in its place, θ comes to rest at 0."""
    assert max(orbit(descent(LOSSES["wasserstein"], r1(1.0)), 400, 0.1, 1)[-200:]) < 0.01


def test_wgan_without_either_turns_and_grows() -> None:
    point, h = at(1.0, 0.5), 0.1
    following = simultaneous(descent(LOSSES["wasserstein"]), point, h)
    assert (following.square().sum() / point.square().sum()).item() == pytest.approx(1 + h**2, rel=1e-12)
