"""The lab's own functions, called as the reader's are."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from genlab.functional.adversarial import logistic_discriminator_loss, nonsaturating_generator_loss
from genlab.functional.gaussian import DiagonalGaussian
from genlab.functional.gaussian import kl_divergence as closed_form
from genlab.functional.gaussian import reparameterize as reparameterized
from genlab.functional.likelihood import bernoulli_nll

Critic = Callable[[Tensor], Tensor]


def reparameterize(mean: Tensor, log_var: Tensor, noise: Tensor) -> Tensor:
    return reparameterized(DiagonalGaussian(mean, log_var), noise)


def kl_divergence(mean: Tensor, log_var: Tensor) -> Tensor:
    return closed_form(DiagonalGaussian(mean, log_var))


def elbo(raw: Tensor, pixels: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    return -bernoulli_nll(raw, pixels) - kl_divergence(mean, log_var)


def discriminator_loss(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return logistic_discriminator_loss(critic(real), critic(fake.detach()))


def generator_loss(critic: Critic, fake: Tensor) -> Tensor:
    logits = critic(fake)
    return nonsaturating_generator_loss(logits, logits)
