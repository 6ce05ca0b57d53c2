"""Negative log-likelihoods −ln p(x|z), summed over pixels: (B,), in nats.

`pixels` are in [0, 1] for the Bernoulli kinds and in [−1, 1] for the Gaussian; the two measures differ by
d·ln 2 and must not share a column. The discretised logistic gives probabilities, which no density compares
with.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from genlab.functional.gaussian import LOG_2PI

# Below this |logit| the closed forms of the continuous Bernoulli lose digits and a series takes over.
_NEAR_HALF = 0.1


def _sum_pixels(per_pixel: Tensor) -> Tensor:
    return per_pixel.flatten(start_dim=1).sum(dim=1)


def bernoulli_nll(logits: Tensor, pixels: Tensor) -> Tensor:
    """−Σ x ln λ + (1−x) ln(1−λ), λ = sigmoid(logits): (B,), nats.

    A probability for binary pixels. On grey levels it is a cross-entropy and no density: its values compare
    only with those of the same images.
    """
    return _sum_pixels(F.binary_cross_entropy_with_logits(logits, pixels, reduction="none"))


def continuous_bernoulli_log_normalizer(logits: Tensor) -> Tensor:
    """ln C(λ), C(λ) = 2 artanh(1−2λ) / (1−2λ), C(½) = 2; elementwise.

    With t = logit λ this is ln(t / tanh(t/2)), and near t = 0 the series ln 2 + t²/12 − 7t⁴/1440 + … is
    used. Loaiza-Ganem & Cunningham (2019), equation 5.
    """
    near = logits.abs() < _NEAR_HALF
    far = torch.where(near, torch.ones_like(logits), logits)  # keeps the unused branch's gradient finite
    exact = torch.log(far / torch.tanh(far / 2))
    square = logits.square()
    series = math.log(2) + square * (1 / 12 - square * (7 / 1440 - square * 31 / 90720))
    return torch.where(near, series, exact)


def continuous_bernoulli_nll(logits: Tensor, pixels: Tensor) -> Tensor:
    """The Bernoulli cross-entropy less ln C(λ): a density on [0, 1]^d; (B,), nats."""
    log_normalizer = _sum_pixels(continuous_bernoulli_log_normalizer(logits))
    return bernoulli_nll(logits, pixels) - log_normalizer


def continuous_bernoulli_mean(logits: Tensor) -> Tensor:
    """E[x] = λ/(2λ−1) + 1/(2 artanh(1−2λ)) in (0, 1), elementwise; ½ at λ = ½.

    With t = logit λ: ½ + ½ coth(t/2) − 1/t. Loaiza-Ganem & Cunningham (2019), equation 8.
    """
    near = logits.abs() < _NEAR_HALF
    far = torch.where(near, torch.ones_like(logits), logits)
    exact = 0.5 + 0.5 / torch.tanh(far / 2) - 1 / far
    square = logits.square()
    series = 0.5 + logits * (1 / 12 - square * (1 / 720 - square / 30240))
    return torch.where(near, series, exact)


LEVELS = 256  # of grey, at equal distances from −1 to 1


def discretised_logistic_nll(mean: Tensor, log_scale: Tensor, pixels: Tensor) -> Tensor:
    """−Σ ln P(x), P the mass of a logistic distribution between the level x and its neighbours: (B,), nats.

    The lowest level has all that lies below, the highest all above, so that P sums to 1 over the `LEVELS`.
    With a and b the ends of a level in units of the scale, σ(a) − σ(b) = σ(a) σ(−b) (1 − e^(b−a)), which
    loses no digits. Kingma et al. (2016), appendix C.1; Salimans et al. (2017), equation 2.
    """
    half = 1 / (LEVELS - 1)
    scaled, width = (pixels - mean) * torch.exp(-log_scale), half * torch.exp(-log_scale)
    below_upper, above_lower = F.logsigmoid(scaled + width), F.logsigmoid(width - scaled)
    between = torch.log(-torch.expm1(-2 * width))
    inside = below_upper + above_lower + between
    ends = torch.where(pixels < half - 1, below_upper, above_lower)
    return -_sum_pixels(torch.where(pixels.abs() > 1 - half, ends, inside))


def gaussian_nll(mean: Tensor, log_var: Tensor, pixels: Tensor) -> Tensor:
    """½ Σ [ln 2π + ln σ² + (x−μ)²/σ²]: (B,), nats; `log_var` broadcasts against `mean` (B, C, H, W)."""
    return _sum_pixels(0.5 * (LOG_2PI + log_var + (pixels - mean).square() * torch.exp(-log_var)))
