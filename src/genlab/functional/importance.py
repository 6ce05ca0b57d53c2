"""Importance weights of a VAE: wₖ = p(x|zₖ) p(zₖ) / q(zₖ|x) at K draws zₖ of q(z|x), kept as logarithms.

`log_weights` have shape (K, B), a row for each draw and a column for each image; bounds have shape (B,), in
nats. E[w] = p(x), so ln of a mean of weights bounds ln p(x) from below in expectation.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def log_weights(nll: Tensor, log_prior: Tensor, log_q: Tensor, beta: float = 1.0) -> Tensor:
    """ln w = ln p(x|z) + β (ln p(z) − ln q(z|x)), elementwise; weights of the model where β = 1.

    β < 1 is the warm-up of the KL term, for every bound alike. Burda et al. (2016), section 5.
    """
    return beta * (log_prior - log_q) - nll


def log_mean_exp(log_weights: Tensor) -> Tensor:
    """L_K = ln (1/K) Σₖ wₖ: (K, B) -> (B,), nats. It rises with K towards ln p(x) in expectation, and is the
    ELBO at K = 1. Burda et al. (2016), equation 8."""
    return torch.logsumexp(log_weights, dim=0) - math.log(len(log_weights))


def normalized_weights(log_weights: Tensor) -> Tensor:
    """w̃ₖ = wₖ / Σⱼ wⱼ: (K, B), columns of sum 1: what each draw weighs in the gradient of L_K.

    Burda et al. (2016), equation 14.
    """
    return torch.softmax(log_weights, dim=0)


class LogMeanExp:
    """L_K in bounded memory: weights are taken in a few rows at a time, and only their running logarithm is
    kept, (B,) in float64.

    `value` is `log_mean_exp` of all the rows so far, whatever the rows were cut into.
    """

    def __init__(self) -> None:
        self.count = 0
        self._log_sum: Tensor | None = None

    def add(self, log_weights: Tensor) -> None:
        """Take in more rows (k, B)."""
        more = torch.logsumexp(log_weights.double(), dim=0)
        self._log_sum = more if self._log_sum is None else torch.logaddexp(self._log_sum, more)
        self.count += len(log_weights)

    @property
    def value(self) -> Tensor:
        """L_K of each image at K = `count`: (B,), nats."""
        assert self._log_sum is not None, "no weights yet"
        return self._log_sum - math.log(self.count)
