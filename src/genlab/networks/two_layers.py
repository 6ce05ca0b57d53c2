"""Two stochastic layers: z is h1 and h2 side by side, in one tensor (…, Z1 + Z2).

q(h1|x) q(h2|h1) is an encoder, p(h2) p(h1|h2) a prior with parameters; the decoder p(x|h1) reads the
coordinates that are its own, the first. Burda et al. (2016), section 3 and section 5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.func import functional_call

from genlab.functional.gaussian import DiagonalGaussian, Posterior, standard_log_density
from genlab.networks.encoder import Encoder
from genlab.nn.blocks import ACTIVATIONS, dense
from genlab.randomness import normal


class Conditional(nn.Module):
    """(…, inputs) -> N(mean, exp(log_var)), each (…, outputs): dense layers with a Gaussian head."""

    def __init__(self, inputs: int, outputs: int, *, hidden: int, depth: int, activation: str) -> None:
        super().__init__()
        nonlinear = ACTIVATIONS[activation]()
        layers = dense(inputs, hidden, depth, "none", nonlinear, lambda layer: layer)
        self.layers = nn.Sequential(*layers, nn.Linear(hidden if depth else inputs, 2 * outputs))

    def forward(self, given: Tensor) -> DiagonalGaussian:
        return DiagonalGaussian(*self.layers(given).chunk(2, dim=-1))

    def with_fixed_weights(self, given: Tensor) -> DiagonalGaussian:
        """The same, through which gradients reach `given` and no weight."""
        fixed = {name: weight.detach() for name, weight in self.named_parameters()}
        found: DiagonalGaussian = functional_call(self, fixed, (given,))
        return found


@dataclass(frozen=True)
class TwoLayers:
    """q(h1|x) q(h2|h1): `first` is q(h1|x), (B, Z1); `second` makes q(h2|h1) of any h1 (…, B, Z1).

    `mean` and `log_var`, each (B, Z1 + Z2), are those of q(h1|x) and of q(h2|h1) at the mean of h1: what a
    code is, and no moments of the whole.
    """

    first: DiagonalGaussian
    second: Callable[[Tensor], DiagonalGaussian]
    fixed: Callable[[Tensor], DiagonalGaussian]
    """`second` with weights that no gradient reaches."""

    @cached_property
    def mean(self) -> Tensor:
        return torch.cat([self.first.mean, self._at_mean.mean], dim=-1)

    @cached_property
    def log_var(self) -> Tensor:
        return torch.cat([self.first.log_var, self._at_mean.log_var], dim=-1)

    @cached_property
    def _at_mean(self) -> DiagonalGaussian:
        return self.second(self.first.mean)

    def sample(self, noise: Tensor) -> Tensor:
        """z for `noise` (…, B, Z1 + Z2) from N(0, I), a differentiable function of both layers."""
        size = self.first.mean.shape[-1]
        h1 = self.first.sample(noise[..., :size])
        return torch.cat([h1, self.second(h1).sample(noise[..., size:])], dim=-1)

    def log_density(self, z: Tensor) -> Tensor:
        """ln q(h1|x) + ln q(h2|h1) of `z` (…, B, Z1 + Z2): (…, B), nats."""
        size = self.first.mean.shape[-1]
        h1, h2 = z[..., :size], z[..., size:]
        return self.first.log_density(h1) + self.second(h1).log_density(h2)

    def frozen(self) -> TwoLayers:
        """The same q, through which gradients reach z and no weight of the encoder."""
        return TwoLayers(self.first.frozen(), self.fixed, self.fixed)


class TwoLayerEncoder(nn.Module):
    """(B, C, H, W) -> q(h1|x) q(h2|h1)."""

    def __init__(self, first: Encoder, second: Conditional) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, images: Tensor) -> TwoLayers:
        return TwoLayers(self.first(images), self.second, self.second.with_fixed_weights)


class TwoLayerPrior(nn.Module):
    """p(h2) p(h1|h2) with p(h2) = N(0, I): a prior that learns with the encoder and the decoder."""

    name = "two stochastic layers"

    def __init__(self, sizes: tuple[int, int], given: Conditional) -> None:
        super().__init__()
        self.sizes, self.latent_dim = sizes, sum(sizes)
        self.given = given

    @torch.no_grad()
    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        weight = next(self.parameters())
        h1_noise, h2 = normal((n, self.latent_dim), rng).to(weight).split(self.sizes, dim=-1)
        return torch.cat([self.given(h2).sample(h1_noise), h2], dim=-1)

    def log_density(self, z: Tensor) -> Tensor:
        h1, h2 = z.split(self.sizes, dim=-1)
        density: Tensor = self.given(h2).log_density(h1)
        return density + standard_log_density(h2)

    def kl(self, q: Posterior, z: Tensor) -> Tensor:
        return q.log_density(z) - self.log_density(z)
