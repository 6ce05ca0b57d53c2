"""The losses of the adversarial game and the penalties on its discriminator, per example: (B,).

Every loss takes logits, real and fake paired one to one where a loss pairs them. `softplus(−t)` is
−ln sigmoid(t): the discriminator's logit is no probability until a sigmoid makes it one, and a hinge or
Wasserstein critic's score never is one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

Critic = Callable[[Tensor], Tensor]


class AdversarialLoss(NamedTuple):
    """What each player minimises: functions of (real_logits, fake_logits), each (B,), that return (B,)."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]
    relativistic: bool = False  # the generator's loss looks at real logits too


def logistic_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """−ln D(x) − ln(1 − D(G(z))). Goodfellow et al. (2014), equation 1."""
    return F.softplus(-real_logits) + F.softplus(fake_logits)


def nonsaturating_generator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """−ln D(G(z)). Goodfellow et al. (2014), section 3."""
    return F.softplus(-fake_logits)


def minimax_generator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """ln(1 − D(G(z))): the zero-sum game, which saturates where D is sure. Goodfellow et al. (2014)."""
    return -F.softplus(fake_logits)


def hinge_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """relu(1 − D(x)) + relu(1 + D(G(z))). Lim & Ye (2017); Miyato et al. (2018), equation 16."""
    return F.relu(1 - real_logits) + F.relu(1 + fake_logits)


def wasserstein_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """D(G(z)) − D(x). Arjovsky et al. (2017)."""
    return fake_logits - real_logits


def critic_generator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """−D(G(z)), for hinge and Wasserstein critics."""
    return -fake_logits


def least_squares_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """½(D(x) − 1)² + ½ D(G(z))². Mao et al. (2017), equation 9."""
    return 0.5 * (real_logits - 1).square() + 0.5 * fake_logits.square()


def least_squares_generator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """½(D(G(z)) − 1)². Mao et al. (2017), equation 9."""
    return 0.5 * (fake_logits - 1).square()


def relativistic_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """softplus(−(D(x) − D(G(z)))). Jolicoeur-Martineau (2018); Huang et al. (2024), equation 2."""
    return F.softplus(fake_logits - real_logits)


def relativistic_generator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """softplus(−(D(G(z)) − D(x))). Huang et al. (2024)."""
    return F.softplus(real_logits - fake_logits)


LOSSES: dict[str, AdversarialLoss] = {
    "non-saturating": AdversarialLoss(logistic_discriminator_loss, nonsaturating_generator_loss),
    "hinge": AdversarialLoss(hinge_discriminator_loss, critic_generator_loss),
    "least-squares": AdversarialLoss(least_squares_discriminator_loss, least_squares_generator_loss),
    "wasserstein": AdversarialLoss(wasserstein_discriminator_loss, critic_generator_loss),
    "relativistic": AdversarialLoss(
        relativistic_discriminator_loss, relativistic_generator_loss, relativistic=True
    ),
}


def gradient_norm(critic: Critic, images: Tensor) -> Tensor:
    """‖∇ₓD(x)‖ at each of `images` (B, …): (B,), differentiable in the critic's parameters.

    Per example only if the critic treats examples apart: batch statistics would mix them.
    """
    images = images.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(images).sum(), images, create_graph=True)
    norm: Tensor = torch.linalg.vector_norm(gradient.flatten(start_dim=1), dim=1)
    return norm


def zero_centred_penalty(critic: Critic, images: Tensor) -> Tensor:
    """½‖∇ₓD(x)‖²: R1 on real images, R2 on generated ones, to be weighted by γ; (B,).

    Mescheder et al. (2018), equation 9.
    """
    images = images.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(images).sum(), images, create_graph=True)
    return 0.5 * gradient.flatten(start_dim=1).square().sum(dim=1)


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """(‖∇D(x̂)‖ − 1)² at x̂ = mix·real + (1 − mix)·fake, `mix` (B,) uniform in [0, 1]; (B,).

    Gulrajani et al. (2017), equation 3.
    """
    weight = mix.view(-1, *[1] * (real.dim() - 1))
    between = torch.lerp(fake, real, weight)
    return torch.square(gradient_norm(critic, between) - 1)
