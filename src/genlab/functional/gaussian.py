"""The diagonal Gaussian of the encoder: sampling it, and its distance from the prior."""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

LOG_2PI = math.log(2 * math.pi)


class Posterior(Protocol):
    """What an encoder makes of images: q(z|x). `mean` (B, Z) is the code of each; `sample` takes noise
    (…, B, Z) from N(0, I) to draws of z; `log_density` is ln q(z|x) of (…, B, Z), (…, B), nats; `frozen` the
    same q, through which no gradient reaches the encoder."""

    @property
    def mean(self) -> Tensor: ...

    @property
    def log_var(self) -> Tensor: ...

    def sample(self, noise: Tensor) -> Tensor: ...

    def log_density(self, z: Tensor) -> Tensor: ...

    def frozen(self) -> Posterior: ...


class DiagonalGaussian(NamedTuple):
    """q(z|x) = N(mean, diag(exp(log_var))); both tensors have shape (B, Z)."""

    mean: Tensor
    log_var: Tensor

    @property
    def std(self) -> Tensor:
        return torch.exp(0.5 * self.log_var)

    def sample(self, noise: Tensor) -> Tensor:
        """z for `noise` (…, B, Z) from N(0, I): differentiable, several samples at once where noise leads
        with more dimensions."""
        return reparameterize(self, noise)

    def log_density(self, z: Tensor) -> Tensor:
        """ln q(z|x) of `z` (…, B, Z): (…, B), nats."""
        return log_density(z, self)

    def frozen(self) -> DiagonalGaussian:
        """The same q, through which no gradient reaches what made its mean and variance."""
        return DiagonalGaussian(self.mean.detach(), self.log_var.detach())


def reparameterize(q: DiagonalGaussian, noise: Tensor) -> Tensor:
    """z = μ + σ·ε with ε ~ N(0, I): the sample becomes a differentiable function of μ and σ.

    `noise` has the shape of `q.mean` (B, Z); so has the result. Kingma & Welling (2014), section 2.4.
    """
    return q.mean + q.std * noise


def kl_per_dimension(q: DiagonalGaussian) -> Tensor:
    """KL(q(z_j|x) ‖ N(0, 1)) = ½(μ² + σ² − 1 − ln σ²) for each latent dimension: (B, Z), nats.

    Kingma & Welling (2014), appendix B.
    """
    return 0.5 * (q.mean.square() + q.log_var.exp() - 1 - q.log_var)


def kl_divergence(q: DiagonalGaussian) -> Tensor:
    """KL(q(z|x) ‖ N(0, I)): (B,), nats."""
    return kl_per_dimension(q).sum(dim=1)


def log_density(z: Tensor, q: DiagonalGaussian) -> Tensor:
    """ln q(z) of `z` (…, B, Z): (…, B), nats."""
    return -0.5 * (LOG_2PI + q.log_var + (z - q.mean).square() / q.log_var.exp()).sum(dim=-1)


def standard_log_density(z: Tensor) -> Tensor:
    """ln N(z; 0, I) of `z` (…, Z): (…), nats."""
    return -0.5 * (LOG_2PI + z.square()).sum(dim=-1)
