"""From a decoder's raw output to an image, and for a VAE to a likelihood.

Sampling is the same function for both families: decode, then `image`. A GAN made from a VAE keeps its
`Observation`, so that the two draw the same picture from the same z.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor, nn

from genlab.functional import likelihood


class Observation(Protocol):
    """`image`: raw (B, C, H, W) -> images in [−1, 1]; `nll`: −ln p(images | raw), (B,), in nats."""

    measure: str

    def image(self, raw: Tensor) -> Tensor: ...

    def nll(self, raw: Tensor, images: Tensor) -> Tensor: ...


def _unit(images: Tensor) -> Tensor:
    """[−1, 1] -> [0, 1]."""
    return (images + 1) / 2


class Bernoulli(nn.Module):
    """Each pixel a coin with probability sigmoid(raw); grey levels are taken as its mean."""

    measure = "cross-entropy of grey levels in [0, 1] (Bernoulli; not a density)"

    def image(self, raw: Tensor) -> Tensor:
        return torch.tanh(raw / 2)  # = 2 sigmoid(raw) − 1

    def nll(self, raw: Tensor, images: Tensor) -> Tensor:
        return likelihood.bernoulli_nll(raw, _unit(images))


class ContinuousBernoulli(nn.Module):
    """The density on [0, 1] that the Bernoulli cross-entropy lacks. Loaiza-Ganem & Cunningham (2019)."""

    measure = "density on [0, 1] (continuous Bernoulli)"

    def image(self, raw: Tensor) -> Tensor:
        return 2 * likelihood.continuous_bernoulli_mean(raw) - 1

    def nll(self, raw: Tensor, images: Tensor) -> Tensor:
        return likelihood.continuous_bernoulli_nll(raw, _unit(images))


class DiscretisedLogistic(nn.Module):
    """One of 256 grey levels for each pixel: the mass of a logistic distribution about μ = tanh(raw), its
    scale learned with the decoder, one for all pixels. `sigma` is the standard deviation at the start.

    Kingma et al. (2016); Salimans et al. (2017). Images are taken to stand on the levels.
    """

    measure = "probability of 256 grey levels (discretised logistic)"

    def __init__(self, sigma: float = 0.3) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(math.log(sigma * math.sqrt(3) / math.pi)))

    def image(self, raw: Tensor) -> Tensor:
        return torch.tanh(raw)

    def nll(self, raw: Tensor, images: Tensor) -> Tensor:
        return likelihood.discretised_logistic_nll(self.image(raw), self.log_scale, images)


class Gaussian(nn.Module):
    """N(μ, σ²) for each pixel in [−1, 1], one σ for all: fixed, or learned with the decoder.

    μ = tanh(raw); with `linear`, μ = raw (the linear VAE, whose optimum is known exactly).
    """

    measure = "density on [-1, 1] (Gaussian)"

    def __init__(self, sigma: float = 0.3, *, learned: bool = False, linear: bool = False) -> None:
        super().__init__()
        log_var = torch.tensor(2 * math.log(sigma))
        self.linear = linear
        if learned:
            self.log_var = nn.Parameter(log_var)
        else:
            self.register_buffer("log_var", log_var)

    log_var: Tensor

    def image(self, raw: Tensor) -> Tensor:
        return raw if self.linear else torch.tanh(raw)

    def nll(self, raw: Tensor, images: Tensor) -> Tensor:
        return likelihood.gaussian_nll(self.image(raw), self.log_var, images)
